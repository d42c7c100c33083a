"""What is known of the boxes in images before the images are read, and finding the images."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from deepgui.data.class_folders import SPLIT_FOLDERS
from deepgui.data.errors import DataError
from deepgui.data.image_files import EXTENSIONS


class Box(NamedTuple):
    """A box around something of this class; the sides in pixels of the image, from its upper left corner."""

    name: str
    x_min: float
    y_min: float
    x_max: float
    y_max: float


@dataclass(frozen=True)
class Annotated:
    """An image and its boxes.

    Attributes:
        split: ``train``, ``validation`` or ``test`` where the source assigns it to one, or empty.
        size: width and height as the annotation says, if it does.
        file, row: where the boxes are written.
    """

    image: Path
    boxes: tuple[Box, ...]
    split: str
    file: Path
    row: int | None = None
    size: tuple[int, int] | None = None


@dataclass(frozen=True)
class Annotations:
    """All images with their boxes.

    Attributes:
        names: the classes in the order of the source; empty if it has none.
        notes: what a person should know.
    """

    items: tuple[Annotated, ...]
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def box(name: str, sides: Iterable[str | float | None], file: Path, row: int | None = None) -> Box:
    """A box from its sides (x_min, y_min, x_max, y_max) as they were written. Raises DataError."""
    numbers = []
    for side, text in zip(Box._fields[1:], sides, strict=True):
        try:
            number = float(text if text is not None else "")
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise DataError(f"{side} of a box of {name!r} is {text!r}, which is no number", file=file, row=row)
        numbers.append(number)
    found = Box(name, *numbers)
    for low, high, axis in ((found.x_min, found.x_max, "x"), (found.y_min, found.y_max, "y")):
        if high < low:
            text = f"a box of {name!r} ends before it begins ({axis} from {low:g} to {high:g})"
            raise DataError(text, file=file, row=row)
    return found


class ImageIndex:
    """The images below a folder, by the names that annotations call them."""

    def __init__(self, root: Path) -> None:
        self._by_stem: dict[str, list[Path]] = {}
        for place, folders, names in os.walk(root):
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            for name in sorted(names):
                stem, ending = os.path.splitext(name)
                if ending.lower() in EXTENSIONS:
                    self._by_stem.setdefault(stem, []).append(Path(place, name))

    def find(self, name: str, near: Path, split: str = "") -> Path | None:
        """The image of this name, with or without its ending; of several that of the split, or closest to ``near``."""
        parts = name.replace("\\", "/").split("/")
        stem, ending = os.path.splitext(parts[-1])
        found = self._by_stem.get(stem if ending.lower() in EXTENSIONS else parts[-1], [])
        return max(found, key=lambda path: _closeness(path, near, parts, split), default=None)


def _closeness(path: Path, near: Path, parts: list[str], split: str) -> tuple[int, bool, bool, int]:
    """How many of the folders named are there, whether split and ending agree, how much of the way is common."""
    named = 0
    for own, wanted in zip(reversed(path.parent.parts), reversed(parts[:-1]), strict=False):
        if own != wanted:
            break
        named += 1
    common = len(os.path.commonpath([path.absolute(), near.absolute()]))
    same_split = any(split_called(part) == split for part in path.parts[:-1])
    return named, same_split, path.name == parts[-1], common


def split_called(text: str) -> str:
    """The split that a word such as ``train`` or ``val2017`` means, or empty."""
    return SPLIT_FOLDERS.get(text.casefold().rstrip("0123456789"), "")


def split_of(path: Path, root: Path) -> str:
    """The split that a folder on the way to a file is called after, or empty."""
    return next(filter(None, map(split_called, path.relative_to(root).parts[:-1])), "")
