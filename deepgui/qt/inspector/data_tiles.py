"""Examples of the data as small pictures: images with their boxes and masks, curves, numbers, words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from deepgui.qt import style
from deepgui.qt.probes import colors
from deepgui.qt.theme import GRID, theme

if TYPE_CHECKING:
    from deepgui.data.preview_examples import Example, Sample

CAPTION = 20
_SMOOTH_FROM = 48  # pixels of a picture from which on it is scaled smoothly; smaller ones keep their pixels
_CURVES = 6  # channels of a series that are drawn


def drawable(example: Example) -> bool:
    """Whether there is a picture or a curve to see."""
    return any(s.values is not None and s.kind in ("image", "series", "classmap") for s in example.samples)


class Tile(QWidget):
    """One example: a picture, and below it its class or number."""

    def __init__(self, example: Example, size: QSize, *, captioned: bool = True) -> None:
        super().__init__()
        self._example, self._captioned = example, captioned
        self._image = _image_of(example)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedSize(size + QSize(0, CAPTION if captioned else 0))
        words = "\n".join(f"{s.field}: {s.text}" for s in example.samples if s.text)
        self.setToolTip(f"example {example.row + 1:,}\n{words}")
        self.setAccessibleName(example.label or f"example {example.row + 1}")

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        place = self.rect().adjusted(0, 0, 0, -CAPTION if self._captioned else 0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().color("field"))
        painter.drawRoundedRect(QRectF(place), 4, 4)
        where = self._paint_image(painter, place) if self._image is not None else QRectF(place)
        for sample in self._example.samples:
            paint_over(painter, where, sample)
        if self._captioned:
            painter.setPen(theme().color("text"))
            painter.setFont(style.font(12))
            below = QRect(0, place.bottom() + 2, self.width(), CAPTION)
            text = painter.fontMetrics().elidedText(self._example.label, Qt.TextElideMode.ElideRight, self.width())
            painter.drawText(below, int(Qt.AlignmentFlag.AlignCenter), text)

    def _paint_image(self, painter: QPainter, place: QRect) -> QRectF:
        """Paint the picture as large as the place allows, and say where it is."""
        assert self._image is not None
        size = QSize(self._image.width(), self._image.height())
        fitted = size.scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
        where = QRect(place.topLeft(), fitted)
        where.moveCenter(place.center())
        smooth = max(size.width(), size.height()) >= _SMOOTH_FROM
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(where, self._image)
        return QRectF(where)


def _image_of(example: Example) -> QImage | None:
    sample = next((s for s in example.samples if s.kind == "image" and s.values is not None), None)
    return None if sample is None or sample.values is None else picture(sample.values.astype(np.uint8))


def picture(pixels: NDArray[np.uint8]) -> QImage:
    """(H, W) or (H, W, 3) bytes as an image with memory of its own."""
    height, width = pixels.shape[:2]
    data = np.ascontiguousarray(pixels)
    grey = pixels.ndim == 2
    form = QImage.Format.Format_Grayscale8 if grey else QImage.Format.Format_RGB888
    return QImage(data.data, width, height, width * (1 if grey else 3), form).copy()


def paint_over(painter: QPainter, place: QRectF, sample: Sample) -> None:
    """What else belongs to an example, over its picture: boxes, masks; curves where there is no picture."""
    values = sample.values
    if values is None:
        return
    if sample.kind == "boxes":
        for row in values.tolist():
            painter.setPen(QPen(colors.class_color(int(row[0])), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            left, top = row[1] - row[3] / 2, row[2] - row[4] / 2
            painter.drawRect(
                QRectF(
                    place.left() + left * place.width(),
                    place.top() + top * place.height(),
                    row[3] * place.width(),
                    row[4] * place.height(),
                )
            )
    elif sample.kind == "classmap":
        painter.drawImage(place, _mask(values))
    elif sample.kind == "series":
        _curves(painter, place, values)


def _mask(values: NDArray[np.generic]) -> QImage:
    """A transparent colour for each class but the first, which is usually the background."""
    classes = values.astype(np.int64)
    rgba = np.zeros((*classes.shape, 4), np.uint8)
    for index in np.unique(classes[classes > 0]):
        color = colors.class_color(int(index))
        rgba[classes == index] = (color.red(), color.green(), color.blue(), 130)
    height, width = classes.shape
    return QImage(np.ascontiguousarray(rgba).data, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()


def _curves(painter: QPainter, place: QRectF, values: NDArray[np.generic]) -> None:
    rows = np.nan_to_num(values.reshape(len(values), -1).astype(np.float64))
    inside = place.adjusted(GRID / 2, GRID / 2, -GRID / 2, -GRID / 2)
    low, high = float(rows.min(initial=0.0)), float(rows.max(initial=0.0))
    if len(rows) < 2 or high <= low:
        return
    across = inside.left() + np.arange(len(rows)) / (len(rows) - 1) * inside.width()
    for channel in range(min(rows.shape[1], _CURVES)):
        down = inside.bottom() - (rows[:, channel] - low) / (high - low) * inside.height()
        line = QPolygonF([QPointF(x, y) for x, y in zip(across.tolist(), down.tolist(), strict=True)])
        painter.setPen(QPen(_curve_color(channel), 1.2))
        painter.drawPolyline(line)


def _curve_color(channel: int) -> QColor:
    return theme().color("train") if channel == 0 else colors.class_color(channel)
