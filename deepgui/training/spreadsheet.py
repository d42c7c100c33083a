"""Curves as CSV, a line a step, for spreadsheets and scripts of one's own."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from deepgui.project import atomic
from deepgui.training.feed import Steps, Values
from deepgui.training.store import columns, history

Curves = Mapping[str, tuple[Steps, Values]]


def curves_of(folder: Path) -> Curves:
    """All curves of a run by name. Raises RunError."""
    return {name: history(folder, name) for name in columns(folder)}


def write_csv(curves: Curves, path: Path) -> int:
    """Write curves beside each other: ``step`` and a column each, empty where a curve has no value; returns the lines.

    Raises OSError; what was at ``path`` is then still there.
    """
    with tempfile.TemporaryFile("w+", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("step", *curves))
        rows = list(_rows(curves))
        out.writerows(rows)
        file.seek(0)
        atomic.replace(path, file.read().encode())
    return len(rows)


def _rows(curves: Curves) -> Iterator[tuple[int | float | str, ...]]:
    steps = np.unique(np.concatenate([s for s, _ in curves.values()] or [np.empty(0, np.int64)]))
    filled = []
    for at, values in curves.values():
        one = np.full(len(steps), "", dtype=object)
        one[np.searchsorted(steps, at)] = values
        filled.append(one.tolist())
    for step, *row in zip(steps.tolist(), *filled, strict=True):
        yield (step, *row)
