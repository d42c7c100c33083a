"""What holds for one painted frame: zoom, level of detail, and what the mouse and the selection say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter, QTransform

from deepgui.graph.values import Wire
from deepgui.qt.canvas.card import Side
from deepgui.qt.canvas.hits import PortRef
from deepgui.qt.canvas.style import Style


class Level(IntEnum):
    """How much is drawn of a node."""

    BLOCK = 0
    TITLE = 1
    FULL = 2


FULL_FROM = 0.45
TITLE_FROM = 0.2
FULL_NODES = 160
TITLE_NODES = 320
"""So many nodes are drawn at a level at most: the budget of a 16 ms frame, whatever the window's size."""


def level(scale: float, nodes: int) -> Level:
    """The detail that is readable at a zoom and affordable for that many nodes in view."""
    if scale >= FULL_FROM and nodes <= FULL_NODES:
        return Level.FULL
    return Level.TITLE if scale >= TITLE_FROM and nodes <= TITLE_NODES else Level.BLOCK


@dataclass
class Focus:
    """While a wire is drawn: which ports would take it, and the one that it would go to now.

    ``blocked`` are the nodes that it must not reach, because it would close a cycle.
    """

    side: Side
    blocked: frozenset[str]
    target: PortRef | None = None

    def accepts(self, port: PortRef) -> bool:
        return port.side == self.side and port.node not in self.blocked


@dataclass
class Frame:
    """One frame. ``to`` maps the scene to the device's own pixels, rounded so that sprites stay sharp."""

    style: Style
    scale: float
    dx: float
    dy: float
    level: Level = Level.FULL
    selection: frozenset[str] = frozenset()
    hover: str = ""
    hover_port: PortRef | None = None
    hover_wire: Wire | None = None
    wires: frozenset[Wire] = frozenset()
    focus: Focus | None = None
    hidden: Wire | None = None

    def device(self, x: float, y: float) -> QPointF:
        """A scene point in whole pixels of the painter's device coordinates."""
        return QPointF(round(x * self.scale + self.dx), round(y * self.scale + self.dy))

    def card_transform(self, origin: QPointF) -> QTransform:
        """The transform under which (0, 0) is a card's corner."""
        return QTransform(self.scale, 0, 0, self.scale, origin.x(), origin.y())

    def scene_transform(self) -> QTransform:
        return QTransform(self.scale, 0, 0, self.scale, self.dx, self.dy)


IDENTITY = QTransform()


def begin(painter: QPainter, style: Style, **state: Any) -> Frame:
    """A frame for a painter whose world transform is the view's."""
    world = painter.worldTransform()
    device = painter.device()
    ratio = device.devicePixelRatioF() if device is not None else 1.0
    style.resolution(world.m11(), ratio)
    return Frame(style, world.m11(), world.dx(), world.dy(), **state)
