"""How good made examples are: near real ones, as varied as they are, and of all their classes."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

NEIGHBOURS = 5
MOST = 1000
"""Examples that are compared with each other, at most."""


class Quality(NamedTuple):
    """Attributes:
    fidelity: share of the made examples that are as near to a real one as its own neighbours are.
    variety: share of the real examples that are as near to a made one as its own neighbours are.
    classes: classes that at least one made example in a hundred is nearest to; None if the real ones have none.
    """

    fidelity: float
    variety: float
    classes: int | None = None

    def metrics(self) -> dict[str, float]:
        """By name."""
        found = {"fidelity": self.fidelity, "variety": self.variety}
        return found if self.classes is None else {**found, "classes": float(self.classes)}


def compare(made: Tensor, real: Tensor, labels: Tensor | None = None) -> Quality:
    """Improved precision and recall (Kynkäänniemi et al. 2019), on the plain values.

    Args:
        made, real: examples of shape (n, ...), more than :data:`NEIGHBOURS` of each.
        labels: the class of each real example.
    """
    a, b = made.flatten(1).float(), real.flatten(1).float()
    between = torch.cdist(a, b)
    near_real = (_radius(b) >= between).any(1).float().mean()
    near_made = (_radius(a)[:, None] >= between).any(0).float().mean()
    classes = None
    if labels is not None:
        share = torch.bincount(labels[between.argmin(1)]).float() / len(a)
        classes = int((share >= 0.01).sum())
    return Quality(float(near_real), float(near_made), classes)


def _radius(points: Tensor) -> Tensor:
    """How far it is from each point to its fifth neighbour."""
    among = torch.cdist(points, points)
    return among.kthvalue(min(NEIGHBOURS, len(points) - 1) + 1, dim=1).values
