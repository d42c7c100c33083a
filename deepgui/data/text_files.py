"""Reading plain text: one file, or a folder of ``.txt`` files."""

from __future__ import annotations

from pathlib import Path

from deepgui.catalog.spec import ParamSpec
from deepgui.data.errors import DataError
from deepgui.data.progress import Progress, tell

ENCODING = ParamSpec(
    "encoding",
    "choice",
    "utf-8",
    choices=("utf-8", "latin-1", "cp1252"),
    doc="How letters are stored; UTF-16 is found out by its mark.",
)


def read_text(path: Path, encoding: str = "utf-8") -> str:
    """The text of a file, line ends as ``\\n``, without a byte order mark.

    Raises:
        DataError: no such file, not text, or other letters than ``encoding`` has, with the offset of the byte.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DataError("there is no such file", file=path) from None
    except OSError as error:
        raise DataError(f"the file cannot be read ({error.strerror})", file=path) from None
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    elif b"\0" in data[:8192]:
        raise DataError("this is not a text file: it holds zero bytes", file=path)
    try:
        text = data.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        byte = f"byte {error.start:,} ({data[error.start]:#04x})"
        way_out = "save it as UTF-8" if encoding == "utf-16" else "set encoding to the one it was saved with"
        raise DataError(f"{byte} is not {encoding}: {way_out}", file=path, row=row) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def text_files(folder: Path) -> list[Path]:
    """The ``.txt`` files in a folder and below, by name, hidden ones left out. Raises DataError if there are none."""
    try:
        found = sorted(p for p in folder.rglob("*") if p.suffix.lower() == ".txt" and p.is_file())
    except OSError as error:
        raise DataError(f"the folder cannot be read ({error.strerror})", file=folder) from None
    shown = [p for p in found if not any(part.startswith(".") for part in p.relative_to(folder).parts)]
    if not shown:
        raise DataError("there is no .txt file in this folder", file=folder)
    return shown


def read_texts(path: Path, encoding: str = "utf-8") -> list[tuple[Path, str]]:
    """The text of a file, or of every ``.txt`` file of a folder. Raises DataError as :func:`read_text` does."""
    if not path.is_dir():
        return [(path, read_text(path, encoding))]
    found, files = [], text_files(path)
    for done, file in enumerate(files, 1):
        found.append((file, read_text(file, encoding)))
        tell(Progress(done, len(files), "files read"))
    return found
