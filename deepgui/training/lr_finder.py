"""Looking for a learning rate: one sweep from tiny to huge, and where the loss falls most steeply on it.

Leslie N. Smith, "Cyclical Learning Rates for Training Neural Networks", 2017 (the range test).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from deepgui.data.progress import Progress, tell
from deepgui.project.values import Project
from deepgui.training.tryout import PLAIN, endless, tryout

LOWEST, HIGHEST, STEPS = 1e-6, 10.0, 100
_MEMORY = 0.9
"""How much of the smoothed loss is kept at each step."""
_DIVERGED = 4.0
"""The sweep ends where the smoothed loss is so many times the lowest."""
_BEGIN = 5
"""The first steps say little: their smoothed loss is that of single batches."""


@dataclass(frozen=True)
class Sweep:
    """A sweep over learning rates.

    Attributes:
        rates, losses: one a step, with the smoothed loss beside.
        suggestion: the rate at which the smoothed loss falls most steeply, or None if it never falls.
        diverged: whether the loss exploded before the end of the sweep.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    suggestion: float | None
    diverged: bool

    def __str__(self) -> str:
        if self.suggestion is None:
            return "The loss does not fall at any learning rate: look at the data and the network first."
        return f"The loss falls most steeply at a learning rate of {self.suggestion:.2g}."


def find_lr(
    project: Project, key: str = "", *, lowest: float = LOWEST, highest: float = HIGHEST, steps: int = STEPS
) -> Sweep:
    """Train a copy of the network with a learning rate that rises exponentially, until the loss explodes.

    Raises what preparing a training raises (see :func:`~deepgui.training.tryout.tryout`).
    """
    rates: list[float] = []
    losses: list[float] = []
    smoothed: list[float] = []
    diverged = False
    with tryout(project, key, **PLAIN) as trainer:
        growth = (highest / lowest) ** (1 / max(1, steps - 1))
        for step, batch in enumerate(islice(endless(trainer), steps)):
            tell(Progress(step, steps, "Looking for a learning rate"))
            trainer.stepper.set_number("lr", lowest * growth**step)
            rates.append(trainer.stepper.lr)
            losses.append(float(trainer.stepper(batch, 0, step).loss.detach()))
            smoothed.append(_smooth(smoothed, losses[-1]))
            diverged = not math.isfinite(losses[-1]) or smoothed[-1] > _DIVERGED * min(smoothed)
            if diverged:
                break
    return Sweep(tuple(rates), tuple(losses), tuple(smoothed), steepest(rates, smoothed), diverged)


def _smooth(before: Sequence[float], loss: float) -> float:
    return _MEMORY * before[-1] + (1 - _MEMORY) * loss if before else loss


def steepest(rates: Sequence[float], losses: Sequence[float]) -> float | None:
    """The rate at which the loss falls most on a logarithmic axis, before its lowest point; None if it never does."""
    known = [loss for loss in losses if math.isfinite(loss)]
    if not known:
        return None
    end = losses.index(min(known))
    slopes = {
        i: (losses[i + 1] - losses[i - 1]) / math.log(rates[i + 1] / rates[i - 1])
        for i in range(min(_BEGIN, max(1, end - 1)), end)
    }
    falling = {i: slope for i, slope in slopes.items() if slope < 0}
    return rates[min(falling, key=lambda i: falling[i])] if falling else None
