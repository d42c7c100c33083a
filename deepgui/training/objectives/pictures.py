"""What objectives over pictures share: batches small enough for maps, and what is shown beside answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

import torch

from deepgui.data.fields import Field
from deepgui.graph.problems import Problem
from deepgui.training.objectives.base import Batch, Objective, Outlook
from deepgui.training.objectives.previews import Floats

_AT_ONCE = 1 << 22  # values of the inputs that are computed at a time; what a network makes of them is larger


class Shown(NamedTuple):
    """Examples that are not learnt from: a batch on the device, and the pictures in 0..1."""

    batch: Batch
    images: Floats


def pieces(batches: Iterable[Batch], picture: str) -> Iterator[Batch]:
    """The same examples in batches that fit in memory, whatever the size of the pictures.

    Args:
        picture: the field that decides how many there may be.
    """
    for batch in batches:
        rows = len(batch[picture])
        size = max(1, _AT_ONCE // max(1, batch[picture][0].numel())) if rows else 1
        for first in range(0, rows, size):
            yield {name: values[first : first + size] for name, values in batch.items()}


def picture_of(objective: Objective) -> Field:
    """The field with the picture that is looked at: the first that is fed in and is one, else the first."""
    fed = [objective.fields[name] for name in objective.inputs]
    return next((field for field in fed if field.kind == "image"), fed[0])


def shown(objective: Objective, count: int) -> Shown:
    """Examples of the validation split (of the training split, if there are no others)."""
    split = objective.dataset.validation if len(objective.dataset.validation) else objective.dataset.train
    places = torch.arange(min(count, len(split)))
    raw = split.raw(places)
    batch = {name: values.to(objective.device) for name, values in split.normalizer.transform(raw).items()}
    return Shown(batch, cast(Floats, raw[picture_of(objective).name].float().clamp(0, 1).numpy()))


def not_a_map(outlook: Outlook, wanted: str, reason: str) -> Problem:
    """What is said where no map of scores arrives at the Output, but something of another rank."""
    return Problem(
        "output-shape",
        f"The Output receives {outlook.output.shape}, but {outlook.target.name} needs a map of scores: {wanted}.",
        node=outlook.node,
        port="input",
        expected=wanted,
        received=outlook.output.shape,
        reason=reason,
    )
