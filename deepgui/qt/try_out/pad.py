"""A sheet to draw on with the mouse; what is drawn is read in the size that the network takes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from deepgui.qt.theme import theme
from deepgui.use.trial import Ink, brought_to_size

FINE = 256
"""Pixels of the sheet's longer side."""

Floats = NDArray[np.float32]


class Pad(QWidget):
    """Draw with the left button, wipe with the right one. ``drawn`` fires at every stroke of the mouse."""

    drawn = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("try_pad")
        self.setAccessibleName("Sheet to draw on")
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(96, 96)
        self.brush, self.fits = 1.0, True
        self.empty = True
        self._shape = (1, 28, 28)
        self._ink = Ink()
        self._by_hand = True
        self._last: QPointF | None = None
        self._sheet = QImage()
        self.prepare((1, 28, 28), Ink())

    def prepare(self, shape: tuple[int, ...], ink: Ink) -> None:
        """A blank sheet for pictures (C, H, W)."""
        self._shape, self._ink = (shape[0], shape[1], shape[2]), ink
        self.brush = max(1.4, 0.085 * max(shape[1:]))
        _, height, width = self._shape
        scale = max(1, round(FINE / max(height, width)))
        self._sheet = QImage(width * scale, height * scale, QImage.Format.Format_RGB888)
        self.clear()

    def sizeHint(self) -> QSize:
        return QSize(200, 200)

    def hasHeightForWidth(self) -> bool:
        return False

    def clear(self) -> None:
        """A blank sheet."""
        self._sheet.fill(self._paper)
        self.empty, self._by_hand = True, True
        self.update()
        self.drawn.emit()

    @property
    def _paper(self) -> QColor:
        return QColor("black" if self._ink.light else "white")

    # -- what is on it

    def put(self, picture: Floats) -> None:
        """A picture (C, H, W) in 0..1 onto the sheet, to be looked at or drawn over; it is read as it is."""
        three = np.repeat(picture[:1], 3, axis=0) if len(picture) < 3 else picture[:3]
        bytes_ = np.ascontiguousarray(np.moveaxis((three.clip(0, 1) * 255).round().astype(np.uint8), 0, -1))
        height, width, _ = bytes_.shape
        small = QImage(bytes_.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        way = Qt.TransformationMode.FastTransformation
        self._sheet = small.scaled(self._sheet.size(), Qt.AspectRatioMode.IgnoreAspectRatio, way).convertToFormat(
            QImage.Format.Format_RGB888
        )
        self.empty, self._by_hand = False, False
        self.update()
        self.drawn.emit()

    def read(self) -> Floats:
        """What the network gets: (C, H, W) in 0..1."""
        _, height, width = self._shape
        sheet = self._array()
        part = None
        if self.fits and self._by_hand and self._ink.share > 0:
            grey = sheet.mean(axis=0)
            part = brought_to_size(grey if self._ink.light else 1 - grey, self._ink.share)
        if part is not None:
            sheet = _cut(sheet, part, 0.0 if self._ink.light else 1.0)
        return _shrunk(sheet, height, width)

    def _array(self) -> Floats:
        """The sheet as (C, H, W) in 0..1, grey for one channel."""
        grey = self._shape[0] == 1
        image = self._sheet.convertToFormat(QImage.Format.Format_Grayscale8) if grey else self._sheet
        depth = 1 if grey else 3
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
        pixels = rows[:, : depth * image.width()].reshape(image.height(), image.width(), depth)
        return np.ascontiguousarray(np.moveaxis(pixels, -1, 0)).astype(np.float32) / np.float32(255)

    # -- the mouse

    def frame(self) -> QRectF:
        """Where the sheet is in the widget."""
        wide, high = self._sheet.width(), self._sheet.height()
        scale = min((self.width() - 2) / wide, (self.height() - 2) / high)
        size = QPointF(wide * scale, high * scale)
        return QRectF(
            (self.width() - size.x()) / 2, (self.height() - size.y()) / 2, max(1.0, size.x()), max(1.0, size.y())
        )

    def _place(self, at: QPointF) -> QPointF:
        frame = self.frame()
        scale = self._sheet.width() / frame.width()
        return QPointF((at.x() - frame.left()) * scale, (at.y() - frame.top()) * scale)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._last = self._place(event.position())
        self._stroke(self._last, event.buttons())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() and self._last is not None:
            self._stroke(self._place(event.position()), event.buttons())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._last = None

    def _stroke(self, to: QPointF, buttons: Qt.MouseButton) -> None:
        wipes = bool(buttons & Qt.MouseButton.RightButton)
        ink = self._paper if wipes else QColor("white" if self._ink.light else "black")
        width = self.brush * self._sheet.width() / self._shape[2] * (1.8 if wipes else 1.0)
        painter = QPainter(self._sheet)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(ink, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        assert self._last is not None
        painter.drawLine(self._last, to + QPointF(0.01, 0))
        painter.end()
        self._last, self.empty = to, self.empty and wipes
        self.update()
        self.drawn.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, frame = QPainter(self), self.frame()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._by_hand)
        painter.drawImage(frame, self._sheet)
        painter.setPen(QPen(theme().color("border"), 1))
        painter.drawRect(frame.adjusted(-0.5, -0.5, 0.5, 0.5))
        if self.empty:
            painter.setPen(QColor("#8a93a3"))
            painter.drawText(frame, Qt.AlignmentFlag.AlignCenter, "draw here")


def _cut(sheet: Floats, part: tuple[int, int, int, int], paper: float) -> Floats:
    """A part of a sheet (C, H, W) that may reach beyond it."""
    top, bottom, left, right = part
    found = np.full((len(sheet), bottom - top, right - left), paper, np.float32)
    height, width = sheet.shape[1:]
    y0, y1, x0, x1 = max(0, top), min(height, bottom), max(0, left), min(width, right)
    found[:, y0 - top : y1 - top, x0 - left : x1 - left] = sheet[:, y0:y1, x0:x1]
    return found


def _shrunk(sheet: Floats, height: int, width: int) -> Floats:
    """A sheet (C, H, W) at another size, each pixel the mean of what it covers."""
    import torch

    found: Floats = torch.nn.functional.adaptive_avg_pool2d(torch.from_numpy(sheet), (height, width)).numpy()
    return found
