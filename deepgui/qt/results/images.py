"""Pictures side by side, with what was found in them drawn over."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from deepgui.qt import style
from deepgui.qt.probes import colors
from deepgui.qt.probes.surface import Surface
from deepgui.qt.theme import theme
from deepgui.training.objectives.previews import Boxes, Images, Masks

GAP = 3
TITLE_SIZE = 11
SMOOTH_FROM = 48
"""Pictures with more pixels a side than this are scaled smoothly; of smaller ones every pixel shows."""
_SURE = 0.5


@dataclass(frozen=True)
class Mark:
    """A rectangle over a picture, in shares of it, with a word."""

    frame: tuple[float, float, float, float]
    color: QColor
    word: str = ""
    dashed: bool = False


@dataclass(frozen=True)
class Wall:
    """What is painted: N pictures H×W as pixels, row by row."""

    pixels: tuple[colors.Pixels, ...]
    columns: int
    rows: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    marks: tuple[tuple[Mark, ...], ...] = field(default=())


class ImageWall(Surface):
    """Pictures as large as the room allows; the titles of rows stand left of them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wall: Wall | None = None
        self._images: list[QImage] = []
        self._hover = -1

    def show_wall(self, wall: Wall) -> None:
        self._wall = wall
        self._images = [colors.image_over(np.ascontiguousarray(p)) for p in wall.pixels]
        self.update()

    def _cells(self) -> tuple[float, float, int, QPointF]:
        """Width and height of a cell with its gap, columns, and where the first one starts."""
        assert self._wall is not None
        wall = self._wall
        height, width = wall.pixels[0].shape
        metrics = QFontMetrics(style.font(TITLE_SIZE))
        left = max((metrics.horizontalAdvance(r) for r in wall.rows), default=0)
        left = min(left + 10, self.width() // 4) if wall.rows else 0
        columns = max(1, wall.columns)
        if not wall.rows:  # they have no order: as large as possible
            columns = _best_columns(len(wall.pixels), width, height, self.width(), self.height())
        rows = -(-len(wall.pixels) // columns)
        scale = min((self.width() - left) / (columns * width), self.height() / (rows * height))
        spare = self.width() - left - columns * width * scale, self.height() - rows * height * scale
        return width * scale, height * scale, columns, QPointF(left + spare[0] / 2, spare[1] / 2)

    def _frame(self, index: int) -> QRectF:
        width, height, columns, first = self._cells()
        x, y = first.x() + index % columns * width, first.y() + index // columns * height
        return QRectF(x, y, width - GAP, height - GAP)

    def paintEvent(self, event: QPaintEvent) -> None:
        wall = self._wall
        if wall is None or not wall.pixels:
            return
        painter = QPainter(self)
        painter.setFont(style.font(TITLE_SIZE))
        side = max(wall.pixels[0].shape)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, side > SMOOTH_FROM)
        for index, image in enumerate(self._images):
            painter.drawImage(self._frame(index), image)
        self._paint_titles(painter)
        for index, marks in enumerate(wall.marks):
            for mark in marks:
                _paint_mark(painter, self._frame(index), mark)
        if 0 <= self._hover < len(self._images):
            painter.setPen(QPen(theme().color("accent"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self._frame(self._hover))

    def _paint_titles(self, painter: QPainter) -> None:
        assert self._wall is not None
        _, height, _, first = self._cells()
        painter.setPen(theme().color("muted"))
        for place, title in enumerate(self._wall.rows):
            words = painter.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, int(first.x()) - 6)
            frame = QRectF(0, first.y() + place * height, first.x() - 8, height - GAP)
            painter.drawText(frame, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._wall is None or not self._wall.pixels:
            return
        at = event.position()
        found = next((i for i in range(len(self._images)) if self._frame(i).contains(at)), -1)
        if found != self._hover:
            self._hover = found
            self.update()
            captions = self._wall.captions
            self.hovered.emit(captions[found] if 0 <= found < len(captions) else "")

    def forget_hover(self) -> None:
        self._hover = -1


def _best_columns(count: int, width: int, height: int, wide: int, high: int) -> int:
    return max(range(1, count + 1), key=lambda n: min(wide / (n * width), high / (-(-count // n) * height)))


def _paint_mark(painter: QPainter, over: QRectF, mark: Mark) -> None:
    x, y, w, h = mark.frame
    frame = QRectF(over.left() + x * over.width(), over.top() + y * over.height(), w * over.width(), h * over.height())
    pen = QPen(mark.color, 1.5)
    if mark.dashed:
        pen.setStyle(Qt.PenStyle.DashLine)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(frame.intersected(over))
    if mark.word:
        metrics = painter.fontMetrics()
        place = QRectF(
            frame.left(), frame.top() - metrics.height(), metrics.horizontalAdvance(mark.word) + 6, metrics.height()
        )
        place.moveTop(max(over.top(), place.top()))
        painter.fillRect(place, mark.color)
        painter.setPen(QColor("#101318") if mark.color.lightnessF() > 0.5 else QColor("#f4f6fa"))
        painter.drawText(QPointF(place.left() + 3, place.bottom() - metrics.descent()), mark.word)


def as_pixels(image: NDArray[np.float32]) -> colors.Pixels:
    """C×H×W in 0..1 as pixels: grey for one channel, the first three for more."""
    channels = np.clip(np.nan_to_num(image), 0, 1) * 255
    three = np.repeat(channels[:1], 3, axis=0) if len(channels) < 3 else channels[:3]
    return colors.rgb_pixels(np.moveaxis(three, 0, -1))


def wall_of_images(shown: Images) -> Wall:
    """Pictures as they are."""
    return Wall(tuple(as_pixels(i) for i in shown.images), shown.columns, shown.rows, shown.captions)


def wall_of_masks(shown: Masks) -> Wall:
    """Picture, truth and answer below each other."""
    plain = [as_pixels(i) for i in shown.images]
    truth, said = (
        [_tinted(i, m) for i, m in zip(shown.images, masks, strict=True)] for masks in (shown.true, shown.said)
    )
    captions = []
    for a, b in zip(shown.true, shown.said, strict=True):
        captions.append(f"{np.mean(a == b):.1%} of the pixels right")
    return Wall((*plain, *truth, *said), len(plain), ("picture", "truth", "answer"), tuple(captions * 3))


def _tinted(image: NDArray[np.float32], mask: NDArray[np.int64]) -> colors.Pixels:
    """A picture in grey under the colours of classes; class 0, the background, stays as it is."""
    grey = np.clip(image.mean(axis=0), 0, 1) * 255
    rgb = np.repeat(grey[..., None], 3, axis=-1)
    tint = colors.class_rgb(int(mask.max()) + 1)[np.maximum(mask, 0)]
    inside = (mask > 0)[..., None]
    return colors.rgb_pixels(np.where(inside, 0.35 * rgb + 0.65 * tint, rgb))


def wall_of_boxes(shown: Boxes) -> Wall:
    """Boxes over the pictures: what is true dashed, what was said with its class and how sure it is."""
    marks = []
    for said, true in zip(shown.said, shown.true, strict=True):
        found = [_mark(row, shown.classes, dashed=True) for row in true]
        marks.append((*found, *(_mark(row, shown.classes) for row in said if row[5] >= _SURE)))
    return Wall(tuple(as_pixels(i) for i in shown.images), len(shown.images), marks=tuple(marks))


def _mark(row: NDArray[np.float32], classes: tuple[str, ...], *, dashed: bool = False) -> Mark:
    kind, x, y, w, h = (float(v) for v in row[:5])
    name = classes[int(kind)] if 0 <= int(kind) < len(classes) else str(int(kind))
    word = "" if dashed else f"{name} {float(row[5]):.0%}"
    color = theme().color("text") if dashed else colors.class_color(int(kind))
    return Mark((x - w / 2, y - h / 2, w, h), color, word, dashed)
