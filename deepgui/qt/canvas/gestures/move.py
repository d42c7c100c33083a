"""Move nodes, select them, and drop one onto a wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QPainter

from deepgui.graph.layout import GRID, snap
from deepgui.graph.values import Point, Wire
from deepgui.qt.canvas import connections
from deepgui.qt.canvas.card import PORT_Y, WIDTH
from deepgui.qt.canvas.frame import Frame
from deepgui.qt.canvas.gestures.base import Gesture, Pointer
from deepgui.qt.canvas.hits import PortRef

if TYPE_CHECKING:
    from deepgui.qt.canvas.view import CanvasView

ALIGN = 10.0
"""A wire that is so little off the horizontal snaps to it, in scene units."""


class MoveNodes(Gesture):
    """Drag moves the selected nodes, live, as one step of undo; a click selects (Shift adds, Ctrl toggles).

    Places snap to the grid and to where a wire to a node that stays runs straight; Alt moves freely.
    An unconnected node let go over a wire is put into it.
    """

    def __init__(self, view: CanvasView, at: Pointer, node: str) -> None:
        super().__init__(view, at)
        self._node = node
        self._before = view.session.selection
        self._picked_before = view.picked_wires
        self._places: dict[str, Point] = {}
        self._rows: list[tuple[PortRef, PortRef]] = []
        self._straight: list[QLineF] = []
        if node not in self._before and not at.holds(Qt.KeyboardModifier.ControlModifier):
            adding = at.holds(Qt.KeyboardModifier.ShiftModifier)
            view.session.select({node, *self._before} if adding else {node})
        view.pick_wires(())

    def drag(self, at: Pointer) -> None:
        session, mirror = self.view.session, self.view.mirror
        if not self._places:
            moving = set(session.selection) | {self._node}
            session.select(moving)
            self._places = {n: Point(mirror.nodes[n].x, mirror.nodes[n].y) for n in moving if n in mirror.nodes}
            self._rows = self._wires_to_the_rest()
        if self._node not in self._places:
            return
        shift = at.scene - self.start.scene
        if not at.holds(Qt.KeyboardModifier.AltModifier):
            shift = self._snapped(shift)
        mirror.try_places({n: Point(p.x + shift.x(), p.y + shift.y()) for n, p in self._places.items()})
        self._straight = self._guides()
        self.marked = self._wire_below()
        self.hint = "Insert here" if self.marked else ""

    def release(self, at: Pointer) -> None:
        mirror = self.view.mirror
        if not self.dragging:
            self._click(at)
            return
        now = {n: Point(mirror.nodes[n].x, mirror.nodes[n].y) for n in self._places if n in mirror.nodes}
        if now != self._places:
            if self.marked is not None:
                self.view.act.splice(self._node, self.marked, now)
            else:
                self.view.act.move(now)
        mirror.forget_tries()

    def cancel(self) -> None:
        self.view.mirror.forget_tries()
        self.view.session.select(self._before)
        self.view.pick_wires(self._picked_before)

    def paint(self, painter: QPainter, frame: Frame) -> None:
        painter.setPen(frame.style.pen("accent", 0))
        painter.drawLines(self._straight)

    def _click(self, at: Pointer) -> None:
        if at.holds(Qt.KeyboardModifier.ControlModifier):
            self.view.session.select(self._before ^ {self._node})
        elif not at.holds(Qt.KeyboardModifier.ShiftModifier):
            self.view.session.select({self._node})

    def _wires_to_the_rest(self) -> list[tuple[PortRef, PortRef]]:
        """Pairs of ports joined by a wire, first the one that moves, then the one that stays."""
        network = self.view.session.network
        pairs = []
        for node in self._places:
            pairs += [connections.ends(w) for w in network.out_of(node) if w.target not in self._places]
            pairs += [connections.ends(w)[::-1] for w in network.into(node) if w.source not in self._places]
        return pairs[:64]

    def _snapped(self, shift: QPointF) -> QPointF:
        grabbed = self._places[self._node]
        x = snap(grabbed.x + shift.x()) - grabbed.x
        y = snap(grabbed.y + shift.y()) - grabbed.y
        misses = [m for pair in self._rows if (m := self._miss(*pair)) is not None]
        off = min((m - shift.y() for m in misses), key=abs, default=None)
        return QPointF(x, shift.y() + off if off is not None and abs(off) <= ALIGN else y)

    def _miss(self, moving: PortRef, staying: PortRef) -> float | None:
        """How far down from where it was pressed the moving port would be level with the other."""
        item = self.view.mirror.nodes.get(moving.node)
        slot = item.card.slot(moving.side, moving.port, moving.index) if item else None
        other = self.view.mirror.port_point(staying)
        return None if slot is None or other is None else other.y() - self._places[moving.node].y - slot.y

    def _guides(self) -> list[QLineF]:
        lines = []
        for moving, staying in self._rows:
            a, b = self.view.mirror.port_point(moving), self.view.mirror.port_point(staying)
            if a is not None and b is not None and abs(a.y() - b.y()) < 0.5 and abs(a.x() - b.x()) > GRID:
                lines.append(QLineF(a, b))
        return lines

    def _wire_below(self) -> Wire | None:
        """The wire that a single unconnected node would be put into."""
        network, registry = self.view.session.network, self.view.session.registry
        if len(self._places) != 1 or network.into(self._node) or network.out_of(self._node):
            return None
        node = network.nodes.get(self._node)
        if node is None or connections.passes_through(registry, node.kind) is None:
            return None
        item = self.view.mirror.nodes[self._node]
        middle = QPointF(item.x + WIDTH / 2, item.y + PORT_Y)
        return self.view.mirror.wire_at(middle, 2 * GRID, (self._node,))
