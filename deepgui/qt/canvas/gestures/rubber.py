"""Select by a rectangle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from deepgui.qt.canvas.frame import Frame
from deepgui.qt.canvas.gestures.base import Gesture, Pointer

if TYPE_CHECKING:
    from deepgui.qt.canvas.view import CanvasView


class RubberBand(Gesture):
    """Drag over empty canvas selects what the rectangle touches; Shift adds, Ctrl toggles. A click clears."""

    def __init__(self, view: CanvasView, at: Pointer) -> None:
        super().__init__(view, at)
        self._before = view.session.selection
        self._band = QRectF()

    def drag(self, at: Pointer) -> None:
        self._band = QRectF(self.start.scene, at.scene).normalized()
        mirror = self.view.mirror
        inside = {i.card.node for i in mirror.nodes_near(self._band) if i.rect.intersects(self._band)}
        self.view.session.select(self._combined(inside, at))

    def _combined(self, inside: set[str], at: Pointer) -> set[str]:
        if at.holds(Qt.KeyboardModifier.ShiftModifier):
            return inside | self._before
        if at.holds(Qt.KeyboardModifier.ControlModifier):
            return inside ^ self._before
        return inside

    def release(self, at: Pointer) -> None:
        additive = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier
        if not self.dragging and not at.holds(additive):
            self.view.session.select(())
            self.view.pick_wires(())

    def cancel(self) -> None:
        self.view.session.select(self._before)

    def paint(self, painter: QPainter, frame: Frame) -> None:
        if not self.dragging:
            return
        fill = QColor(frame.style.color("selection"))
        fill.setAlpha(30)
        painter.setPen(frame.style.pen("selection", 0))
        painter.setBrush(fill)
        painter.drawRect(self._band)
