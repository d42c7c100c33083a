"""The run in the window: starting, steering, and telling the views thirty times a second that there is news."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, QTimer, Signal

from deepgui.graph.problems import NetworkError, Problem
from deepgui.probes.board import Board
from deepgui.project.values import Project, main_key
from deepgui.qt.dashboard.worker import Broken, Worker
from deepgui.qt.session import Session

if TYPE_CHECKING:
    from deepgui.training.events import Event, Finished, Started
    from deepgui.training.feed import Feed
    from deepgui.training.run import Run

REFRESH_MS = 33
SWITCH_SECONDS = 0.001
"""How long the training may hold the interpreter while the GUI waits for it; Python's own choice is 0.005."""
ACTIVE = frozenset(("preparing", "running", "paused", "stopping"))
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Order:
    """What to train.

    Attributes:
        path: the project's file, beside which runs are kept. resume: the run to go on with.
        tensorboard: TensorBoard's files are written on the way.
    """

    project: Project
    key: str
    path: Path | None = None
    resume: Path | None = None
    tensorboard: bool = False


RunFactory = Callable[[Order, Board], "Run"]


class View(Protocol):
    """What can be registered: called after the feed was drained, at most thirty times a second."""

    def refresh(self) -> None: ...


@dataclass(frozen=True)
class Progress:
    """How far a run is. ``speed`` in steps per second, ``seconds_left`` None while unknown."""

    step: int = 0
    total_steps: int = 0
    epoch: int = 0
    epochs: int = 0
    speed: float = 0.0
    seconds_left: float | None = None

    @property
    def share(self) -> float:
        """In [0, 1]."""
        return min(1.0, self.step / self.total_steps) if self.total_steps else 0.0


@dataclass(frozen=True)
class Mark:
    """A number changed while running: it counts from the step after ``step``."""

    step: int
    name: str
    value: float


