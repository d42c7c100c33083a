"""Examples as a person looks at them: pictures, numbers, decoded text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepgui.data.columns import Column
from deepgui.data.dataset import Dataset, Split
from deepgui.data.errors import DataError
from deepgui.data.fields import Field, shown
from deepgui.data.tokenizers import tokenizer_of

SIDE = 128  # pixels of the longer side of a picture, at most
_CHARACTERS = 400  # of a text
_MOST = 48  # examples of a split
_EACH = 4  # examples of a class
_LETTERS = 4  # numbers of a vector that its words hold


@dataclass(frozen=True)
class Sample:
    """One field of an example.

    Attributes:
        text: it in a few words: the class, the number, the text, what there is.
        values: a picture (H, W) or (H, W, 3) uint8; a classmap (H, W) int64; series (T, C), a vector (..., D), boxes
            (M, 5) or tokens (T,) as they are; None where there is nothing to draw.
        cells: column → text, for a vector with named columns.
    """

    field: str
    kind: str
    text: str
    values: NDArray[np.generic] | None = None
    cells: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Example:
    """An example: the split it is in, its row in the table (from 0), and its fields."""

    split: str
    row: int
    label: str
    samples: tuple[Sample, ...]


def examples(dataset: Dataset, each: int = 0) -> tuple[Example, ...]:
    """A few examples of every split; with classes, ``each`` of every class, in turns (0: as many as make two dozen)."""
    return tuple(found for split in dataset.splits.values() if len(split) for found in _of_split(dataset, split, each))


def _of_split(dataset: Dataset, split: Split, each: int) -> Iterator[Example]:
    for position in _chosen(split, each):
        values = split.raw(torch.tensor([position]))
        fields = (f for f in dataset.fields if f.kind not in ("graph", "nodes"))
        samples = tuple(sample(f, _first(f, values[f.name])) for f in fields)
        label = next((s.text for s in samples if s.field == dataset.target.name), "")
        yield Example(split.name, int(split.rows[position]), label, samples)


def _first(field: Field, values: Tensor) -> Tensor:
    """What the one example has; fields of a graph have no row for it."""
    return values if field.kind in ("features", "edges", "edge_features") else values[0]


def _chosen(split: Split, each: int) -> list[int]:
    """Positions in a split: even over the classes where there are any, else even over the split."""
    labels = split.labels()
    if labels is None:
        count = min(len(split), 6 * (each or _EACH))
        return sorted({round(i * (len(split) - 1) / max(1, count - 1)) for i in range(count)})
    present = np.unique(labels.numpy())[: _MOST // _EACH + 1].tolist()
    each = each or max(_EACH, 6 * _EACH // max(1, len(present)))
    members = [(labels == c).nonzero().flatten() for c in present]
    spread = [own[torch.linspace(0, len(own) - 1, min(each, len(own))).round().long()].tolist() for own in members]
    turns = [own[turn] for turn in range(each) for own in spread if turn < len(own)]
    return turns[:_MOST]


def sample(field: Field, values: Tensor) -> Sample:
    """A field of one example, without the batch dimension, in the units of the data."""
    text, drawn, cells = _shown(field, values)
    return Sample(field.name, field.kind, text, drawn, cells)


def _shown(field: Field, values: Tensor) -> tuple[str, NDArray[np.generic] | None, tuple[tuple[str, str], ...]]:
    kind = field.kind
    if kind == "image":
        return shown(field.shape), picture(values), ()
    if kind == "label":
        return _name(field, int(values)), None, ()
    if kind == "labels":
        names = [_name(field, int(i)) for i in (values > 0.5).nonzero().flatten()]
        return ", ".join(names) or "none", None, ()
    if kind == "number":
        return number(float(values)), None, ()
    if kind == "tokens":
        return text_of(field, values), values.numpy(), ()
    if kind == "length":
        return f"{int(values):,}", None, ()
    if kind == "padding":
        return f"{int((~values).sum()):,} of {values.numel():,}", None, ()
    if kind == "boxes":
        there = values[values[:, 0] >= 0]
        names = [_name(field, int(c)) for c in np.unique(there[:, 0].numpy())]
        return f"{len(there)} box{'es' * (len(there) != 1)}: {', '.join(names)}", there.numpy(), ()
    if kind == "classmap":
        present = np.unique(values.numpy())
        return ", ".join(_name(field, int(c)) for c in present if c >= 0), values.numpy(), ()
    return _numbers(field, values)


def _numbers(field: Field, values: Tensor) -> tuple[str, NDArray[np.generic] | None, tuple[tuple[str, str], ...]]:
    """Vectors, series, and what belongs to a graph."""
    if field.kind == "series":
        return f"{len(values):,} steps of {shown(values.shape[1:])}", values.numpy(), ()
    if field.kind == "edges":
        return f"{values.shape[1]:,} edges", None, ()
    if field.kind in ("features", "edge_features"):
        what = "nodes" if field.kind == "features" else "edges"
        return f"{len(values):,} {what} of {shown(values.shape[1:])}", None, ()
    cells = tuple(_cells(field, values)) if values.dim() == 1 else ()
    few = ", ".join(text for _, text in cells[:_LETTERS]) + (", ..." if len(cells) > _LETTERS else "")
    return few or shown(field.shape), values.numpy(), cells


def _cells(field: Field, values: Tensor) -> Iterator[tuple[str, str]]:
    """Column → text; columns of a text table as they stand in the file."""
    if field.form is None:
        names = field.columns or [f"{i + 1}" for i in range(len(values))]
        yield from ((name, number(float(v))) for name, v in zip(names, values.tolist(), strict=True))
        return
    for column, span in field.form.spans():
        yield column.name, _cell(column, values[span])


def _cell(column: Column, values: Tensor) -> str:
    own = values[: len(values) - column.flagged]
    if own.isnan().any():
        return ""
    if not column.categories:
        return number(float(own))
    return column.categories[int(own.argmax()) if column.one_hot else int(own)]


def _name(field: Field, index: int) -> str:
    return field.classes[index] if 0 <= index < len(field.classes) else str(index)


def text_of(field: Field, tokens: Tensor) -> str:
    """Tokens as text, if the field knows how; else their names or numbers."""
    ids = tokens.flatten()[:_CHARACTERS]
    try:
        text = tokenizer_of(field).decode(ids)
    except DataError:
        text = " ".join(_name(field, int(i)) for i in ids)
    return text if len(text) <= _CHARACTERS else text[: _CHARACTERS - 1] + "…"


def number(value: float) -> str:
    """A number in a few figures; nothing where it is missing."""
    return "" if value != value else f"{value:.6g}"


def picture(values: Tensor) -> NDArray[np.uint8]:
    """A picture (C, H, W) as (H, W) or (H, W, 3) uint8, at most :data:`SIDE` pixels wide and high.

    Values in 0..1 are taken as they are, others brought there; of two channels, or more than three, the first is shown.
    """
    image = values.float()
    image = image if len(image) == 3 else image[:1]
    low, high = float(image.min()), float(image.max())
    if low < 0 or high > 1:
        image = (image - low) / max(high - low, 1e-12)
    longer = max(image.shape[1:])
    if longer > SIDE:
        size = [max(1, round(side * SIDE / longer)) for side in image.shape[1:]]
        image = torch.nn.functional.interpolate(image[None], size, mode="area")[0]
    pixels: NDArray[np.uint8] = (image * 255).round().clamp(0, 255).byte().permute(1, 2, 0).contiguous().numpy()
    return pixels if pixels.shape[2] == 3 else pixels[:, :, 0]
