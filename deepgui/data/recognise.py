"""Which source reads a path that a person names: decided by what lies there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from deepgui.data import wave_files
from deepgui.data.box_tables import coco_files, is_box_csv
from deepgui.data.class_folders import split_folders
from deepgui.data.errors import DataError
from deepgui.data.idx import idx_header
from deepgui.data.image_files import EXTENSIONS
from deepgui.data.segmentation_folder import folders_of
from deepgui.data.sources import sources
from deepgui.data.text_kinds import is_table, text_source
from deepgui.data.voc import has_xml
from deepgui.project.values import DataConfig

_TABLES = (".csv", ".tsv", ".txt", ".data")
_ARRAYS = (".npz", ".npy")
_ALSO = {"csv": ("series", "sentences", "pairs"), "text": ("sentences", "pairs"), "sentences": ("text",)}
"""Sources that read the same files: the one that a project has is kept."""

_KIN = {
    "python_text": "text",
    "names": "sentences",
    "dates": "pairs",
    "reversal": "pairs",
    "mackey_glass": "series",
    "sine": "series",
}
"""Embedded sources, and those that read the like from files with fields and options of the same names."""

_LOOK_AT = 500  # entries of a folder that are looked at before giving up


def recognise(path: Path | str) -> str:
    """The id of the source that reads this file or folder (``csv``, ``idx``, ``image_folder``, ...).

    Raises:
        DataError: nothing is there, or nothing that a source reads.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise DataError("there is no such file or folder", file=path)
    if path.is_dir():
        return _folder(path)
    suffix = path.suffix.lower()
    if suffix == ".json" or (suffix == ".csv" and is_box_csv(path)):
        return "boxes_folder"
    if suffix == ".ts":
        return "ucr"
    if suffix == ".txt" and not is_table(path):
        return "text"
    if suffix in _TABLES:
        return "csv"
    if suffix in _ARRAYS:
        return "numpy"
    if _is_idx(path):
        return "idx"
    if suffix in EXTENSIONS:
        raise DataError("this is a single image; name the folder that has a folder of images for each class", file=path)
    if suffix in wave_files.EXTENSIONS:
        raise DataError("this is a single recording; name the folder that it lies in", file=path)
    text = "this is not a CSV, NumPy or IDX file, no text or time series (.ts), nor a folder of images or recordings"
    raise DataError(text, file=path)


def with_data(config: DataConfig, path: Path | str) -> DataConfig:
    """The settings with examples from this path; options that still make sense are kept. Raises DataError."""
    source = recognise(path)
    found = str(Path(path).expanduser())
    own = _KIN.get(config.source, config.source)
    if own == source or own in _ALSO.get(source, ()):
        known = {param.name for param in sources()[own].params}
        kept = {name: value for name, value in config.options.items() if own == config.source or name in known}
        return replace(config, source=own, options={**kept, "path": found})
    return replace(config, source=source, options={"path": found}, inputs={}, target="")


def _folder(path: Path) -> str:
    try:
        entries = sorted(p for p in path.iterdir() if not p.name.startswith("."))
    except OSError as error:
        raise DataError(f"the folder cannot be read ({error.strerror})", file=path) from None
    if any(p.is_file() and ("idx" in p.name.lower() or "ubyte" in p.name.lower()) and _is_idx(p) for p in entries):
        return "idx"
    if has_xml(path) or any(_is_coco(file) for file in coco_files(path)):
        return "boxes_folder"
    if folders_of(split_folders(path)[1][0][1]) is not None:
        return "segmentation_folder"
    if any(f.suffix.lower() in EXTENSIONS for p in entries if p.is_dir() for f in _below(p)):
        return "image_folder"
    if any(f.suffix.lower() in wave_files.EXTENSIONS for f in _below(path)):
        return "wav_folder"
    if any(p.suffix.lower() == ".ts" for p in entries):
        return "ucr"
    tables = [p.name for p in entries if p.suffix.lower() in (*_TABLES, *_ARRAYS) and p.suffix.lower() != ".txt"]
    if not tables and (source := text_source(path)):
        return source
    tables += [p.name for p in entries if p.suffix.lower() == ".txt"]
    hint = f"; did you mean {tables[0]} in it?" if tables else ""
    text = "there are neither IDX files nor folders of images, recordings or texts in this folder"
    raise DataError(text + hint, file=path)


def _below(folder: Path) -> Iterator[Path]:
    """The first files below a folder."""
    for count, file in enumerate(folder.rglob("*")):
        if count >= _LOOK_AT:
            return
        yield file


def _is_coco(file: Path) -> bool:
    """Whether a JSON file is called as COCO and those who follow it call theirs."""
    return "coco" in file.stem.casefold() or file.stem.casefold().startswith("instances")


def _is_idx(path: Path) -> bool:
    try:
        idx_header(path)
    except DataError:
        return False
    return True
