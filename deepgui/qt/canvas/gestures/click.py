"""Gestures that are clicks: they act on release, if the mouse stayed where it was pressed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from deepgui.graph.values import Wire
from deepgui.qt.canvas.gestures.base import Gesture, Pointer
from deepgui.qt.canvas.hits import PortRef

if TYPE_CHECKING:
    from deepgui.qt.canvas.view import CanvasView


class BreakPort(Gesture):
    """Alt+click on a port removes its wires."""

    def __init__(self, view: CanvasView, at: Pointer, port: PortRef) -> None:
        super().__init__(view, at)
        self._port = port

    def release(self, at: Pointer) -> None:
        if not self.dragging:
            self.view.act.break_port(self._port)


class PickWire(Gesture):
    """A click selects a wire, Shift or Ctrl with others; Alt+click removes it."""

    def __init__(self, view: CanvasView, at: Pointer, wire: Wire) -> None:
        super().__init__(view, at)
        self._wire = wire

    def release(self, at: Pointer) -> None:
        if self.dragging:
            return
        if at.holds(Qt.KeyboardModifier.AltModifier):
            self.view.act.disconnect((self._wire,))
        elif at.holds(Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier):
            self.view.pick_wires(self.view.picked_wires ^ {self._wire})
        else:
            self.view.session.select(())
            self.view.pick_wires((self._wire,))


class ShowProblem(Gesture):
    """A click on a node's badge says what is wrong and offers the fix."""

    def __init__(self, view: CanvasView, at: Pointer, node: str) -> None:
        super().__init__(view, at)
        self._node = node

    def release(self, at: Pointer) -> None:
        if not self.dragging:
            self.view.session.select((self._node,))
            self.view.overlays.show_problems(self._node)
