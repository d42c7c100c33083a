"""A CSV file as a table: one vector of features and the column to learn."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.csv_text import Sheet, is_missing, parse_number, read_sheet
from deepgui.data.errors import DataError
from deepgui.data.fields import Field, label_field, number_field
from deepgui.data.table import TensorTable

Role = Literal["number", "category", "ignore"]
FEATURES = "features"
MAX_CATEGORIES = 50  # different texts in a column that still make sense as categories
FEW_VALUES = 20  # different numbers in a target that are taken for classes without being asked

_LARGEST = float(np.finfo(np.float32).max)

PARAMS = (
    ParamSpec("path", "str", required=True, doc="The CSV file."),
    ParamSpec("target", "str", "", doc="Column to learn: its name or number (1 is the first). Empty: the last."),
    ParamSpec(
        "task",
        "choice",
        "auto",
        choices=("auto", "classification", "regression"),
        doc="Whether the target is a class or a number. Auto: text and few whole numbers are classes.",
    ),
    ParamSpec("ignore", "str", "", doc="Columns to leave out, separated by commas."),
    ParamSpec("categories", "str", "", doc="Columns to read as categories, separated by commas."),
    ParamSpec("numbers", "str", "", doc="Columns to read as numbers, separated by commas."),
    ParamSpec(
        "category_as",
        "choice",
        "one_hot",
        choices=("one_hot", "code"),
        doc="A category becomes one element per value, or one number.",
    ),
    ParamSpec(
        "missing",
        "choice",
        "error",
        choices=("error", "drop", "fill"),
        doc="Missing values: refuse, drop the row, or fill in the training mean (numbers) or the most frequent value.",
    ),
    ParamSpec("header", "choice", "auto", choices=("auto", "yes", "no"), doc="Whether the first row holds names."),
    ParamSpec("delimiter", "str", "", doc="Character between cells. Empty: found out."),
    ParamSpec("decimal", "choice", ".", choices=(".", ","), doc="Decimal mark."),
    ParamSpec("encoding", "choice", "auto", choices=("auto", "utf-8", "latin-1"), doc="How letters are stored."),
)


class Encoded(NamedTuple):
    """Columns of the feature vector that one column of the file became."""

    names: tuple[str, ...]
    values: NDArray[np.float32]  # (N, len(names)); NaN where missing


@dataclass(frozen=True)
class _Job:
    """A file being read, with the settings that concern its cells."""

    sheet: Sheet
    decimal: str
    one_hot: bool
    missing: str

    def numbers(self, position: int) -> NDArray[np.float64]:
        """A column as numbers, NaN where missing. Raises DataError at the first cell that holds something else."""
        cells, known = self.sheet.columns[position], dict[str, float]()
        for cell in self.sheet.counts(position):  # in the order of their first row
            number = float("nan") if is_missing(cell) else parse_number(cell, self.decimal)
            if number is None or abs(number) > _LARGEST:
                raise self._not_a_number(position, cells.index(cell), cell)
            known[cell] = number
        return np.array([known[cell] for cell in cells])

    def looks_numeric(self, cell: str) -> bool:
        """Whether a cell was meant as a number, perhaps with the other decimal mark."""
        return parse_number(cell, self.decimal) is not None or (
            self.decimal == "." and parse_number(cell, ",") is not None
        )

    def _not_a_number(self, position: int, row: int, cell: str) -> DataError:
        name = self.sheet.names[position]
        shown = cell if len(cell) <= 40 else cell[:37] + "..."
        if self.decimal == "." and "," in cell and parse_number(cell, ",") is not None:
            way_out = "set decimal to ','"
        else:
            way_out = f"correct it, or list {name!r} under categories or ignore"
        text = f"column {name!r} holds {shown!r} where a number belongs: {way_out}"
        return DataError(text, file=self.sheet.path, row=self.sheet.lines[row])


def read_csv(options: Mapping[str, Value]) -> TensorTable:
    """Open a CSV file with the options of :data:`PARAMS`; see there. Raises DataError."""
    path = Path(str(options["path"])).expanduser()
    sheet = read_sheet(path, str(options["delimiter"]), str(options["header"]), str(options["encoding"]))
    if len(sheet.names) < 2:
        raise DataError(
            f"there is only one column ({sheet.names[0]}): a table needs features and a target; "
            "set the delimiter if the columns are separated by an unusual character",
            file=path,
        )
    job = _Job(sheet, str(options["decimal"]), options["category_as"] == "one_hot", str(options["missing"]))
    target = sheet.position(str(options["target"]) or "-1")
    roles, notes = _roles(job, target, options)
    used = [i for i, role in enumerate(roles) if role != "ignore" and i != target]
    if not used:
        raise DataError("; ".join(["no column is left to learn from", *notes]), file=path)
    missing = {sheet.names[i]: n for i in (*used, target) if (n := len(sheet.holes(i)))}
    job, dropped = _without_holes(job, [*used, target], target)
    notes += dropped
    parts = [_encode(job, i, roles[i]) for i in used]
    columns = tuple(name for part in parts for name in part.names)
    values = torch.from_numpy(np.concatenate([part.values for part in parts], axis=1))
    target_field, target_values = _target(job, target, str(options["task"]))
    features = FEATURES if target_field.name != FEATURES else "inputs"
    fields = (Field(features, "vector", (len(columns),), columns=columns), target_field)
    tensors = {features: values, target_field.name: target_values}
    return TensorTable(fields, target_field.name, tensors, missing=missing, notes=tuple(notes))


def column_list(text: str) -> list[str]:
    """Names separated by commas; a name that holds a comma is quoted."""
    return [name for row in csv.reader([text], skipinitialspace=True) for cell in row if (name := cell.strip())]


def _roles(job: _Job, target: int, options: Mapping[str, Value]) -> tuple[list[Role], list[str]]:
    """What each column is for: as told, else as its cells look."""
    sheet, notes = job.sheet, list[str]()
    told: dict[int, Role] = {}
    for option, role in (("ignore", "ignore"), ("categories", "category"), ("numbers", "number")):
        for name in column_list(str(options[option])):
            told[sheet.position(name)] = role  # type: ignore[assignment]
    roles: list[Role] = []
    for i in range(len(sheet.names)):
        if i in told or i == target:
            roles.append(told.get(i, "ignore"))
            continue
        role, note = _guess(job, i)
        roles.append(role)
        notes += [note] if note else []
    return roles, notes


def _guess(job: _Job, position: int) -> tuple[Role, str]:
    name = job.sheet.names[position]
    present = job.sheet.present(position)
    count, different = sum(present.values()), len(present)
    if not present:
        return "ignore", f"column {name!r} is empty and was left out"
    if 2 * sum(n for cell, n in present.items() if job.looks_numeric(cell)) >= count:
        return "number", ""  # a stray text among numbers is an error, not a category
    if different > MAX_CATEGORIES or (different > 2 and 2 * different > count):
        return "ignore", f"text column {name!r} has {different} different values and was left out"
    return "category", ""


def _without_holes(job: _Job, used: Iterable[int], target: int) -> tuple[_Job, list[str]]:
    """The rows that may stay, as the option ``missing`` says. A missing target is never filled."""
    sheet = job.sheet
    considered = [target] if job.missing == "fill" else list(used)
    holes = {i: sheet.holes(i) for i in considered}
    bad = sorted({row for rows in holes.values() for row in rows})
    if not bad:
        return job, []
    if job.missing == "error":
        names = ", ".join(repr(sheet.names[i]) for i, rows in holes.items() if rows)
        shown = ", ".join(str(sheet.lines[r]) for r in bad[:8]) + (", ..." if len(bad) > 8 else "")
        count = sum(map(len, holes.values()))
        values = "1 value is" if count == 1 else f"{count} values are"
        text = f"{values} missing in {names} (rows {shown}): set missing to drop or fill"
        raise DataError(text, file=sheet.path, row=sheet.lines[bad[0]])
    if len(bad) == len(sheet):
        raise DataError("every row has a missing value: set missing to fill, or ignore columns", file=sheet.path)
    gone = set(bad)
    keep = [r for r in range(len(sheet)) if r not in gone]
    columns = tuple(tuple(cells[r] for r in keep) for cells in sheet.columns)
    kept = Sheet(sheet.path, sheet.names, columns, tuple(sheet.lines[r] for r in keep))
    rows = "1 row" if len(bad) == 1 else f"{len(bad)} rows"
    return _Job(kept, job.decimal, job.one_hot, job.missing), [f"{rows} with missing values left out"]


def _encode(job: _Job, position: int, role: Role) -> Encoded:
    """One column of the file as columns of the feature vector. Missing numbers become NaN."""
    name, cells = job.sheet.names[position], job.sheet.columns[position]
    if role == "number":
        return Encoded((name,), job.numbers(position).astype(np.float32)[:, None])
    counts = job.sheet.present(position)
    if not counts:
        raise DataError(f"column {name!r} is empty: ignore it", file=job.sheet.path)
    values = _sorted_names(counts)
    most_frequent = max(values, key=lambda value: counts[value])
    index = {value: i for i, value in enumerate(values)}
    codes = np.array([index.get(cell, index[most_frequent]) for cell in cells])
    if not job.one_hot:
        return Encoded((name,), codes.astype(np.float32)[:, None])
    return Encoded(tuple(f"{name}={value}" for value in values), np.eye(len(values), dtype=np.float32)[codes])


def _sorted_names(names: Iterable[str]) -> list[str]:
    """Numbers by size and before texts, texts by alphabet."""

    def key(name: str) -> tuple[bool, float, str]:
        number = parse_number(name)
        return (number is None, number or 0.0, name)

    return sorted(names, key=key)


def _target(job: _Job, position: int, task: str) -> tuple[Field, torch.Tensor]:
    """The target as a label or a number."""
    name, cells = job.sheet.names[position], job.sheet.columns[position]
    counts = job.sheet.counts(position)
    parsed = {cell: parse_number(cell, job.decimal) for cell in counts}
    numeric = {cell: n for cell, n in parsed.items() if n is not None and np.isfinite(n)}
    different = len(counts)
    whole = len(numeric) == different and all(n.is_integer() for n in numeric.values())
    if task == "auto":
        mostly_text = 2 * sum(n for cell, n in counts.items() if job.looks_numeric(cell)) < len(cells)
        task = "classification" if mostly_text or (whole and different <= FEW_VALUES) else "regression"
    if task == "regression":
        return number_field(name), torch.from_numpy(job.numbers(position).astype(np.float32)[:, None])
    scattered = not whole or 10 * different > len(cells)  # fewer than ten examples a class
    if len(numeric) == different and scattered and different > FEW_VALUES:
        text = f"the target {name!r} has {different} different numbers, which are no classes: choose regression"
        raise DataError(text, file=job.sheet.path)
    names = (
        [f"{numeric[cell] + 0.0:.0f}" for cell in cells] if whole else list(cells)
    )  # so that 1 and 1.0 are one class
    classes = tuple(_sorted_names(set(names)))
    if len(classes) > 1 and len(classes) == len(names) > FEW_VALUES:
        text = f"the target {name!r} is different in every row, so there is nothing to learn: choose another column"
        raise DataError(text, file=job.sheet.path)
    index = {value: i for i, value in enumerate(classes)}
    return label_field(name, classes), torch.tensor([index[n] for n in names], dtype=torch.int64)
