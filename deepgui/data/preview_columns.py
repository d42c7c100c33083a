"""What the values of a column, a channel or a number are like: range, spread, histogram, what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from deepgui.data.columns import Column
from deepgui.data.csv_roles import ColumnUse
from deepgui.data.dataset import Dataset
from deepgui.data.fields import Field
from deepgui.data.tokenizers import leading_specials

BINS = 24
MOST = 100  # columns of a field
FREQUENT = 12  # categories or tokens that are listed
Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class ColumnFacts:
    """A column of the training examples that were looked at.

    Attributes:
        field: the field it is part of.
        kind: ``number`` or ``category``.
        count, missing: values that are there, and that are not; missing in all of a file where that is known.
        low, high, mean, deviation: of the numbers; 0 for categories.
        counts, edges: a histogram; ``edges`` is one longer.
        frequent: the most frequent categories with their counts.
        different: values that differ.
        values: the values that were looked at, NaN where missing; codes for categories. For judging, not for show.
    """

    name: str
    field: str
    kind: str
    count: int
    missing: int = 0
    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    deviation: float = 0.0
    counts: tuple[int, ...] = ()
    edges: tuple[float, ...] = ()
    frequent: tuple[tuple[str, int], ...] = ()
    different: int = 0
    values: Floats | None = None

    @property
    def constant(self) -> bool:
        """Whether every value is the same, so that there is nothing to learn from it."""
        return self.count > 1 and self.different <= 1

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        common = {"name": self.name, "field": self.field, "kind": self.kind, "count": self.count}
        common |= {"missing": self.missing, "different": self.different}
        if self.kind == "category":
            return {**common, "frequent": dict(self.frequent)}
        figures = {"minimum": self.low, "maximum": self.high, "mean": self.mean, "deviation": self.deviation}
        return {**common, **figures, "histogram": {"counts": list(self.counts), "edges": list(self.edges)}}


def column_facts(
    dataset: Dataset, values: Mapping[str, Tensor], uses: Sequence[ColumnUse] = ()
) -> tuple[ColumnFacts, ...]:
    """Facts on the columns of all fields that have numbers, from training examples in the units of the data."""
    missing = {**{use.name: use.missing for use in uses}, **dataset.train.table.missing}
    return tuple(facts for field in dataset.fields for facts in _of_field(field, values[field.name], missing))


def _of_field(field: Field, values: Tensor, missing: Mapping[str, int]) -> Iterator[ColumnFacts]:
    if field.kind == "image":
        channels = values.transpose(0, 1).flatten(1)
        names = {1: ("grey",), 3: ("red", "green", "blue")}.get(len(channels), tuple(map(str, range(len(channels)))))
        for name, channel in zip(names, channels[:MOST], strict=False):
            yield numbers(name, field.name, channel.numpy(), pixels=True)
    elif field.kind == "tokens":
        yield _tokens(field, values)
    elif field.form is not None:
        for column, span in field.form.spans():
            yield _column(column, field.name, values[:, span].numpy(), missing.get(column.name, 0))
    elif field.kind in ("vector", "series", "features", "edge_features", "number"):
        rows = values.reshape(-1, field.shape[-1] if field.shape else 1).numpy()
        several = rows.shape[1] > 1
        names = field.columns or tuple(f"{field.name} {i + 1}" if several else field.name for i in range(rows.shape[1]))
        for name, cells in zip(names[:MOST], rows.T, strict=False):
            yield numbers(name, field.name, cells, missing.get(name, 0))


def _column(column: Column, field: str, values: Floats, missing: int) -> ColumnFacts:
    """A column of a text table, from the elements that it became."""
    own = values[:, : values.shape[1] - column.flagged]
    if not column.categories:
        return numbers(column.name, field, own[:, 0], missing)
    codes = own.argmax(axis=1).astype(np.float32) if column.one_hot else own[:, 0].copy()
    codes[np.isnan(own).any(axis=1)] = np.nan
    there = codes[~np.isnan(codes)].astype(np.int64)
    counts = np.bincount(there, minlength=len(column.categories))
    order = np.argsort(-counts, kind="stable")[:FREQUENT]
    frequent = tuple((column.categories[i], int(counts[i])) for i in order if counts[i])
    different = int((counts > 0).sum())
    gone = max(missing, len(codes) - len(there))
    return ColumnFacts(
        column.name, field, "category", len(there), gone, frequent=frequent, different=different, values=codes
    )


def _tokens(field: Field, values: Tensor) -> ColumnFacts:
    """How often each token occurs, special ones left out."""
    counts = np.bincount(values.flatten().numpy(), minlength=len(field.classes))
    counts[: len(leading_specials(field.classes))] = 0
    found = Counter({token: int(counts[token]) for token in np.flatnonzero(counts)})
    names = tuple((field.classes[t] if t < len(field.classes) else str(t), n) for t, n in found.most_common(FREQUENT))
    return ColumnFacts(field.name, field.name, "category", int(counts.sum()), frequent=names, different=len(found))


def numbers(name: str, field: str, values: Floats, missing: int = 0, *, pixels: bool = False) -> ColumnFacts:
    """Facts on a column of numbers (n,), NaN where one is missing. Of pixels the values are not kept."""
    there = values[np.isfinite(values)]
    gone = max(missing, len(values) - len(there))
    if not len(there):
        return ColumnFacts(name, field, "number", 0, gone)
    low, high = float(there.min()), float(there.max())
    counts, edges = np.histogram(there.astype(np.float64), BINS, (low, high) if high > low else (low - 0.5, low + 0.5))
    return ColumnFacts(
        name,
        field,
        "number",
        len(there),
        gone,
        low,
        high,
        float(there.mean(dtype=np.float64)),
        float(there.std(dtype=np.float64)),
        tuple(counts.tolist()),
        tuple(edges.tolist()),
        different=2 if pixels and high > low else len(np.unique(there)),
        values=None if pixels else values,
    )
