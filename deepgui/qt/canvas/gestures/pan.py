"""Drag the view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepgui.qt.canvas.gestures.base import Gesture, Pointer

if TYPE_CHECKING:
    from deepgui.qt.canvas.view import CanvasView


class Pan(Gesture):
    """Middle-drag, or drag with Space held: the scene follows the hand."""

    def __init__(self, view: CanvasView, at: Pointer) -> None:
        super().__init__(view, at)
        self._last = at.view

    def drag(self, at: Pointer) -> None:
        step = at.view - self._last
        self._last = at.view
        self.view.camera.scroll_by(-step.x(), -step.y())

    def cancel(self) -> None:
        step = self._last - self.start.view
        self.view.camera.scroll_by(step.x(), step.y())
