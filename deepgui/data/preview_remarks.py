"""What should make one suspicious of data, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from torch import Tensor

from deepgui.data.csv_text import listed
from deepgui.data.dataset import Dataset
from deepgui.data.preview_columns import ColumnFacts, Floats
from deepgui.data.preview_duplicates import Duplicates

if TYPE_CHECKING:
    from deepgui.data.preview import SplitFacts

About = Literal["balance", "absent", "few", "duplicates", "constant", "leak", "counter", "missing"]

UNBALANCED = 10  # times as many examples in the largest class as in the smallest
_FEW = 5  # examples of a class that are hardly enough
_HOLES = 0.5  # share of missing values
_LEAST = 20  # rows from which on a relation between columns says something


@dataclass(frozen=True)
class Remark:
    """A sentence, what it is about, and the column if it is about one."""

    about: About
    text: str
    column: str = ""


@dataclass(frozen=True)
class Looked:
    """What remarks are made on.

    Attributes:
        values: training examples that were looked at, whose columns are ``columns``.
        counted: what the numbers of the splits' classes count.
    """

    dataset: Dataset
    splits: Sequence[SplitFacts]
    columns: Sequence[ColumnFacts]
    duplicates: Sequence[Duplicates]
    values: Mapping[str, Tensor]
    counted: str = "examples"


def remarks(looked: Looked) -> tuple[Remark, ...]:
    """Everything suspicious, the worst first."""
    target = looked.dataset.target
    answers = looked.values[target.name]
    judged = target.kind in ("label", "number")
    first = answers.reshape(len(answers), -1)[:, 0].numpy() if judged else None
    own = [c for c in looked.columns if c.field != target.name]
    return (
        *_leaks(own, first, target.kind == "label", target.name),
        *_repeated(looked.duplicates, judged),
        *_absent(looked.splits, looked.counted),
        *_balance(looked.splits, looked.counted),
        *_columns(own, len(looked.dataset.train.table)),
    )


def _leaks(columns: Sequence[ColumnFacts], target: Floats | None, is_label: bool, name: str) -> Iterator[Remark]:
    if target is None or len(target) < _LEAST:
        return
    for column in columns:
        values = column.values
        if values is None or len(values) != len(target) or column.constant:
            continue
        there = ~np.isnan(values)
        if there.sum() < _LEAST:
            continue
        if is_label and _tells(values[there], target[there]):
            text = f"{column.name} alone tells {name}: is it the answer under another name?"
            yield Remark("leak", f"{text} Ignore it unless it is known before the answer is.", column.name)
        elif not is_label and _copies(values[there], target[there]):
            text = f"{column.name} is {name} in other units: a network would learn nothing but that"
            yield Remark("leak", f"{text}. Ignore it.", column.name)
        elif _counts(values):
            text = f"{column.name} counts the rows: it says nothing of examples to come. Ignore it."
            yield Remark("counter", text, column.name)


def _tells(values: Floats, target: Floats) -> bool:
    """Whether every value occurs with one class only, and not because there are so many values."""
    found, codes = np.unique(values, return_inverse=True)
    if len(np.unique(target)) < 2 or 10 * len(found) > len(values):
        return False
    low, high = np.full(len(found), np.inf), np.full(len(found), -np.inf)
    np.minimum.at(low, codes, target)
    np.maximum.at(high, codes, target)
    return bool((low == high).all())


def _copies(values: Floats, target: Floats) -> bool:
    """Whether the target is a linear function of the values, to rounding."""
    if values.std() == 0 or target.std() == 0:
        return False
    return bool(abs(np.corrcoef(values.astype(np.float64), target.astype(np.float64))[0, 1]) > 1 - 1e-6)


def _counts(values: Floats) -> bool:
    """Whether the values are whole numbers that rise by the rows of the table, one or more at a time."""
    if np.isnan(values).any() or (values != np.round(values)).any():
        return False
    steps = np.diff(values)
    return bool((steps > 0).all() and values[-1] - values[0] <= 4 * len(values))


def _repeated(duplicates: Sequence[Duplicates], judged: bool) -> Iterator[Remark]:
    for found in duplicates:
        several = found.count > 1
        pairs = listed([f"{a + 1} and {b + 1}" for a, b in found.rows[:3]])
        where = "there more than once" if found.first == found.second else f"also in {found.first}"
        text = f"{found.count:,} example{'s' * several} of {found.second} {'are' if several else 'is'} {where}"
        text += f" (examples {pairs})"
        if found.differing and judged:
            text += f", {f'{found.differing:,} of them' if several else 'but'} with another target"
        text += ": what is measured there is memory" if found.first == "train" != found.second else ""
        yield Remark("duplicates", f"{text}.")


def _absent(splits: Sequence[SplitFacts], counted: str) -> Iterator[Remark]:
    """Classes that a split lacks, and classes with hardly any examples to learn from."""
    everywhere = {name for split in splits for name, count in split.classes.items() if count}
    for split in splits:
        gone = [name for name, count in split.classes.items() if not count and name in everywhere]
        if gone and split.examples:
            several = len(gone) > 1
            what = f"{len(gone)} classes ({listed(gone, 5)}) do" if several else f"class {gone[0]!r} does"
            end = f": {'they' if several else 'it'} cannot be learnt" if split.name == "train" else ""
            yield Remark("absent", f"{what} not occur in {split.name}{end}.")
    classes = splits[0].classes
    never = [name for name in classes if name not in everywhere]
    if never and everywhere:
        what = f"class {never[0]!r} has" if len(never) == 1 else f"{len(never)} classes ({listed(never, 5)}) have"
        yield Remark("absent", f"{what} no example at all.")
    few = [f"{name} ({count})" for name, count in classes.items() if 0 < count < _FEW]
    if few and counted == "examples":
        yield Remark("few", f"there are fewer than {_FEW} training examples of {listed(few, 6)}.")


def _balance(splits: Sequence[SplitFacts], counted: str) -> Iterator[Remark]:
    present = {name: count for name, count in splits[0].classes.items() if count}
    if len(present) < 2:
        return
    most, least = max(present, key=present.__getitem__), min(present, key=present.__getitem__)
    if present[most] > UNBALANCED * present[least]:
        share = present[most] / sum(present.values())
        text = f"the classes are unbalanced: {present[most]:,} {counted} of {most}, {present[least]:,} of {least}"
        yield Remark("balance", f"{text}; saying always {most} would be right in {share:.0%}.")


def _columns(columns: Sequence[ColumnFacts], rows: int) -> Iterator[Remark]:
    flat = [c for c in columns if c.constant]
    if len(flat) > 3:
        names = listed([c.name for c in flat], 5)
        yield Remark("constant", f"{len(flat)} columns are the same in every training example ({names}).")
    else:
        for column in flat:
            what = column.frequent[0][0] if column.frequent else f"{column.low:g}"
            text = f"{column.name} is {what} in every training example: there is nothing to learn from it."
            yield Remark("constant", text, column.name)
    for column in columns:
        if column.missing > _HOLES * rows and column.count:
            text = f"{column.name} is missing in {column.missing:,} of {rows:,} rows: most of it would be made up."
            yield Remark("missing", text, column.name)
