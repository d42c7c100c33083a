"""The runs of the open project, read off the GUI thread and only while somebody looks at them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from deepgui.project.document import Document
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.dashboard.curves import Column
from deepgui.qt.dashboard.worker import Broken, Worker
from deepgui.qt.session import Session
from deepgui.training import store
from deepgui.training.store import RunError, RunInfo, RunStore, default_root

LIVE_MS, QUIET_MS = 1000, 4000
"""How often the disk is looked at while a run is under way anywhere, and while none is."""
_NOTHING: Column = (np.empty(0), np.empty(0))


@dataclass(frozen=True)
class Wish:
    """A curve that somebody looks at."""

    folder: Path
    column: str


@dataclass(frozen=True)
class _Known:
    """A run as it was read: its curves are those of this ``era``, which ends when it is trained further."""

    info: RunInfo
    columns: tuple[str, ...]
    era: int


@dataclass(frozen=True)
class _Order:
    """What to read: places, runs whose curves are named, curves with the last step that is known of each."""

    places: tuple[RunStore, ...]
    shared: RunStore
    name: str
    own: frozenset[Path]
    chosen: frozenset[Path]
    wishes: Mapping[Wish, tuple[int, int]]
    known: Mapping[Path, _Known]


@dataclass(frozen=True)
class _Found:
    runs: Mapping[Path, _Known]
    ends: Mapping[Wish, tuple[bool, Column]]


class Shelf(QObject):
    """Runs, the newest first, and the curves of those that are chosen.

    A project's runs are those beside its file. Projects without a file share a place, where those of the same name
    count, and what this window trained. Nothing is read while :meth:`watch` says that nobody looks.

    Signals:
        changed: the list is another, or something in it.
        drawn: curves that were wished for have grown or are there now.
    """

    changed = Signal()
    drawn = Signal()

    def __init__(self, session: Session, controller: RunController) -> None:
        super().__init__(controller)
        self._session, self._controller = session, controller
        self._worker = Worker(self)
        self._stores: dict[Path, RunStore] = {}
        self._known: dict[Path, _Known] = {}
        self._curves: dict[Wish, tuple[int, Column]] = {}
        self._wishes: frozenset[Wish] = frozenset()
        self._chosen: frozenset[Path] = frozenset()
        self._homes: tuple[Path, ...] = ()
        self._own: frozenset[Path] = frozenset()
        self._watched = False
        self.loaded = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.look)
        session.document_replaced.connect(self._start_over)
        controller.run_started.connect(self._on_started)
        controller.run_finished.connect(lambda _: self.look())
        controller.closing.connect(self.close)

    # -- what there is

    @property
    def runs(self) -> tuple[RunInfo, ...]:
        return tuple(sorted((k.info for k in self._known.values()), key=lambda run: run.started, reverse=True))

    def columns(self, folders: Collection[Path]) -> tuple[str, ...]:
        """Names of the curves that any of these runs has."""
        known = [self._known[folder] for folder in folders if folder in self._known]
        return tuple(dict.fromkeys(name for run in known for name in run.columns))

    def curve(self, wish: Wish) -> Column:
        """What is known of a curve that was wished for."""
        return self._curves[wish][1] if wish in self._curves else _NOTHING

    # -- what is wanted

    def watch(self, seen: bool) -> None:
        """Read while somebody looks, and not otherwise."""
        self._watched = seen
        if seen:
            self.look()
        else:
            self._timer.stop()

    def choose(self, folders: Collection[Path]) -> None:
        """Have the names of these runs' curves ready."""
        if frozenset(folders) != self._chosen:
            self._chosen = frozenset(folders)
            self.look()

    def wish(self, wishes: Collection[Wish]) -> None:
        """Read these curves, and follow them while they grow."""
        if frozenset(wishes) != self._wishes:
            self._wishes = frozenset(wishes)
            self._curves = {wish: curve for wish, curve in self._curves.items() if wish in self._wishes}
            self.look()

    def stay_with(self, home: Path) -> None:
        """The project that was just opened comes from a run: its siblings stay on the shelf."""
        self._homes = (home,)
        self.look()

    def close(self) -> None:
        """For closing the window."""
        self._timer.stop()
        self._watched = False
        self._worker.close()

    def _start_over(self) -> None:
        self._homes, self._own, self._known, self._curves = (), frozenset(), {}, {}
        self.loaded = False
        self.changed.emit()
        self.look()

    def _on_started(self, started: Any) -> None:
        if started.run:
            self._own |= {Path(started.run).absolute()}
        self.look()

    # -- reading

    def look(self) -> None:
        """Read now, if somebody looks."""
        if not self._watched:
            return
        document = self._session.document
        beside, shared = default_root(document.path), default_root(None)
        places = dict.fromkeys((*((beside,) if beside != shared else ()), *(h for h in self._homes if h != shared)))
        order = _Order(
            tuple(self._store(place) for place in places),
            self._store(shared),
            document.project.name,
            self._own,
            self._chosen,
            {wish: self._end(wish) for wish in self._wishes},
            self._known,
        )
        self._worker.submit("runs", lambda: _read(order), lambda found: self._take(found, document))

    def _store(self, place: Path) -> RunStore:
        return self._stores.setdefault(place, RunStore(place))

    def _end(self, wish: Wish) -> tuple[int, int]:
        era, (steps, _) = self._curves.get(wish, (0, _NOTHING))
        return era, int(steps[-1]) if len(steps) else -1

    def _take(self, found: _Found | Broken, document: Document) -> None:
        if document is not self._session.document:
            return
        if isinstance(found, Broken):  # a place that cannot be read just now
            self._schedule()
            return
        changed = found.runs != self._known or not self.loaded
        self._known, self.loaded = dict(found.runs), True
        ends = {wish: end for wish, end in found.ends.items() if wish in self._wishes and wish.folder in self._known}
        for wish, (goes_on, end) in ends.items():
            before = self._curves.get(wish, (0, _NOTHING))[1] if goes_on else _NOTHING
            joined = np.concatenate((before[0], end[0])), np.concatenate((before[1], end[1]))
            self._curves[wish] = (self._known[wish.folder].era, joined)
        grown = any(len(end[0]) or not goes_on for goes_on, end in ends.values())
        if changed:
            self.changed.emit()
        if grown:
            self.drawn.emit()
        self._schedule()

    def _schedule(self) -> None:
        if self._watched:
            live = self._controller.active or any(k.info.status == "running" for k in self._known.values())
            self._timer.start(LIVE_MS if live else QUIET_MS)


