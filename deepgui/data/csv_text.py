"""From the bytes of a text table to named columns of cells, without guessing what the cells mean."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from deepgui.data.errors import DataError
from deepgui.data.progress import Progress, tell

DELIMITERS = (",", ";", "\t", "|", " ")
MISSING = frozenset({"", "?", "na", "n/a", "#n/a", "nan", "null", "none"})
_SNIFFED_LINES = 50
_SNIFFED_BYTES = 4096
_TOLD_ROWS = 20_000  # between two words on how far it is


@dataclass(frozen=True, eq=False)
class Sheet:
    """A text table as it stands in the file.

    Attributes:
        path: the file.
        names: one unique name a column; ``column_1``, ``column_2``, ... where there is no header.
        columns: cells by column, stripped of surrounding blanks.
        lines: line of the file (from 1) where each row ends, for messages.
        headed: whether the names are the file's own.
        notes: sentences on what was done to read it.
    """

    path: Path
    names: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    headed: bool = True
    notes: tuple[str, ...] = ()
    _counts: dict[int, Counter[str]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.lines)

    def counts(self, position: int) -> Counter[str]:
        """How often each cell of a column occurs. Judging different cells once makes long columns quick."""
        if position not in self._counts:
            self._counts[position] = Counter(self.columns[position])
        return self._counts[position]

    def present(self, position: int) -> dict[str, int]:
        """The same without the cells that say that there is no value."""
        return {cell: count for cell, count in self.counts(position).items() if not is_missing(cell)}

    def holes(self, position: int) -> list[int]:
        """The rows (from 0) that have no value in a column."""
        gone = {cell for cell in self.counts(position) if is_missing(cell)}
        return [row for row, cell in enumerate(self.columns[position]) if cell in gone] if gone else []

    def only(self, rows: Sequence[int]) -> Sheet:
        """The table with these rows alone."""
        columns = tuple(tuple(cells[row] for row in rows) for cells in self.columns)
        return replace(self, columns=columns, lines=tuple(self.lines[row] for row in rows), _counts={})

    def position(self, wanted: str) -> int:
        """Where a column is, by name or by number: 1 is the first, -1 the last. Raises DataError."""
        if (found := self.find(wanted)) is not None:
            return found
        try:
            number = int(wanted)
        except ValueError:
            number = 0
        if 1 <= number <= len(self.names):
            return number - 1
        if -len(self.names) <= number <= -1:
            return len(self.names) + number
        raise DataError(f"there is no column {wanted!r}; the columns are {listed(self.names)}", file=self.path)

    def find(self, name: str) -> int | None:
        """Where the column of this name is; the only one that differs in no more than case and blanks will do."""
        if name in self.names:
            return self.names.index(name)
        alike = [i for i, own in enumerate(self.names) if likeness(own) == likeness(name)]
        return alike[0] if len(alike) == 1 else None


def likeness(name: str) -> str:
    """The same for names of columns that differ in case, blanks, hyphens and underscores alone."""
    return re.sub(r"[\s_-]+", " ", name.casefold()).strip()


def listed(names: Sequence[str], most: int = 12) -> str:
    """The first names, for a message."""
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def is_missing(cell: str) -> bool:
    """Whether a stripped cell says that there is no value."""
    return cell.casefold() in MISSING


def parse_number(cell: str, decimal: str = ".") -> float | None:
    """The number that a stripped cell holds, infinities included, or None if it holds something else."""
    if "_" in cell:  # Python reads 1_000; nobody's table means that
        return None
    if decimal != ".":
        cell = "" if "." in cell else cell.replace(decimal, ".")
    try:
        return float(cell)
    except ValueError:
        return None


def read_sheet(path: Path, delimiter: str = "", header: str = "auto", encoding: str = "auto") -> Sheet:
    """Read a delimited text file.

    Args:
        delimiter: one character, ``\\t`` for a tab; empty finds it out.
        header: ``yes``, ``no`` or ``auto``.
        encoding: ``utf-8``, ``utf-16``, ``latin-1`` or ``auto`` (what the first bytes say, else utf-8 if the bytes are
            valid, else Windows-1252, which is latin-1 with a few more letters).

    Raises:
        DataError: no such file, not text, empty, or rows of different length.
    """
    text, notes = _decode(path, encoding)
    delimiter = "\t" if delimiter in ("\\t", "tab") else delimiter
    if len(delimiter) > 1 or delimiter in ("\n", "\r", '"'):
        raise DataError(f"the delimiter must be one character such as ',' or ';', not {delimiter!r}")
    delimiter = delimiter or _sniff_delimiter(text)
    rows, lines = _rows(path, text, delimiter)
    if not rows:
        raise DataError("the file is empty", file=path)
    first = rows[0] if header == "yes" or (header == "auto" and _looks_like_header(rows)) else None
    body, body_lines = (rows[1:], lines[1:]) if first is not None else (rows, lines)
    if not body:
        raise DataError("there is a header but no row below it", file=path)
    width = len(rows[0])
    for row, line in zip(body, body_lines, strict=True):
        if len(row) != width:
            where = "the header" if first is not None else "the first row"
            cells = "1 cell" if len(row) == 1 else f"{len(row)} cells"
            hint = (
                f"a cell that holds {delimiter!r} needs quotes" if len(row) > width else "a cell or a mark is missing"
            )
            raise DataError(f"{cells} where {where} has {width}: {hint}", file=path, row=line)
    columns = tuple(zip(*body, strict=True))
    names = _unique_names(first or [""] * width)
    notes += _renamed(first or [], names)
    return Sheet(path, names, columns, tuple(body_lines), first is not None, tuple(notes))


def _decode(path: Path, encoding: str) -> tuple[str, list[str]]:
    """The text of a file, and a remark where its encoding was guessed."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DataError("there is no such file", file=path) from None
    except OSError as error:
        raise DataError(f"the file cannot be read ({error.strerror})", file=path) from None
    encoding = _marked(data) or encoding
    if not encoding.startswith("utf-16") and b"\0" in data[:8192]:
        raise DataError("this is not a text file; export the table as CSV", file=path)
    if encoding == "auto":
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode("utf-8-sig"), []
        note = "the text is not UTF-8 and was read as Windows-1252 (Latin-1): look whether all letters are right"
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode("cp1252"), [note]
        return data.decode("latin-1"), [note]
    try:
        return data.decode("utf-8-sig" if encoding == "utf-8" else encoding), []
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        if encoding.startswith("utf-16"):
            raise DataError("the text is UTF-16 but damaged here: save it as UTF-8", file=path, row=row) from None
        raise DataError(f"the text is not {encoding}; set encoding to auto", file=path, row=row) from None


