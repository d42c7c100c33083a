"""Can the network learn one batch by heart? One that cannot will not learn a whole set either."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn
from torch.nn.modules.dropout import _DropoutNd

from deepgui.data.progress import Progress, tell
from deepgui.project.values import Project
from deepgui.training.tryout import PLAIN, tryout

STEPS = 200
_LEARNT = 0.05
"""The part of the first loss that may be left of a batch that is known by heart."""
_BETTER = 0.5


@dataclass(frozen=True)
class Overfit:
    """What came of it: the loss of the batch at the ``first`` and the ``last`` of ``steps``."""

    first: float
    last: float
    steps: int
    lr: float

    @property
    def ok(self) -> bool:
        """Whether the batch is known by heart."""
        return self.last <= _LEARNT * self.first

    def __str__(self) -> str:
        fell = f"from {self.first:.3g} to {self.last:.3g} in {self.steps} steps"
        if self.ok:
            return f"The network learns one batch by heart: its loss fell {fell}."
        if self.last < _BETTER * self.first:
            return f"The network is on its way to learn one batch by heart ({fell}): a higher learning rate is faster."
        return (
            f"The network does not learn one batch by heart: its loss went {fell} at a learning rate of {self.lr:.2g}."
            " Try another learning rate; if none helps, the network is too small, or inputs and targets do not belong"
            " together."
        )


def overfit_batch(project: Project, key: str = "", *, steps: int = STEPS) -> Overfit:
    """Train a copy of the network on its first batch alone, without dropout.

    Raises what preparing a training raises (see :func:`~deepgui.training.tryout.tryout`).
    """
    losses: list[float] = []
    with tryout(project, key, **PLAIN) as trainer:
        for module in trainer.networks.modules.values():
            _without_dropout(module)
        batch = next(iter(trainer.batches()))
        for step in range(steps):
            tell(Progress(step, steps, "Learning one batch by heart"))
            losses.append(float(trainer.stepper(batch, 0, step).loss.detach()))
            if losses[-1] <= _LEARNT * losses[0] or losses[-1] != losses[-1]:
                break
        return Overfit(losses[0], losses[-1], len(losses), trainer.stepper.lr)


def _without_dropout(module: nn.Module) -> None:
    for layer in module.modules():
        if isinstance(layer, _DropoutNd):
            layer.eval()
