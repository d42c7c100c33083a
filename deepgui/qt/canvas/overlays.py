"""What floats over the canvas: map, zoom, search, problems, the name being edited, and hints beside the mouse."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import QCursor, QPainter
from PySide6.QtWidgets import QToolButton

from deepgui.graph.blocks import REPEAT
from deepgui.qt.canvas import paint
from deepgui.qt.canvas.card import WIDTH
from deepgui.qt.canvas.hits import PortRef
from deepgui.qt.canvas.minimap import Minimap
from deepgui.qt.canvas.node_item import NodeItem
from deepgui.qt.canvas.problem_popup import ProblemPopup
from deepgui.qt.canvas.rename import RenameEdit
from deepgui.qt.canvas.search_popup import FindPopup, SearchPopup
from deepgui.qt.canvas.style import style

if TYPE_CHECKING:
    from deepgui.qt.canvas.view import CanvasView

_SAY_MS = 2500


class Overlays:
    """Widgets that lie on the view, children of it."""

    def __init__(self, view: CanvasView) -> None:
        self._view = view
        self.minimap = Minimap(view)
        self.search = SearchPopup(view, view.session)
        self.search.picked.connect(view.place_at)
        self.search.closed.connect(view.viewport().update)
        self.finder = FindPopup(view, view.session)
        self.finder.chosen.connect(view.centre_on)
        self.problems = ProblemPopup(view)
        self.problems.mend.connect(view.act.mend)
        self.problems.go.connect(view.blocks.go_to)
        self._name = RenameEdit(view)
        self._zoom = self._zoom_button()
        self._said = ""
        self._hush = QTimer(view)
        self._hush.setSingleShot(True)
        self._hush.timeout.connect(lambda: self.say(""))

    def _zoom_button(self) -> QToolButton:
        made = QToolButton(self._view)
        made.setObjectName("zoom_indicator")
        made.setToolTip("Zoom. Click for 100 %, again to fit all")
        made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        made.setAutoRaise(True)
        made.clicked.connect(self._toggle_zoom)
        return made

    def _toggle_zoom(self) -> None:
        if abs(self._view.zoom - 1.0) < 0.005:
            self._view.fit_all()
        else:
            self._view.camera.zoom_by(1 / self._view.zoom)

    def lay(self) -> None:
        """Find everything its place in a view of a new size."""
        self.moved()
        corner = self._view.viewport().geometry().bottomLeft()
        self._zoom.move(corner + QPoint(8, -self._zoom.height() - 8))

    def zoom_place(self) -> QRect:
        """Where the zoom stands, in pixels of the view."""
        return self._zoom.geometry()

    def moved(self) -> None:
        """The view looks elsewhere."""
        self._zoom.setText(f"{round(self._view.zoom * 100)} %")
        self._zoom.adjustSize()
        self.minimap.place()
        self.minimap.update()

    def redraw(self) -> None:
        """The drawing changed."""
        self.minimap.forget()
        self.minimap.place()

    def ask(self, at: QPointF, origin: PortRef | None) -> None:
        """Search a layer to place at a scene point, wired to ``origin`` if given."""
        self.search.ask(self._view.mapFromScene(at) + QPoint(8, -20), at, origin)

    def find(self) -> None:
        """List the nodes, at the top of the view."""
        self.finder.open_at(QPoint((self._view.width() - self.finder.width()) // 2, 16))

    def rename(self, node: str) -> None:
        """Edit a node's name over the name."""
        item = self._view.mirror.nodes[node]
        self._edit(item, 22, item.card.subtitle, "Name of the layer", self._view.act.rename)

    def rename_kind(self, node: str, done: Callable[[str, str], None] | None = None) -> None:
        """Edit the name of the block that a node uses, over the name."""
        item = self._view.mirror.nodes[node]
        self._edit(item, 4, item.card.title, "Name of the block", done or self._view.blocks.name)

    def repeat(self, node: str) -> None:
        """Edit how often a block is repeated, over its card."""
        item = self._view.mirror.nodes[node]
        used = self._view.session.network.nodes[node].params.get(REPEAT.name)
        now = "" if used is None else str(used)
        self._edit(item, 4, now, "How many in a row; =4 * depth for an expression", self._view.blocks.repeat)

    def _edit(self, item: NodeItem, down: float, text: str, hint: str, done: Callable[[str, str], None]) -> None:
        spot = QRectF(item.x + 44, item.y + down, WIDTH - 52, 22)
        self._name.begin(item.card.node, text, self._view.mapFromScene(spot).boundingRect(), hint, done)

    def close(self) -> None:
        """Close what is open: another drawing is in view."""
        self._name.drop()
        self.search.close_up()
        self.finder.close_up()
        self.problems.hide()

    def show_problems(self, node: str) -> None:
        """Say what is wrong with a node, beside its badge."""
        item = self._view.mirror.nodes.get(node)
        if item is not None and item.card.problems:
            beside = self._view.mapFromScene(item.rect.topRight()) + QPoint(16, 8)
            self.problems.show_for(item.card.problems, beside)

    def say(self, words: str) -> None:
        """Show a short text beside the mouse for a moment."""
        self._said = words
        if words:
            self._hush.start(_SAY_MS)
        self._view.viewport().update()

    def paint(self, painter: QPainter, hint: str, at: QPoint | None) -> None:
        """Paint the hint beside ``at`` (else the mouse), or what an empty canvas says. Maps the view's pixels."""
        inside = self._view.viewport().rect()
        if not self._view.mirror.nodes and self.search.isHidden():
            paint.paint_empty(painter, style(), inside)
        words = hint or self._said
        if words:
            mouse = self._view.viewport().mapFromGlobal(QCursor.pos())
            paint.paint_hint(painter, style(), words, mouse if at is None else at, inside)
