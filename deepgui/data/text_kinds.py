"""Telling running text, lists of examples and tables apart, by their first lines."""

from __future__ import annotations

from pathlib import Path

from deepgui.data.class_folders import SPLIT_FOLDERS, subfolders
from deepgui.data.csv_text import DELIMITERS, parse_number

_LOOK_AT = 1 << 16  # bytes of a file
_LINES = 50
_FEW_WORDS = 3  # a line of a list of names has no more, on average


def is_table(path: Path) -> bool:
    """Whether the first lines hold the same number of cells, more than one; of cells between blanks only numbers."""
    lines = _lines(path)
    if not lines:
        return True  # empty: the reader of tables says so
    for mark in DELIMITERS:
        cells = [line.split(mark) if mark != " " else line.split() for line in lines]
        if len(cells[0]) > 1 and len(set(map(len, cells))) == 1:
            return mark != " " or all(parse_number(cell) is not None for row in cells for cell in row)
    return False


def text_source(folder: Path) -> str:
    """What reads the ``.txt`` files of a folder: ``sentences``, ``text``, or nothing if there are none."""
    inner = [f for f in subfolders(folder) if any(f.glob("*.txt"))]
    if len(inner) > 1 or any(f.name.casefold() in SPLIT_FOLDERS for f in subfolders(folder) if any(f.rglob("*.txt"))):
        return "sentences"
    files = [p for p in sorted(folder.glob("*.txt")) if not p.name.startswith(".") and not is_table(p)]
    if not files:
        return "text" if inner else ""
    lines = [line for file in files[:_LINES] for line in _lines(file)]
    words = sum(len(line.split()) for line in lines) / len(lines)
    return "sentences" if len(files) > 1 and words <= _FEW_WORDS else "text"


def _lines(path: Path) -> list[str]:
    """The first lines that are not blank."""
    try:
        with path.open("rb") as file:
            data = file.read(_LOOK_AT)
    except OSError:
        return []
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    return [line for line in data.decode(encoding, "replace").splitlines() if line.strip()][:_LINES]
