"""The column of a text table that is to be learnt: classes or numbers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from deepgui.data.columns import Column, shortened
from deepgui.data.csv_roles import looks_numeric
from deepgui.data.csv_text import Sheet, listed, parse_number
from deepgui.data.errors import DataError
from deepgui.data.fields import Field, label_field, number_field

FEW_VALUES = 20  # different numbers in a target that are taken for classes without being asked


def read_target(
    sheet: Sheet, position: int, task: str, decimal: str, known: Field | None = None
) -> tuple[Field, torch.Tensor]:
    """The target as a label (N,) or a number (N, 1).

    Args:
        task: ``classification``, ``regression`` or ``auto``.
        known: what a network learnt: the field is this one, and its classes are the only ones.

    Raises:
        DataError: the column cannot be learnt so, or has a class that is not known.
    """
    name = known.name if known else sheet.names[position]
    if known:
        task = "classification" if known.kind == "label" else "regression"
    elif task == "auto":
        task = _task(sheet, position, decimal)
    if task == "regression":
        column = Column(sheet.names[position], position).encode(sheet, position, decimal, new=known is None)
        return known or number_field(name), torch.from_numpy(column)
    names = _class_names(sheet, position, decimal)
    if known is None:
        _refuse_scattered(sheet, position, decimal, names)
    classes = known.classes if known else tuple(in_order(set(names)))
    index = {value: i for i, value in enumerate(classes)}
    if known:  # what reads as 1 here may have been 1.0 among other texts where it was learnt
        names = [cell if cell in index else name for cell, name in zip(sheet.columns[position], names, strict=True)]
    for row, value in enumerate(names):
        if value not in index:
            text = f"the network does not know the class {shortened(value)!r} of {name}: it knows {listed(classes)}"
            raise DataError(text, file=sheet.path, row=sheet.lines[row])
    return known or label_field(name, classes), torch.tensor([index[n] for n in names], dtype=torch.int64)


def in_order(names: Iterable[str]) -> list[str]:
    """Numbers by size and before texts, texts by alphabet."""

    def key(name: str) -> tuple[bool, float, str]:
        number = parse_number(name)
        return (number is None, number or 0.0, name)

    return sorted(names, key=key)


def _numeric(sheet: Sheet, position: int, decimal: str) -> dict[str, float]:
    parsed = {cell: parse_number(cell, decimal) for cell in sheet.counts(position)}
    return {cell: n for cell, n in parsed.items() if n is not None and np.isfinite(n)}


def _is_whole(sheet: Sheet, position: int, numeric: dict[str, float]) -> bool:
    return len(numeric) == len(sheet.counts(position)) and all(n.is_integer() for n in numeric.values())


def _task(sheet: Sheet, position: int, decimal: str) -> str:
    counts = sheet.counts(position)
    mostly_text = 2 * sum(n for cell, n in counts.items() if looks_numeric(cell, decimal)) < len(sheet)
    few = _is_whole(sheet, position, _numeric(sheet, position, decimal)) and len(counts) <= FEW_VALUES
    return "classification" if mostly_text or few else "regression"


def _class_names(sheet: Sheet, position: int, decimal: str) -> list[str]:
    """The class of every row; 1 and 1.0 are one."""
    cells, numeric = sheet.columns[position], _numeric(sheet, position, decimal)
    if not _is_whole(sheet, position, numeric):
        return list(cells)
    return [f"{numeric[cell] + 0.0:.0f}" for cell in cells]


def _refuse_scattered(sheet: Sheet, position: int, decimal: str, names: list[str]) -> None:
    """Numbers that are measured, and texts that are different in every row, are no classes. Raises DataError."""
    numeric, different, name = _numeric(sheet, position, decimal), len(sheet.counts(position)), sheet.names[position]
    scattered = not _is_whole(sheet, position, numeric) or 10 * different > len(sheet)  # under ten examples a class
    if len(numeric) == different and scattered and different > FEW_VALUES:
        text = f"the target {name!r} has {different} different numbers, which are no classes: choose regression"
        raise DataError(text, file=sheet.path)
    if 1 < len(set(names)) == len(names) > FEW_VALUES:
        text = f"the target {name!r} is different in every row, so there is nothing to learn: choose another column"
        raise DataError(text, file=sheet.path)
