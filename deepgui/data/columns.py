"""How the columns of a text table become the elements of a vector, in training and ever after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from deepgui.catalog.spec import Value
from deepgui.data.csv_text import Sheet, is_missing, likeness, listed, parse_number, read_sheet
from deepgui.data.errors import DataError

Filling = Literal["mean", "median", "most_frequent", "constant"]
Floats = NDArray[np.float32]

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
        usual: the category that a missing one is read as; empty: NaN, which is filled by what was learnt.
        flagged: one more element is 1 where the cell is missing.
    """

    name: str
    place: int
    categories: tuple[str, ...] = ()
    one_hot: bool = True
    usual: str = ""
    flagged: bool = False

    @property
    def elements(self) -> tuple[str, ...]:
        """Names of the elements it becomes; ``colour=red`` is 1 where the cell of ``colour`` reads ``red``."""
        one_hot = self.categories and self.one_hot
        own = tuple(f"{self.name}={value}" for value in self.categories) if one_hot else (self.name,)
        return (*own, f"{self.name} is missing") if self.flagged else own

    def encode(self, sheet: Sheet, position: int, decimal: str, *, new: bool) -> Floats:
        """A column of a table, (rows, elements). What is missing becomes NaN. See :func:`numbers`. Raises DataError."""
        parts = [self._codes(sheet, position) if self.categories else _upright(sheet, position, decimal, new=new)]
        if self.flagged:
            flags = np.zeros((len(sheet), 1))
            flags[sheet.holes(position)] = 1
            parts.append(flags)
        return np.concatenate(parts, axis=1, dtype=np.float32)

    def fills(self, values: Floats, filling: Filling, constant: float) -> list[float]:
        """What stands for a missing value in each element, learnt from rows of :meth:`encode`'s form."""
        own = values[:, : len(self.elements) - self.flagged].astype(np.float64)
        there = own[~np.isnan(own).any(axis=1)]
        if self.categories:
            filling = "most_frequent"
        if filling == "constant":
            found = np.full(own.shape[1], constant)
        elif not len(there):
            found = np.zeros(own.shape[1])
        elif filling == "most_frequent":
            rows, counts = np.unique(there, axis=0, return_counts=True)
            found = rows[counts.argmax()]
        else:
            found = np.median(there, axis=0) if filling == "median" else there.mean(axis=0)
        return [*found.tolist(), *[0.0] * self.flagged]

    def _codes(self, sheet: Sheet, position: int) -> NDArray[np.float64]:
        index = {value: float(code) for code, value in enumerate(self.categories)}
        for cell in sheet.present(position):
            if cell not in index:
                raise self._unknown(sheet, position, cell)
        blank = index[self.usual] if self.usual else float("nan")
        codes = np.array([index[cell] if not is_missing(cell) else blank for cell in sheet.columns[position]])
        if not self.one_hot:
            return codes[:, None]
        gone = np.isnan(codes)
        rows = np.eye(len(index))[np.where(gone, 0, codes).astype(np.int64)]
        rows[gone] = np.nan
        return rows

    def _unknown(self, sheet: Sheet, position: int, cell: str) -> DataError:
        known = listed(self.categories, _SHOWN)
        text = f"column {self.name!r} holds {shortened(cell)!r}, which was not in the training data: it had {known}"
        return DataError(text, file=sheet.path, row=sheet.lines[sheet.columns[position].index(cell)])


