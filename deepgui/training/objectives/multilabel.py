"""Examples that belong to several classes at once: each label is decided by itself."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from deepgui.data.dataset import Split
from deepgui.graph.problems import Problem
from deepgui.training.objectives import repairs
from deepgui.training.objectives.base import Outlook
from deepgui.training.objectives.boxes import precision_area

_COUNTED, _LISTED = 2000, 10


def positive_weights(split: Split, name: str) -> Tensor:
    """Examples without a label over those with it, (labels,), of an even sample; 1 for a label that none has."""
    places = torch.linspace(0, len(split) - 1, min(_COUNTED, len(split))).long()
    labels = split.raw(places)[name]
    there = labels.sum(0)
    return torch.where(there > 0, (len(labels) - there) / there.clamp(min=1), torch.ones_like(there))


def metrics(output: Tensor, target: Tensor, names: tuple[str, ...]) -> dict[str, float]:
    """How good scores N×K are, of which those above 0 say that a label is there.

    ``accuracy`` of all decisions; ``f1``, the mean over labels, and that of each where there are not too many;
    ``map``, the mean of the area under precision over recall. Labels that no example has do not count.
    """
    said, true = output > 0, target > 0.5
    both, either = (said & true).sum(0), said.sum(0) + true.sum(0)
    f1 = [2 * int(b) / int(e) if e else float("nan") for b, e in zip(both, either, strict=True)]
    columns = range(target.shape[1])
    areas = [precision_area(output[:, i].cpu(), true[:, i].cpu(), int(true[:, i].sum())) for i in columns]
    found = {
        "accuracy": float((said == true).float().mean()),
        "f1": _mean([value for value in f1 if value == value]),
        "map": _mean([area for area, count in zip(areas, true.sum(0), strict=True) if count]),
    }
    if len(names) <= _LISTED:
        found |= {f"f1_{name}": value for name, value in zip(names, f1, strict=False) if value == value}
    return found


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


def check(outlook: Outlook) -> Iterator[Problem]:
    """Whether one score a label arrives at the Output."""
    count, shape = outlook.target.shape[0], outlook.output.shape
    if shape == f"N×{count}":
        return
    flat = len(outlook.output.dims) == 2
    mend = repairs.set_out_features if flat else repairs.flatten
    yield Problem(
        "output-classes" if flat else "output-shape",
        f"{outlook.target.name} has {count} labels, but the Output receives {shape}: it needs one score a label.",
        node=outlook.node,
        port="input",
        expected=f"N×{count}",
        received=shape,
        reason="A score above 0 says that the label is there.",
        fix=mend(outlook.network, outlook.node, count) if len(outlook.output.dims) > 1 else None,
    )
