"""The canvas: hands mouse and keys to gestures and actions, and paints what the mirror holds."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Collection
from typing import Any

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QCursor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsScene, QGraphicsView, QToolTip, QWidget

from deepgui.graph.values import Wire
from deepgui.qt import shelf
from deepgui.qt.canvas import frame as frames
from deepgui.qt.canvas import keys, paint, tips
from deepgui.qt.canvas.actions import Actions
from deepgui.qt.canvas.blocks import BlockActions
from deepgui.qt.canvas.camera import Camera
from deepgui.qt.canvas.drop import PaletteDrop
from deepgui.qt.canvas.hands import Hands
from deepgui.qt.canvas.hits import NOTHING, PortRef
from deepgui.qt.canvas.mirror import FAR, Mirror
from deepgui.qt.canvas.overlays import Overlays
from deepgui.qt.canvas.style import style
from deepgui.qt.canvas.travel import Travel
from deepgui.qt.session import Session
from deepgui.qt.theme import current

log = logging.getLogger(__name__)


def guarded(handler: Callable[..., None]) -> Callable[..., None]:
    """An event handler whose mistakes are logged and end the gesture, but never reach Qt."""

    @functools.wraps(handler)
    def safe(view: CanvasView, *args: Any) -> None:
        try:
            handler(view, *args)
        except Exception:
            log.exception("The canvas could not handle %s", handler.__name__)
            view.hands.give_up()

    return safe


class CanvasView(QGraphicsView):
    """The drawing of the network in view.

    It holds no part of the model: nodes, wires and selection are the session's. What it does hold is where
    one looks, what the mouse is doing, and which wires are picked.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setScene(QGraphicsScene(-FAR, -FAR, 2 * FAR, 2 * FAR, self))
        self.session = session
        self.mirror = Mirror(session, self)
        self.act = Actions(session, self.mirror)
        self.blocks = BlockActions(self)
        self.camera = Camera(self, self._moved)
        self.keys = keys.USUAL
        self.picked_wires: frozenset[Wire] = frozenset()
        self.hands = Hands(self)
        self._drop = PaletteDrop(self)
        self._batch: paint.Batch | None = None
        self._fitted = True
        self._set_up()
        self.overlays = Overlays(self)
        self._listen()
        self._travel = Travel(self)

    def _set_up(self) -> None:
        self.setObjectName("canvas")
        self.setAccessibleName("Network")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Frames are painted whole: nothing to invalidate piece by piece, and one frame is always cheap enough.
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.scene().setItemIndexMethod(QGraphicsScene.ItemIndexMethod.NoIndex)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.AnchorViewCenter)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAcceptDrops(True)
        self.setMinimumSize(160, 120)

    def _listen(self) -> None:
        self.mirror.changed.connect(self._on_change)
        self.mirror.tried.connect(self._on_try)
        self.session.changed.connect(lambda _before, _after: self._on_edit())
        self.session.document_replaced.connect(self._on_document)
        self.session.selection_changed.connect(self.viewport().update)
        current().changed.connect(self._on_change)

    # -- following the session ---------------------------------------------------------------------

    def _on_change(self) -> None:
        self._batch = None
        self.overlays.redraw()
        self.viewport().update()

    def _on_try(self) -> None:
        """While nodes are dragged the map waits."""
        self._batch = None
        self.viewport().update()

    def _on_edit(self) -> None:
        """Somebody edited: what a gesture under way started from is gone, unless it was its own edit."""
        self.picked_wires = frozenset(w for w in self.picked_wires if w in self.mirror.wires)
        self.hands.hover = NOTHING
        if self.hands.gesture is not None:
            self.hands.give_up()

    def arrive(self) -> None:
        """Another drawing is in view: whatever was being done to the one before is over."""
        self.hands.give_up()
        self.hands.hover = NOTHING
        self.overlays.close()
        self.picked_wires = frozenset()
        self._fitted = True

    def _on_document(self) -> None:
        self.arrive()
        self.fit_all()
        self._on_change()

    # -- where one looks ---------------------------------------------------------------------------

    @property
    def zoom(self) -> float:
        """Pixels a scene unit."""
        return self.camera.zoom

    def visible_rect(self) -> QRectF:
        """The part of the scene that is in view."""
        return self.mapToScene(self.viewport().rect()).boundingRect()

    def fit_all(self) -> None:
        """Show the whole network."""
        self.camera.fit(self.mirror.bounds(), self.overlays.zoom_place())

    def fit_selection(self) -> None:
        """Show the selected nodes; everything if none is selected."""
        self.camera.fit(self.mirror.bounds(self.session.selection or None), self.overlays.zoom_place())
        self._fitted = False

    def centre_on(self, node_id: str) -> None:
        """Select a node and bring it to the middle; no harm if it does not exist."""
        if node_id in self.mirror.nodes:
            self.session.select((node_id,))
            if self.zoom < frames.FULL_FROM:
                self.camera.zoom_to(1.0)
            self.look_at(self.mirror.nodes[node_id].rect.center())

    def look_at(self, at: QPointF) -> None:
        """Bring a scene point to the middle."""
        self._fitted = False
        self.centerOn(at)
        self._moved()

    def _moved(self) -> None:
        self.overlays.moved()
        self.viewport().update()

    # -- what the main window and the keys ask for -------------------------------------------------

    def copy(self) -> None:
        """Put the selected nodes on the clipboard."""
        self.act.copy()

    def cut(self) -> None:
        """Copy, then delete."""
        if self.act.copy():
            self.delete()

    def paste(self, *, keep_inputs: bool = False) -> None:
        """Paste at the cursor; ``keep_inputs`` wires the copies to what fed the originals."""
        if not self.act.paste(self._cursor_scene(), keep_inputs=keep_inputs):
            self.overlays.say("The clipboard holds no layers.")

    def duplicate(self) -> None:
        """Copy the selected nodes beside themselves, and bring the copies into view."""
        self.act.duplicate()
        self._reveal(*self.session.selection)

    def delete(self, *, heal: bool = False) -> None:
        """Remove the selected nodes and picked wires; ``heal`` joins what the nodes stood between."""
        self.act.delete(self.picked_wires, heal=heal)

    def select_all(self) -> None:
        """Select every node."""
        self.session.select(self.session.network.nodes)

    def auto_layout(self) -> None:
        """Lay out the selection, or everything, and show it."""
        self.act.auto_layout()
        if len(self.session.selection) < 2:
            self.fit_all()

    def place(self, kind: str) -> None:
        """Place a layer right of the selected node and wire it; without a selection in the middle of the view."""
        if self._may_place(kind):
            self._reveal(self.act.place_beside(kind, self.visible_rect().center()))

    def place_at(self, kind: str, at: QPointF, origin: PortRef | None = None) -> None:
        """Place a layer at a scene point, wired to ``origin`` if given; nothing happens for an unknown kind."""
        if self._may_place(kind):
            self._reveal(self.act.place(kind, at, origin))

    def _may_place(self, kind: str) -> bool:
        """Whether a kind can be placed here; the canvas says why not."""
        refusal = shelf.refusal(self.session, kind)
        if refusal:
            self.overlays.say(refusal)
        return not refusal and kind in shelf.offered(self.session)

    def open_search(self, at: QPointF | None = None, origin: PortRef | None = None) -> None:
        """Search a layer to add at a scene point (the cursor's, else the middle), wired to ``origin`` if given."""
        self.overlays.ask(self._cursor_scene() if at is None else at, origin)

    def find(self) -> None:
        """Open the small list of nodes."""
        self.overlays.find()

    def rename(self, node: str = "") -> None:
        """Edit a node's name where it stands; the selected one if none is given."""
        node = node or next(iter(self.session.selection), "")
        if node in self.mirror.nodes:
            self._reveal(node)
            self.overlays.rename(node)

    def pick_wires(self, wires: Collection[Wire]) -> None:
        """Select wires; they take part in Delete."""
        self.picked_wires = frozenset(wires)
        self.viewport().update()

    def batch(self) -> paint.Batch:
        """Everything as rectangles and lines, kept until something changes."""
        if self._batch is None:
            self._batch = paint.batch(self.mirror, style())
        return self._batch

    def _reveal(self, *nodes: str) -> None:
        """Bring nodes into view, clear of the map in the corner."""
        rect, covered = self.mirror.bounds(nodes), self.overlays.minimap.covered()
        if rect.isNull():
            return
        if not self.visible_rect().contains(rect) or self.mapFromScene(rect).boundingRect().intersects(covered):
            self._fitted = False
            self.ensureVisible(rect, max(48, covered.width() + 24), 48)
            self._moved()

    def _cursor_scene(self) -> QPointF:
        """The scene point under the mouse, or the middle of the view if the mouse is elsewhere."""
        at = self.viewport().mapFromGlobal(QCursor.pos())
        return self.mapToScene(at if self.viewport().rect().contains(at) else self.viewport().rect().center())

    # -- mouse -------------------------------------------------------------------------------------

    @guarded
    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self.overlays.problems.hide()
        self._fitted = False
        self.hands.press(event)

    @guarded
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.hands.move(event)

    @guarded
    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.hands.release(event)

    @guarded
    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.hands.double_click(event)

    @guarded
    def wheelEvent(self, event: QWheelEvent) -> None:
        event.accept()
        self._fitted = False
        self.camera.wheel(event, zooming=bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))

    @guarded
    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.hands.menu(event)

    def leaveEvent(self, event: QEvent) -> None:
        self.hands.forget_hover()
        super().leaveEvent(event)

    # -- dragging from the palette -----------------------------------------------------------------

    @guarded
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self._drop.enter(event)

    @guarded
    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self._drop.move(event)

    @guarded
    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._drop.leave()

    @guarded
    def dropEvent(self, event: QDropEvent) -> None:
        self._fitted = False
        self._drop.drop(event)

    # -- keys --------------------------------------------------------------------------------------

    def focusNextPrevChild(self, forwards: bool) -> bool:
        """Tab adds a layer; Shift+Tab still leaves the canvas."""
        return False if forwards else super().focusNextPrevChild(forwards)

    @guarded
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self.hands.key_press(event):
            event.ignore()

    @guarded
    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        self.hands.key_release(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.hands.let_go()
        super().focusOutEvent(event)

    # -- everything else that Qt tells -------------------------------------------------------------

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            hit = self.hands.hit(self.mapToScene(event.pos()))
            QToolTip.showText(event.globalPos(), tips.text(self.session, self.mirror, hit), self.viewport())
            return True
        if isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
            self._fitted = False
            self.camera.zoom_by(max(0.2, 1.0 + event.value()), event.position().toPoint())
            return True
        return super().viewportEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_overlays()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._lay_overlays()

    def _lay_overlays(self) -> None:
        self.overlays.lay()
        if self._fitted:  # keeps showing everything while the window finds its size, until one looks elsewhere
            self.fit_all()

    def sizeHint(self) -> QSize:
        return QSize(900, 640)

    # -- painting ----------------------------------------------------------------------------------

    @guarded
    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:
        gesture = self.hands.gesture
        hover = NOTHING if gesture is not None else self.hands.hover
        frame = frames.begin(
            painter,
            style(),
            selection=self.session.selection,
            hover=hover.node,
            hover_port=hover.port,
            hover_wire=(gesture or self._drop).marked or hover.wire,
            wires=self.picked_wires,
            focus=gesture.focus if gesture else None,
            hidden=gesture.hidden if gesture else None,
        )
        paint.paint_grid(painter, frame, rect)
        paint.paint_network(painter, frame, rect, self.mirror, self.batch)
        if self.session.levels:
            paint.paint_inside(painter, frame, self.viewport().rect())
        if gesture is not None:
            gesture.paint(painter, frame)

    @guarded
    def drawForeground(self, painter: QPainter, rect: QRectF) -> None:
        painter.save()
        painter.resetTransform()
        gesture = self.hands.gesture
        if gesture is not None and gesture.hint:
            self.overlays.paint(painter, gesture.hint, gesture.at)
        else:
            self.overlays.paint(painter, self._drop.hint, self._drop.at)
        painter.restore()
