"""What a run keeps on disk: its record, checkpoints, and what it learnt of its data."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any

from deepgui.data import legend
from deepgui.data.legend import Legend
from deepgui.training import checkpoints
from deepgui.training.events import CheckpointReason, CheckpointSaved, Event
from deepgui.training.recorder import Recorder
from deepgui.training.store import RunError

BEST_SHARE = 0.02
"""Part of the time that writing the best weights may take."""

FIRST_SAVE_SECONDS = 2.0
"""The first checkpoint comes early, for a run that dies young; the next ones after twice the time each."""
FIRST_ELEMENTS = 8 << 20
"""Weights of up to this size (32 MiB) are saved before the first step, too."""
SAVE_SHARE = 0.03
"""Part of the time that these early checkpoints may take."""


class Keeper:
    """Decides when to save. Without a folder nothing touches the disk."""

    def __init__(self, folder: Path | None, minutes: float) -> None:
        self.folder = folder
        self._recorder = Recorder(folder) if folder is not None else None
        self._period = 60 * minutes
        self._gap = min(FIRST_SAVE_SECONDS, self._period)
        now = perf_counter()
        self._save_at = now + self._gap
        self._best_at = now

    def explain(self, known: Legend) -> None:
        """Keep what the numbers mean, without which the weights are worth nothing. Raises OSError."""
        if self.folder is not None:
            legend.write(self.folder, known)

    def begin(self) -> None:
        """The training begins now: getting ready does not count towards the first checkpoint."""
        self._save_at = perf_counter() + self._gap

    def save_first(self, state: checkpoints.State, elements: int) -> Iterator[CheckpointSaved]:
        """A checkpoint before the first step, so that a run can always be taken up; not of a large network,
        whose ``elements`` would take long to write. Raises OSError."""
        if self.folder is None or elements > FIRST_ELEMENTS or (self.folder / "checkpoints" / "last.pt").exists():
            return
        saved = self.save(state, "start")
        self._gap = min(FIRST_SAVE_SECONDS, self._period)
        self.begin()
        yield saved

    def record(self, event: Event) -> None:
        """Take an event into the run's record. Raises sqlite3.Error or OSError."""
        if self._recorder is not None:
            self._recorder.record(event)

    def rewind(self, step: int) -> None:
        """A resumed run forgets what was recorded after its checkpoint."""
        if self._recorder is not None:
            self._recorder.rewind(step)

    def due(self, now: float) -> bool:
        """Whether a checkpoint should be saved."""
        return self.folder is not None and now >= self._save_at

    def best_due(self, now: float) -> bool:
        """Whether the best weights may be written again."""
        return self.folder is not None and now >= self._best_at

    def save(self, state: checkpoints.State, reason: CheckpointReason) -> CheckpointSaved:
        """Write a resumable checkpoint. What was recorded up to it is made to last first. Raises OSError."""
        assert self.folder is not None
        assert self._recorder is not None
        began = perf_counter()
        self._recorder.flush()
        path = self.folder / "checkpoints" / "last.pt"
        checkpoints.save(state, path)
        now = perf_counter()
        self._gap = min(max(2 * self._gap, (now - began) / SAVE_SHARE), self._period)
        self._save_at = now + self._gap
        return CheckpointSaved(str(path), state["position"]["step"], reason)

    def save_best(self, weights: dict[str, Any], about: dict[str, Any], step: int) -> CheckpointSaved:
        """Write the best weights. Raises OSError."""
        assert self.folder is not None
        began = perf_counter()
        path = self.folder / "checkpoints" / "best.pt"
        checkpoints.save({"module": weights, **about}, path)
        now = perf_counter()
        self._best_at = now + (now - began) / BEST_SHARE
        return CheckpointSaved(str(path), step, "best")

    def close(self) -> None:
        """Let go of the files; a disk that refuses the last second has been reported by then."""
        if self._recorder is not None:
            with suppress(sqlite3.Error, OSError, RunError):
                self._recorder.close()
            self._recorder = None
