"""The handle by which another thread steers a training. The trainer looks at it between steps."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from deepgui.training.trainer import Trainer


class Change(NamedTuple):
    """A number to be set between two steps."""

    name: str
    value: float


Request = Callable[["Trainer"], object]


class Control:
    """Thread-safe. Everything asked for here happens in the training thread, between two steps.

    ``wanted`` is what the trainer reads at every step: one attribute, no lock.
    """

    def __init__(self) -> None:
        self.wanted = False
        self._condition = threading.Condition()
        self._paused = False
        self._stopping = False
        self._single = 0
        self._orders: deque[Change | Request] = deque()

    @property
    def paused(self) -> bool:
        return self._paused

    @property
    def stopping(self) -> bool:
        return self._stopping

    def pause(self) -> None:
        """Stand still before the next step."""
        with self._condition:
            self._paused = True
            self._wake()

    def resume(self) -> None:
        """Go on after a pause."""
        with self._condition:
            self._paused, self._single = False, 0
            self._wake()

    def step(self) -> None:
        """Run exactly one step and stand still again; pauses a running training first."""
        with self._condition:
            self._paused = True
            self._single += 1
            self._wake()

    def stop(self) -> None:
        """End the training after the current step, saving a checkpoint. Cannot be taken back."""
        with self._condition:
            self._stopping = True
            self._wake()

    def set(self, name: str, value: float) -> None:
        """Change a number while it runs: ``lr`` or another of the optimiser's settings, or ``clip_grad_norm``."""
        self._order(Change(name, float(value)))

    def request(self, call: Request) -> None:
        """Have ``call(trainer)`` run in the training thread, soon; also while paused."""
        self._order(call)

    def _order(self, order: Change | Request) -> None:
        with self._condition:
            self._orders.append(order)
            self._wake()

    def _wake(self) -> None:
        self.wanted = True
        self._condition.notify_all()

    def take(self) -> list[Change | Request]:
        """For the trainer: all orders given so far, in order, once."""
        with self._condition:
            orders = list(self._orders)
            self._orders.clear()
            self.wanted = self._paused or self._stopping
            return orders

    def wait(self) -> bool:
        """For the trainer, while paused: block until something is asked for. True if a step may run."""
        with self._condition:
            self._condition.wait_for(lambda: not self._paused or self._stopping or self._single or self._orders)
            if self._orders or self._stopping:
                return False
            if self._paused:
                self._single -= 1
            return True
