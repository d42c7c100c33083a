"""Unsaved work kept aside while one draws, and found again after a crash."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from deepgui import paths
from deepgui.project import atomic, file
from deepgui.project.decode import FileError
from deepgui.project.document import Document
from deepgui.project.values import Project


def recovery_folder() -> Path:
    """Where unsaved work is kept, unless another folder is given."""
    return paths.user_data() / "recovery"


class Autosave:
    """Keeps the unsaved value of one document in a recovery file, as long as it is unsaved.

    The window calls :meth:`tick` from a timer, and :meth:`close` when the user closes the document,
    having saved it or let it go. The user's own file is never touched.
    """

    def __init__(self, document: Document, folder: Path | None = None) -> None:
        self._document = document
        self._file = (folder or recovery_folder()) / f"{uuid.uuid4().hex}.json"
        self._kept: Project | None = None

    def tick(self) -> str:
        """Bring the recovery file up to date. Returns an empty string, or why that failed in one sentence."""
        try:
            self.flush()
        except FileError as error:
            return str(error)
        return ""

    def flush(self) -> None:
        """Bring the recovery file up to date; there is none while nothing is unsaved. Raises FileError."""
        project = self._document.project
        if not self._document.dirty:
            self._remove()
        elif project is not self._kept:
            self._keep(project)

    def close(self) -> None:
        """Nothing is to be recovered any more."""
        self._remove()

    def _keep(self, project: Project) -> None:
        origin = self._document.path
        entry = {
            **_this_process(),
            "time": time.time(),
            "path": None if origin is None else str(origin.absolute()),
            "project": file.to_text(project),
        }
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            atomic.replace(self._file, json.dumps(entry).encode())
        except OSError as error:
            raise FileError(f"Unsaved work cannot be kept in {self._file.parent}: {atomic.reason(error)}.") from error
        self._kept = project

    def _remove(self) -> None:
        if self._kept is not None:
            with contextlib.suppress(OSError):
                self._file.unlink()
            self._kept = None


@dataclass(frozen=True)
class Recovery:
    """Unsaved work of a DeepGUI that ended without closing it.

    Attributes:
        path: the project's own file; None if it never had one.
        name: what the project is called.
        time: when it was kept (seconds since 1970).
    """

    file: Path
    path: Path | None
    name: str
    time: float
    text: str

    def project(self) -> Project:
        """The value as it was. Raises FileError."""
        return file.from_text(self.text, f"The unsaved work on {self.name}")

    def discard(self) -> None:
        """Forget it: it was recovered and saved, or is not wanted."""
        with contextlib.suppress(OSError):
            self.file.unlink()


def recoverable(folder: Path | None = None) -> list[Recovery]:
    """What crashed processes left behind, the latest first. What has been saved since is tidied away."""
    found = []
    for path in (folder or recovery_folder()).glob("*.json"):
        leftover = _leftover(path)
        if leftover is None:
            continue
        if _is_saved(leftover):
            leftover.discard()
        else:
            found.append(leftover)
    return sorted(found, key=lambda recovery: recovery.time, reverse=True)


def _leftover(path: Path) -> Recovery | None:
    """What a recovery file holds, or None if its process lives or it cannot be recovered at all."""
    try:
        entry = json.loads(path.read_bytes())
        if entry["host"] != platform.node() or _lives(entry):
            return None
        origin = None if entry["path"] is None else Path(entry["path"])
        text = str(entry["project"])
        name = origin.name if origin else file.from_text(text).name
        return Recovery(path, origin, name, float(entry["time"]), text)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _this_process() -> dict[str, Any]:
    return {"host": platform.node(), "pid": os.getpid(), "started": psutil.Process().create_time()}


def _lives(entry: Any) -> bool:
    """Whether the very process that wrote the entry runs: its number alone may belong to another by now."""
    try:
        process = psutil.Process(int(entry["pid"]))
        if process.status() == psutil.STATUS_ZOMBIE:  # dead, and nobody has asked how it died
            return False
        return abs(float(process.create_time()) - float(entry["started"])) < 1.0
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def _is_saved(recovery: Recovery) -> bool:
    try:
        return recovery.path is not None and file.read(recovery.path) == recovery.project()
    except FileError:
        return False
