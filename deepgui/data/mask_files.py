"""Reading one mask: an image whose values or colours say what every pixel belongs to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from deepgui.data.errors import DataError
from deepgui.data.image_files import ImageShape, opened_image, resized

VOID = -100
"""The class of a pixel that has none: ``ignore_index`` of torch's losses."""

MOST_CLASSES = 255
_VOID_BYTE = 255

Codes = NDArray[np.int64]


def is_colored(path: Path) -> bool:
    """Whether a mask holds colours rather than numbers. A palette's entries are numbers. Raises DataError."""
    with opened_image(path) as image:
        return image.mode not in ("1", "L", "P", "I", "I;16", "I;16B", "I;16L")


def read_codes(path: Path, colored: bool) -> Codes:
    """The number of every pixel, (H, W); with ``colored`` its colour as ``0xrrggbb``. Raises DataError."""
    with opened_image(path) as image:
        if not colored:
            return np.array(ImageOps.exif_transpose(image)).astype(np.int64)
        red, green, blue = np.moveaxis(np.array(ImageOps.exif_transpose(image).convert("RGB")).astype(np.int64), -1, 0)
        packed: Codes = red << 16 | green << 8 | blue
        return packed


def codes_in(path: Path, colored: bool) -> tuple[int, ...]:
    """The different numbers or colours in a mask, ascending. Raises DataError if they cannot be classes."""
    found = np.unique(read_codes(path, colored))
    if len(found) > MOST_CLASSES:
        text = f"the mask has {len(found):,} different {'colours' if colored else 'values'}, too many to be classes"
        raise DataError(f"{text}: was it saved with losses, as JPEG does?", file=path)
    return tuple(found.tolist())


def read_classmap(path: Path, colored: bool, codes: NDArray[np.int64], classes: Codes, form: ImageShape) -> Tensor:
    """The class of every pixel, int64 of shape (H, W) of the form; :data:`VOID` where it has none.

    Args:
        codes: the numbers or colours that occur, ascending.
        classes: the class of each of them.

    Raises:
        DataError: a mask that cannot be read, or has changed since it was looked at.
    """
    own = read_codes(path, colored)
    places = np.searchsorted(codes, own).clip(max=len(codes) - 1)
    if (codes[places] != own).any():
        raise DataError(
            "the mask has values that it did not have when it was first read: open the data anew", file=path
        )
    found = classes[places]
    image = Image.fromarray(np.where(found == VOID, _VOID_BYTE, found).astype(np.uint8))
    if image.size != (form.width, form.height):
        image = resized(image, (form.width, form.height), form.fit, Image.Resampling.NEAREST, _VOID_BYTE)
    classmap = torch.from_numpy(np.array(image)).long()
    return classmap.masked_fill_(classmap == _VOID_BYTE, VOID)
