"""The one mutable object: the current project and the way back."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import NamedTuple

from deepgui.project.values import Project

Listener = Callable[[Project, Project], None]
MERGE_SECONDS = 1.0


class Signal:
    """Calls its listeners in the order they connected; a plain one, since this room knows no Qt."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def connect(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener(before, after)`` on every change; returns the function that stops it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def emit(self, before: Project, after: Project) -> None:
        for listener in tuple(self._listeners):
            listener(before, after)


class _Step(NamedTuple):
    project: Project
    label: str


class Document:
    """The current :class:`Project` with its history, and the file it belongs to.

    ``changed(before, after)`` fires only when the value really is another one. ``saved`` remembers
    the value last written, so :attr:`dirty` is an identity test and undoing to it is clean again.
    """

    def __init__(self, project: Project, path: Path | None = None) -> None:
        self.project = project
        self.path = path
        self.saved: Project = project
        self.changed = Signal()
        self._past: list[_Step] = []
        self._future: list[_Step] = []
        self._merge: tuple[Hashable, float] | None = None

    @property
    def dirty(self) -> bool:
        return self.project is not self.saved

    @property
    def undo_label(self) -> str:
        """What undo would take back ("Move", "Connect"), or an empty string."""
        return self._past[-1].label if self._past else ""

    @property
    def redo_label(self) -> str:
        return self._future[-1].label if self._future else ""

    def apply(self, project: Project, label: str, merge: Hashable | None = None) -> None:
        """Make ``project`` current. Changes with the same ``merge`` key within a second are one undo step."""
        if project is self.project:
            return
        now = time.monotonic()
        merging = merge is not None and self._merge is not None and self._merge[0] == merge
        if not (merging and self._merge and now - self._merge[1] < MERGE_SECONDS and self._past):
            self._past.append(_Step(self.project, label))
        self._merge = None if merge is None else (merge, now)
        self._future.clear()
        self._become(project)

    def undo(self) -> bool:
        """Go back one step; False if there is none."""
        return self._travel(self._past, self._future)

    def redo(self) -> bool:
        """Go forward one step; False if there is none."""
        return self._travel(self._future, self._past)

    def _travel(self, source: list[_Step], other: list[_Step]) -> bool:
        if not source:
            return False
        step = source.pop()
        other.append(_Step(self.project, step.label))
        self._merge = None
        self._become(step.project)
        return True

    def _become(self, project: Project) -> None:
        before, self.project = self.project, project
        self.changed.emit(before, project)

    def mark_saved(self, path: Path) -> None:
        """Remember that the current value is what ``path`` holds; what follows is a step of its own."""
        self.path, self.saved = path, self.project
        self._merge = None
