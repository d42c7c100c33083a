"""Draw a wire from either end, or take one by its end and put it elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter

from deepgui.graph.values import Wire
from deepgui.qt.canvas import connections
from deepgui.qt.canvas.frame import Focus, Frame
from deepgui.qt.canvas.gestures.base import Gesture, Pointer
from deepgui.qt.canvas.hits import PortRef
from deepgui.qt.canvas.wire_item import curve

if TYPE_CHECKING:
    from deepgui.qt.canvas.view import CanvasView

REACH = 16.0
"""Pixels around a port that catch a wire being drawn."""


def lift(view: CanvasView, port: PortRef) -> tuple[PortRef, Wire] | None:
    """The wire at a port, and its other end, which holds while the wire is moved. None if there is not just one."""
    network = view.session.network
    if port.side == "in":
        wires = [w for w in network.into(port.node, port.port) if w.index == port.index]
    else:
        wires = list(network.out_of(port.node, port.port))
    if len(wires) != 1:
        return None
    output, into = connections.ends(wires[0])
    return (output if port.side == "in" else into), wires[0]


class DrawWire(Gesture):
    """Drag from a port to another, to a node's body (its first free port), or to empty canvas (search what fits)."""

    def __init__(self, view: CanvasView, at: Pointer, origin: PortRef, lifted: Wire | None = None) -> None:
        super().__init__(view, at)
        self.origin = origin
        self.lifted = lifted
        self._tip = at.scene
        self._target: PortRef | None = None
        self._refusal = ""
        network = view.session.network
        if lifted is not None:  # the wire in hand is no obstacle to putting it elsewhere
            network = connections.without(network, lifted)
        self._network = network
        blocked = connections.blocked(network, origin)
        self._focus = Focus(connections.opposite(origin.side), blocked)

    def drag(self, at: Pointer) -> None:
        self.focus, self.hidden = self._focus, self.lifted
        self._tip = at.scene
        self._target = self._find(at)
        self._refusal = self.hint = ""
        if self._target is not None:
            self._refusal = connections.refusal(self._network, self.view.session.registry, self.origin, self._target)
            self.hint = self._refusal or self._doubt(self._target)
        self.focus.target = None if self._refusal else self._target
        end = self.view.mirror.port_point(self._target) if self._target and not self._refusal else None
        self._tip = end or at.scene

    def _find(self, at: Pointer) -> PortRef | None:
        hit = self.view.mirror.hit(at.scene, REACH / self.view.zoom)
        if hit.port is not None and hit.port != self.origin:
            return hit.port
        if hit.node and hit.node != self.origin.node:
            return connections.free_slot(self.view.mirror.nodes[hit.node].card, self.origin)
        return None

    def _doubt(self, target: PortRef) -> str:
        session = self.view.session
        wire = connections.between(self.origin, target)
        return connections.doubt(session.network, session.registry, session.report, wire)

    def release(self, at: Pointer) -> None:
        if not self.dragging:
            if self.lifted is None:
                self.view.session.select({self.origin.node})
            return
        self.drag(at)
        if self._target is not None:
            if self._refusal:
                self.view.overlays.say(self._refusal)
            else:
                self.view.act.connect(self.origin, self._target, self.lifted)
        elif self.view.mirror.hit(at.scene).node:
            return
        elif self.lifted is not None:
            self.view.act.disconnect((self.lifted,))
        else:
            self.view.open_search(at.scene, self.origin)

    def paint(self, painter: QPainter, frame: Frame) -> None:
        held = self.view.mirror.port_point(self.origin)
        if held is None or not self.dragging:
            return
        a, b = (held, self._tip) if self.origin.side == "out" else (self._tip, held)
        pen = frame.style.pen("error" if self._refusal else "wire_hot", 2.5)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(curve(a, b, loose=True))
