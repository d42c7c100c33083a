"""Reading one image file into a tensor, whatever its mode, size and orientation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from deepgui.data.errors import DataError

EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".pgm", ".tif", ".tiff", ".webp")
_GRAY_MODES = ("1", "L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L")
_EXIF_ORIENTATION = 0x0112


class ImageHeader(NamedTuple):
    """What the first bytes of an image file tell."""

    height: int
    width: int
    gray: bool


class ImageShape(NamedTuple):
    """How images are brought to one shape.

    Attributes:
        height, width: in pixels.
        gray: one channel, else three (RGB).
        fit: ``crop`` the longer side after scaling, ``stretch``, or ``pad`` with black.
    """

    height: int
    width: int
    gray: bool
    fit: str = "crop"

    @property
    def shape(self) -> tuple[int, int, int]:
        return (1 if self.gray else 3, self.height, self.width)


def read_header(path: Path) -> ImageHeader:
    """Size (as a person sees it, orientation applied) and mode without decoding. Raises DataError."""
    with opened_image(path) as image:
        width, height = image.size
        has_exif = "exif" in image.info or image.format != "PNG"  # asking a PNG without it would decode the pixels
        if has_exif and image.getexif().get(_EXIF_ORIENTATION) in (5, 6, 7, 8):
            width, height = height, width
        return ImageHeader(height, width, image.mode in _GRAY_MODES)


def read_image(path: Path, form: ImageShape) -> Tensor:
    """The image as uint8 of shape ``form.shape``. Transparent parts become white. Raises DataError."""
    with opened_image(path) as opened:
        size = (form.width, form.height)
        if max(opened.size) > 2 * max(size):
            opened.draft("L" if form.gray else "RGB", (2 * max(size), 2 * max(size)))  # JPEG decodes a smaller one
        image = _to_mode(ImageOps.exif_transpose(opened), "L" if form.gray else "RGB")
        if image.size != size:
            image = resized(image, size, form.fit)
        pixels = np.array(image)
    tensor = torch.from_numpy(pixels)
    return tensor.unsqueeze(0) if form.gray else tensor.permute(2, 0, 1).contiguous()


@contextmanager
def opened_image(path: Path) -> Iterator[Image.Image]:
    """An image file, decoded when it is looked at. What goes wrong meanwhile becomes a DataError that names it."""
    with _plain_errors(path), Image.open(path) as image:
        yield image


class _plain_errors:  # noqa: N801
    """Turns Pillow's many exceptions into one sentence that names the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FileNotFoundError):
            raise DataError("there is no such file", file=self.path) from None
        if isinstance(error, UnidentifiedImageError):
            raise DataError("this is not an image, whatever its name says", file=self.path) from None
        if isinstance(error, Image.DecompressionBombError):
            raise DataError("the image is too large to be opened safely", file=self.path) from None
        if isinstance(error, Exception) and not isinstance(error, DataError):  # decoders raise what they like
            reason = str(error) or type(error).__name__
            raise DataError(f"the image cannot be decoded ({reason})", file=self.path) from None


def _to_mode(image: Image.Image, mode: str) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":
        image = _to_bytes(image)
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image if image.mode == mode else image.convert(mode)


def _to_bytes(image: Image.Image) -> Image.Image:
    """16-bit and floating point greys brought to 0..255; Pillow's own conversion clips them."""
    values = np.asarray(image, dtype=np.float32)
    highest = float(values.max(initial=0.0))
    top = 65535.0 if highest > 255 or "16" in image.mode else (1.0 if image.mode == "F" and highest <= 1 else 255.0)
    return Image.fromarray((values.clip(0, top) * (255 / top)).round().astype(np.uint8), "L")


def resized(
    image: Image.Image, size: tuple[int, int], fit: str, way: Image.Resampling = Image.Resampling.BILINEAR, pad: int = 0
) -> Image.Image:
    """The image in this size (width, height), see :class:`ImageShape`; what is padded has the value ``pad``."""
    if fit == "stretch":
        return image.resize(size, way)
    if fit == "pad":
        return ImageOps.pad(image, size, way, color=pad)
    return ImageOps.fit(image, size, way)


class Placement(NamedTuple):
    """Where a point of an image lies after ``stretch`` or ``pad``: ``x * scale_x + left``, ``y * scale_y + top``."""

    scale_x: float
    scale_y: float
    left: float
    top: float


def placement(header: ImageHeader, form: ImageShape) -> Placement:
    """Where an image with this header is put, in pixels."""
    scale_x, scale_y = form.width / header.width, form.height / header.height
    if form.fit == "stretch":
        return Placement(scale_x, scale_y, 0, 0)
    width, height = form.width, form.height
    if scale_y > scale_x:  # rounded as ImageOps.pad does it
        height = round(header.height / header.width * form.width)
    elif scale_x > scale_y:
        width = round(header.width / header.height * form.height)
    left, top = round((form.width - width) * 0.5), round((form.height - height) * 0.5)
    return Placement(width / header.width, height / header.height, left, top)