class RunController(QObject):
    """Owns the current run, the board of probes, and the one timer that pulls. Lives in the GUI thread.

    Signals:
        preparing(progress): how far reading the data is; a :class:`~deepgui.data.progress.Progress`.
        state_changed(state): ``idle``, ``preparing``, ``running``, ``paused``, ``stopping``, ``finished``, ``failed``.
        run_started(started): the first step comes next; a :class:`~deepgui.training.events.Started`.
        run_finished(finished): the thread has ended and the views were refreshed; None after a failure.
        failed(message, node): one plain sentence, and the id of the guilty node or an empty string.
        refused(problem): training was not started because of this.
        message(severity, text, node): ``info``, ``warning`` or ``error``, for the log.
        closing: the window closes; start nothing more.
    """

    preparing = Signal(object)
    state_changed = Signal(str)
    run_started = Signal(object)
    run_finished = Signal(object)
    failed = Signal(str, str)
    refused = Signal(object)
    message = Signal(str, str, str)
    closing = Signal()

    def __init__(self, session: Session, parent: QObject | None = None, *, make_run: RunFactory | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.board = Board()
        self.worker = Worker(self)
        self.run: Run | None = None
        self.project: Project | None = None
        self.started: Started | None = None
        self.finished: Finished | None = None
        self.progress = Progress()
        self.marks: tuple[Mark, ...] = ()
        self.best: tuple[int, int] | None = None
        self.tensorboard = False
        self._state = "idle"
        self._make_run = make_run or default_run
        self._views: list[View] = []
        self._broken: set[int] = set()
        self._attempt = 0
        self._switch_interval = sys.getswitchinterval()
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self._tick)

    # -- what is going on

    @property
    def state(self) -> str:
        return self._state

    @property
    def active(self) -> bool:
        """A run is under way (also while it is prepared, paused or stopping)."""
        return self._state in ACTIVE

    @property
    def feed(self) -> Feed | None:
        """Columns, slots and events of the current or last run."""
        return self.run.feed if self.run is not None else None

    def register(self, view: View) -> None:
        """Have ``view.refresh()`` called after each drain of the feed."""
        self._views.append(view)

    def unregister(self, view: View) -> None:
        if view in self._views:
            self._views.remove(view)

    # -- what a person asks for

    def preflight(self) -> Problem | None:
        """Why training cannot start now, or None."""
        project, report = self.session.project, self.session.whole
        if not project.data.source:
            return Problem(
                "no-data",
                "There is no data to learn from yet.",
                reason="Choose a data set in the Data panel: the digits are a good start.",
            )
        if report is None or self.session.key != main_key(project):
            return None
        return next((p for p in report.problems if p.severity == "error"), None)

    def start(self, *, resume: Path | None = None, single_step: bool = False) -> bool:
        """Train a snapshot of the project. False, with :attr:`refused`, if something must be mended first.

        Args:
            resume: the folder of a run to go on with.
            single_step: stand still after the first step.
        """
        if self.active:
            return False
        problem = self.preflight()
        if problem is not None:
            self.refused.emit(problem)
            return False
        project = self.session.project
        self.run, self.project = None, project
        self.started, self.finished, self.best, self.marks = None, None, None, ()
        self.progress = Progress(epochs=project.training.epochs)
        self._set_state("preparing")
        self.worker.cancel("idle")
        self._attempt += 1
        attempt = self._attempt
        order = Order(project, main_key(project), self.session.document.path, resume, self.tensorboard)
        self.worker.submit(
            "run",
            lambda: self._make_run(order, self.board),
            lambda made: self._launch(made, single_step) if attempt == self._attempt else None,
        )
        self._timer.start()
        return True

    def pause(self) -> None:
        """Stand still before the next step."""
        if self.run is not None and self.active:
            self.run.control.pause()

    def resume(self) -> None:
        """Go on after a pause."""
        if self.run is not None and self.active:
            self.run.control.resume()

    def toggle(self) -> None:
        """Pause if it runs, go on if it is paused, start if nothing runs."""
        actions = {"running": self.pause, "paused": self.resume}
        if not self.active:
            self.start()
        elif self._state in actions:
            actions[self._state]()

    def step(self) -> None:
        """One step, then stand still; starts a run if there is none."""
        if self.run is not None and self.active:
            self.run.control.step()
        elif not self.active:
            self.start(single_step=True)

    def stop(self) -> None:
        """End after the current step, keeping a checkpoint. A run still being made is dropped."""
        if not self.active:
            return
        if self.run is not None:
            self.run.control.stop()
            self._set_state("stopping")
        else:
            self._attempt += 1
            self.worker.give_up("run")
            self._set_state("idle")

    def set_lr(self, lr: float) -> None:
        """Change the learning rate between two steps of the run under way."""
        if self.run is not None and self.active:
            self.run.control.set("lr", lr)

    def look_now(self) -> None:
        """Have the board look at a training that stands still (another layer or example was chosen)."""
        if self.run is not None and self._state == "paused":
            self.run.control.request(self.board)

    def shutdown(self, timeout: float = 10.0) -> bool:
        """For closing: stop with a checkpoint and wait. False if a thread did not end in time."""
        self._timer.stop()
        self.closing.emit()
        sys.setswitchinterval(self._switch_interval)
        run = self.run
        if run is not None and self.active:
            run.control.stop()
        ended = self.worker.close(timeout)
        if run is not None:
            ended = run.join(timeout) and ended
        self._state = "idle"
        return ended

    # -- what the training says

    def _launch(self, result: Any, single_step: bool) -> None:
        if isinstance(result, Broken) and isinstance(result.error, NetworkError):
            self._set_state("idle")
            self.refused.emit(result.error.problems[0])
            return
        if isinstance(result, Broken):
            self._fail(" ".join(str(result.error).split()) or type(result.error).__name__, "")
            self._set_state("failed")
            self.run_finished.emit(None)
            return
        self.run = result
        self.board.clear()
        if single_step:
            self.run.control.step()
        self.run.start()
        self._timer.start()
        sys.setswitchinterval(SWITCH_SECONDS)

    def _tick(self) -> None:
        run = self.run
        if run is None:
            self._look_at_preparation()
            return
        state = run.state
        if state == "finished" and self._state == "preparing":  # over before anybody looked
            self._set_state("running")
        for event in run.feed.drain():
            self._handle(event)
        self._measure(run.feed)
        if state in ACTIVE and not (state != "stopping" and self._state == "stopping"):
            self._set_state(state)
        if state not in ACTIVE and run.join(0):
            self._end(state)
        self._refresh_views()

    def _look_at_preparation(self) -> None:
        if self._state != "preparing":
            self._timer.stop()
        elif self.worker.progress is not None:
            self.preparing.emit(self.worker.progress)

    def _end(self, state: str) -> None:
        self._timer.stop()
        sys.setswitchinterval(self._switch_interval)
        if self.run is not None:
            for event in self.run.feed.drain():
                self._handle(event)
        self._set_state(state)
        QTimer.singleShot(0, self, lambda: self.run_finished.emit(self.finished))

    def _refresh_views(self) -> None:
        for view in tuple(self._views):
            try:
                view.refresh()
            except Exception as error:  # one view must not stop the others
                if id(view) not in self._broken:
                    self._broken.add(id(view))
                    log.exception("a view failed to refresh")
                    self.message.emit("error", f"{type(view).__name__} cannot be drawn: {error}", "")

    def _handle(self, event: Event) -> None:
        handler = getattr(self, f"_on_{type(event).__name__.lower()}", None)
        if handler is not None:
            handler(event)

    def _on_started(self, event: Started) -> None:
        self.started = event
        self.progress = Progress(event.resumed_from or 0, event.total_steps, 0, event.epochs)
        before = self.feed.latest("changes") if self.feed is not None else None
        self.marks = tuple(Mark(c.step, c.name, c.value) for c in before or ())
        where = f"{event.device}, {event.precision}" if event.precision != "fp32" else event.device
        again = f", going on from step {event.resumed_from:,}" if event.resumed_from is not None else ""
        self.message.emit("info", f"Training {event.parameters:,} parameters on {where}{again}.", "")
        self.run_started.emit(event)

    def _on_epochfinished(self, event: Any) -> None:
        if event.best:
            self.best = (event.epoch, event.step)

    def _on_numberchanged(self, event: Any) -> None:
        self.marks = (*self.marks, Mark(event.step, event.name, event.value))
        self.message.emit("info", f"{event.name} is {event.value:g} from step {event.step + 1} on.", "")

    def _on_warned(self, event: Any) -> None:
        self.message.emit("warning", event.message, "")

    def _on_failed(self, event: Any) -> None:
        self._fail(event.message, event.node)

    def _on_finished(self, event: Finished) -> None:
        self.finished = event

    def _fail(self, text: str, node: str) -> None:
        self.message.emit("error", text, node)
        self.failed.emit(text, node)

    def _measure(self, feed: Feed) -> None:
        told = feed.latest("progress")
        if told is not None:
            epoch = min(told.epochs, told.epoch + 1)
            speed, left = told.steps_per_second, told.seconds_left
            self.progress = Progress(told.step, told.total_steps, epoch, told.epochs, speed, left)

    def _set_state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self.state_changed.emit(state)


def default_run(order: Order, board: Board) -> Run:
    """A real run, observed by the board. Imports torch and opens the data: call it off the GUI thread.

    Raises NetworkError with everything that stands against training, or against going on with a run.
    """
    from deepgui.compiler.catalogue import catalogue
    from deepgui.training.leftover import refusal
    from deepgui.training.preflight import preflight
    from deepgui.training.run import Run
    from deepgui.training.store import RunStore, default_root
    from deepgui.training.tensorboard import LiveLog, need
    from deepgui.training.trainer import RunSpec

    found = preflight(order.project, order.key, catalogue(order.project.blocks))
    problems = tuple(p for p in found if p.severity == "error")
    if problems:
        raise NetworkError(problems)
    if order.resume is not None and (refused := refusal(order.resume, order.project)) is not None:
        raise NetworkError((refused,))
    if order.tensorboard:
        need()  # before a folder is made
    folder = order.resume or RunStore(default_root(order.path)).create(order.project, order.key)
    listeners = (LiveLog(folder),) if order.tensorboard else ()
    return Run(RunSpec(order.project, order.key, folder, order.resume), observers=(board,), listeners=listeners)
