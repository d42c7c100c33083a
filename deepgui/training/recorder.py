"""Writing a run's record while it trains: curves and events into SQLite, what they come to into ``run.json``."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import numpy as np

from deepgui.training.events import Event, Failed, Finished, Scalars, Started
from deepgui.training.store import columns, history, mark, update_info

COMMIT_SECONDS = 1.0
_SCHEMA = """
create table if not exists scalars (name text not null, first integer not null, last integer not null,
                                    steps blob not null, vals blob not null);
create index if not exists scalars_by_name on scalars (name, first);
create table if not exists events (step integer not null, seconds real not null, event text not null);
"""


class Recorder:
    """Writes a run's events as they come. Committed at least once a second: a crash loses no more.

    Curves are kept as one row a column and commit (little-endian int64 steps, float64 values): a row a
    step would take a noticeable part of a small network's step.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._db = sqlite3.connect(folder / "metrics.sqlite", check_same_thread=False)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=normal")
        self._db.executescript(_SCHEMA)
        self._waiting: dict[str, tuple[list[int], list[float]]] = {}
        self._events: list[tuple[int, float, Event]] = []
        self._committed = time.monotonic()
        self._began = time.monotonic()
        self._step = 0
        self._ended = False

    def rewind(self, step: int) -> None:
        """Forget what was recorded after ``step``: a resumed run will live through it again."""
        for name in columns(self.folder):
            steps, values = history(self.folder, name)
            kept = steps <= step
            if not kept.all():
                self._db.execute("delete from scalars where name = ?", (name,))
                self._waiting[name] = (steps[kept].tolist(), values[kept].tolist())
        self._db.execute("delete from events where step > ?", (step,))
        self._commit()

    def record(self, event: Event) -> None:
        """Take an event. Raises sqlite3.Error or OSError if the disk refuses."""
        if isinstance(event, Scalars):
            self._take(event)
        else:
            self._step = getattr(event, "step", self._step)
            self._events.append((self._step, time.monotonic() - self._began, event))
            self._note(event)
        if time.monotonic() - self._committed >= COMMIT_SECONDS or isinstance(event, (Failed, Finished)):
            self._commit()

    def _take(self, event: Scalars) -> None:
        for name, values in event.columns.items():
            steps_kept, values_kept = self._waiting.setdefault(name, ([], []))
            steps_kept.extend(event.steps)
            values_kept.extend(values)
        if event.steps:
            self._step = event.steps[-1]

    def _note(self, event: Event) -> None:
        self._ended = isinstance(event, (Failed, Finished))
        if isinstance(event, Started):
            update_info(self.folder, status="running", device=event.device, message="", **mark())
        elif isinstance(event, Finished):
            numbers = {"steps": event.steps, "seconds": event.seconds, "metrics": event.as_dict()["metrics"]}
            update_info(self.folder, status=event.reason, finished=time.time(), **numbers)
        elif isinstance(event, Failed):
            update_info(self.folder, status="failed", finished=time.time(), message=event.message, steps=event.step)

    def _commit(self) -> None:
        rows = [
            (name, steps[0], steps[-1], np.asarray(steps, "<i8").tobytes(), np.asarray(values, "<f8").tobytes())
            for name, (steps, values) in self._waiting.items()
            if steps
        ]
        told = [(step, seconds, json.dumps(event.as_dict())) for step, seconds, event in self._events]
        self._db.executemany("insert into scalars values (?, ?, ?, ?, ?)", rows)
        self._db.executemany("insert into events values (?, ?, ?)", told)
        self._db.commit()
        self._waiting.clear()
        self._events.clear()
        self._committed = time.monotonic()

    def flush(self) -> None:
        """Make everything taken so far last."""
        self._commit()

    def close(self) -> None:
        """Commit and let go of the files. A run that neither finished nor failed by now was interrupted."""
        self._commit()
        self._db.close()
        if not self._ended:
            update_info(self.folder, status="interrupted", finished=time.time(), steps=self._step)
