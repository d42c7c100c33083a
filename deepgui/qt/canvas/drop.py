"""A layer dragged from the palette: it lands at the cursor, or in the wire under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent

from deepgui.graph.values import Wire
from deepgui.qt import shelf
from deepgui.qt.canvas import connections

if TYPE_CHECKING:
    from deepgui.qt.canvas.view import CanvasView

MIME = "application/x-deepgui-layer"
_REACH = 14.0


class PaletteDrop:
    """What the view shows while something is dragged over it: the wire that would take it, and a hint."""

    def __init__(self, view: CanvasView) -> None:
        self._view = view
        self.marked: Wire | None = None
        self.hint = ""
        self.at: QPoint | None = None

    def enter(self, event: QDragEnterEvent) -> None:
        """Accept what the palette carries, if it is a layer that can be placed."""
        if self._kind(event):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
        else:
            event.ignore()

    def move(self, event: QDragMoveEvent) -> None:
        """Mark the wire under the cursor."""
        self.enter(event)
        self.at = event.position().toPoint()
        self.marked = self._wire(event, self._kind(event))
        self.hint = "Insert here" if self.marked else ""
        self._view.viewport().update()

    def leave(self) -> None:
        """Nothing is being dragged any more."""
        self.marked, self.hint, self.at = None, "", None
        self._view.viewport().update()

    def drop(self, event: QDropEvent) -> None:
        """Place the layer."""
        kind = self._kind(event)
        wire = self._wire(event, kind)
        self.leave()
        if not kind:
            event.ignore()
            return
        at = self._view.mapToScene(event.position().toPoint())
        if wire is not None:
            self._view.act.insert(kind, wire, at)
        else:
            self._view.act.place(kind, at)
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self._view.setFocus(Qt.FocusReason.OtherFocusReason)

    def _kind(self, event: QDropEvent) -> str:
        data = event.mimeData()
        if not data.hasFormat(MIME):
            return ""
        kind = bytes(data.data(MIME).data()).decode("utf-8", "replace")
        session = self._view.session
        return kind if kind in shelf.offered(session) and not shelf.refusal(session, kind) else ""

    def _wire(self, event: QDropEvent, kind: str) -> Wire | None:
        if not kind or connections.passes_through(shelf.offered(self._view.session), kind) is None:
            return None
        at = self._view.mapToScene(event.position().toPoint())
        return self._view.mirror.wire_at(at, max(_REACH, _REACH / self._view.zoom))