def _marked(data: bytes) -> str:
    """UTF-16 by its mark, or by every other byte being zero, as in Western text; empty for anything else."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    sample = data[:_SNIFFED_BYTES]
    for first, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = sample[first::2].count(0), sample[1 - first :: 2].count(0)
        if len(sample) >= 4 and not others and zeros > 0.8 * (len(sample) // 2):
            return name
    return ""


def _reader(text: str, delimiter: str) -> Iterator[tuple[list[str], int]]:
    """Rows that are not blank, with the line where they end."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=delimiter != "\t", strict=True
    )
    for row in reader:
        cells = [cell.strip() for cell in row]
        if len(cells) > 1 or (cells and cells[0]):
            yield cells, reader.line_num


def _rows(path: Path, text: str, delimiter: str) -> tuple[list[list[str]], list[int]]:
    rows: list[list[str]] = []
    lines: list[int] = []
    total = text.count("\n") + 1
    try:
        for cells, line in _reader(text, delimiter):
            rows.append(cells)
            lines.append(line)
            if len(rows) % _TOLD_ROWS == 0:
                tell(Progress(line, total, "lines read"))
    except csv.Error as error:
        row = (lines[-1] if lines else 0) + 1
        raise DataError(f"the row cannot be read ({error}); a quote may be open", file=path, row=row) from None
    return rows, lines


def _sniff_delimiter(text: str) -> str:
    """The candidate that cuts the most of the first lines into the same number of cells, more than one."""
    best, best_score = ",", (0.0, 0)
    sample = "\n".join(text.splitlines()[:_SNIFFED_LINES])
    for candidate in DELIMITERS:
        widths: list[int] = []
        with contextlib.suppress(csv.Error):  # the sample may end inside a quoted cell
            for cells, _ in _reader(sample, candidate):
                widths.append(len(cells))
        if not widths:
            continue
        usual = max(set(widths), key=widths.count)
        score = (widths.count(usual) / len(widths) if usual > 1 else 0.0, usual if candidate != " " else 0)
        if score > best_score:
            best, best_score = candidate, score
    return best


def _looks_like_header(rows: list[list[str]]) -> bool:
    """A first row of names: no number in it, and above numbers or above cells that never repeat it."""
    first, body = rows[0], rows[1:]
    named = [cell for cell in first if not is_missing(cell)]
    if not named or any(parse_number(cell) is not None for cell in named):
        return False
    if not body:
        return True
    columns = list(_columns(body, len(first)))
    if any(parse_number(cell) is not None for column in columns for cell in column[:_SNIFFED_LINES]):
        return True
    repeats = any(name in column for name, column in zip(first, columns, strict=True))
    return len(set(named)) == len(named) and not repeats


def _columns(rows: Iterable[list[str]], width: int) -> Iterator[list[str]]:
    whole = [row for row in rows if len(row) == width]
    for i in range(width):
        yield [row[i] for row in whole]


def _unique_names(cells: list[str]) -> tuple[str, ...]:
    """Names for the columns: empty ones numbered, repeated ones told apart."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = base = cell or f"column_{number}"
        copy = 2
        while name in names:
            name, copy = f"{base}_{copy}", copy + 1
        names.append(name)
    return tuple(names)


def _renamed(cells: list[str], names: tuple[str, ...]) -> list[str]:
    """Remarks on names of the header that stand there twice."""
    twice = [(cell, name) for cell, name in zip(cells, names, strict=False) if cell and cell != name]
    return [f"a second column is called {cell!r}; it is {name!r} here" for cell, name in twice]
