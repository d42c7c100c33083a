"""What those objectives share that learn the examples themselves: to give them back, or to make more of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from deepgui.data.dataset import Dataset
from deepgui.data.fields import Field, shown
from deepgui.graph.problems import Problem
from deepgui.graph.shapes import batched
from deepgui.training.objectives import repairs
from deepgui.training.objectives.base import Batch, Objective, ObjectiveError, Outlook
from deepgui.training.objectives.ending import ending
from deepgui.training.objectives.previews import Floats, Images, Ints, Lines, Preview, Scatter

_MOST_LINES = 4
_PIECE = 256
_ENDS: Mapping[str, tuple[float, float]] = {"Tanh": (-1.0, 1.0), "Sigmoid": (0.0, 1.0)}


class OfExamples(Objective):
    """An objective whose target is the example itself, in one field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._some: dict[int, Batch] = {}

    @property
    def real(self) -> Field:
        """The field that is learnt."""
        return self.fields[self.inputs[0]]

    @property
    def answer(self) -> Field:
        return self.real

    def in_units(self, values: Tensor) -> Tensor:
        """Scaled values in the units of the data."""
        scale = self.dataset.normalizer.get(self.real.name)
        return values if scale is None else scale.inverse(values)

    def some(self, count: int) -> Batch:
        """The first examples that are not learnt from (of those that are, if there are no others), on the device.

        They are read once; treat them as read-only.
        """
        if count not in self._some:
            split = self.dataset.validation if len(self.dataset.validation) else self.dataset.train
            found = split.get(torch.arange(min(count, len(split))))
            self._some[count] = {name: values.to(self.device) for name, values in found.items()}
        return self._some[count]

    def to(self, where: torch.device | str) -> None:
        super().to(where)
        self._some.clear()

    def labels(self, batch: Batch) -> Ints:
        """The class of each example, -1 where the data has none."""
        if self.dataset.target.kind != "label":
            return np.full(len(batch[self.real.name]), -1, np.int64)
        return cast(Ints, batch[self.dataset.target.name].cpu().numpy())

    def gallery(self, values: Tensor, note: str, columns: int = 8, rows: tuple[str, ...] = ()) -> Preview:
        """Examples in scaled values as pictures, points beside the real ones, or curves."""
        made = _floats(self.in_units(values))
        if self.real.kind == "image":
            return Images(images=made.clip(0, 1), columns=columns, rows=rows, note=note)
        if self.real.shape == (2,):
            real = _floats(self.in_units(self.some(len(made))[self.real.name]))
            return _points({"real": real, "made": made}, self.real.columns, note)
        names = [f"{n + 1}" for n in range(len(made))]
        return _curves(dict(zip(names, made, strict=True)), note)

    def beside(self, rows: Mapping[str, Tensor], note: str) -> Preview:
        """The same examples in several states, in scaled values: a row of pictures for each, points, or curves."""
        values = {name: _floats(self.in_units(v)) for name, v in rows.items()}
        if self.real.kind == "image":
            whole = np.concatenate(list(values.values())).clip(0, 1)
            return Images(images=whole, columns=len(whole) // len(values), rows=tuple(values), note=note)
        if self.real.shape == (2,):
            return _points(values, self.real.columns, note)
        return _curves({name: v[0] for name, v in values.items()}, note)


def _floats(values: Tensor) -> Floats:
    return cast(Floats, values.detach().float().cpu().numpy())


def _points(values: Mapping[str, Floats], axes: tuple[str, ...], note: str) -> Scatter:
    labels = np.repeat(np.arange(len(values)), [len(v) for v in values.values()]).astype(np.int64)
    names = (axes[0], axes[1]) if len(axes) == 2 else ("", "")
    return Scatter(points=np.concatenate(list(values.values())), labels=labels, classes=tuple(values), axes=names)


def _curves(values: Mapping[str, Floats], note: str) -> Lines:
    lines = {}
    for name, example in list(values.items())[:_MOST_LINES]:
        y = example.reshape(-1) if example.ndim == 1 else example.reshape(len(example), -1)[:, 0]
        lines[name] = (np.arange(len(y), dtype=np.float32), y)
    return Lines(lines=lines, note=note)


def in_pieces(make: Callable[[int], Tensor], count: int) -> Tensor:
    """``make(n)`` for pieces of ``count``, joined: many examples at once may not fit in memory."""
    return torch.cat([make(min(_PIECE, count - start)) for start in range(0, count, _PIECE)])


def limits(dataset: Dataset, name: str) -> tuple[float, float]:
    """The lowest and the highest value of a field in the training examples, scaled as the network gets them."""
    known = dataset.ranges.get(name)
    if not known:
        return -np.inf, np.inf
    low, high, scale = known["minimum"], known["maximum"], dataset.normalizer.get(name)
    if scale is None:
        return low, high
    pairs = list(zip(scale.shift, scale.scale, strict=True))
    return min((low - a) / b for a, b in pairs), max((high - a) / b for a, b in pairs)


def needs_shares(dataset: Dataset, name: str, loss: str) -> str:
    """Why a cross entropy cannot be used for a field, if its values are not within 0 to 1; else an empty text."""
    low, high = limits(dataset, name)
    if low >= -1e-6 and high <= 1 + 1e-6:
        return ""
    return (
        f"{loss} compares values from 0 to 1, but {name} goes from {low:.3g} to {high:.3g}: "
        "set normalize to none or minmax in the data settings, or choose MSELoss."
    )


def refuse(complaint: str) -> None:
    """Raise ObjectiveError, if there is something to complain of."""
    if complaint:
        raise ObjectiveError(complaint)


def check_shares(outlook: Outlook, loss: str, name: str) -> Iterator[Problem]:
    """The same, found before training."""
    complaint = needs_shares(outlook.dataset, name, loss) if outlook.dataset is not None else ""
    if complaint:
        yield Problem("loss-needs-shares", complaint, expected="0 to 1", received="other values")


def check_same_shape(outlook: Outlook, field: Field, what: str) -> Iterator[Problem]:
    """Whether what arrives at the first Output is like an example of ``field``."""
    if field.dtype != "float32":
        yield Problem(
            "wrong-field",
            f"{field.name} is no measured value but {field.kind}, of which {what} cannot be made.",
            expected="an image, a vector or a series",
            received=field.kind,
            reason="Bind the Input to another field in the data settings, or choose another objective.",
        )
        return
    wanted = batched(field.shape)
    if outlook.output.shape == wanted.shape:
        return
    yield Problem(
        "output-shape",
        f"The Output receives {outlook.output.shape}, but {what} is like an example of {field.name}: {wanted.shape}.",
        node=outlook.node,
        port="input",
        expected=wanted.shape,
        received=outlook.output.shape,
        reason=f"Each example has {shown(field.shape)} values, and each of them is compared.",
        fix=repairs.give_shape(outlook.network, outlook.node, outlook.output, field.shape),
    )


def check_reach(outlook: Outlook, field: Field) -> Iterator[Problem]:
    """Whether the last layer can reach all values of ``field``."""
    tail = ending(outlook.network, outlook.node).tail
    last = outlook.network.nodes[tail[0]] if tail else None
    if last is None or last.kind not in _ENDS or outlook.dataset is None:
        return
    (low, high), (least, most) = limits(outlook.dataset, field.name), _ENDS[last.kind]
    if low < least - 1e-6 or high > most + 1e-6:
        yield Problem(
            "out-of-reach",
            f"{last.label} gives {least:g} to {most:g}, but the data of {field.name} go from {low:.3g} to {high:.3g}.",
            node=last.id,
            severity="warning",
            expected=f"{low:.3g} to {high:.3g}",
            received=f"{least:g} to {most:g}",
            reason="Take it out, or choose another normalize in the data settings: none leaves pictures within 0 to 1.",
            fix=repairs.remove(outlook.network, last.id),
        )
