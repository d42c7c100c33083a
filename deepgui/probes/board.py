"""The board: who watches what, and the newest picture of it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from deepgui.probes.pictures import Picture, Shown, Watch

if TYPE_CHECKING:
    from torch import Tensor, fx

    from deepgui.data.dataset import Dataset
    from deepgui.probes.observe import Plane, Subject

CONFUSION_SECONDS = 1.0
CONFUSION_SHARE = 20
"""A confusion matrix is counted at most once in this many times what it costs."""
PREVIEW_SECONDS = 0.5
PREVIEW_SHARE = 12
"""The same of what an objective shows."""


class Objective(Protocol):
    """``feeds``: role → the field for each argument of its network, in order."""

    @property
    def feeds(self) -> Mapping[str, tuple[str, ...]]: ...

    def complete(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """A batch with the fields that the objective makes itself."""
        ...


class Networks(Protocol):
    """``modules``: role → compiled network."""

    @property
    def modules(self) -> Mapping[str, Any]: ...


class Trained(Protocol):
    """What the board reads from a trainer between two steps; ``keys``: role → key of the network in the project."""

    @property
    def networks(self) -> Networks: ...
    @property
    def keys(self) -> Mapping[str, str]: ...
    @property
    def dataset(self) -> Dataset: ...
    @property
    def objective(self) -> Objective: ...
    @property
    def step(self) -> int: ...


class Board:
    """An observer of training: call it with a trainer, or :meth:`observe_module` when none runs.

    All methods may be called from any thread. When nothing is watched an observation does nothing.
    A picture that cannot be made never harms training: :attr:`problem` says in one sentence why.

    Attributes:
        network: key of the network that is looked at, where several learn together; empty means the first.
    """

    def __init__(self) -> None:
        self.problem = ""
        self.network = ""
        self._trainer: Trained | None = None
        self._lock = threading.Lock()
        self._busy = threading.Lock()
        self._watches: Counter[Watch] = Counter()
        self._pictures: dict[Watch, Picture] = {}
        self._example = 0
        self._plane: Plane | None = None
        self._count_due = 0.0
        self._counted: Dataset | None = None
        self._preview_due = 0.0

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
            self._count_due = 0.0
        if what.view == "preview":
            self._preview_due = 0.0

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
            self._trainer = None
            self._count_due = self._preview_due = 0.0
            self._counted = None
            self.problem = ""

    def __call__(self, trainer: Trained) -> None:
        """Look at a trainer between two steps."""
        self._trainer = trainer
        if self._watches and (subject := self.last) is not None:
            self._observe(subject, final=False)

    @property
    def last(self) -> Subject | None:
        """The training seen last, as it is now: its module keeps its weights after the end."""
        from deepgui.probes.observe import Subject, preview

        trainer = self._trainer
        if trainer is None:
            return None
        modules, objective = trainer.networks.modules, trainer.objective
        role = next((role for role, key in trainer.keys.items() if key == self.network), next(iter(modules)))
        return Subject(
            modules[role],
            trainer.dataset,
            objective.feeds[role],
            trainer.step,
            objective.complete,
            partial(preview, objective, trainer.networks),
            (objective, trainer.networks),
        )

    def observe_module(
        self, module: fx.GraphModule, dataset: Dataset, inputs: tuple[str, ...] = (), step: int = 0
    ) -> None:
        """Look at a module that does not train now. ``inputs``: the field for each argument; empty means in order."""
        from deepgui.probes.observe import Subject

        self.observe(Subject(module, dataset, inputs or dataset.inputs, step))

    def observe(self, subject: Subject) -> None:
        """Look at something that does not train now."""
        if self._watches:
            self._observe(subject, final=True)

    def _observe(self, subject: Subject, final: bool) -> None:
        with self._busy:
            problem = ""
            looks = [self._look, self._look_at_plane]
            if final or self._count_is_due(subject.dataset):
                looks.append(self._count)
            if final or time.monotonic() >= self._preview_due:
                looks.append(self._look_at_previews)
            for look in looks:
                try:
                    look(subject)
                except Exception as error:  # a picture must never stop what it looks at
                    problem = " ".join(str(error).split()) or type(error).__name__
            self.problem = problem

    def _keep(self, pictures: dict[Watch, Picture]) -> None:
        with self._lock:
            self._pictures.update((w, p) for w, p in pictures.items() if w in self._watches)

    def _watched_as(self, *views: str) -> frozenset[Watch]:
        return frozenset(w for w in self.watched if w.view in views)

    def _look(self, subject: Subject) -> None:
        from deepgui.probes import observe

        if watches := self.watched - self._watched_as("boundary", "confusion", "preview"):
            self._keep(observe.look(subject, watches, self._example))

    def _look_at_plane(self, subject: Subject) -> None:
        from deepgui.probes import observe

        if watches := self._watched_as("boundary"):
            if self._plane is None or self._plane.dataset is not subject.dataset:
                self._plane = observe.Plane(subject)
            self._keep(self._plane.look(subject, watches, self._example))

    def _look_at_previews(self, subject: Subject) -> None:
        watches = self._watched_as("preview")
        if not watches or subject.preview is None:
            return
        started = time.monotonic()
        for watch in watches:
            found = subject.preview(watch.node)
            if found is not None:
                self._keep({watch: Shown(subject.step, found)})
        cost = time.monotonic() - started
        self._preview_due = started + max(PREVIEW_SECONDS, PREVIEW_SHARE * cost)

    def _count_is_due(self, dataset: Dataset) -> bool:
        return self._counted is not dataset or time.monotonic() >= self._count_due

    def _count(self, subject: Subject) -> None:
        from deepgui.probes import observe

        if not (watches := self._watched_as("confusion")):
            return
        started = time.monotonic()
        picture = observe.confusion(subject)
        cost = time.monotonic() - started
        self._counted = subject.dataset
        self._count_due = started + max(CONFUSION_SECONDS, CONFUSION_SHARE * cost)
        if picture is not None:
            self._keep(dict.fromkeys(watches, picture))
