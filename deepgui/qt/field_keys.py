"""Shortcuts that reach their action although a field has the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QTextEdit, QWidget

from deepgui.qt.actions import ENTRIES, Actions

_FIELDS = (QLineEdit, QPlainTextEdit, QTextEdit)
_FIELDS_OWN = frozenset(("undo", "redo"))
"""Actions whose keys mean the same to a field, for the text in it."""


class FieldKeys(QObject):
    """Keeps a field from taking a shortcut of the window as an editing key (Ctrl+E: to the end of the line).

    It listens to the one field that has the keyboard; a filter on the application would see every event.
    """

    def __init__(self, actions: Actions, parent: QObject) -> None:
        super().__init__(parent)
        self._actions = actions
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._follow)

    def _follow(self, before: QWidget | None, now: QWidget | None) -> None:
        if isinstance(before, _FIELDS):
            before.removeEventFilter(self)
        if isinstance(now, _FIELDS):
            now.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            pressed = QKeySequence(event.keyCombination())
            if any(pressed in self._actions[e.id].shortcuts() for e in ENTRIES if not e.canvas | (e.id in _FIELDS_OWN)):
                event.ignore()
                return True
        return False