@dataclass(frozen=True, slots=True)
class TableForm:
    """The columns that a vector is made of, and the file they came from.

    Attributes:
        width: columns of the file; target: position of the one to learn, or -1 if the file had none.
        named: whether the file had a header.
        filling, constant: what stands for a missing number; for a category it is always the most frequent one.
    """

    columns: tuple[Column, ...]
    width: int
    target: int = -1
    named: bool = True
    filling: Filling = "mean"
    constant: float = 0.0

    @classmethod
    def of_numbers(cls, names: Sequence[str], count: int) -> TableForm:
        """A file of nothing but these columns; ``names`` may be empty."""
        found = names or [f"column_{i + 1}" for i in range(count)]
        return cls(tuple(Column(name, i) for i, name in enumerate(found)), count, named=bool(names))

    @property
    def elements(self) -> tuple[str, ...]:
        return tuple(name for column in self.columns for name in column.elements)

    def encode(self, sheet: Sheet, decimal: str, *, new: bool = False) -> Floats:
        """A table as vectors, (rows, elements). ``new``: the form is made for this table. Raises DataError."""
        places = self.places(sheet)
        parts = [column.encode(sheet, i, decimal, new=new) for column, i in zip(self.columns, places, strict=True)]
        return np.concatenate(parts, axis=1)

    def fills(self, values: Floats) -> tuple[float, ...]:
        """What stands for a missing value in each element, learnt from rows (n, elements) that :meth:`encode` made."""
        found: list[float] = []
        for column, span in self.spans():
            found += column.fills(values[:, span], self.filling, self.constant)
        return tuple(found)

    def spans(self) -> Iterator[tuple[Column, slice]]:
        """Each column with the elements that are its own."""
        first = 0
        for column in self.columns:
            last = first + len(column.elements)
            yield column, slice(first, last)
            first = last

    def read(self, path: Path, options: Mapping[str, Value]) -> Sheet:
        """A text table that these columns are to be found in, with the options of a CSV source that are given.

        A first row that has one of the names is a header, whatever its other cells look like.

        Raises:
            DataError: the file cannot be read, or its header has none of the names.
        """
        texts = {"delimiter": "", "header": "auto", "encoding": "auto"}
        delimiter, header, encoding = (str(options.get(name, text)) for name, text in texts.items())
        found = read_sheet(path, delimiter, header, encoding)
        if not self.named or header == "no":
            return found
        first = found.names if found.headed else [cells[0] for cells in found.columns]
        known = {likeness(column.name) for column in self.columns}
        if any(likeness(cell) in known for cell in first):
            return found if found.headed else read_sheet(path, delimiter, "yes", encoding)
        if found.headed:
            text = f"the first row has none of the names that are looked for: it has {listed(found.names)}, but "
            text += f"{listed([column.name for column in self.columns])} are needed; "
            text += "correct the names, or take that row out if the columns are in this order"
            raise DataError(text, file=path)
        return found

    def places(self, sheet: Sheet) -> list[int]:
        """Where a table has the columns: by name if it has a header, else in order.

        A table without a header may be as wide as the file was, or lack the target, or hold these columns alone.

        Raises:
            DataError: columns are missing.
        """
        width = len(sheet.names)
        if self.named and sheet.headed:
            found = [sheet.find(column.name) for column in self.columns]
            missing = [column.name for column, at in zip(self.columns, found, strict=True) if at is None]
            if missing:
                text = f"there is no column {missing[0]!r}; the columns are {listed(sheet.names)}"
                raise DataError(text, file=sheet.path)
            return [at for at in found if at is not None]
        if width == len(self.columns):
            return list(range(width))
        if width == self.width:
            return [column.place for column in self.columns]
        if width == self.width - 1 and self.target >= 0:
            return [column.place - (column.place > self.target) for column in self.columns]
        count = len(self.columns)
        needed = f"{count}" if self.width - count < 2 else f"{count} or {self.width}"
        text = f"there are {width} columns without names, but {needed} are needed, as in the training data"
        raise DataError(text, file=sheet.path)

    def state(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> TableForm:
        """What :meth:`state` described. Raises KeyError, TypeError or ValueError for anything else."""
        columns = tuple(Column(**{**c, "categories": tuple(c["categories"])}) for c in state["columns"])
        filling, constant = state.get("filling", "mean"), float(state.get("constant", 0.0))
        return cls(columns, int(state["width"]), int(state["target"]), bool(state["named"]), filling, constant)


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


def _upright(sheet: Sheet, position: int, decimal: str, *, new: bool) -> NDArray[np.float64]:
    """The same, one a row: (rows, 1)."""
    return numbers(sheet, position, decimal, new=new)[:, None]


def _way_out(name: str, cell: str, decimal: str) -> str:
    if decimal == "." and "," in cell and parse_number(cell, ",") is not None:
        return "set decimal to ','"
    return f"correct it, or make {name!r} a category or ignore it"


def shortened(cell: str) -> str:
    """A cell as a message shows it."""
    return cell if len(cell) <= 40 else cell[:37] + "..."
