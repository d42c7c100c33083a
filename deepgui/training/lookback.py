"""Living through a failure again: a recent state in memory, and what happened since."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from deepgui.training import checkpoints
from deepgui.training.objectives.base import Batch

if TYPE_CHECKING:
    from deepgui.training.trainer import Trainer

PERIOD_SECONDS = 1.0
MOST_ELEMENTS = 64 << 20
"""Weights of networks larger than this are not copied every second: it would be felt."""


class LookBack:
    """Remembers where a training stood about a second ago.

    By the time a loss has been read from the device the weights are spoilt; going back finds them as they were.
    """

    def __init__(self, elements: int | None) -> None:
        """``elements``: trainable numbers of the network; None if it cannot live through a step again."""
        self._able = elements is not None and elements <= MOST_ELEMENTS
        self._state: checkpoints.State | None = None
        self._next = 0.0
        self._watched: dict[int, float] = {}
        self._changes: dict[int, list[tuple[str, float]]] = {}

    def due(self, now: float) -> bool:
        """Whether to :meth:`take` the present state; ``now`` in seconds of ``perf_counter``."""
        return self._able and now >= self._next

    def take(self, state: checkpoints.State) -> None:
        """Remember a copy of this state, and no longer what came before it."""
        self._state = checkpoints.cloned(state)
        self._watched.clear()
        self._changes.clear()
        self._next = perf_counter() + PERIOD_SECONDS

    def changed(self, step: int, name: str, value: float) -> None:
        """A number was changed after ``step`` steps."""
        self._changes.setdefault(step, []).append((name, value))

    def epoch_closed(self, epoch: int, watched: float) -> None:
        """``watched``: the loss that the schedule was told at the end of that epoch, counted from 0."""
        self._watched[epoch] = watched

    def batch_of(self, step: int, trainer: Trainer) -> Batch | None:
        """Go back and train up to ``step`` (counted from 1), but not it: its batch, or None if that is not possible.

        The trainer's module is left as that step found it.
        """
        if self._state is None:
            return None
        trainer.restore(self._state)
        trainer.networks.train()
        position = trainer.position
        while True:
            for batch in trainer.batches():
                for name, value in self._changes.get(position.step, ()):
                    trainer.stepper.set_number(name, value)
                if position.step == step - 1:
                    return batch
                trainer.stepper(batch, position.index, position.step)
                position.step += 1
                position.index += 1
            if position.epoch not in self._watched:
                return None
            trainer.stepper.epoch_finished(self._watched[position.epoch])
            position.epoch, position.index = position.epoch + 1, 0
