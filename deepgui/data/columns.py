"""How the columns of a text table become the elements of a vector, in training and ever after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepgui.data.csv_text import Sheet, is_missing, parse_number
from deepgui.data.errors import DataError

_LARGEST = float(np.finfo(np.float32).max)
_SHOWN = 8  # categories that a message lists


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file.

    Attributes:
        name: as the header has it, or ``column_3``.
        place: its position in the file, from 0.
        categories: the texts it may hold, in the order of their codes; empty for numbers.
        one_hot: a category becomes one element per value; otherwise its code.
        usual: the category that stands for a missing one.
    """

    name: str
    place: int
    categories: tuple[str, ...] = ()
    one_hot: bool = True
    usual: str = ""

    @property
    def elements(self) -> tuple[str, ...]:
        """Names of the elements it becomes; ``colour=red`` is 1 where the cell of ``colour`` reads ``red``."""
        if self.categories and self.one_hot:
            return tuple(f"{self.name}={value}" for value in self.categories)
        return (self.name,)

    def encode(self, sheet: Sheet, position: int, decimal: str, *, new: bool) -> NDArray[np.float32]:
        """A column of a table, (rows, elements). Missing numbers become NaN. See :func:`numbers`. Raises DataError."""
        if not self.categories:
            return numbers(sheet, position, decimal, new=new).astype(np.float32)[:, None]
        index = {value: code for code, value in enumerate(self.categories)}
        for cell in sheet.present(position):
            if cell not in index:
                raise self._unknown(sheet, position, cell)
        codes = np.array([index.get(cell, index[self.usual]) for cell in sheet.columns[position]], dtype=np.int64)
        if not self.one_hot:
            return codes.astype(np.float32)[:, None]
        return np.eye(len(index), dtype=np.float32)[codes]

    def _unknown(self, sheet: Sheet, position: int, cell: str) -> DataError:
        known = ", ".join(self.categories[:_SHOWN]) + (", ..." if len(self.categories) > _SHOWN else "")
        text = f"column {self.name!r} holds {shortened(cell)!r}, which was not in the training data: it had {known}"
        return DataError(text, file=sheet.path, row=sheet.lines[sheet.columns[position].index(cell)])


@dataclass(frozen=True, slots=True)
class TableForm:
    """The columns that a vector is made of, and the file they came from.

    Attributes:
        width: columns of the file; target: position of the one to learn, or -1 if the file had none.
        named: whether the file had a header.
    """

    columns: tuple[Column, ...]
    width: int
    target: int = -1
    named: bool = True

    @classmethod
    def of_numbers(cls, names: Sequence[str], count: int) -> TableForm:
        """A file of nothing but these columns; ``names`` may be empty."""
        found = names or [f"column_{i + 1}" for i in range(count)]
        return cls(tuple(Column(name, i) for i, name in enumerate(found)), count, named=bool(names))

    @property
    def elements(self) -> tuple[str, ...]:
        return tuple(name for column in self.columns for name in column.elements)

    def encode(self, sheet: Sheet, decimal: str, *, new: bool = False) -> NDArray[np.float32]:
        """A table as vectors, (rows, elements). ``new``: the form is made for this table. Raises DataError."""
        places = self.places(sheet)
        parts = [column.encode(sheet, i, decimal, new=new) for column, i in zip(self.columns, places, strict=True)]
        return np.concatenate(parts, axis=1)

    def places(self, sheet: Sheet) -> list[int]:
        """Where a table has the columns: by name if it has a header, else in order.

        A table without a header may be as wide as the file was, or lack the target, or hold these columns alone.

        Raises:
            DataError: columns are missing.
        """
        width = len(sheet.names)
        if self.named and sheet.headed:
            missing = [column.name for column in self.columns if column.name not in sheet.names]
            if missing:
                text = f"there is no column {missing[0]!r}; the columns are {', '.join(sheet.names[:12])}"
                raise DataError(text, file=sheet.path)
            return [sheet.names.index(column.name) for column in self.columns]
        if width == len(self.columns):
            return list(range(width))
        if width == self.width:
            return [column.place for column in self.columns]
        if width == self.width - 1 and self.target >= 0:
            return [column.place - (column.place > self.target) for column in self.columns]
        text = f"there are {width} columns without names, but {len(self.columns)} are needed, as in the training data"
        raise DataError(text, file=sheet.path)

    def state(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> TableForm:
        """What :meth:`state` described. Raises KeyError, TypeError or ValueError for anything else."""
        columns = tuple(Column(**{**c, "categories": tuple(c["categories"])}) for c in state["columns"])
        return cls(columns, int(state["width"]), int(state["target"]), bool(state["named"]))


def numbers(sheet: Sheet, position: int, decimal: str, *, new: bool) -> NDArray[np.float64]:
    """A column as numbers, NaN where missing.

    Args:
        new: nothing was learnt from such a table yet, so a message may propose to read it otherwise.

    Raises:
        DataError: at the first cell that holds something else.
    """
    cells, known = sheet.columns[position], dict[str, float]()
    for cell in sheet.counts(position):  # in the order of their first row
        number = float("nan") if is_missing(cell) else parse_number(cell, decimal)
        if number is None or abs(number) > _LARGEST:
            way_out = _way_out(sheet.names[position], cell, decimal) if new else "correct it"
            text = f"column {sheet.names[position]!r} holds {shortened(cell)!r} where a number belongs: {way_out}"
            raise DataError(text, file=sheet.path, row=sheet.lines[cells.index(cell)])
        known[cell] = number
    return np.array([known[cell] for cell in cells])


def _way_out(name: str, cell: str, decimal: str) -> str:
    if decimal == "." and "," in cell and parse_number(cell, ",") is not None:
        return "set decimal to ','"
    return f"correct it, or list {name!r} under categories or ignore"


def shortened(cell: str) -> str:
    """A cell as a message shows it."""
    return cell if len(cell) <= 40 else cell[:37] + "..."
