"""A CSV file as a table: one vector of features and the column to learn."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.columns import Column, TableForm
from deepgui.data.csv_text import Sheet, parse_number, read_sheet
from deepgui.data.errors import DataError
from deepgui.data.fields import Field, label_field, number_field
from deepgui.data.table import TensorTable

Role = Literal["number", "category"]
FEATURES = "features"
MAX_CATEGORIES = 50  # different texts in a column that still make sense as categories
FEW_VALUES = 20  # different numbers in a target that are taken for classes without being asked

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


@dataclass(frozen=True)
class _Job:
    """A file being read, with the settings that concern its cells."""

    sheet: Sheet
    decimal: str
    one_hot: bool
    missing: str

    def looks_numeric(self, cell: str) -> bool:
        """Whether a cell was meant as a number, perhaps with the other decimal mark."""
        return parse_number(cell, self.decimal) is not None or (
            self.decimal == "." and parse_number(cell, ",") is not None
        )


def read_csv(options: Mapping[str, Value], form: TableForm | None = None) -> TensorTable:
    """Open a CSV file with the options of :data:`PARAMS`; see there.

    Args:
        form: what the features were when something was learnt from such a table; without it, it is found out.

    Raises:
        DataError: the file or an option cannot be used.
    """
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
    roles, notes = (dict[int, Role](), list[str]()) if form else _roles(job, target, options)
    used = form.places(sheet) if form else list(roles)
    if not used:
        raise DataError("; ".join(["no column is left to learn from", *notes]), file=path)
    missing = {sheet.names[i]: n for i in (*used, target) if (n := len(sheet.holes(i)))}
    job, dropped = _without_holes(job, [*used, target], target)
    made = form or _form(job, roles, target)
    values = torch.from_numpy(made.encode(job.sheet, job.decimal, new=form is None))
    target_field, target_values = _target(job, target, str(options["task"]))
    features = FEATURES if target_field.name != FEATURES else "inputs"
    columns = made.elements
    fields = (Field(features, "vector", (len(columns),), columns=columns, form=made), target_field)
    tensors = {features: values, target_field.name: target_values}
    return TensorTable(fields, target_field.name, tensors, missing=missing, notes=(*notes, *dropped))


def column_list(text: str) -> list[str]:
    """Names separated by commas; a name that holds a comma is quoted."""
    return [name for row in csv.reader([text], skipinitialspace=True) for cell in row if (name := cell.strip())]


def _roles(job: _Job, target: int, options: Mapping[str, Value]) -> tuple[dict[int, Role], list[str]]:
    """What each column that is used is for (as told, else as its cells look), and remarks."""
    sheet, notes = job.sheet, list[str]()
    told: dict[int, Role | None] = {}
    for option, role in (("ignore", None), ("categories", "category"), ("numbers", "number")):
        for name in column_list(str(options[option])):
            told[sheet.position(name)] = role  # type: ignore[assignment]
    told[target] = None
    roles: dict[int, Role] = {}
    for i in range(len(sheet.names)):
        guessed, note = (told[i], "") if i in told else _guess(job, i)
        if guessed is not None:
            roles[i] = guessed
        notes += [note] if note else []
    return roles, notes


def _guess(job: _Job, position: int) -> tuple[Role | None, str]:
    name = job.sheet.names[position]
    present = job.sheet.present(position)
    count, different = sum(present.values()), len(present)
    if not present:
        return None, f"column {name!r} is empty and was left out"
    if 2 * sum(n for cell, n in present.items() if job.looks_numeric(cell)) >= count:
        return "number", ""  # a stray text among numbers is an error, not a category
    if different > MAX_CATEGORIES or (different > 2 and 2 * different > count):
        return None, f"text column {name!r} has {different} different values and was left out"
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
        text = f"{values} missing in {names} (row{'s' * (len(bad) != 1)} {shown}): set missing to drop or fill"
        raise DataError(text, file=sheet.path, row=sheet.lines[bad[0]])
    if len(bad) == len(sheet):
        raise DataError("every row has a missing value: set missing to fill, or ignore columns", file=sheet.path)
    gone = set(bad)
    keep = [r for r in range(len(sheet)) if r not in gone]
    columns = tuple(tuple(cells[r] for r in keep) for cells in sheet.columns)
    kept = Sheet(sheet.path, sheet.names, columns, tuple(sheet.lines[r] for r in keep), sheet.headed)
    rows = "1 row" if len(bad) == 1 else f"{len(bad)} rows"
    return _Job(kept, job.decimal, job.one_hot, job.missing), [f"{rows} with missing values left out"]


def _form(job: _Job, roles: Mapping[int, Role], target: int) -> TableForm:
    """What the used columns become."""
    sheet = job.sheet
    columns = tuple(_category(job, i) if role == "category" else Column(sheet.names[i], i) for i, role in roles.items())
    return TableForm(columns, len(sheet.names), target, sheet.headed)


def _category(job: _Job, position: int) -> Column:
    name, counts = job.sheet.names[position], job.sheet.present(position)
    if not counts:
        raise DataError(f"column {name!r} is empty: ignore it", file=job.sheet.path)
    values = tuple(_sorted_names(counts))
    return Column(name, position, values, job.one_hot, max(values, key=lambda value: counts[value]))


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
        return number_field(name), torch.from_numpy(
            Column(name, position).encode(job.sheet, position, job.decimal, new=True)
        )
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
