"""Carrying out what a :class:`Control` asks for, between two steps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from time import perf_counter
from typing import TYPE_CHECKING

from deepgui.training.control import Change, Control, Request
from deepgui.training.events import Event, NumberChanged, StateChanged, Warned

if TYPE_CHECKING:
    from deepgui.training.trainer import Trainer


class Steering:
    """``idle_seconds`` is the time spent standing still, for a clock that leaves pauses out."""

    def __init__(self, control: Control) -> None:
        self.idle_seconds = 0.0
        self._control = control
        self._standing = False

    def obey(self, trainer: Trainer) -> Iterator[Event]:
        """Carry out all orders; returns when the next step may run or the training is to end."""
        control = self._control
        yield from self._carry_out(control.take(), trainer)
        while control.paused and not control.stopping:
            yield from self._stand_still(trainer)
            began = perf_counter()
            may_step = control.wait()
            self.idle_seconds += perf_counter() - began
            if may_step and control.paused:
                return  # exactly one step; the next call stands still again
            yield from self._carry_out(control.take(), trainer)
        if self._standing and not control.stopping:
            yield StateChanged("running")
        self._standing = False

    def _stand_still(self, trainer: Trainer) -> Iterator[Event]:
        """Show where the training stands: all curves up to here, and fresh pictures."""
        curves = list(trainer.flush(wait=True))
        yield from curves
        if curves or not self._standing:
            yield from trainer.audience.look(trainer)
        if not self._standing:
            self._standing = True
            yield StateChanged("paused")

    def _carry_out(self, orders: list[Change | Request], trainer: Trainer) -> Iterator[Event]:
        for order in orders:
            if not isinstance(order, Change):
                if complaint := trainer.audience.call(order, trainer):
                    yield Warned(f"Something asked for during the training failed: {complaint}.")
            elif math.isfinite(order.value) and trainer.set_number(order.name, order.value):
                yield NumberChanged(trainer.step, order.name, order.value)
            else:
                yield Warned(f"{order.name} cannot be set to {order.value:g} while training.")
