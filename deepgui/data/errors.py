"""The one error of this room."""

from __future__ import annotations

from os import PathLike, fspath


class DataError(ValueError):
    """Data that cannot be used: one plain sentence that names the file and row, and says the way out.

    Attributes:
        file: the file or folder at fault, or an empty string.
        row: its line in the file counted from 1, as an editor shows it, or None.
    """

    file: str
    row: int | None

    def __init__(self, text: str, *, file: str | PathLike[str] = "", row: int | None = None) -> None:
        place = fspath(file)
        if row is not None:
            place = f"{place}, row {row}" if place else f"row {row}"
        text = " ".join(text.split())  # cells and names may hold line ends
        super().__init__(f"{place}: {text}" if place else text)
        self.file = fspath(file)
        self.row = row
