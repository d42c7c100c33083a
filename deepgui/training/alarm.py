"""Noticing that a loss, though still a number, has left every measure."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from statistics import median

FACTOR = 100.0
WINDOW = 16


class Alarm:
    """Compares the loss with what it was at the first step.

    A network that has learnt nothing keeps the loss of its first step, so whatever lies a hundred times above it
    is no learning. The median of the last steps is looked at, so that single bad batches, which even a sound
    training has, raise no alarm. One alarm is raised; changing a number arms it again.
    """

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=WINDOW)
        self.armed = True

    def heed(self, first: float, losses: Iterable[float], *, at_end: bool = False) -> str:
        """Take in the losses of the next steps.

        Args:
            first: the loss of the training's first step.
            at_end: no more will come: judge by those that there are.

        Returns:
            What to tell the user, once; otherwise an empty text.
        """
        if not self.armed:
            return ""
        limit = FACTOR * max(abs(first), 1e-6)
        for loss in losses:
            self._last.append(loss)
            if loss > limit and len(self._last) == WINDOW and self._is_lost(limit):
                break
        else:
            if not (at_end and self._last and self._is_lost(limit)):
                return ""
        self.armed = False
        return (
            f"The loss has grown from {first:.3g} to {median(self._last):.3g}, so nothing is being learnt:"
            " try a much smaller learning rate, or gradient clipping."
        )

    def rearm(self) -> None:
        """Something was changed: judge anew."""
        self.armed = True
        self._last.clear()

    def _is_lost(self, limit: float) -> bool:
        level = median(self._last)
        return math.isfinite(level) and level > limit
