"""Many small maps as one picture: composed by numpy, painted with one call."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from deepgui.probes.pictures import FeatureMaps, Floats
from deepgui.qt.probes import colors
from deepgui.qt.probes.surface import Surface
from deepgui.qt.theme import theme


def gap_for(height: int, width: int) -> int:
    """Pixels of a map's own size between maps."""
    return max(1, round(min(height, width) / 12))


def columns_for(count: int, height: int, width: int, room: QSize) -> int:
    """How many columns make the maps as large as possible in ``room``; ``height`` and ``width`` with their gap."""

    def scale(columns: int) -> float:
        rows = -(-count // columns)
        return min(room.width() / (columns * width), room.height() / (rows * height))

    return max(range(1, count + 1), key=scale)


class Mosaic(Surface):
    """Shows C×H×W maps. ``hovered(text)`` says what is under the pointer; an empty text: nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.word = "channel"
        self.each = False
        self.flip = False
        self._maps: Floats | None = None
        self._range = (0.0, 1.0)
        self._colors = False
        self._pixels: colors.Pixels = np.zeros((1, 1), np.uint32)
        self._image: QImage | None = None
        self._columns = 1
        self._gap = 1
        self._place = QRectF()
        self._hover = -1

    def show_maps(self, picture: FeatureMaps) -> None:
        """Show a picture of a wire; an image of the data in its own colours."""
        self.show_values(picture.maps, picture.low, picture.high, is_picture=picture.colors)

    def show_values(self, maps: Floats, low: float, high: float, *, is_picture: bool = False) -> None:
        """Show C×H×W values between ``low`` and ``high``."""
        self._maps, self._range, self._colors = maps, (low, high), is_picture
        self._compose()
        self.update()

    def clear(self) -> None:
        self._maps, self._image = None, None
        self.update()

    def set_each(self, on: bool) -> None:
        """Each map on its own scale, rather than all on one."""
        self.each = on
        self._compose()
        self.update()

    def _compose(self) -> None:
        if self._maps is None or not self._maps.size:
            self._image = None
            return
        if self._colors:
            tiles = self._as_picture(self._maps)
        else:
            tiles = self._as_tiles(self._maps)
        if self.flip:
            tiles = tiles[:, ::-1]
        count, height, width = tiles.shape
        gap = self._gap = gap_for(height, width)
        self._columns = columns_for(count, height + gap, width + gap, self.size())
        rows = -(-count // self._columns)
        shape = (rows * (height + gap), self._columns * (width + gap))
        if self._pixels.shape != shape:
            self._pixels = np.empty(shape, np.uint32)
        self._pixels.fill(colors.pixel(theme().color("panel")))
        for index in range(count):
            top, left = index // self._columns * (height + gap), index % self._columns * (width + gap)
            self._pixels[top : top + height, left : left + width] = tiles[index]
        self._image = colors.image_over(self._pixels)
        self._fit(shape)

    def _as_picture(self, maps: Floats) -> colors.Pixels:
        rgb = np.moveaxis(maps if len(maps) == 3 else np.repeat(maps[:1], 3, axis=0), 0, -1)
        low, high = self._range
        low, high = (low, high) if low < -0.01 or high > 1.01 else (0.0, 1.0)
        return colors.rgb_pixels((rgb - low) * (255.0 / max(high - low, 1e-12)))[None]

    def _as_tiles(self, maps: Floats) -> colors.Pixels:
        lut, low, high = colors.table_for(*self._range)
        if not self.each:
            return colors.colored(maps, low, high, lut)
        if low < 0:
            most = np.abs(maps).max(axis=(1, 2), keepdims=True)
            return colors.colored(maps / np.maximum(most, 1e-12), -1.0, 1.0, lut)
        least, most = maps.min(axis=(1, 2), keepdims=True), maps.max(axis=(1, 2), keepdims=True)
        return colors.colored((maps - least) / np.maximum(most - least, 1e-12), 0.0, 1.0, lut)

    def _fit(self, shape: tuple[int, int]) -> None:
        height, width = shape[0] - self._gap, shape[1] - self._gap
        scale = min(self.width() / max(1, width), self.height() / max(1, height))
        scale = math.floor(scale) if scale >= 3 else scale
        size = (width * scale, height * scale)
        self._place = QRectF((self.width() - size[0]) / 2, (self.height() - size[1]) / 2, *size)

    def resizeEvent(self, event: object) -> None:
        self._compose()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image is None:
            return
        painter = QPainter(self)
        source = QRectF(0, 0, self._image.width() - self._gap, self._image.height() - self._gap)
        painter.drawImage(self._place, self._image, source)
        if self._hover >= 0:
            painter.setPen(QPen(theme().color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self._tile(self._hover))

    def _tile(self, index: int) -> QRectF:
        assert self._maps is not None
        _, height, width = self._maps.shape
        scale = self._scale()
        left = self._place.left() + index % self._columns * (width + self._gap) * scale
        top = self._place.top() + index // self._columns * (height + self._gap) * scale
        return QRectF(left, top, width * scale, height * scale)

    def _scale(self) -> float:
        assert self._image is not None
        return self._place.width() / max(1, self._image.width() - self._gap)

    def value_at(self, place: QPointF) -> tuple[int, int, int, float] | None:
        """Map, row, column and value under a point of the widget."""
        if self._image is None or self._maps is None or not self._place.contains(place):
            return None
        count, height, width = self._maps.shape
        if self._colors:
            count = 1
        x, y = ((place - self._place.topLeft()) / self._scale()).toTuple()
        index = int(y) // (height + self._gap) * self._columns + int(x) // (width + self._gap)
        row, column = int(y) % (height + self._gap), int(x) % (width + self._gap)
        if index >= count or row >= height or column >= width:
            return None
        row = height - 1 - row if self.flip else row
        return index, row, column, float(self._maps[index, row, column])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self.value_at(event.position())
        hover = -1 if found is None or self._colors else found[0]
        if hover != self._hover:
            self._hover = hover
            self.update()
        if found is None:
            self.hovered.emit("")
        else:
            index, row, column, value = found
            where = f"({row}, {column})"
            self.hovered.emit(f"{where}: {value:.4g}" if self._colors else f"{self.word} {index} {where}: {value:.4g}")

    def forget_hover(self) -> None:
        self._hover = -1


class Bars(Surface):
    """Shows a vector: one bar a value, from a line at zero; with names if there are few."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: Floats = np.empty(0, np.float32)
        self._names: tuple[str, ...] = ()
        self._marked = -1
        self._hover = -1

    def show_values(self, values: Floats, names: tuple[str, ...] = (), marked: int = -1) -> None:
        """``names``: one a value, or none; ``marked``: the index to stress (the right class)."""
        self._values, self._names, self._marked = values, names, marked
        self.update()

    def _frame(self) -> QRectF:
        labels = 18 if self._names and len(self._values) <= 30 else 2
        return QRectF(4, 6, self.width() - 8, self.height() - 8 - labels)

    def paintEvent(self, event: QPaintEvent) -> None:
        values = np.nan_to_num(self._values)
        if not len(values):
            return
        painter, tokens, frame = QPainter(self), theme(), self._frame()
        if len(values) > 2 * frame.width():
            values = values[: int(2 * frame.width())]
        low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
        scale = frame.height() / max(high - low, 1e-12)
        zero = frame.bottom() + low * scale
        width = frame.width() / len(values)
        bar = max(1.0, width - (2 if width > 6 else 0))
        lefts = frame.left() + np.arange(len(values)) * width + (width - bar) / 2
        rects = [
            QRectF(x, min(zero, zero - v * scale), bar, max(1.0, abs(v) * scale))
            for x, v in zip(lefts.tolist(), values.tolist(), strict=True)
        ]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.color("train"))
        painter.drawRects([r for r, v in zip(rects, values, strict=True) if v >= 0])
        painter.setBrush(tokens.color("validation"))
        painter.drawRects([r for r, v in zip(rects, values, strict=True) if v < 0])
        self._paint_marks(painter, rects, zero)

    def _paint_marks(self, painter: QPainter, rects: list[QRectF], zero: float) -> None:
        tokens, frame = theme(), self._frame()
        painter.setPen(QPen(tokens.color("border"), 1))
        painter.drawLine(QPointF(frame.left(), zero), QPointF(frame.right(), zero))
        if 0 <= self._hover < len(rects):
            wash = QColor(tokens.color("text"))
            wash.setAlpha(28)
            spot = rects[self._hover]
            painter.fillRect(QRectF(spot.left(), frame.top(), spot.width(), frame.height()), wash)
        if self._names and len(rects) <= 30:
            room = frame.width() / len(rects)
            for index, (rect, name) in enumerate(zip(rects, self._names, strict=False)):
                painter.setPen(tokens.color("success" if index == self._marked else "muted"))
                place = QRectF(rect.center().x() - room / 2, self.height() - 18, room, 16)
                text = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(room))
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        frame, count = self._frame(), len(self._values)
        at = int((event.position().x() - frame.left()) / max(1.0, frame.width()) * count) if count else -1
        self._hover = at if 0 <= at < count else -1
        name = self._names[at] if 0 <= at < len(self._names) else f"unit {at}"
        self.hovered.emit(f"{name}: {self._values[at]:.4g}" if self._hover >= 0 else "")
        self.update()

    def forget_hover(self) -> None:
        self._hover = -1
