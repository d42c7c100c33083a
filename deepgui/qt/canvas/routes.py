"""Which way a wire takes when the straight one would turn back or pass behind other nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF

from deepgui.graph.layout import BAND_GAP, GAP_X
from deepgui.qt.canvas.card import WIDTH, Slot
from deepgui.qt.canvas.node_item import NodeItem

CLEAR = 24.0
STUB = 24.0
_APART = 8.0
"""Between wires that take the same way."""
_SKIPS = WIDTH * 1.5
"""A wire shorter than this has no room for a node in between."""
_LOOK = 6_000.0
"""Wires longer than this go straight: looking for a way around costs more than it shows."""

Near = Callable[[QRectF], list[NodeItem]]


class Lane(NamedTuple):
    """The height at which a wire runs, and how far from its ends it turns."""

    y: float
    out: float = STUB
    into: float = STUB


class End(NamedTuple):
    """An end of a wire: its place, the node it belongs to, and its rank among the node's ports on that side."""

    at: QPointF
    node: NodeItem
    rank: int = 0
    ports: int = 1


def end(item: NodeItem, slot: Slot, at: QPointF) -> End:
    """The end of a wire at one of a node's slots."""
    side = item.card.inputs if slot.side == "in" else item.card.outputs
    return End(at, item, side.index(slot), len(side))


def lane(source: End, target: End, near: Near) -> Lane | None:
    """The lane that a wire should take, or None if it can go directly."""
    if target.at.x() < source.at.x() + 8:
        return _spaced(_way_back(source, target), source, target)
    length = target.at.x() - source.at.x()
    if not _SKIPS < length < _LOOK:
        return None
    corridor = QRectF(source.at, target.at).normalized().adjusted(CLEAR, -4, -CLEAR, 4)
    ends = (source.node, target.node)
    passed = [i.rect for i in near(corridor) if i not in ends and i.rect.intersects(corridor)]
    blocking = [r for r in passed if _on_the_way(r, source.at, target.at)]
    if not blocking:
        return None
    middle = (source.at.y() + target.at.y()) / 2
    clear = CLEAR + 0.75 * _APART * max(0.0, length / (WIDTH + GAP_X) - 2)  # longer wires pass outside shorter ones
    above, below = min(r.top() for r in blocking) - clear, max(r.bottom() for r in blocking) + clear
    first = target.ports > 1 and target.rank == 0
    up = middle - above < (2.5 if first else 1.0) * (below - middle)
    return _spaced(above if up else below, source, target)


def _spaced(y: float, source: End, target: End) -> Lane:
    """Turn where wires to neighbouring ports do not cross each other."""
    leaves = source.ports - 1 - source.rank if y > source.at.y() else source.rank
    arrives = target.rank if y < target.at.y() else target.ports - 1 - target.rank
    return Lane(y, STUB + _APART * leaves, STUB + _APART * arrives)


def _on_the_way(rect: QRectF, a: QPointF, b: QPointF) -> bool:
    """Whether the line from a to b crosses the rectangle's height where the rectangle stands."""
    span = b.x() - a.x()
    at = [a.y() + (b.y() - a.y()) * min(max((x - a.x()) / span, 0), 1) for x in (rect.left(), rect.right())]
    return min(at) < rect.bottom() + 4 and max(at) > rect.top() - 4


def _way_back(source: End, target: End) -> float:
    """Between the two nodes if there is room, else under both; wires to lower ports keep outside."""
    s, t = source.node.rect, target.node.rect
    if t.top() - s.bottom() >= CLEAR:
        return max(t.top() - BAND_GAP / 2, (s.bottom() + t.top()) / 2) - _APART * target.rank
    if s.top() - t.bottom() >= CLEAR:
        return min(t.bottom() + BAND_GAP / 2, (s.top() + t.bottom()) / 2) + _APART * (target.ports - 1 - target.rank)
    return max(s.bottom(), t.bottom()) + CLEAR + _APART * (target.ports - 1 - target.rank)
