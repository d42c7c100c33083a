"""The files opened lately, for the start page and the menu."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from deepgui import paths
from deepgui.project import atomic

LIMIT = 12


def _list() -> Path:
    return paths.user_data() / "recent.json"


def recent() -> list[Path]:
    """The files opened lately that are still there, the latest first. A damaged list counts as empty."""
    return [path for path in _known() if path.is_file()]


def _known() -> list[Path]:
    try:
        entries = json.loads(_list().read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    entries = entries if isinstance(entries, list) else []
    return [Path(entry) for entry in entries if isinstance(entry, str) and entry and "\0" not in entry][:LIMIT]


def remember(path: Path | str) -> None:
    """Put a file first. A list that cannot be written is no reason to disturb anybody."""
    path = Path(path).absolute()
    _store([path, *(other for other in _known() if other != path)])


def forget(path: Path | str) -> None:
    """Take a file off the list."""
    path = Path(path).absolute()
    _store([other for other in _known() if other != path])


def _store(files: list[Path]) -> None:
    with contextlib.suppress(OSError):
        _list().parent.mkdir(parents=True, exist_ok=True)
        atomic.replace(_list(), json.dumps([str(path) for path in files[:LIMIT]], indent=2).encode())