def _read(order: _Order) -> _Found:
    """Runs in the thread that reads."""
    infos = {info.folder: info for place in order.places for info in place.list()}
    for info in order.shared.list():
        if info.name == order.name or info.folder.absolute() in order.own:
            infos[info.folder] = info
    runs = {folder: _run(info, order) for folder, info in infos.items()}
    ends = {}
    for wish, (era, last) in order.wishes.items():
        known = runs.get(wish.folder)
        if known is None or (era == known.era and known.info.status != "running"):
            continue
        goes_on = era == known.era
        ends[wish] = (goes_on, _curve(wish, last if goes_on else -1))
    return _Found(runs, ends)


def _run(info: RunInfo, order: _Order) -> _Known:
    before = order.known.get(info.folder)
    era = _era(info)
    same = before is not None and before.era == era and before.columns and info.status != "running"
    if before is not None and (same or info.folder not in order.chosen):
        return _Known(info, before.columns, era)
    if info.folder not in order.chosen:
        return _Known(info, (), era)
    try:
        return _Known(info, store.columns(info.folder), era)
    except RunError:
        return _Known(info, (), era)


def _era(info: RunInfo) -> int:
    """Another one whenever a run begins, ends or goes on: only within one do its curves just grow."""
    try:
        return (info.folder / "run.json").stat().st_mtime_ns
    except OSError:
        return 0


def _curve(wish: Wish, after: int) -> Column:
    try:
        steps, values = store.history(wish.folder, wish.column, after)
    except RunError:
        return _NOTHING
    return steps.astype(np.float64), values
