"""What all gestures have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QPainter

from deepgui.graph.values import Wire
from deepgui.qt.canvas.frame import Focus, Frame

if TYPE_CHECKING:
    from deepgui.qt.canvas.view import CanvasView

DRAG_DISTANCE = 4
"""Pixels that the mouse may tremble before a click becomes a drag."""


class Pointer(NamedTuple):
    """The mouse at one moment: in the scene, in the view, and the keys held."""

    scene: QPointF
    view: QPoint
    modifiers: Qt.KeyboardModifier

    def holds(self, key: Qt.KeyboardModifier) -> bool:
        return bool(self.modifiers & key)


class Gesture:
    """From a press to a release. The press is the constructor; a gesture edits at its release or not at all.

    Attributes:
        focus: ports that are of interest while it lasts; others are dimmed.
        hint: a short text shown near the mouse.
        marked: a wire that would be changed by letting go here.
        hidden: a wire that is being taken away.
        at: where the mouse is, in the view.
    """

    def __init__(self, view: CanvasView, at: Pointer) -> None:
        self.view = view
        self.start = at
        self.dragging = False
        self.focus: Focus | None = None
        self.hint = ""
        self.marked: Wire | None = None
        self.hidden: Wire | None = None
        self.at = at.view

    def move(self, at: Pointer) -> None:
        """The mouse moved. Subclasses override :meth:`drag`, which is called once it is clearly a drag."""
        self.at = at.view
        if not self.dragging:
            self.dragging = (at.view - self.start.view).manhattanLength() >= DRAG_DISTANCE
        if self.dragging:
            self.drag(at)

    def drag(self, at: Pointer) -> None:
        """The mouse moved far enough to mean it."""

    def release(self, at: Pointer) -> None:
        """The button was let go: make the edit."""

    def cancel(self) -> None:
        """Leave everything as it was before the press."""

    def paint(self, painter: QPainter, frame: Frame) -> None:
        """Paint what is being tried, above everything. The painter maps the scene."""
