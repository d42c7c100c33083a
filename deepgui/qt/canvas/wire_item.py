"""A wire on the canvas: its curve, what it carries, and how it is painted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import pairwise

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen

from deepgui.graph.values import Wire
from deepgui.qt.canvas.frame import Frame
from deepgui.qt.canvas.routes import Lane
from deepgui.qt.canvas.spatial import Box
from deepgui.qt.canvas.style import text

LABEL_FROM = 0.55
"""Shapes are written on wires from this zoom on."""
_CORNER = 14.0
_REACH = 7.0
_PARTS = 8


def curve(a: QPointF, b: QPointF, lane: Lane | None = None, *, loose: bool = False) -> QPainterPath:
    """From an output at ``a`` to an input at ``b``; one that leads back takes the way along ``lane``.

    ``loose``: the wire hangs on the mouse, and never takes the way around.
    """
    path = QPainterPath(a)
    if lane is None and (loose or b.x() >= a.x() + 8):
        if abs(a.y() - b.y()) < 0.5:
            path.lineTo(b)
            return path
        pull = max(32.0, abs(b.x() - a.x()) / 2)
        path.cubicTo(a.x() + pull, a.y(), b.x() - pull, b.y(), b.x(), b.y())
        return path
    _rounded(path, [*corners(a, b, lane or Lane((a.y() + b.y()) / 2)), b])
    return path


def corners(a: QPointF, b: QPointF, lane: Lane) -> list[QPointF]:
    """Where a wire that runs along a lane turns."""
    out, back = a.x() + lane.out, b.x() - lane.into
    return [QPointF(out, a.y()), QPointF(out, lane.y), QPointF(back, lane.y), QPointF(back, b.y())]


def _rounded(path: QPainterPath, points: list[QPointF]) -> None:
    """A polyline with round corners."""
    here = path.currentPosition()
    for corner, after in pairwise(points):
        into, out = QLineF(corner, here), QLineF(corner, after)
        reach = min(_CORNER, into.length() / 2, out.length() / 2)
        if reach < 0.5:
            continue
        into.setLength(reach)
        out.setLength(reach)
        path.lineTo(into.p2())
        path.quadTo(corner, out.p2())
        here = corner
    path.lineTo(points[-1])


class WireItem:
    """A mirror of one wire."""

    __slots__ = ("_lane", "_segments", "a", "b", "box", "label", "middle", "path", "token", "wire", "wrong")

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.label = ""
        self.token = "wire"
        self.wrong = False
        self.route(QPointF(), QPointF())

    def route(self, a: QPointF, b: QPointF, lane: Lane | None = None) -> None:
        """Lie between two points, by way of a lane if one is given."""
        self.a, self.b, self._lane = a, b, lane
        self.path = curve(a, b, lane)
        bounds = self.path.boundingRect()
        self.box: Box = (bounds.left() - 12, bounds.top() - 12, bounds.right() + 12, bounds.bottom() + 12)
        self.middle = self.path.pointAtPercent(0.5) if lane is not None else (a + b) / 2
        self._segments: list[QLineF] | None = None

    def carry(self, label: str, dtype: str, wrong: bool) -> None:
        """Show what flows through."""
        self.label, self.wrong = label, wrong
        self.token = "wire_bool" if dtype == "bool" else ("wire_int" if "int" in dtype else "wire")

    def hits(self, at: QPointF, reach: float = _REACH) -> bool:
        """Whether a scene point is on the wire, generously."""
        left, top, right, bottom = self.box
        if not (left - reach <= at.x() <= right + reach and top - reach <= at.y() <= bottom + reach):
            return False
        return any(_distance(segment, at) <= reach for segment in self.segments)

    @property
    def segments(self) -> list[QLineF]:
        """The curve as a few straight lines, for frames with very many wires."""
        if self._segments is None:
            if self._lane is not None:
                points = [self.a, *corners(self.a, self.b, self._lane), self.b]
            elif self.path.elementCount() == 2:
                points = [self.a, self.b]
            else:
                points = [self.path.pointAtPercent(i / _PARTS) for i in range(_PARTS + 1)]
            self._segments = [QLineF(p, q) for p, q in pairwise(points)]
        return self._segments

    def paint(self, painter: QPainter, frame: Frame) -> None:
        """Paint the curve. The painter maps the scene."""
        hot = frame.hover_wire == self.wire or self.wire in frame.wires
        touched = self.wire.source in frame.selection or self.wire.target in frame.selection
        token = "error" if self.wrong else ("wire_hot" if hot or touched else self.token)
        painter.setPen(frame.style.pen(token, 3.0 if hot else 2.0))
        if self.path.elementCount() == 2:
            painter.drawLine(self.a, self.b)
        else:
            painter.drawPath(self.path)

    def paint_label(self, painter: QPainter, frame: Frame) -> None:
        """Write the shape at the wire's middle, if the wire is long enough to show on both sides of it."""
        if not self.label:
            return
        line = text(self.label, 10)
        if abs(self.b.x() - self.a.x()) < line.width + 12 and abs(self.b.y() - self.a.y()) < 24:
            return
        spot = QRectF(0, 0, line.width + 8, line.height + 2)
        spot.moveCenter(self.middle)
        painter.fillRect(spot, frame.style.color("canvas"))
        token = "error" if self.wrong else ("node_muted" if self.token == "wire" else self.token)
        painter.setPen(frame.style.color(token))
        line.paint(painter, spot.x() + 4, spot.y() + 1)


def _distance(line: QLineF, at: QPointF) -> float:
    """From a point to a stretch of a wire."""
    along = line.p2() - line.p1()
    square = QPointF.dotProduct(along, along)
    share = QPointF.dotProduct(at - line.p1(), along) / square if square else 0.0
    foot = line.pointAt(min(max(share, 0.0), 1.0))
    return math.hypot(at.x() - foot.x(), at.y() - foot.y())


def paint_threads(painter: QPainter, frame: Frame, items: Iterable[WireItem], *, straight: bool) -> None:
    """Paint many wires seen from afar: hair lines, one call a colour."""
    by_color: dict[str, list[QLineF]] = {}
    for item in items:
        lines = by_color.setdefault("error" if item.wrong else item.token, [])
        if straight:
            lines.append(QLineF(item.a, item.b))
        else:
            lines += item.segments
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, not straight)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for token, lines in by_color.items():
        pen = QPen(frame.style.color(token), 0)
        painter.setPen(pen)
        painter.drawLines(lines)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
