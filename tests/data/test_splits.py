"""Splits: complete, disjoint, repeatable, and fair to every class."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deepgui.data.errors import DataError
from deepgui.data.splits import split_rows

fractions = st.sampled_from([0.0, 0.05, 0.1, 0.15, 0.25, 0.4])


@given(st.integers(3, 300), fractions, fractions, st.integers(-5, 2**64), st.integers(1, 40), st.booleans())
def test_every_row_lands_in_exactly_one_split(count, validation, test, seed, classes, stratified) -> None:
    labels = torch.randint(classes, (count,), generator=torch.Generator().manual_seed(count)) if stratified else None
    rows = split_rows(count, labels, validation, test, seed)
    assert torch.cat(rows).sort().values.tolist() == list(range(count))
    assert len(rows.train) >= 1
    assert len(rows.validation) == 0 if validation == 0 else len(rows.validation) >= 1
    assert len(rows.test) == 0 if test == 0 else len(rows.test) >= 1
    again = split_rows(count, labels, validation, test, seed)
    assert all(torch.equal(a, b) for a, b in zip(rows, again, strict=True))


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.integers(0, 100))
def test_stratified_sizes_are_the_fractions_and_classes_keep_their_proportions(sizes, seed) -> None:
    labels = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    if len(labels) < 10:
        return
    rows = split_rows(len(labels), labels, 0.2, 0.2, seed)
    assert len(rows.test) == len(rows.validation) == max(1, round(len(labels) * 0.2))
    for part in rows:
        counts = torch.bincount(labels[part], minlength=len(sizes))
        for size, found in zip(sizes, counts.tolist(), strict=True):
            if size >= 3 and len(part) >= len(sizes):
                assert found >= 1
            share = size * len(part) / len(labels)
            assert abs(found - share) <= 1 + len(sizes)


def test_a_rare_class_is_in_every_split() -> None:
    labels = torch.tensor([0] * 97 + [1] * 3)
    rows = split_rows(100, labels, 0.15, 0.15, 0)
    assert [int((labels[part] == 1).sum()) for part in rows] == [1, 1, 1]


def test_another_seed_gives_another_split() -> None:
    assert not torch.equal(split_rows(100, seed=0).test, split_rows(100, seed=1).test)


def test_splits_given_by_the_source_are_respected() -> None:
    rows = split_rows(20, None, 0.25, 0.5, 0, {"test": torch.arange(12, 20)})
    assert rows.test.tolist() == list(range(12, 20))
    assert len(rows.validation) == 3
    assert sorted([*rows.train.tolist(), *rows.validation.tolist()]) == list(range(12))
    every = {"train": torch.arange(3), "validation": torch.arange(3, 4), "test": torch.arange(4, 6)}
    assert [len(part) for part in split_rows(6, None, 0.9, 0.9, 0, every)] == [3, 1, 2]


def test_three_examples_give_one_each_and_two_are_refused() -> None:
    assert [len(part) for part in split_rows(3)] == [1, 1, 1]
    with pytest.raises(DataError, match="2 examples cannot be split into 3 parts"):
        split_rows(2)
    assert [len(part) for part in split_rows(2, None, 0.0, 0.0)] == [2, 0, 0]


@pytest.mark.parametrize(("validation", "test"), [(0.5, 0.5), (1.0, 0.0), (-0.1, 0.1), (float("nan"), 0.1)])
def test_impossible_fractions_are_refused(validation, test) -> None:
    with pytest.raises(DataError):
        split_rows(100, None, validation, test)
