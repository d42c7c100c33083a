"""The node-graph editor."""

from deepgui.qt.canvas.view import CanvasView

__all__ = ["CanvasView"]
