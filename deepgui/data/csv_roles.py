"""What each column of a text table is for: told by the options, else judged by its cells."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from deepgui.catalog.spec import Value
from deepgui.data.csv_text import Sheet, likeness, listed, parse_number, read_sheet
from deepgui.data.errors import DataError

Role = Literal["number", "category", "target", "ignore"]
ROLES: tuple[Role, ...] = get_args(Role)
MAX_CATEGORIES = 50  # different texts in a column that still make sense as categories
_STRAY = 0.25  # share of different texts up to which a column is one of numbers with mistakes
_FEW_TEXTS = 2  # so many different ones may be words for a missing value
_SHOWN = 5  # cells that a person is shown of a column


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """A column of the file, as the settings read it.

    Attributes:
        role: what it is for; told: whether the settings say so, or its cells were judged.
        missing, different: cells without a value; different values.
        cells: the most frequent ones.
        note: why it was left out, if it was not told so.
    """

    name: str
    role: Role
    told: bool
    missing: int
    different: int
    cells: tuple[str, ...]
    note: str = ""


def column_list(text: str) -> list[str]:
    """Names separated by commas; a name that holds a comma is quoted."""
    return [name for row in csv.reader([text], skipinitialspace=True) for cell in row if (name := cell.strip())]


def parse_roles(text: str) -> dict[str, Role]:
    """Column → role from ``age=number, "name, first"=ignore``. Raises DataError."""
    found: dict[str, Role] = {}
    for item in column_list(text):
        name, mark, role = item.rpartition("=")
        name, role = name.strip(), role.strip()
        if not mark or not name:
            raise DataError(f"roles are written as column=role, such as age=number, not {item!r}")
        if role not in ROLES:
            near = difflib.get_close_matches(role, ROLES, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(ROLES)}"
            raise DataError(f"column {name!r} cannot have the role {role!r}; {hint}")
        found[name] = role
    return found


def write_roles(roles: Mapping[str, Role]) -> str:
    """The text that :func:`parse_roles` reads."""
    return _listing([f"{name}={role}" for name, role in roles.items()])


def _listing(items: Iterable[str]) -> str:
    """The text that :func:`column_list` reads."""
    texts = []
    for item in items:
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="").writerow([item])
        texts.append(buffer.getvalue())
    return ", ".join(texts)


def with_role(options: Mapping[str, Value], name: str, role: Role | None) -> dict[str, Value]:
    """The options of a CSV source with a column's role changed; None judges by its cells again. Raises DataError."""
    found = {n: r for n, r in parse_roles(str(options.get("roles", ""))).items() if likeness(n) != likeness(name)}
    changed = dict(options)
    for option in ("ignore", "categories", "numbers"):
        names = column_list(str(options.get(option, "")))
        left = [n for n in names if likeness(n) != likeness(name)]
        if len(left) < len(names):
            changed[option] = _listing(left)
    if role == "target":
        found = {n: r for n, r in found.items() if r != "target"}
        changed["target"] = name
    elif role is not None:
        found[name] = role
    changed["roles"] = write_roles(found)
    return {option: value for option, value in changed.items() if value != "" or option == "path"}


def uses(sheet: Sheet, options: Mapping[str, Value]) -> tuple[ColumnUse, ...]:
    """Every column of a table, in order. Raises DataError if the options name a column that is not there."""
    told = _told(sheet, options)
    decimal = str(options["decimal"])
    return tuple(_use(sheet, i, told.get(i), decimal) for i in range(len(sheet.names)))


def uses_of_file(options: Mapping[str, Value]) -> tuple[ColumnUse, ...]:
    """The same for the file that the options of a CSV source name, even where its cells cannot be used as told."""
    path = Path(str(options["path"])).expanduser()
    texts = (str(options[name]) for name in ("delimiter", "header", "encoding"))
    return uses(read_sheet(path, *texts), options)


def _told(sheet: Sheet, options: Mapping[str, Value]) -> dict[int, Role]:
    """Position → role, as far as the options say; a role of its own counts more than a list it stands in."""
    found: dict[int, Role] = {}
    lists: dict[str, Role] = {"ignore": "ignore", "categories": "category", "numbers": "number"}
    for option, role in lists.items():
        for name in column_list(str(options[option])):
            found[sheet.position(name)] = role
    own = {sheet.position(name): role for name, role in parse_roles(str(options["roles"])).items()}
    found.update(own)
    found[_target(sheet, own, str(options["target"]))] = "target"
    return found


def _target(sheet: Sheet, own: Mapping[int, Role], named: str) -> int:
    """The one column to learn: as the option ``target`` or a role says, else the last."""
    targets = [i for i, role in own.items() if role == "target"]
    position = sheet.position(named) if named else None
    if len({*targets, *([] if position is None else [position])}) > 1:
        names = [sheet.names[i] for i in {*targets, *([] if position is None else [position])}]
        raise DataError(f"{listed(sorted(names))} are all to be the target: only one can be", file=sheet.path)
    found = position if position is not None else (targets[0] if targets else len(sheet.names) - 1)
    if own.get(found, "target") != "target":
        text = f"column {sheet.names[found]!r} is the target, so it cannot be {own[found]!r}: choose another target"
        raise DataError(text, file=sheet.path)
    return found


def _use(sheet: Sheet, position: int, told: Role | None, decimal: str) -> ColumnUse:
    present = sheet.present(position)
    role, note = (told, "") if told else _guess(sheet, position, decimal)
    frequent = sorted(present, key=lambda cell: -present[cell])[:_SHOWN]
    missing = len(sheet) - sum(present.values())
    return ColumnUse(sheet.names[position], role, bool(told), missing, len(present), tuple(frequent), note)


def _guess(sheet: Sheet, position: int, decimal: str) -> tuple[Role, str]:
    name, present = sheet.names[position], sheet.present(position)
    count, different = sum(present.values()), len(present)
    if not present:
        return "ignore", f"column {name!r} is empty and was left out"
    texts = [n for cell, n in present.items() if not looks_numeric(cell, decimal)]
    if sum(texts) <= count * (_STRAY if len(texts) > _FEW_TEXTS else 0.5):
        return "number", ""  # a stray text among numbers is an error, not a category
    if different > MAX_CATEGORIES or (different > 2 and 2 * different > count):
        return "ignore", f"text column {name!r} has {different} different values and was left out"
    return "category", ""


def looks_numeric(cell: str, decimal: str) -> bool:
    """Whether a cell was meant as a number, perhaps with the other decimal mark."""
    return parse_number(cell, decimal) is not None or (decimal == "." and parse_number(cell, ",") is not None)
