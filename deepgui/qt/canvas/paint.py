"""Painting of one frame: the grid, the wires, the nodes, and what floats above them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QLineF, QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen

from deepgui.qt import icons
from deepgui.qt.canvas.frame import IDENTITY, TITLE_FROM, Frame, Level, level
from deepgui.qt.canvas.mirror import Mirror
from deepgui.qt.canvas.node_item import NodeItem, paint_blocks, paint_frames
from deepgui.qt.canvas.style import Style, text
from deepgui.qt.canvas.wire_item import LABEL_FROM, paint_threads

STEP = 24.0
_DOTS_FROM = 0.5
_CURVED_THREADS = 500
"""With more wires in view at a middle zoom they are painted straight and without antialiasing."""


class Batch(NamedTuple):
    """Everything as rectangles and lines by colour token: the whole drawing in a dozen calls."""

    rects: dict[str, list[QRectF]]
    lines: dict[str, list[QLineF]]
    wrong: list[QRectF]


def batch(mirror: Mirror, style: Style) -> Batch:
    """Collect the drawing for frames seen from far away."""
    rects: dict[str, list[QRectF]] = {}
    lines: dict[str, list[QLineF]] = {}
    for item in mirror.nodes.values():
        hue = style.family(item.card.category) if item.card.known else "disabled"
        rects.setdefault(hue, []).append(item.rect)
    for wire in mirror.wires.values():
        lines.setdefault("error" if wire.wrong else wire.token, []).append(QLineF(wire.a, wire.b))
    wrong = [i.rect for i in mirror.nodes.values() if i.card.severity == "error"]
    return Batch(rects, lines, wrong)


def paint_grid(painter: QPainter, frame: Frame, rect: QRectF) -> None:
    """Dots when near, lines when far, never so dense that they are noise."""
    painter.fillRect(rect, frame.style.color("canvas"))
    if frame.scale >= _DOTS_FROM:
        _paint_dots(painter, frame, rect)
        return
    step = 5 * STEP
    while step * frame.scale < 12:
        step *= 5
    left, top = math.floor(rect.left() / step) * step, math.floor(rect.top() / step) * step
    columns, rows = int((rect.right() - left) / step) + 1, int((rect.bottom() - top) / step) + 1
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(frame.style.pen("grid", 0))
    lines = [QLineF(left + i * step, rect.top(), left + i * step, rect.bottom()) for i in range(columns + 1)]
    lines += [QLineF(rect.left(), top + j * step, rect.right(), top + j * step) for j in range(rows + 1)]
    painter.drawLines(lines)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)


def _paint_dots(painter: QPainter, frame: Frame, rect: QRectF) -> None:
    """One row of dots is painted once a zoom, then copied down: two thousand dots cost as much as thirty."""
    corner = frame.device(math.floor(rect.left() / STEP) * STEP, 0)
    columns = int(rect.width() / STEP) + 2
    row = frame.style.dots(columns, STEP)
    painter.setWorldTransform(IDENTITY)
    first = math.floor(rect.top() / STEP)
    for j in range(first, int(rect.bottom() / STEP) + 1):
        painter.drawPixmap(QPointF(corner.x() - 1, round(j * STEP * frame.scale + frame.dy) - 1), row)
    painter.setWorldTransform(frame.scene_transform())


def paint_network(
    painter: QPainter, frame: Frame, rect: QRectF, mirror: Mirror, far: Callable[[], Batch] | None
) -> None:
    """Paint wires and nodes at the detail that fits the zoom and the number of nodes in view.

    ``far`` gives the whole drawing as a batch, made when it is needed; None: nothing is ever that far away.
    """
    if frame.scale < TITLE_FROM and far is not None:
        _paint_far(painter, frame, mirror, far())
        return
    items = mirror.nodes_near(rect)
    frame.level = level(frame.scale, len(items))
    if frame.level is Level.BLOCK and far is not None:
        _paint_far(painter, frame, mirror, far())
    elif frame.level is Level.FULL:
        _paint_near(painter, frame, rect, mirror, items)
    else:
        wires = [w for w in mirror.wires_near(rect) if w.wire != frame.hidden]
        paint_threads(painter, frame, wires, straight=len(wires) > _CURVED_THREADS)
        paint_blocks(painter, frame, items)


def _paint_near(painter: QPainter, frame: Frame, rect: QRectF, mirror: Mirror, items: list[NodeItem]) -> None:
    wires = [w for w in mirror.wires_near(rect) if w.wire != frame.hidden]
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for wire in wires:
        wire.paint(painter, frame)
    if frame.scale >= LABEL_FROM:
        for wire in wires:
            wire.paint_label(painter, frame)
    _paint_shared(painter, frame, mirror, items)
    for item in items:
        item.paint(painter, frame)
    painter.setWorldTransform(frame.scene_transform())


def _paint_shared(painter: QPainter, frame: Frame, mirror: Mirror, items: list[NodeItem]) -> None:
    """A dashed line below the cards from each layer to the one whose weights it uses."""
    for item in items:
        owner = mirror.nodes.get(item.card.shares) if item.card.shares else None
        if owner is not None:
            a, b = (QPointF(i.rect.center().x(), i.rect.bottom()) for i in (item, owner))
            low = max(a.y(), b.y()) + 56
            path = QPainterPath(a)
            path.cubicTo(a.x(), low, b.x(), low, b.x(), b.y())
            painter.setPen(QPen(frame.style.color("family_block"), 1.6, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(path)


def paint_inside(painter: QPainter, frame: Frame, view: QRect) -> None:
    """The frame around the view that says that one looks into a block."""
    painter.setWorldTransform(IDENTITY)
    painter.setPen(QPen(frame.style.color("family_block"), 2))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(view).adjusted(1, 1, -1, -1))
    painter.setWorldTransform(frame.scene_transform())


def _paint_far(painter: QPainter, frame: Frame, mirror: Mirror, far: Batch) -> None:
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for token, lines in far.lines.items():
        painter.setPen(frame.style.pen(token, 0))
        painter.drawLines(lines)
    painter.setPen(Qt.PenStyle.NoPen)
    for token, rects in far.rects.items():
        painter.setBrush(frame.style.color(token))
        painter.drawRects(rects)
    chosen = [mirror.nodes[n].rect for n in frame.selection if n in mirror.nodes]
    paint_frames(painter, frame, far.wrong, chosen)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)


def paint_hint(painter: QPainter, style: Style, words: str, at: QPoint, inside: QRect) -> None:
    """A short text beside the mouse, kept inside the view. The painter maps the view's pixels."""
    line = text(words, 12)
    box = QRectF(at.x() + 16, at.y() + 16, line.width + 20, line.height + 10)
    box.moveLeft(max(4.0, min(box.left(), inside.right() - box.width() - 4)))
    box.moveTop(max(4.0, min(box.top(), inside.bottom() - box.height() - 4)))
    painter.setPen(style.pen("border", 1))
    painter.setBrush(style.color("raised"))
    painter.drawRoundedRect(box, 6, 6)
    painter.setPen(style.color("text"))
    line.paint(painter, box.left() + 10, box.top() + 5)


def paint_empty(painter: QPainter, style: Style, inside: QRect) -> None:
    """What an empty canvas says. The painter maps the view's pixels."""
    middle = QPointF(inside.center())
    title = text("Drag a layer here, or press Tab", 16, True, max(40.0, inside.width() - 32.0))
    below = text("Double-click or Shift+A searches too. Wire layers by dragging from port to port.", 12)
    if inside.height() > 160:
        square = QRectF(middle.x() - 20, middle.y() - 68, 40, 40)
        icons.paint(painter, square, "flow-arrow", style.color("node_border"))
    painter.setPen(style.color("muted"))
    title.paint(painter, middle.x() - title.width / 2, middle.y() - 16)
    if below.width < inside.width() - 32:
        painter.setPen(style.color("disabled"))
        below.paint(painter, middle.x() - below.width / 2, middle.y() + 14)
