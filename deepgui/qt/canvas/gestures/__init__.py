"""Mouse gestures: each is an object of its own that lives from press to release. The view only hands on events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from deepgui.qt.canvas.gestures.base import Gesture, Pointer
from deepgui.qt.canvas.gestures.click import BreakPort, PickWire, ShowProblem
from deepgui.qt.canvas.gestures.move import MoveNodes
from deepgui.qt.canvas.gestures.pan import Pan
from deepgui.qt.canvas.gestures.rubber import RubberBand
from deepgui.qt.canvas.gestures.wire import DrawWire, lift

if TYPE_CHECKING:
    from deepgui.qt.canvas.hits import Hit
    from deepgui.qt.canvas.view import CanvasView

__all__ = ["Gesture", "Pan", "Pointer", "begin"]


def begin(view: CanvasView, at: Pointer, button: Qt.MouseButton, hit: Hit, *, space: bool) -> Gesture | None:
    """The gesture that a press starts, or None if it means nothing here."""
    if button == Qt.MouseButton.MiddleButton or (space and button == Qt.MouseButton.LeftButton):
        return Pan(view, at)
    if button != Qt.MouseButton.LeftButton:
        return None
    if hit.badge:
        return ShowProblem(view, at, hit.node)
    if hit.port is not None:
        if at.modifiers & Qt.KeyboardModifier.AltModifier:
            return BreakPort(view, at, hit.port)
        lifted = lift(view, hit.port) if at.modifiers & Qt.KeyboardModifier.ControlModifier else None
        return DrawWire(view, at, *(lifted or (hit.port, None)))
    if hit.node:
        return MoveNodes(view, at, hit.node)
    return PickWire(view, at, hit.wire) if hit.wire else RubberBand(view, at)
