"""The board: who watches what, and the newest picture of it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol

from deepgui.probes.pictures import Picture, Watch

if TYPE_CHECKING:
    import torch

    from deepgui.data.dataset import Dataset
    from deepgui.probes.observe import Plane

CONFUSION_SECONDS = 1.0
CONFUSION_SHARE = 20
"""A confusion matrix is counted at most once in this many times what it costs."""


class Trained(Protocol):
    """What the board reads from a trainer between two steps."""

    module: torch.nn.Module
    dataset: Dataset
    step: int


class Board:
    """An observer of training: call it with a trainer, or :meth:`observe_module` when none runs.

    All methods may be called from any thread. When nothing is watched an observation does nothing.
    A picture that cannot be made never harms training: :attr:`problem` says in one sentence why.
    """

    def __init__(self) -> None:
        self.problem = ""
        self._lock = threading.Lock()
        self._busy = threading.Lock()
        self._watches: Counter[Watch] = Counter()
        self._pictures: dict[Watch, Picture] = {}
        self._example = 0
        self._plane: Plane | None = None
        self._confusion_due = 0.0
        self._confusion_of: Any = None

    @property
    def example(self) -> int:
        """Index of the chosen example in the validation split (any integer: it wraps around)."""
        return self._example

    @example.setter
    def example(self, index: int) -> None:
        self._example = index

    @property
    def watched(self) -> frozenset[Watch]:
        """Everything that somebody looks at now."""
        with self._lock:
            return frozenset(self._watches)

    def watch(self, what: Watch) -> None:
        """Start looking. Each call needs its own :meth:`unwatch`."""
        with self._lock:
            self._watches[what] += 1
        if what.view == "confusion":
            self._confusion_due = 0.0

    def unwatch(self, what: Watch) -> None:
        """Stop looking; the last picture is dropped with the last watcher."""
        with self._lock:
            self._watches[what] -= 1
            if self._watches[what] <= 0:
                del self._watches[what]
                self._pictures.pop(what, None)

    def latest(self, what: Watch) -> Picture | None:
        """The newest picture, or None if there is none yet."""
        return self._pictures.get(what)

    def clear(self) -> None:
        """Forget all pictures (another project, another network); watches stay."""
        with self._lock:
            self._pictures.clear()
            self._plane = None
            self._confusion_due = 0.0
            self._confusion_of = None
            self.problem = ""

    def __call__(self, trainer: Trained) -> None:
        """Look at a trainer between two steps."""
        if self._watches:
            self._observe(trainer.module, trainer.dataset, trainer.step, force=False)

    def observe_module(self, module: torch.nn.Module, dataset: Dataset, step: int = 0) -> None:
        """Look at a module that does not train now."""
        if self._watches:
            self._observe(module, dataset, step, force=True)

    def _observe(self, module: torch.nn.Module, dataset: Dataset, step: int, force: bool) -> None:
        with self._busy:
            problem = ""
            for look in (self._look, self._look_at_plane, self._count):
                try:
                    look(module, dataset, step, force)
                except Exception as error:  # a picture must never stop what it looks at
                    problem = " ".join(str(error).split()) or type(error).__name__
            self.problem = problem

    def _keep(self, pictures: dict[Watch, Picture]) -> None:
        with self._lock:
            self._pictures.update((w, p) for w, p in pictures.items() if w in self._watches)

    def _look(self, module: torch.nn.Module, dataset: Dataset, step: int, force: bool) -> None:
        watches = {w for w in self.watched if w.view not in ("boundary", "confusion")}
        if watches:
            from deepgui.probes import observe

            self._keep(observe.look(module, dataset, watches, self._example, step))

    def _look_at_plane(self, module: torch.nn.Module, dataset: Dataset, step: int, force: bool) -> None:
        watches = {w for w in self.watched if w.view == "boundary"}
        if watches:
            from deepgui.probes import observe

            if self._plane is None or self._plane.dataset is not dataset:
                self._plane = observe.Plane(dataset)
            self._keep(self._plane.look(module, watches, self._example, step))

    def _count(self, module: torch.nn.Module, dataset: Dataset, step: int, force: bool) -> None:
        watches = {w for w in self.watched if w.view == "confusion"}
        fresh = self._confusion_of is not dataset
        if not watches or not (force or fresh or time.monotonic() >= self._confusion_due):
            return
        from deepgui.probes import observe

        started = time.monotonic()
        picture = observe.confusion(module, dataset, step)
        cost = time.monotonic() - started
        self._confusion_of = dataset
        self._confusion_due = started + max(CONFUSION_SECONDS, CONFUSION_SHARE * cost)
        if picture is not None:
            self._keep(dict.fromkeys(watches, picture))
