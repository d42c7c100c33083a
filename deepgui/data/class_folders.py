"""Finding the files below a folder that has a folder for every class: classes, splits, and files of other kinds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from deepgui.data.errors import DataError

SPLIT_FOLDERS = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip


@dataclass(frozen=True)
class Sort:
    """The files that are looked for: ``Sort((".png",), "image")``."""

    extensions: tuple[str, ...]
    noun: str


@dataclass(frozen=True)
class Listing:
    """The files of a sort below a folder.

    Attributes:
        files: by split (empty name if there are no split folders), then class, then name.
        labels: class index of each file.
        splits: split → (first, last + 1) in ``files``; empty if the folder has no split folders.
        skipped: files of other kinds (hidden ones not counted).
    """

    root: Path
    classes: tuple[str, ...]
    files: tuple[Path, ...]
    labels: tuple[int, ...]
    splits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    skipped: tuple[Path, ...] = ()


def list_classes(root: Path, sort: Sort) -> Listing:
    """Find classes, splits and files. Raises DataError for missing folders and empty classes."""
    root, parts = split_folders(root)
    first = parts[0][1]
    classes = [f.name for f in subfolders(first)]
    if not classes:
        raise DataError(f"there is no folder in it; every class needs a folder with its {sort.noun}s", file=first)
    for _, folder in parts[1:]:
        strange = sorted({f.name for f in subfolders(folder)} - set(classes))
        if strange:
            raise DataError(f"class {strange[0]!r} does not appear in {first.name}", file=folder)
    return _collect(root, parts, classes, sort)


def split_folders(root: Path) -> tuple[Path, list[tuple[str, Path]]]:
    """Where the data begins, and the folders of its splits; one without a name if there is no folder ``train``.

    Raises:
        DataError: no such folder, or one that cannot be read.
    """
    if not root.is_dir():
        raise DataError("there is no such folder", file=root)
    folders = subfolders(root)
    while (
        len(folders) == 1
        and subfolders(folders[0])
        and not any(p.is_file() and not _hidden(p) for p in folders[0].iterdir())
    ):
        root, folders = folders[0], subfolders(folders[0])  # an archive unpacked into a folder of its own
    parts = {SPLIT_FOLDERS[f.name.casefold()]: f for f in folders if f.name.casefold() in SPLIT_FOLDERS}
    if "train" not in parts:
        return root, [("", root)]
    return root, [(name, parts[name]) for name in ("train", "validation", "test") if name in parts]


def subfolders(root: Path) -> list[Path]:
    """The folders in a folder by name, hidden ones left out. Raises DataError."""
    try:
        return sorted((p for p in root.iterdir() if p.is_dir() and not _hidden(p)), key=lambda p: p.name)
    except OSError as error:
        raise DataError(f"the folder cannot be read ({error.strerror})", file=root) from None


def _hidden(path: Path) -> bool:
    return path.name.startswith(".") or path.name == "__MACOSX"


def _collect(root: Path, parts: Iterable[tuple[str, Path]], classes: list[str], sort: Sort) -> Listing:
    files: list[Path] = []
    labels: list[int] = []
    splits: dict[str, tuple[int, int]] = {}
    skipped: list[Path] = []
    for split, folder in parts:
        first = len(files)
        for label, name in enumerate(classes):
            if split not in ("", "train") and not (folder / name).is_dir():
                continue
            found, others = files_below(folder / name, sort)
            if not found:
                hint = f"; {others[0].suffix} files are not read" if others and others[0].suffix else ""
                raise DataError(f"there is no {sort.noun} of class {name!r} in this folder{hint}", file=folder / name)
            files += found
            skipped += others
            labels += [label] * len(found)
        if split:
            splits[split] = (first, len(files))
    return Listing(root, tuple(classes), tuple(files), tuple(labels), splits, tuple(skipped))


def files_below(folder: Path, sort: Sort) -> tuple[list[Path], list[Path]]:
    """Files of the sort and other files below a folder, in the order of their names."""
    found: list[Path] = []
    others: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name != "Thumbs.db":
                path = Path(place, name)
                (found if path.suffix.lower() in sort.extensions else others).append(path)
    return found, others


def fixed_rows(splits: Iterable[str]) -> dict[str, Tensor]:
    """Split → the rows that have its name; those without one are left to the project."""
    rows: dict[str, list[int]] = {}
    for row, split in enumerate(splits):
        if split:
            rows.setdefault(split, []).append(row)
    return {split: torch.tensor(own) for split, own in rows.items()}
