"""What the application remembers between starts: window, docks, theme, shortcuts."""

from __future__ import annotations

import os

from PySide6.QtCore import QByteArray, QSettings

from deepgui import paths


class Settings:
    """A typed face of QSettings. Anything unreadable in it counts as not set.

    With ``DEEPGUI_HOME`` set the file is ``DEEPGUI_HOME/settings.ini``, else the platform's usual place.
    """

    def __init__(self) -> None:
        if os.environ.get("DEEPGUI_HOME"):
            path = paths.user_data() / "settings.ini"
            self._store = QSettings(str(path), QSettings.Format.IniFormat)
        else:
            self._store = QSettings("DeepGUI", "DeepGUI")

    def text(self, key: str, default: str = "") -> str:
        value = self._store.value(key, default)
        return value if isinstance(value, str) else default

    def state(self, key: str) -> QByteArray | None:
        """A geometry or dock state as Qt wrote it."""
        value = self._store.value(key)
        return value if isinstance(value, QByteArray) and not value.isEmpty() else None

    def set(self, key: str, value: str | QByteArray) -> None:
        self._store.setValue(key, value)

    def forget(self, key: str) -> None:
        self._store.remove(key)

    def sync(self) -> None:
        """Write to disk now."""
        self._store.sync()
