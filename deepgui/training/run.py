"""A training in a thread of its own, for those who want to watch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter

from deepgui.training import store
from deepgui.training.audience import Observer
from deepgui.training.control import Control
from deepgui.training.events import (
    EpochFinished,
    Event,
    Failed,
    Finished,
    Scalars,
    Started,
    State,
    StateChanged,
)
from deepgui.training.feed import Feed
from deepgui.training.trainer import RunSpec, Trainer


@dataclass(frozen=True)
class Progress:
    """How far a training is; in the feed's slot ``progress``.

    Attributes:
        seconds_left: at the present pace, or None before there is one.
        steps_per_second: lately; 0 before the first steps.
    """

    step: int
    total_steps: int
    epoch: int
    epochs: int
    steps_per_second: float
    seconds: float
    seconds_left: float | None


class Run:
    """Drives a :class:`Trainer` in one daemon thread and publishes what it says in :attr:`feed`.

    Slots of the feed: ``progress`` (:class:`Progress`), ``score`` (the newest :class:`Score`, with the confusion
    matrix), ``changes`` (numbers changed before a resumed run goes on; there when ``Started`` is). Readers poll;
    nothing is sent to them.
    """

    def __init__(
        self, spec: RunSpec, observers: Sequence[Observer] = (), listeners: Sequence[Callable[[Event], None]] = ()
    ) -> None:
        """``listeners`` are called with every event, in the thread that trains; they never raise."""
        self.spec = spec
        self._listeners = tuple(listeners)
        self.feed = Feed()
        self.control = Control()
        self.trainer = Trainer(spec, self.control, observers, give_way=True)
        self._state: State = "idle"
        self._thread = threading.Thread(target=self._drive, name="training", daemon=True)
        self._pace = _Pace()

    @property
    def state(self) -> State:
        """``idle``, ``preparing``, ``running``, ``paused``, ``stopping``, ``finished`` or ``failed``."""
        return self._state

    @property
    def alive(self) -> bool:
        """Whether the thread is at work."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin. Raises RuntimeError if begun before: a run happens once."""
        self._state = "preparing"
        self._thread.start()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end, at most ``timeout`` seconds; True if it has come."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self.alive

    def _drive(self) -> None:
        for event in self.trainer:
            for heed in self._listeners:
                heed(event)
            self._publish(event)

    def _recall_changes(self) -> None:
        assert self.spec.resume is not None
        with suppress(store.RunError):
            self.feed.put("changes", store.changes(self.spec.resume))

    def _recall_curves(self) -> None:
        """Curves that a resumed run drew up to its checkpoint; by now the record holds no more."""
        assert self.spec.resume is not None
        with suppress(store.RunError):  # the trainer will say what is wrong with the run
            for name in store.columns(self.spec.resume):
                self.feed.extend(name, *store.history(self.spec.resume, name))

    def _publish(self, event: Event) -> None:
        goes_on = isinstance(event, Started) and event.resumed_from is not None
        if goes_on:
            self._recall_changes()
        match event:
            case Started():
                self._pace.start(event, self.trainer.step)
                self._state = "running"
            case Scalars(steps=steps) if steps:
                self.feed.put("progress", self._pace.at(steps[-1], self.trainer.epoch))
            case EpochFinished():
                self.feed.put("score", self.trainer.evaluation)
            case StateChanged(state=state):
                self._pace.standing(state == "paused")
                self._state = state
            case Finished():
                self.feed.put("score", self.trainer.evaluation)
        self.feed.post(event)
        if goes_on:
            self._recall_curves()
        elif isinstance(event, Finished):
            self._state = "finished"
        elif isinstance(event, Failed):
            self._state = "failed"


class _Pace:
    """Steps a second over the last seconds, from the times at which steps were reported."""

    _WINDOW = 3.0

    def __init__(self) -> None:
        self._started: Started | None = None
        self._marks: list[tuple[float, int]] = []
        self._seconds = 0.0
        self._since = 0.0

    def start(self, event: Started, step: int) -> None:
        self._started = event
        self._since = perf_counter()
        self._marks = [(self._since, step)]

    def standing(self, still: bool) -> None:
        """Pauses count neither as time nor for the pace."""
        now = perf_counter()
        if self._started is None:
            return
        if still:
            self._seconds += now - self._since
        else:
            self._since = now
            self._marks = [(now, self._marks[-1][1])] if self._marks else []

    def at(self, step: int, epoch: int) -> Progress:
        assert self._started is not None
        now = perf_counter()
        self._marks.append((now, step))
        while len(self._marks) > 2 and now - self._marks[1][0] > self._WINDOW:
            self._marks.pop(0)
        (then, first), total = self._marks[0], self._started.total_steps
        pace = (step - first) / (now - then) if now > then else 0.0
        left = (total - step) / pace if pace > 0 else None
        seconds = self._seconds + now - self._since
        return Progress(step, total, epoch, self._started.epochs, pace, seconds, left)
