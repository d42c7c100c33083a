"""Cutting a table into training, validation and test rows: seeded, stratified, disjoint and complete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepgui.data.errors import DataError

Counts = NDArray[np.int64]


class Rows(NamedTuple):
    """Row numbers of the three splits, ascending int64 tensors. Together they are every row once."""

    train: Tensor
    validation: Tensor
    test: Tensor


def split_rows(
    count: int,
    labels: Tensor | None = None,
    validation: float = 0.15,
    test: float = 0.15,
    seed: int = 0,
    fixed: Mapping[str, Tensor] | None = None,
) -> Rows:
    """Assign ``count`` rows to splits.

    Sizes are ``round(fraction * rows)`` and at least 1 where a fraction is positive. With ``labels`` (int64,
    shape (count,)) the classes keep their proportions, and each class appears in every split where its
    size and the split's allow it. Splits in ``fixed`` are taken as they are; the fractions of the others
    are of the rows that remain.

    Raises:
        DataError: fractions out of range, or too few rows for the splits asked for.
    """
    fixed = fixed or {}
    if "train" in fixed and "validation" in fixed and "test" in fixed:
        return Rows(fixed["train"], fixed["validation"], fixed["test"])
    validation = 0.0 if "validation" in fixed else validation
    test = 0.0 if "test" in fixed else test
    _check_fractions(validation, test)
    free = torch.ones(count, dtype=torch.bool)
    for name in ("validation", "test"):
        if name in fixed:
            free[fixed[name]] = False
    pool = free.nonzero().flatten()
    sizes = _sizes(len(pool), validation, test)
    generator = torch.Generator().manual_seed(seed % 2**63)
    shuffled = pool[torch.randperm(len(pool), generator=generator)]
    parts = _cut(shuffled, None if labels is None else labels[shuffled], *sizes)
    return Rows(parts[0], fixed.get("validation", parts[1]), fixed.get("test", parts[2]))


def _check_fractions(validation: float, test: float) -> None:
    for name, value in (("validation", validation), ("test", test)):
        if not 0 <= value < 1:
            raise DataError(f"the {name} fraction must be at least 0 and less than 1, not {value:g}")
    if validation + test >= 1:
        raise DataError(
            f"validation ({validation:g}) and test ({test:g}) take all examples and leave none to train on: lower them"
        )


def _sizes(count: int, validation: float, test: float) -> tuple[int, int]:
    """Sizes of the validation and the test split."""
    wanted = 1 + (validation > 0) + (test > 0)
    if count < wanted:
        examples = "1 example" if count == 1 else f"{count} examples"
        raise DataError(
            f"{examples} cannot be split into {wanted} parts: add examples, or set the validation or test fraction to 0"
        )
    n_test = max(1, round(count * test)) if test > 0 else 0
    n_validation = max(1, round(count * validation)) if validation > 0 else 0
    while n_test + n_validation >= count:  # rounding up on a handful of rows
        if n_test >= n_validation:
            n_test -= 1
        else:
            n_validation -= 1
    return n_validation, n_test


def _cut(rows: Tensor, labels: Tensor | None, n_validation: int, n_test: int) -> Rows:
    """Cut shuffled rows; ``labels`` are theirs, in the same order."""
    if labels is None:
        test, validation, train = torch.split(rows, [n_test, n_validation, len(rows) - n_test - n_validation])
        return Rows(train.sort().values, validation.sort().values, test.sort().values)
    members = labels.numpy()
    sizes = np.bincount(members)
    spare = np.where(sizes >= 3, 1, 0) if n_validation else np.zeros_like(sizes)
    in_test = _allocate(sizes, n_test, np.maximum(sizes - 1 - spare, 0))
    in_validation = _allocate(sizes - in_test, n_validation, np.maximum(sizes - in_test - 1, 0))
    chosen: tuple[list[Tensor], list[Tensor], list[Tensor]] = ([], [], [])
    for label in np.flatnonzero(sizes):
        own = rows[torch.from_numpy(np.flatnonzero(members == label))]
        a, b = int(in_test[label]), int(in_validation[label])
        for part, piece in zip(chosen, torch.split(own, [a, b, len(own) - a - b]), strict=True):
            part.append(piece)
    test, validation, train = (torch.cat(part).sort().values for part in chosen)
    return Rows(train, validation, test)


def _allocate(sizes: Counts, total: int, room: Counts) -> Counts:
    """How many of each class go into a split of ``total``: proportional to ``sizes``, at most ``room`` of each.

    One of each class comes first where the split is large enough for that. If the classes have too little
    room (many classes of one example), examples are taken from the largest remaining ones.
    """
    if total == 0:
        return np.zeros_like(sizes)
    possible = room > 0
    least = possible.astype(np.int64) if possible.sum() <= total else np.zeros_like(sizes)
    quota = total * sizes / sizes.sum()
    given: Counts = np.floor(quota).astype(np.int64).clip(least, room)
    while given.sum() > total:
        given[np.argmax(np.where(given > least, given - quota, -np.inf))] -= 1
    while given.sum() < total:
        limit = room if (given < room).any() else sizes
        given[np.argmax(np.where(given < limit, quota - given, -np.inf))] += 1
    return given
