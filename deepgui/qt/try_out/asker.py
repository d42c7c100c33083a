"""Asking the network that trains now, or trained last: never in the GUI thread, and only the newest question counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.dashboard.worker import Broken
from deepgui.qt.probes.idle import IdleProber
from deepgui.qt.session import Session

if TYPE_CHECKING:
    from deepgui.use.model import Model

REST_MS = 40
Question = Callable[["Model"], Any]
Then = Callable[[Any], None]


@dataclass(eq=False)
class _Asked:
    slot: str
    question: Question
    then: Then


class Asker(QObject):
    """Puts questions to the network in force. While it trains they are answered between two steps.

    A question of a slot waits while another one of that slot is on its way, and replaces one that waits; while a
    training goes on there is a rest between two of them, so that asking takes little of its time. What a question
    raises arrives as :class:`~deepgui.qt.dashboard.worker.Broken`.
    """

    _came = Signal(object, object)

    def __init__(self, session: Session, controller: RunController, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session, self.controller = session, controller
        self.prober = IdleProber.of(session, controller)
        self._under_way: dict[str, _Asked] = {}
        self._waiting: dict[str, _Asked] = {}
        self._resting: set[str] = set()
        self._came.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        controller.state_changed.connect(lambda state: self._on_state())
        controller.run_finished.connect(lambda finished: self._again())

    def busy(self, slot: str) -> bool:
        """Whether a question of the slot is on its way."""
        return slot in self._under_way

    def ask(self, slot: str, question: Question, then: Then) -> None:
        """Have ``then(question(model))`` called in the GUI thread, soon."""
        asked = _Asked(slot, question, then)
        if slot in self._under_way or slot in self._resting or not self._can_ask():
            self._waiting[slot] = asked
        else:
            self._send(asked)

    def forget(self) -> None:
        """What was asked is of no interest any more."""
        self._under_way.clear()
        self._waiting.clear()

    def _can_ask(self) -> bool:
        run = self.controller.run
        return not self.controller.active or (run is not None and self.controller.state in ("running", "paused"))

    def _send(self, asked: _Asked) -> None:
        self._under_way[asked.slot] = asked
        if self.controller.active:
            assert self.controller.run is not None
            self.controller.run.control.request(
                lambda trainer: self._came.emit(asked, self._of_trainer(asked, trainer))
            )
        elif not self.prober.answer(
            asked.slot, lambda subject: self._of_subject(asked, subject), lambda found: self._deliver(asked, found)
        ):
            del self._under_way[asked.slot]

    def _of_trainer(self, asked: _Asked, trainer: Any) -> Any:
        try:
            return asked.question(_model(trainer.objective, trainer.networks, trainer.spec.project.data))
        except Exception as error:
            return Broken(error)

    def _of_subject(self, asked: _Asked, subject: Any) -> Any:
        import torch

        if subject.learner is None:
            raise ValueError("This network cannot be asked.")
        with torch.random.fork_rng(devices=[]):
            return asked.question(_model(*subject.learner, self.session.project.data))

    def _deliver(self, asked: _Asked, found: Any) -> None:
        if self._under_way.get(asked.slot) is not asked:
            return  # nobody waits for it any more
        del self._under_way[asked.slot]
        if self.controller.active:
            self._resting.add(asked.slot)
            QTimer.singleShot(REST_MS, self, lambda: self._go_on(asked.slot))
        asked.then(found)
        self._go_on_with_waiting(asked.slot)

    def _go_on(self, slot: str) -> None:
        self._resting.discard(slot)
        self._go_on_with_waiting(slot)

    def _go_on_with_waiting(self, slot: str) -> None:
        waiting = self._waiting.pop(slot, None)
        if waiting is not None:
            self.ask(waiting.slot, waiting.question, waiting.then)  # which waits on if it is too early

    def _on_state(self) -> None:
        if self._can_ask():
            self._again()

    def _again(self) -> None:
        """A run began or ended: what it has not answered is asked of what there is now."""
        lost, self._under_way = self._under_way, {}
        for asked in (lost | self._waiting).values():
            self._waiting.pop(asked.slot, None)
            self.ask(asked.slot, asked.question, asked.then)


def _model(objective: Any, networks: Any, data: Any) -> Model:
    from deepgui.use.model import of_training

    return of_training(objective, networks, data)
