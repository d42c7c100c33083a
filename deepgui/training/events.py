"""What a trainer says while it works. Frozen, free of tensors, and ready to be written as JSON."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

State = Literal["idle", "preparing", "running", "paused", "stopping", "finished", "failed"]
CheckpointReason = Literal["start", "interval", "best", "stop", "end"]
FinishReason = Literal["completed", "stopped", "early_stopping", "max_steps"]
FailureReason = Literal["project", "data", "not_finite", "memory", "runtime", "disk"]


class Event:
    """Base of all events; ``as_dict`` gives ``{"event": "started", ...}`` for ``train --json``."""

    __slots__ = ()

    def as_dict(self) -> dict[str, Any]:
        """The event as JSON's types. Numbers that are not finite become None, paths become text."""
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower()
        return {"event": name, **{f.name: _plain(getattr(self, f.name)) for f in fields(self)}}  # type: ignore[arg-type]


def from_dict(plain: Mapping[str, Any]) -> Event:
    """The event that ``as_dict`` was taken of; numbers that were not finite are None. Raises KeyError for another."""
    kinds = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower(): kind for kind in Event.__subclasses__()}
    return kinds[plain["event"]](**{name: value for name, value in plain.items() if name != "event"})


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


@dataclass(frozen=True, slots=True)
class Started(Event):
    """Everything is in place and the first step comes next.

    Attributes:
        run: the run's folder, or empty if nothing is kept.
        parameters: number of trainable elements.
        total_steps: what the run comes to if nothing stops it early.
        resumed_from: the step that a checkpoint was taken at, or None for a fresh run.
    """

    run: str
    device: str
    precision: str
    parameters: int
    steps_per_epoch: int
    total_steps: int
    epochs: int
    resumed_from: int | None = None


@dataclass(frozen=True, slots=True)
class Scalars(Event):
    """A piece of the curves: ``columns[name][i]`` was measured at ``steps[i]``. No step is left out."""

    steps: tuple[int, ...]
    columns: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class EpochFinished(Event):
    """``epoch`` counts from 1. ``best``: the validation loss (else the training loss) was never lower."""

    epoch: int
    step: int
    metrics: Mapping[str, float]
    seconds: float
    best: bool


@dataclass(frozen=True, slots=True)
class CheckpointSaved(Event):
    path: str
    step: int
    reason: CheckpointReason


@dataclass(frozen=True, slots=True)
class NumberChanged(Event):
    """A number was changed from outside; it counts from the step after ``step``."""

    step: int
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class StateChanged(Event):
    state: State


@dataclass(frozen=True, slots=True)
class Warned(Event):
    """Something a person should know that does not stop the training."""

    message: str


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """The training ended with an error; the last good checkpoint stays.

    Attributes:
        message: one plain sentence with the way out.
        node: id of the guilty node, or empty.
    """

    message: str
    node: str
    step: int
    reason: FailureReason


@dataclass(frozen=True, slots=True)
class Finished(Event):
    """The training ended well.

    Attributes:
        metrics: of the weights that were kept: ``train_loss``, ``val_loss``, ``val_accuracy``, ``test_accuracy``, ...
        seconds: spent training, pauses left out.
    """

    run: str
    metrics: Mapping[str, float]
    steps: int
    seconds: float
    reason: FinishReason
