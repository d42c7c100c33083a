"""Where the files that travel with DeepGUI are, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    packed = _PACKAGE / name
    return packed if packed.is_dir() else _PACKAGE.parent / name


def resources() -> Path:
    """Icons, themes, help and templates."""
    return _folder("resources")


def samples() -> Path:
    """One project a kind of network."""
    return _folder("samples")


def user_data() -> Path:
    """Where DeepGUI keeps what is the user's but belongs to no project: recent files, recovery, caches.

    ``DEEPGUI_HOME`` overrides the platform's usual place.
    """
    import os

    if home := os.environ.get("DEEPGUI_HOME"):
        return Path(home)
    from platformdirs import user_data_path

    return Path(user_data_path("deepgui", appauthor=False))
