"""Which way a wire takes when the straight one would pass behind other nodes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF

from deepgui.qt.canvas.autolayout import BAND_GAP
from deepgui.qt.canvas.card import WIDTH
from deepgui.qt.canvas.node_item import NodeItem

CLEAR = 24.0
_SKIPS = WIDTH * 1.5
"""A wire shorter than this has no room for a node in between."""
_LOOK = 6_000.0
"""Wires longer than this go straight: looking for a way around costs more than it shows."""

Near = Callable[[QRectF], list[NodeItem]]


def lane(a: QPointF, b: QPointF, source: NodeItem, target: NodeItem, near: Near) -> float | None:
    """The height at which a wire from ``a`` to ``b`` should run, or None if it can go directly."""
    if b.x() < a.x() + 8:
        return _way_back(source, target)
    length = b.x() - a.x()
    if not _SKIPS < length < _LOOK:
        return None
    corridor = QRectF(a, b).normalized().adjusted(CLEAR, -4, -CLEAR, 4)
    passed = [i.rect for i in near(corridor) if i is not source and i is not target and i.rect.intersects(corridor)]
    middle = QPointF((a.x() + b.x()) / 2, (a.y() + b.y()) / 2)
    blocking = [r for r in passed if _on_the_way(r, a, b)]
    if not blocking:
        return None
    above, below = min(r.top() for r in blocking) - CLEAR, max(r.bottom() for r in blocking) + CLEAR
    return above if middle.y() - above < below - middle.y() else below


def _on_the_way(rect: QRectF, a: QPointF, b: QPointF) -> bool:
    """Whether the line from a to b crosses the rectangle's height where the rectangle stands."""
    span = b.x() - a.x()
    at = [a.y() + (b.y() - a.y()) * min(max((x - a.x()) / span, 0), 1) for x in (rect.left(), rect.right())]
    return min(at) < rect.bottom() + 4 and max(at) > rect.top() - 4


def _way_back(source: NodeItem, target: NodeItem) -> float:
    """Between the two nodes if there is room, else under both."""
    s, t = source.rect, target.rect
    if t.top() - s.bottom() >= CLEAR:
        return max(t.top() - BAND_GAP / 2, (s.bottom() + t.top()) / 2)
    if s.top() - t.bottom() >= CLEAR:
        return min(t.bottom() + BAND_GAP / 2, (s.top() + t.bottom()) / 2)
    return max(s.bottom(), t.bottom()) + CLEAR
