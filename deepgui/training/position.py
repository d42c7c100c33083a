"""Where a training stands, apart from weights: what a checkpoint keeps so that resuming misses nothing."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from deepgui.training.ledger import Sums


@dataclass
class Position:
    """Attributes:
    step: steps done; epoch: epochs done; index: batches of the present epoch done.
    seconds: spent training, pauses left out.
    best: the lowest watched loss so far, found at the end of ``best_epoch`` (counted from 1).
    best_metrics: all metrics of that epoch. metrics: those of the newest finished epoch.
    idle_epochs: epochs since the watched loss improved.
    sums: of the present epoch.
    first_loss: of the very first step.
    """

    step: int = 0
    epoch: int = 0
    index: int = 0
    seconds: float = 0.0
    best: float = math.inf
    best_epoch: int = 0
    best_metrics: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    idle_epochs: int = 0
    sums: Sums = field(default_factory=Sums)
    first_loss: float | None = None

    def state_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Position:
        return cls(**{**state, "sums": Sums(**state["sums"])})

    def close_epoch(self, metrics: dict[str, float], watched: float) -> bool:
        """Take in a finished epoch; True if its watched loss is the lowest so far."""
        self.epoch += 1
        self.index = 0
        self.sums = Sums()
        self.metrics = metrics
        improved = watched < self.best
        if improved:
            self.best, self.best_epoch, self.best_metrics = watched, self.epoch, metrics
        self.idle_epochs = 0 if improved else self.idle_epochs + 1
        return improved
