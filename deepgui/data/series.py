"""Numbers over time, as windows of the past and what came next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepgui.catalog.spec import ParamSpec
from deepgui.data.columns import numbers
from deepgui.data.csv_roles import column_list, looks_numeric
from deepgui.data.csv_text import Sheet, read_sheet
from deepgui.data.errors import DataError
from deepgui.data.fields import Field, number_field
from deepgui.data.source_spec import Options, integer, real
from deepgui.data.text_windows import shares
from deepgui.data.windows import Part, View, Windows, contiguous, numbered

FUTURE, WINDOW = "future", "window"


def windowing(window: int, ahead: int = 1) -> tuple[ParamSpec, ...]:
    """Options on what is seen of the past and what is to be forecast."""
    return (
        ParamSpec("window", "int", window, minimum=1, doc="Steps of the past that the network sees."),
        ParamSpec("horizon", "int", 1, minimum=1, doc="Steps to forecast."),
        ParamSpec("ahead", "int", ahead, minimum=1, doc="The first step to forecast; 1 is the one after the window."),
        ParamSpec(
            "difference",
            "bool",
            False,
            doc="See and forecast the change from each step to the next instead of the value; "
            "for one step, the error stays in the same units.",
        ),
        ParamSpec("stride", "int", 1, minimum=1, doc="Steps from one training window to the next."),
        *shares("steps"),
    )


PARAMS = (
    ParamSpec("path", "str", required=True, doc="A CSV file with a row for each step, the earliest first."),
    ParamSpec("target", "str", "", doc="Columns to forecast, separated by commas. Empty: the last one of numbers."),
    ParamSpec("columns", "str", "", doc="Columns that the network sees. Empty: those to forecast."),
    *windowing(12),
    ParamSpec(
        "missing",
        "choice",
        "error",
        choices=("error", "fill", "drop"),
        doc="Missing values: refuse, go on with the last known value, or leave windows out that hold one.",
    ),
    ParamSpec("header", "choice", "auto", choices=("auto", "yes", "no"), doc="Whether the first row holds names."),
    ParamSpec("delimiter", "str", "", doc="Character between cells. Empty: found out."),
    ParamSpec("decimal", "choice", ".", choices=(".", ","), doc="Decimal mark."),
    ParamSpec("encoding", "choice", "auto", choices=("auto", "utf-8", "latin-1"), doc="How letters are stored."),
)


@dataclass(frozen=True)
class Course:
    """What happened over time.

    Attributes:
        seen: values that a network sees, (steps, C), NaN where missing; ``columns`` their names.
        future: values to forecast, (steps, K); ``targets`` their names.
        origin: the file, for messages.
    """

    seen: NDArray[np.float64]
    columns: tuple[str, ...]
    future: NDArray[np.float64]
    targets: tuple[str, ...]
    origin: str = ""
    missing: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_series(options: Options) -> Windows:
    """Columns of a text table as :data:`PARAMS` say. Raises DataError naming file and row."""
    path = Path(str(options["path"])).expanduser()
    sheet = read_sheet(path, str(options["delimiter"]), str(options["header"]), str(options["encoding"]))
    decimal = str(options["decimal"])
    targets = [sheet.position(name) for name in column_list(str(options["target"]))] or [_last_numeric(sheet, decimal)]
    columns = [sheet.position(name) for name in column_list(str(options["columns"]))] or targets
    used = list(dict.fromkeys((*columns, *targets)))
    missing = {sheet.names[i]: n for i in used if (n := len(sheet.holes(i)))}
    how = str(options["missing"])
    if missing and how == "error":
        raise _holes(sheet, used)
    values = {i: numbers(sheet, i, decimal, new=False) for i in used}
    notes: list[str] = []
    if missing and how == "fill":
        values = {i: _carried(column, sheet, i) for i, column in values.items()}
        count = sum(missing.values())
        notes = [f"{count:,} missing value{'s' * (count > 1)} filled in with the last known one"]
    seen, future = (np.stack([values[i] for i in chosen], axis=1) for chosen in (columns, targets))
    names = tuple(sheet.names[i] for i in columns), tuple(sheet.names[i] for i in targets)
    return windows(Course(seen, names[0], future, names[1], str(path), missing, tuple(notes)), options)


def windows(course: Course, options: Options) -> Windows:
    """Windows of the past and what came next, the splits one after the other.

    A split owns the steps that its windows forecast; what they see of the past may lie before it.

    Raises:
        DataError: a split is too short for a single window, or has missing values in every one.
    """
    size, horizon, ahead = (integer(options, name) for name in ("window", "horizon", "ahead"))
    seen, future = course.seen, course.future
    if options["difference"]:
        seen, future = np.diff(seen, axis=0), np.diff(future, axis=0)
    gap = size + ahead - 1
    parts = contiguous(len(seen), real(options, "validation"), real(options, "test"))
    starts = {part.name: _starts(part, gap, horizon, integer(options, "stride")) for part in parts}
    whole, notes = _whole(seen, future, gap + horizon), list(course.notes)
    for part in parts:
        kept = starts[part.name][whole[starts[part.name]]]
        if part.last > part.first and not len(kept):
            _refuse(course, part, gap + horizon, bool(len(starts[part.name])))
        starts[part.name] = kept
    left_out = int((~whole).sum())
    if left_out:
        notes.append(f"{left_out:,} windows with missing values left out")
    rows, fixed = numbered(starts)
    fields = (Field(WINDOW, "series", (size, seen.shape[1]), columns=course.columns), _future(course.targets, horizon))
    tensors = {WINDOW: _float(seen), FUTURE: _float(future)}
    views = {WINDOW: View(WINDOW, 0, size), FUTURE: View(FUTURE, gap, horizon)}
    notes.append(f"{len(course.seen):,} steps; validation and test are the latest ones")
    return Windows(fields, FUTURE, tensors, rows, views, fixed, course.missing, tuple(notes))


def _starts(part: Part, gap: int, horizon: int, stride: int) -> Tensor:
    """Windows whose forecast lies within a part, int64."""
    first, last = max(0, part.first - gap), part.last - gap - horizon + 1
    return torch.arange(first, max(first, last), stride if part.name == "train" else 1)


def _whole(seen: NDArray[np.float64], future: NDArray[np.float64], span: int) -> Tensor:
    """For every start, whether no value is missing from there to the end of the forecast."""
    holes = np.isnan(np.concatenate([seen, future], axis=1)).any(axis=1)
    before = np.concatenate([[0], np.cumsum(holes)])
    count = max(0, len(holes) - span + 1)
    return torch.from_numpy(before[span : span + count] == before[:count])


def _refuse(course: Course, part: Part, span: int, holes: bool) -> None:
    steps = f"the {part.name} part has {part.last - part.first:,} of {len(course.seen):,} steps"
    if holes:
        raise DataError(f"{steps}, and a value is missing in every window: set missing to fill", file=course.origin)
    said = f"{steps}, too few where a window and its forecast take {span:,}: lower window, horizon or ahead"
    raise DataError(said, file=course.origin)


def _future(targets: Sequence[str], horizon: int) -> Field:
    if len(targets) > 1:
        return Field(FUTURE, "series", (horizon, len(targets)), columns=tuple(targets))
    if horizon == 1:
        return number_field(FUTURE)
    return Field(FUTURE, "vector", (horizon,), columns=tuple(f"{targets[0]} +{i + 1}" for i in range(horizon)))


def _last_numeric(sheet: Sheet, decimal: str) -> int:
    for i in reversed(range(len(sheet.names))):
        present = sheet.present(i)
        if present and all(looks_numeric(cell, decimal) for cell in present):
            return i
    raise DataError("there is no column of numbers to forecast", file=sheet.path)


def _holes(sheet: Sheet, used: Sequence[int]) -> DataError:
    rows = sorted({row for i in used for row in sheet.holes(i)})
    lines = ", ".join(str(sheet.lines[row]) for row in rows[:8]) + (", ..." if len(rows) > 8 else "")
    names = ", ".join(repr(sheet.names[i]) for i in used if sheet.holes(i))
    text = f"values are missing in {names} (row{'s' * (len(rows) > 1)} {lines}): set missing to fill or drop"
    return DataError(text, file=sheet.path, row=sheet.lines[rows[0]])


def _carried(column: NDArray[np.float64], sheet: Sheet, position: int) -> NDArray[np.float64]:
    """Holes get the last value before them, those at the beginning the first value. Raises DataError if all are."""
    known = np.flatnonzero(~np.isnan(column))
    if not len(known):
        raise DataError(f"column {sheet.names[position]!r} is empty", file=sheet.path)
    last = np.maximum.accumulate(np.where(np.isnan(column), known[0], np.arange(len(column))))
    filled: NDArray[np.float64] = column[last]
    return filled


def _float(values: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
