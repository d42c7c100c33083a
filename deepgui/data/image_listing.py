"""Finding the images below a folder: classes, splits, and files that are no images."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from deepgui.data.errors import DataError
from deepgui.data.image_files import EXTENSIONS, ImageHeader, read_header
from deepgui.data.progress import Progress, tell

SPLIT_FOLDERS = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip

T = TypeVar("T")


def threads() -> int:
    """Threads that decode images: one core stays free for the screen."""
    return max(1, (os.cpu_count() or 1) - 1)


@dataclass(frozen=True)
class Listing:
    """The image files below a folder.

    Attributes:
        files: by split (empty name if there are no split folders), then class, then name.
        labels: class index of each file.
        splits: split → (first, last + 1) in ``files``; empty if the folder has no split folders.
        skipped: files that are no images (hidden ones not counted).
    """

    root: Path
    classes: tuple[str, ...]
    files: tuple[Path, ...]
    labels: tuple[int, ...]
    splits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    skipped: tuple[Path, ...] = ()


def list_images(root: Path) -> Listing:
    """Find classes, splits and images. Raises DataError for missing folders and empty classes."""
    if not root.is_dir():
        raise DataError("there is no such folder", file=root)
    folders = _folders(root)
    while (
        len(folders) == 1
        and _folders(folders[0])
        and not any(p.is_file() and not _hidden(p) for p in folders[0].iterdir())
    ):
        root, folders = folders[0], _folders(folders[0])  # an archive unpacked into a folder of its own
    if not folders:
        raise DataError("there is no folder in it; every class needs a folder with its images", file=root)
    parts = {SPLIT_FOLDERS[f.name.casefold()]: f for f in folders if f.name.casefold() in SPLIT_FOLDERS}
    if "train" not in parts:
        return _collect(root, [("", root)], [f.name for f in folders])
    classes = [f.name for f in _folders(parts["train"])]
    if not classes:
        raise DataError("there is no folder in it; every class needs a folder with its images", file=parts["train"])
    ordered = [(name, parts[name]) for name in ("train", "validation", "test") if name in parts]
    for _, folder in ordered[1:]:
        strange = sorted({f.name for f in _folders(folder)} - set(classes))
        if strange:
            raise DataError(f"class {strange[0]!r} does not appear in {parts['train'].name}", file=folder)
    return _collect(root, ordered, classes)


def _folders(root: Path) -> list[Path]:
    try:
        return sorted((p for p in root.iterdir() if p.is_dir() and not _hidden(p)), key=lambda p: p.name)
    except OSError as error:
        raise DataError(f"the folder cannot be read ({error.strerror})", file=root) from None


def _hidden(path: Path) -> bool:
    return path.name.startswith(".") or path.name == "__MACOSX"


def _collect(root: Path, parts: Iterable[tuple[str, Path]], classes: list[str]) -> Listing:
    files: list[Path] = []
    labels: list[int] = []
    splits: dict[str, tuple[int, int]] = {}
    skipped: list[Path] = []
    for split, folder in parts:
        first = len(files)
        for label, name in enumerate(classes):
            if split not in ("", "train") and not (folder / name).is_dir():
                continue
            found, others = _images(folder / name)
            if not found:
                hint = f"; {others[0].suffix} files are not read" if others and others[0].suffix else ""
                raise DataError(f"there is no image of class {name!r} in this folder{hint}", file=folder / name)
            files += found
            skipped += others
            labels += [label] * len(found)
        if split:
            splits[split] = (first, len(files))
    return Listing(root, tuple(classes), tuple(files), tuple(labels), splits, tuple(skipped))


def _images(folder: Path) -> tuple[list[Path], list[Path]]:
    """Image files and other files below a class folder, in the order of their names."""
    images: list[Path] = []
    others: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name != "Thumbs.db":
                path = Path(place, name)
                (images if path.suffix.lower() in EXTENSIONS else others).append(path)
    return images, others


def verify(listing: Listing) -> list[ImageHeader]:
    """Read the header of every file. Raises DataError that counts the files that are no images and names the first."""
    return read_all(listing.root, listing.files, read_header, "pictures looked at")


def read_all(root: Path, files: Sequence[Path], read: Callable[[Path], T], what: str) -> list[T]:
    """``read`` applied to every file, in threads and in order.

    Args:
        what: of which files it is told how many are done.

    Raises:
        DataError: the only one that occurred, or one that says how many there were and what the first was.
    """

    def attempt(path: Path) -> T | DataError:
        try:
            return read(path)
        except DataError as error:
            return error

    # Handing single files to one thread costs more than it frees.
    pool = ThreadPoolExecutor(threads()) if threads() > 1 else None
    results = []
    try:
        for result in (pool.map if pool else map)(attempt, files):
            results.append(result)
            tell(Progress(len(results), len(files), what))
    finally:
        if pool is not None:  # given up or interrupted: nobody waits for the rest
            pool.shutdown(cancel_futures=True)
    errors = [r for r in results if isinstance(r, DataError)]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        names = ", ".join(Path(e.file).name for e in errors[:4]) + (", ..." if len(errors) > 4 else "")
        raise DataError(f"{len(errors)} images cannot be read ({names}); the first: {errors[0]}", file=root)
    return [r for r in results if not isinstance(r, DataError)]
