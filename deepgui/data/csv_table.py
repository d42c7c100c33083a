"""A CSV file as a table: one vector of features and the column to learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.columns import Column, Filling, TableForm
from deepgui.data.csv_roles import ColumnUse, uses
from deepgui.data.csv_target import in_order, read_target
from deepgui.data.csv_text import Sheet, read_sheet
from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.data.table import TensorTable

FEATURES = "features"
BLANK = "missing"  # the category of cells without a value, where these are one
_FILLINGS: Mapping[str, Filling] = {"fill": "mean", "error": "mean", "drop": "mean"}

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
    ParamSpec(
        "roles",
        "str",
        "",
        doc="What columns are for, such as age=number, city=category, id=ignore, price=target; else their cells say.",
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
        choices=("error", "drop", "mean", "median", "most_frequent", "constant", "fill"),
        doc="Missing values: refuse, drop the row, or fill with what the training rows say; categories with their most "
        "frequent value. Constant: fill_value for numbers, a category of their own. Fill is the same as mean.",
    ),
    ParamSpec("fill_value", "float", 0.0, doc="What missing numbers become where missing is constant."),
    ParamSpec(
        "indicator",
        "bool",
        False,
        doc="One more element for each column with missing values: 1 where the value is missing.",
    ),
    ParamSpec("header", "choice", "auto", choices=("auto", "yes", "no"), doc="Whether the first row holds names."),
    ParamSpec("delimiter", "str", "", doc="Character between cells. Empty: found out."),
    ParamSpec("decimal", "choice", ".", choices=(".", ","), doc="Decimal mark."),
    ParamSpec(
        "encoding",
        "choice",
        "auto",
        choices=("auto", "utf-8", "utf-16", "latin-1"),
        doc="How letters are stored.",
    ),
)


@dataclass(frozen=True, eq=False)
class CsvTable(TensorTable):
    """A table that remembers what the columns of its file are for."""

    uses: tuple[ColumnUse, ...] = ()


def read_csv(options: Mapping[str, Value], form: TableForm | None = None, target: Field | None = None) -> CsvTable:
    """Open a CSV file with the options of :data:`PARAMS`; see there.

    Args:
        form: what the features were when something was learnt from such a table; without it, it is found out.
        target: what was learnt, with its classes.

    Raises:
        DataError: the file or an option cannot be used.
    """
    path = Path(str(options["path"])).expanduser()
    sheet = form.read(path, options) if form else _sheet(path, options)
    found = uses(sheet, _placed(options, sheet, form, target))
    position = next(i for i, use in enumerate(found) if use.role == "target")
    roles = {i: use for i, use in enumerate(found) if use.role in ("number", "category")}
    notes = [*sheet.notes, *(use.note for use in found if use.note and not form)]
    used = form.places(sheet) if form else list(roles)
    if not used:
        raise DataError("; ".join(["no column is left to learn from", *notes]), file=path)
    missing = {sheet.names[i]: n for i in (*used, position) if (n := len(sheet.holes(i)))}
    sheet, dropped = _without_holes(sheet, used, position, str(options["missing"]))
    made = form or _form(sheet, roles, position, options)
    decimal = str(options["decimal"])
    values = torch.from_numpy(made.encode(sheet, decimal, new=form is None))
    target_field, target_values = read_target(sheet, position, str(options["task"]), decimal, target)
    features = FEATURES if target_field.name != FEATURES else "inputs"
    columns = made.elements
    fields = (Field(features, "vector", (len(columns),), columns=columns, form=made), target_field)
    tensors = {features: values, target_field.name: target_values}
    return CsvTable(fields, target_field.name, tensors, missing=missing, notes=(*notes, *dropped), uses=found)


def _sheet(path: Path, options: Mapping[str, Value]) -> Sheet:
    sheet = read_sheet(path, *(str(options[name]) for name in ("delimiter", "header", "encoding")))
    if len(sheet.names) < 2:
        raise DataError(
            f"there is only one column ({sheet.names[0]}): a table needs features and a target; "
            "set the delimiter if the columns are separated by an unusual character",
            file=path,
        )
    return sheet


def _placed(
    options: Mapping[str, Value], sheet: Sheet, form: TableForm | None, target: Field | None
) -> Mapping[str, Value]:
    """The options with the target where it stands in this table; only where it stood is known of the other roles."""
    if form is None:
        return options
    if form.named and sheet.headed and target is not None:
        place = target.name
        if sheet.find(place) is None:
            text = f"there is no column {place!r} to compare the answers with"
            raise DataError(f"{text}: an evaluation needs it", file=sheet.path)
    else:
        place = str(form.target + 1) if len(sheet.names) == form.width else "-1"
    return {**options, "target": place, "roles": "", "ignore": "", "categories": "", "numbers": ""}


def _without_holes(sheet: Sheet, used: Sequence[int], target: int, missing: str) -> tuple[Sheet, list[str]]:
    """The rows that may stay, as the option ``missing`` says. A missing target is never filled."""
    considered = [*used, target] if missing in ("error", "drop") else [target]
    holes = {i: sheet.holes(i) for i in considered}
    bad = sorted({row for rows in holes.values() for row in rows})
    if not bad:
        return sheet, []
    if missing == "error":
        names = ", ".join(repr(sheet.names[i]) for i, rows in holes.items() if rows)
        shown = ", ".join(str(sheet.lines[r]) for r in bad[:8]) + (", ..." if len(bad) > 8 else "")
        count = sum(map(len, holes.values()))
        values = "1 value is" if count == 1 else f"{count} values are"
        text = f"{values} missing in {names} (row{'s' * (len(bad) != 1)} {shown}): set missing to drop or mean"
        raise DataError(text, file=sheet.path, row=sheet.lines[bad[0]])
    if len(bad) == len(sheet):
        what = "every row has a missing value: set missing to mean, or ignore columns"
        if missing != "drop":
            what = f"the target {sheet.names[target]!r} is empty: choose another column"
        raise DataError(what, file=sheet.path)
    gone = set(bad)
    keep = [r for r in range(len(sheet)) if r not in gone]
    rows = "1 row" if len(bad) == 1 else f"{len(bad)} rows"
    return sheet.only(keep), [f"{rows} with missing values left out"]


def _form(sheet: Sheet, roles: Mapping[int, ColumnUse], target: int, options: Mapping[str, Value]) -> TableForm:
    """What the used columns become."""
    missing = str(options["missing"])
    flagged = {i for i in roles if options["indicator"] and sheet.holes(i)}

    def column(i: int, use: ColumnUse) -> Column:
        if use.role == "number":
            return Column(use.name, i, flagged=i in flagged)
        return _category(sheet, i, options["category_as"] == "one_hot", i in flagged, missing == "constant")

    columns = tuple(column(i, use) for i, use in roles.items())
    filling = _FILLINGS.get(missing, cast(Filling, missing))
    return TableForm(
        columns, len(sheet.names), target, sheet.headed, filling, float(cast(float, options["fill_value"]))
    )


def _category(sheet: Sheet, position: int, one_hot: bool, flagged: bool, blank: bool) -> Column:
    """``blank``: cells without a value are a category of their own, if there are any."""
    name, found = sheet.names[position], in_order(sheet.present(position))
    if not found:
        raise DataError(f"column {name!r} is empty: ignore it", file=sheet.path)
    usual = BLANK if blank and sheet.holes(position) else ""
    values = (*found, *([usual] if usual and usual not in found else []))
    return Column(name, position, values, one_hot, usual, flagged)
