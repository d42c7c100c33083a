"""Search to add, and find a node: two uses of the same popup."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QPointF, Signal
from PySide6.QtWidgets import QWidget

from deepgui.graph.values import Node
from deepgui.qt import shelf
from deepgui.qt.canvas import connections
from deepgui.qt.canvas.card import details
from deepgui.qt.canvas.hits import PortRef
from deepgui.qt.canvas.popup import Entry, PickList
from deepgui.qt.palette.search import rank
from deepgui.qt.session import Session


class SearchPopup(PickList):
    """The layer kinds, best match first; with an ``origin`` only those that a wire from it could end at.

    Signals:
        picked(kind, at, origin): place this kind at this scene point and wire it to the origin, if there is one.
    """

    picked = Signal(str, QPointF, object)

    def __init__(self, parent: QWidget, session: Session) -> None:
        self._session = session
        self._origin: PortRef | None = None
        self._at = QPointF()
        none = "No layer fits. Try another word, or part of one."
        super().__init__(parent, "search_popup", "search_edit", "Add a layer: type a name", self._layers, none)
        self.chosen.connect(lambda kind: self.picked.emit(kind, self._at, self._origin))

    def ask(self, view_pos: QPoint, at: QPointF, origin: PortRef | None = None) -> None:
        """Open for a place in the scene."""
        self._at, self._origin = at, origin
        self.open_at(view_pos)

    def _layers(self, query: str) -> Sequence[Entry]:
        fits = None
        if self._origin is not None:
            carried = None
            if self._origin.side == "out":
                carried = connections.flow(self._session.report, self._origin)
            fits = connections.fits(self._origin, carried)
        found = [s for s in rank(query, shelf.offered(self._session), fits) if not shelf.refusal(self._session, s.kind)]
        return [Entry(s.kind, s.kind, s.summary or s.category, s.category) for s in found]


class FindPopup(PickList):
    """The nodes of the network in view, by name or kind. ``chosen`` gives the id."""

    def __init__(self, parent: QWidget, session: Session) -> None:
        self._session = session
        none = "No node has this in its name or kind."
        super().__init__(parent, "find_popup", "find_edit", "Find a node by name or kind", self._nodes, none)

    def _nodes(self, query: str) -> Sequence[Entry]:
        words = query.casefold().split()
        nodes = self._session.network.nodes.values()
        hits = [n for n in nodes if all(w in f"{n.label} {n.kind}".casefold() for w in words)]
        if words:
            hits.sort(key=lambda n: (not n.label.casefold().startswith(words[0]), len(n.label)))
        return [self._entry(n) for n in hits]

    def _entry(self, node: Node) -> Entry:
        spec = self._session.registry.get(node.kind)
        settings = " · ".join(d.text for d in details(spec, node.params, None)) if spec else ""
        summary = f"{node.kind}  {settings}".strip()
        return Entry(node.id, node.label, summary, spec.category if spec else "")
