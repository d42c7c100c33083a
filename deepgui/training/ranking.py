"""Which value of a metric is the best, and which run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

HIGHER = ("accuracy", "f1", "r2", "precision", "recall", "auc", "auroc", "iou", "dice", "map", "psnr", "ssim", "bleu")
"""What is better the more there is of it. Losses, errors, perplexity and distances are better the less there is."""
_PREFIXES = ("train_", "val_", "test_")
_LOSSES = ("val_loss", "train_loss_epoch", "train_loss")


class Measured(Protocol):
    """A run, as far as ranking cares."""

    @property
    def metrics(self) -> Mapping[str, float]: ...
    @property
    def objective(self) -> str: ...


Run = TypeVar("Run", bound=Measured)


def higher_is_better(metric: str) -> bool:
    """Whether of two values of a metric (``val_accuracy``, ``rmse``) the greater one is the better."""
    name = next((metric.removeprefix(p) for p in _PREFIXES if metric.startswith(p)), metric)
    return any(word in HIGHER or word.rstrip("0123456789") in HIGHER for word in (name, *name.split("_")))


def best_of(metric: str, values: Sequence[float | None]) -> tuple[int, ...]:
    """The places of the best value; none if there is nothing to choose from or all are the same."""
    known = [v for v in values if v is not None and math.isfinite(v)]
    if len(known) < 2 or min(known) == max(known):
        return ()
    wanted = max(known) if higher_is_better(metric) else min(known)
    return tuple(place for place, value in enumerate(values) if value == wanted)


def best(runs: Iterable[Run], metric: str = "") -> Run | None:
    """The best run by a metric, else by the validation loss (the training loss where no run has that).

    Losses of different objectives say nothing about each other: only runs with the objective of the first one that
    has the metric are compared. Give the newest first.
    """
    known = list(runs)
    for name in (metric,) if metric else _LOSSES:
        having = [run for run in known if _finite(run.metrics.get(name))]
        if having:
            same = [run for run in having if run.objective == having[0].objective]
            choose = max if higher_is_better(name) else min
            return choose(same, key=lambda run: run.metrics[name])
    return None


def _finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
