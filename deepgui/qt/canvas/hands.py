"""What the mouse and the keyboard are doing to the canvas: the gesture under way, what is hovered, what is held."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent

from deepgui.qt.canvas import gestures, keys, menus
from deepgui.qt.canvas.gestures import Gesture, Pointer
from deepgui.qt.canvas.hits import NOTHING, Hit

if TYPE_CHECKING:
    from PySide6.QtCore import QPointF

    from deepgui.qt.canvas.view import CanvasView

_PORT_PIXELS = 12.0
_TAP_SECONDS = 0.4


class Hands:
    """Turns events of the view into gestures and actions.

    Attributes:
        gesture: what lasts from a press to its release; None in between.
        hover: what lies under the mouse while no gesture is under way.
    """

    def __init__(self, view: CanvasView) -> None:
        self._view = view
        self.gesture: Gesture | None = None
        self.hover = NOTHING
        self._button = Qt.MouseButton.NoButton
        self._space: float | None = None

    def press(self, event: QMouseEvent) -> None:
        """Begin the gesture that a button means here; a second button during one means nothing."""
        if self.gesture is not None:
            return
        at = self._pointer(event)
        held = self._space is not None
        if held:
            self._space = 0.0  # used for panning, so letting go of it is no tap
        self._button = event.button()
        self.gesture = gestures.begin(self._view, at, event.button(), self.hit(at.scene), space=held)
        self._refresh()

    def move(self, event: QMouseEvent) -> None:
        """Go on with the gesture, or look what is under the mouse."""
        at = self._pointer(event)
        if self.gesture is not None:
            self.gesture.move(at)
            self._view.viewport().update()
            return
        hover = self.hit(at.scene)
        if hover != self.hover:
            self.hover = hover
            self._refresh()

    def release(self, event: QMouseEvent) -> None:
        """End the gesture; this is where it edits."""
        if self.gesture is None or event.button() != self._button:
            return
        gesture, self.gesture = self.gesture, None
        gesture.release(self._pointer(event))
        self._refresh()

    def double_click(self, event: QMouseEvent) -> None:
        """Search on empty canvas; go into a block; rename another node."""
        at = self._pointer(event)
        hit = self.hit(at.scene)
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if hit.empty:
            self._view.open_search(at.scene)
        elif hit.node and hit.port is None and not hit.badge:
            if self._view.blocks.is_block(hit.node) or self._view.blocks.is_written(hit.node):
                self.give_up()
                self._view.blocks.enter(hit.node)
            else:
                self._view.rename(hit.node)

    def menu(self, event: QContextMenuEvent) -> None:
        """Open the menu of what was clicked; the menu key's is that of the canvas."""
        self.give_up()
        scene = self._view.mapToScene(event.pos())
        hit = self.hit(scene) if event.reason() == QContextMenuEvent.Reason.Mouse else NOTHING
        menus.build(self._view, hit, scene).popup(event.globalPos())

    def key_press(self, event: QKeyEvent) -> bool:
        """Do what a key means; False if it means nothing."""
        if event.key() == Qt.Key.Key_Escape:
            self._escape()
        elif event.key() != Qt.Key.Key_Space or event.modifiers():
            return keys.press(self._view, event)
        elif not event.isAutoRepeat() and self._space is None:
            self._space = time.monotonic()
            self._refresh()
        return True

    def key_release(self, event: QKeyEvent) -> None:
        """A tap of Space searches; holding it was for panning."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat() and self._space is not None:
            tapped = time.monotonic() - self._space < _TAP_SECONDS
            self.let_go()
            if tapped:
                self._view.open_search()

    def let_go(self) -> None:
        """No key is held any more."""
        self._space = None
        self._refresh()

    def give_up(self) -> None:
        """Cancel the gesture under way; the value stays as it was."""
        gesture, self.gesture = self.gesture, None
        if gesture is not None:
            gesture.cancel()
        self._refresh()

    def forget_hover(self) -> None:
        """The mouse left, or what it hovered may be gone."""
        self.hover = NOTHING
        self._view.viewport().update()

    def hit(self, scene: QPointF) -> Hit:
        """What is at a scene point; ports are caught from as far in pixels at any zoom, within reason."""
        return self._view.mirror.hit(scene, min(max(_PORT_PIXELS / self._view.zoom, 8.0), 20.0))

    def _pointer(self, event: QMouseEvent) -> Pointer:
        at = event.position()
        scene = self._view.viewportTransform().inverted()[0].map(at)
        return Pointer(scene, at.toPoint(), event.modifiers())

    def _escape(self) -> None:
        if self.gesture is not None:
            self.give_up()
        elif self._view.overlays.problems.isVisible():
            self._view.overlays.problems.close_up()
        elif not self._view.blocks.leave():
            self._view.session.select(())
            self._view.pick_wires(())

    def _refresh(self) -> None:
        shape = Qt.CursorShape.ArrowCursor
        if isinstance(self.gesture, gestures.Pan):
            shape = Qt.CursorShape.ClosedHandCursor
        elif self._space is not None:
            shape = Qt.CursorShape.OpenHandCursor
        elif self.hover.badge:
            shape = Qt.CursorShape.PointingHandCursor
        elif self.hover.port is not None:
            shape = Qt.CursorShape.CrossCursor
        self._view.viewport().setCursor(shape)
        self._view.viewport().update()
