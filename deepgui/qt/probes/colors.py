"""Numbers as colours that everybody can tell apart."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QImage

from deepgui.qt.theme import theme

Pixels = NDArray[np.uint32]
# Okabe and Ito's colours for colour-blind readers, then lighter and darker relatives for more classes.
_CLASSES = (
    (0, 114, 178),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (213, 94, 0),
    (240, 228, 66),
    (110, 110, 110),
    (80, 60, 160),
    (150, 200, 80),
)


@cache
def table(name: str) -> Pixels:
    """256 colours as 0xffRRGGBB: ``sequential`` (viridis), ``diverging`` over a light or a dark middle."""
    import pyqtgraph as pg

    source = {"sequential": "viridis", "diverging_light": "CET-D1A", "diverging_dark": "CET-D6"}[name]
    place = np.linspace(0.0, 1.0, 256)
    if name == "diverging_dark":  # small values would drown in the dark
        place = 0.5 + 0.5 * np.sign(place - 0.5) * np.abs(2 * place - 1) ** 0.6
    rgb = np.asarray(pg.colormap.get(source).mapToByte(place))[:, :3].astype(np.uint32)
    return np.ascontiguousarray(0xFF000000 | rgb[:, 0] << 16 | rgb[:, 1] << 8 | rgb[:, 2])


def table_for(low: float, high: float) -> tuple[Pixels, float, float]:
    """The colour table for values of a range, and the range it spans: symmetric about zero if the signs differ."""
    if low < 0 < high and min(-low, high) > 0.02 * max(-low, high):
        most = max(-low, high)
        return table("diverging_dark" if theme().name == "dark" else "diverging_light"), -most, most
    return table("sequential"), low, high


def colored(values: NDArray[Any], low: float, high: float, colors: Pixels) -> Pixels:
    """``values`` as pixels of the same shape; what is not finite takes the lowest colour."""
    scale = 255.0 / (high - low) if high > low else 0.0
    with np.errstate(invalid="ignore"):
        index = np.nan_to_num((values - low) * scale, nan=0.0, posinf=255.0, neginf=0.0)
    return colors[np.clip(index, 0, 255).astype(np.uint8)]


def class_rgb(count: int) -> NDArray[np.float32]:
    """``count``×3 colours in 0..255 for classes; they repeat after ten."""
    return np.array([_CLASSES[i % len(_CLASSES)] for i in range(max(1, count))], np.float32)


def class_color(index: int) -> QColor:
    return QColor(*_CLASSES[index % len(_CLASSES)])


def rgb_pixels(rgb: NDArray[Any]) -> Pixels:
    """H×W×3 in 0..255 as pixels."""
    whole = np.clip(rgb, 0, 255).astype(np.uint32)
    return 0xFF000000 | whole[..., 0] << 16 | whole[..., 1] << 8 | whole[..., 2]


def pixel(color: QColor) -> int:
    """A colour as one pixel."""
    return 0xFF000000 | color.rgb()


def image_over(pixels: Pixels) -> QImage:
    """An image on the array's own memory: keep the array as long as the image. H×W, C-contiguous."""
    height, width = pixels.shape
    return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32)
