"""Lines over axes, painted so cheaply that a training beside it does not notice.

A plot library's scene asks dozens of objects for their bounds at every repaint. Here what changes seldom (ground,
grid, numbers, the last run, marks) is kept as a picture, and a repaint is that picture and one call a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from deepgui.qt import style, theme
from deepgui.qt.dashboard.decimate import Floats
from deepgui.qt.dashboard.ticks import log_ticks, ticks

LEFT, BELOW = 48, 20
_PER_DEGREE = 1.0015
_BOLDER = QPointF(0.3, 0.55)
"""Painted twice so far apart, a line of one pixel looks one and a half wide. Qt takes twenty times as long to
stroke a line of that width with smooth edges."""


@dataclass(frozen=True)
class View:
    """The part of the plane that is shown; ``bottom`` and ``top`` are exponents of ten on a logarithmic axis."""

    left: float
    right: float
    bottom: float
    top: float


@dataclass(frozen=True)
class Line:
    """A line with n points in ascending order of ``x``; ``bold`` ones have smooth edges."""

    x: Floats
    y: Floats
    color: QColor
    bold: bool = False


class Chart(QWidget):
    """Shows lines in a :class:`View`.

    Signals:
        hovered(x): the pointer is over this value of the horizontal axis; None: it left.
        looked(view): somebody dragged or turned the wheel and wants to see this part.
        given_back: a double click; show everything again.
    """

    hovered = Signal(object)
    looked = Signal(View)
    given_back = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(72, 48)
        self.view = View(0.0, 10.0, 0.0, 1.0)
        self.log = False
        self.bare = True
        self._lines: tuple[Line, ...] = ()
        self._ghosts: tuple[Line, ...] = ()
        self.marks: tuple[float, ...] = ()
        self._best: tuple[float, float] | None = None
        self.cross: float | None = None
        self.note = ""
        self._ground: QPixmap | None = None
        self._held: QPointF | None = None

    def sizeHint(self) -> QSize:
        return QSize(280, 160)

    @property
    def frame(self) -> QRectF:
        """Where lines are drawn, in pixels."""
        return QRectF(LEFT, 8, max(1, self.width() - LEFT - 6), max(1, self.height() - BELOW - 8))

    # -- what is shown

    def show_lines(self, lines: Sequence[Line], ghosts: Sequence[Line] = ()) -> None:
        """Draw these; ``ghosts`` lie behind the others and are expected to stay as they are."""
        self._lines = tuple(lines)
        if len(ghosts) != len(self._ghosts) or any(a.x is not b.x for a, b in zip(ghosts, self._ghosts, strict=True)):
            self._ghosts, self._ground = tuple(ghosts), None
        self.update()

    def look(self, view: View, *, log: bool) -> None:
        """Show another part of the plane."""
        if (view, log) != (self.view, self.log):
            self.view, self.log = view, log
            self.redraw()

    def set_bare(self, bare: bool) -> None:
        """With nothing drawn the axes have no numbers."""
        if bare != self.bare:
            self.bare = bare
            self.redraw()

    def set_marks(self, at: tuple[float, ...]) -> None:
        """Dotted upright lines."""
        if at != self.marks:
            self.marks = at
            self.redraw()

    def set_best(self, place: tuple[float, float] | None) -> None:
        """A dot with a ring."""
        if place != self._best:
            self._best = place
            self.update()

    def show_cross(self, x: float | None) -> None:
        """An upright line where values are read."""
        if x != self.cross:
            self.cross = x
            self.update()

    def set_note(self, text: str) -> None:
        """A few words in the upper right corner."""
        if text != self.note:
            self.note = text
            self.redraw()

    def redraw(self) -> None:
        """Draw everything anew: the theme, the size or the axes changed."""
        self._ground = None
        self.update()

    # -- painting

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.redraw()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, frame = QPainter(self), self.frame
        if self._ground is None:
            self._ground = self._drawn_ground()
        painter.drawPixmap(0, 0, self._ground)
        self._paint_front(painter, frame)

    def sized(self, size: QSize) -> Chart:
        """The same at another size."""
        made = Chart()
        made.resize(size)
        made.view, made.log, made.bare, made.note, made.marks = self.view, self.log, self.bare, self.note, self.marks
        made._lines, made._ghosts, made._best = self._lines, self._ghosts, self._best
        return made

    def paint_on(self, painter: QPainter) -> None:
        """Paint everything as lines and words rather than pixels: for pictures that are kept."""
        painter.save()
        self._paint_ground(painter)
        self._paint_front(painter, self.frame)
        painter.restore()

    def _paint_front(self, painter: QPainter, frame: QRectF) -> None:
        painter.setClipRect(frame.adjusted(0, -4, 4, 2))
        for line in self._lines:
            self._paint_line(painter, line)
        self._paint_outside(painter, frame)
        self._paint_points(painter, frame)

    def _paint_line(self, painter: QPainter, line: Line) -> None:
        if not len(line.x):
            return
        polygon = self._polygon(line)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, line.bold)
        painter.setPen(QPen(line.color, 0))
        painter.drawPolyline(polygon)
        if line.bold:
            polygon.translate(_BOLDER)
            painter.drawPolyline(polygon)

    def _polygon(self, line: Line) -> QPolygonF:
        from pyqtgraph.functions import create_qpolygonf, ndarray_from_qpolygonf

        view, frame = self.view, self.frame
        polygon = create_qpolygonf(len(line.x))
        points = ndarray_from_qpolygonf(polygon)
        points[:, 0] = frame.left() + (line.x - view.left) * (frame.width() / (view.right - view.left))
        points[:, 1] = frame.bottom() - (line.y - view.bottom) * (frame.height() / (view.top - view.bottom))
        np.clip(points, -1e4, 1e5, out=points)  # far outside the raster engine's own limits lines become slow
        return polygon

    def _at(self, x: float, y: float) -> QPointF:
        view, frame = self.view, self.frame
        return QPointF(
            frame.left() + (x - view.left) / (view.right - view.left) * frame.width(),
            frame.bottom() - (y - view.bottom) / (view.top - view.bottom) * frame.height(),
        )

    def _paint_outside(self, painter: QPainter, frame: QRectF) -> None:
        """A small arrow at the edge, in the line's colour, beyond which its newest value lies."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for line in self._lines:
            if not line.bold or not len(line.x):
                continue
            x, y = self._at(float(line.x[-1]), float(line.y[-1])).toTuple()
            up = y < frame.top()
            if up or y > frame.bottom():
                edge, inward = (frame.top(), 7.0) if up else (frame.bottom(), -7.0)
                middle = min(max(x, frame.left() + 6), frame.right() - 6)
                painter.setBrush(line.color)
                painter.drawPolygon(
                    [
                        QPointF(middle, edge),
                        QPointF(middle - 5, edge + inward),
                        QPointF(middle + 5, edge + inward),
                    ]
                )

    def _paint_points(self, painter: QPainter, frame: QRectF) -> None:
        colors = theme.theme()
        if self._best is not None:
            painter.setPen(QPen(colors.color("plot"), 1.5))
            painter.setBrush(colors.color("success"))
            painter.drawEllipse(self._at(*self._best), 4.5, 4.5)
        if self.cross is not None:
            x = round(self._at(self.cross, 0).x()) + 0.5
            painter.setPen(QPen(colors.color("muted"), 0))
            painter.drawLine(QPointF(x, frame.top()), QPointF(x, frame.bottom()))

    def _drawn_ground(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        ground = QPixmap(self.size() * ratio)
        ground.setDevicePixelRatio(ratio)
        painter = QPainter(ground)
        self._paint_ground(painter)
        painter.end()
        return ground

    def _paint_ground(self, painter: QPainter) -> None:
        """Ground, grid, numbers, marks and the last run."""
        colors = theme.theme()
        painter.fillRect(self.rect(), colors.color("plot"))
        painter.setFont(style.font(11))
        self._paint_grid(painter)
        painter.setClipRect(self.frame)
        for line in self._ghosts:
            self._paint_line(painter, line)
        pen = QPen(colors.color("lr"), 0)
        pen.setStyle(Qt.PenStyle.DotLine)
        painter.setPen(pen)
        for mark in self.marks:
            x = round(self._at(mark, 0).x()) + 0.5
            painter.drawLine(QPointF(x, self.frame.top()), QPointF(x, self.frame.bottom()))
        if self.note:
            painter.setPen(colors.color("warning"))
            painter.drawText(self.frame.adjusted(0, 2, -8, 0), Qt.AlignmentFlag.AlignRight, self.note)

    def _paint_grid(self, painter: QPainter) -> None:
        """Lines and numbers, as many as have room beside each other."""
        colors, frame, view = theme.theme(), self.frame, self.view
        metrics = QFontMetricsF(painter.font())
        across = ticks(view.left, view.right, int(frame.width() // (metrics.horizontalAdvance("00,000") + 20)))
        steps = log_ticks if self.log else ticks
        up = steps(view.bottom, view.top, int(frame.height() // (2 * metrics.height())))
        grid, text = QPen(colors.color("plot_grid"), 0), colors.color("muted")
        painter.setPen(grid)
        for x, _ in across:
            at = round(self._at(x, 0).x()) + 0.5
            painter.drawLine(QPointF(at, frame.top()), QPointF(at, frame.bottom()))
        for y, _ in up:
            at = round(self._at(0, y).y()) + 0.5
            painter.drawLine(QPointF(frame.left(), at), QPointF(frame.right(), at))
        if self.bare:
            return
        painter.setPen(text)
        end = 0.0
        for x, word in across:
            middle, wide = self._at(x, 0).x(), metrics.horizontalAdvance(word)
            left = min(middle - wide / 2, self.width() - wide - 2)
            if left > end:
                painter.drawText(QPointF(left, self.height() - 6), word)
                end = left + wide + 8
        for y, word in up:
            at = self._at(0, y).y() + metrics.capHeight() / 2
            painter.drawText(QPointF(LEFT - 6 - metrics.horizontalAdvance(word), at), word)

    # -- looking around

    def value_at(self, place: QPointF) -> tuple[float, float]:
        """The point of the plane under a place of the widget."""
        view, frame = self.view, self.frame
        return (
            view.left + (place.x() - frame.left()) / frame.width() * (view.right - view.left),
            view.bottom + (frame.bottom() - place.y()) / frame.height() * (view.top - view.bottom),
        )

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.accept()
        turn = event.angleDelta().y() or event.angleDelta().x()
        factor, view = _PER_DEGREE**-turn, self.view
        x, y = self.value_at(event.position())
        self.looked.emit(
            View(
                x + (view.left - x) * factor,
                x + (view.right - x) * factor,
                y + (view.bottom - y) * factor,
                y + (view.top - y) * factor,
            )
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton):
            self._held = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        if self._held is not None:
            (x0, y0), (x1, y1) = self.value_at(self._held), self.value_at(place)
            self._held, view = place, self.view
            dx, dy = x0 - x1, y0 - y1
            self.looked.emit(View(view.left + dx, view.right + dx, view.bottom + dy, view.top + dy))
        inside = self.frame.contains(place) and not self.bare
        self.hovered.emit(self.value_at(place)[0] if inside else None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.given_back.emit()

    def leaveEvent(self, event: QEvent) -> None:
        self.hovered.emit(None)
