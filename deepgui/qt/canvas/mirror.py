"""What stands on the canvas: one item a node and one a wire, kept equal to the network in view.

The network is the truth. The mirror compares the value it shows with the session's by identity and
touches only what differs. Places that a gesture tries out (:meth:`Mirror.try_places`) are the one thing
that is not in the value, until the gesture commits or gives up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from PySide6.QtCore import QObject, QPointF, QRectF, Signal

from deepgui.graph import layout as autolayout
from deepgui.graph.layout import Size
from deepgui.graph.problems import Problem
from deepgui.graph.values import Network, Point, Wire
from deepgui.project.layer_training import in_force, of_network
from deepgui.project.values import Project
from deepgui.qt.canvas.card import WIDTH, Card, describe
from deepgui.qt.canvas.hits import NOTHING, Hit, PortRef
from deepgui.qt.canvas.node_item import NodeItem
from deepgui.qt.canvas.routes import End, end, lane
from deepgui.qt.canvas.spatial import Box, Cells
from deepgui.qt.canvas.wire_item import WireItem
from deepgui.qt.session import Session

PORT_REACH = 12.0
FAR = 400_000.0
"""Places beyond this, which only a damaged file has, are shown at it."""


class Mirror(QObject):
    """The items of the network in view.

    Signals:
        changed: something looks different; repaint.
        tried: only places that a gesture tries out are different.
    """

    changed = Signal()
    tried = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.nodes: dict[str, NodeItem] = {}
        self.wires: dict[Wire, WireItem] = {}
        self.network = Network("")
        self._derived: dict[str, Point] = {}
        self._tried: dict[str, Point] = {}
        self._problems: dict[str, tuple[Problem, ...]] = {}
        self._node_reports: dict[str, object] = {}
        self._node_cells: Cells[str] = Cells()
        self._wire_cells: Cells[Wire] = Cells()
        self._order = 0
        session.changed.connect(lambda _before, _after: self.sync())
        session.changed.connect(self._on_layers)
        session.document_replaced.connect(self.reset)
        session.level_changed.connect(self.reset)
        session.registry_ready.connect(self._redescribe)
        session.report_changed.connect(lambda _report: self._on_report())
        self.sync()

    # -- following the value -----------------------------------------------------------------------

    def reset(self) -> None:
        """Start over with another document."""
        for store in (self.nodes, self.wires, self._derived, self._tried, self._problems, self._node_reports):
            store.clear()
        self._node_cells.clear()
        self._wire_cells.clear()
        self.network = Network("")
        self.sync()

    def sync(self) -> None:
        """Show the session's network, touching only what differs from the one shown."""
        before, after = self.network, self._session.network
        if before is after:
            return
        self.network = after
        touched = self._sync_nodes(before, after) | self._sync_wires(before, after)
        for node in touched & self.nodes.keys():
            self.nodes[node].show(self._card(node))
        if before.layout is after.layout and before.nodes.keys() == after.nodes.keys():
            self._settle(touched & self.nodes.keys())
        else:
            self._place(touched)
        self.changed.emit()

    def _sync_nodes(self, before: Network, after: Network) -> set[str]:
        if before.nodes is after.nodes:
            return set()
        for gone in [n for n in self.nodes if n not in after.nodes]:
            del self.nodes[gone]
            self._node_cells.remove(gone)
            self._tried.pop(gone, None)
            self._derived.pop(gone, None)
        touched = {i for i, node in after.nodes.items() if before.nodes.get(i) is not node}
        for new in [i for i in after.nodes if i in touched and i not in self.nodes]:
            self._order += 1
            self.nodes[new] = NodeItem(self._card(new), 0.0, 0.0, self._order)
        return touched

    def _sync_wires(self, before: Network, after: Network) -> set[str]:
        if before.wires is after.wires:
            return set()
        now = set(after.wires)
        gone = [w for w in self.wires if w not in now]
        for wire in gone:
            del self.wires[wire]
            self._wire_cells.remove(wire)
        new = [w for w in after.wires if w not in self.wires]
        for wire in new:
            self.wires[wire] = WireItem(wire)
            self._carry(wire)
        return {end for w in (*gone, *new) for end in (w.source, w.target)}

    def _place(self, touched: Collection[str] = ()) -> None:
        """Bring every node to its place and lay the wires that this concerns."""
        places = self.places()
        moved = set(touched)
        for node, item in self.nodes.items():
            at = self._tried.get(node) or places[node]
            if (item.x, item.y) != at:
                item.x, item.y = at
                moved.add(node)
        self._settle(moved & self.nodes.keys())

    def places(self) -> dict[str, Point]:
        """Where the nodes stand by the value, worked out for those that nobody has placed."""
        layout = self.network.layout
        missing = [n for n in self.network.nodes if n not in layout]
        if any(n not in self._derived for n in missing):
            found = autolayout.positions(self.network, self.sizes())
            self._derived = {n: found[n] for n in missing}
        places = {n: _sane(layout[n]) for n in self.network.nodes if n in layout}
        return {**places, **{n: self._derived[n] for n in missing}}

    def sizes(self) -> dict[str, Size]:
        """Width and height of every card."""
        return {n: (WIDTH, item.card.height) for n, item in self.nodes.items()}

    def _settle(self, moved: set[str]) -> None:
        """Index moved nodes anew and lay their wires, and the wires that pass them."""
        wires: set[Wire] = set()
        for node in moved:
            item = self.nodes[node]
            self._node_cells.put(node, item.box)
            wires.update(self.network.into(node), self.network.out_of(node))
        for wire in wires:
            self._lay(wire)

    def _lay(self, wire: Wire) -> None:
        item, source, target = self.wires.get(wire), self.nodes.get(wire.source), self.nodes.get(wire.target)
        if item is None or source is None or target is None:
            return
        out = source.card.slot("out", wire.output)
        into = target.card.slot("in", wire.input, wire.index)
        a = source.port_point(out) if out else QPointF(source.x + WIDTH, source.y + 24)
        b = target.port_point(into) if into else QPointF(target.x, target.y + 24)
        leaves = end(source, out, a) if out else End(a, source)
        arrives = end(target, into, b) if into else End(b, target)
        item.route(a, b, lane(leaves, arrives, self.nodes_near))
        self._wire_cells.put(wire, item.box)

    # -- following the report and the catalogue ----------------------------------------------------

    def _card(self, node: str) -> Card:
        value = self._session.network.nodes[node]
        report = self._session.report
        return describe(
            self._session.network,
            value,
            self._session.registry.get(value.kind),
            report.nodes.get(node) if report else None,
            self._problems.get(node, ()),
            catalogue_ready=len(self._session.registry) > 0,
            values=self._session.values,
            frozen=self._frozen(node),
        )

    def _frozen(self, node: str) -> bool:
        project = self._session.project
        if not project.training.layers:
            return False
        return in_force(of_network(project, self._session.key), self._session.path(node)).frozen

    def _on_layers(self, before: Project, after: Project) -> None:
        """Other layers are frozen now."""
        if before.training.layers is not after.training.layers:
            for node, item in self.nodes.items():
                if (card := self._card(node)) != item.card:
                    item.show(card)
            self.changed.emit()

    def _redescribe(self) -> None:
        """The catalogue is another one: every card may have other ports."""
        for node, item in self.nodes.items():
            item.show(self._card(node))
        self._derived.clear()
        self._place(set(self.nodes))
        self.changed.emit()

    def _on_report(self) -> None:
        """Shapes, counts and problems are known anew."""
        report = self._session.report
        problems: dict[str, list[Problem]] = {}
        for problem in report.problems if report else ():
            problems.setdefault(problem.node, []).append(problem)
        fresh = {n: tuple(found) for n, found in problems.items() if n}
        reports = dict(report.nodes) if report else {}
        stale = {
            n
            for n in self.nodes
            if reports.get(n) != self._node_reports.get(n) or fresh.get(n, ()) != self._problems.get(n, ())
        }
        self._problems, self._node_reports = fresh, reports
        for node in stale:
            self.nodes[node].show(self._card(node))
        for node in stale:
            for wire in (*self.network.out_of(node), *self.network.into(node)):
                self._carry(wire)
        if stale:
            self.changed.emit()

    def _carry(self, wire: Wire) -> None:
        item = self.wires.get(wire)
        if item is None:
            return
        report = self._session.report
        source = report.nodes.get(wire.source) if report else None
        flow = source.outputs.get(wire.output) if source else None
        wrong = any(
            p.severity == "error" and p.port == wire.input and p.code != "unconnected-input"
            for p in self._problems.get(wire.target, ())
        )
        item.carry(flow.shape if flow else "", flow.dtype if flow else "", wrong)

    # -- places that a gesture tries out -----------------------------------------------------------

    def try_places(self, places: Mapping[str, Point]) -> None:
        """Show nodes elsewhere without changing the value."""
        for node, place in places.items():
            item = self.nodes.get(node)
            if item is not None:
                self._tried[node] = place
                item.x, item.y = place
        self._settle({n for n in places if n in self.nodes})
        self.tried.emit()

    def forget_tries(self) -> None:
        """Back to the places of the value."""
        if self._tried:
            self._tried.clear()
            self._place()
            self.changed.emit()

    # -- finding -----------------------------------------------------------------------------------

    def nodes_near(self, rect: QRectF) -> list[NodeItem]:
        """Nodes that touch a rectangle of the scene, those on top last."""
        found = (self.nodes[n] for n in self._node_cells.near(_box(rect)))
        return sorted((i for i in found if _touch(i.box, rect)), key=lambda i: i.order)

    def wires_near(self, rect: QRectF) -> list[WireItem]:
        """Wires whose bounds touch a rectangle of the scene."""
        found = (self.wires[w] for w in self._wire_cells.near(_box(rect)))
        return [i for i in found if _touch(i.box, rect)]

    def hit(self, at: QPointF, reach: float = PORT_REACH) -> Hit:
        """What is at a scene point. ``reach`` is how far from a port still counts, in scene units."""
        around = QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach)
        for item in reversed(self.nodes_near(around)):
            name = item.card.node
            if item.badge_at(at):
                return Hit(node=name, badge=True)
            if port := item.port_at(at, reach):
                return Hit(node=name, port=port)
            if item.rect.contains(at):
                return Hit(node=name)
        wire = self.wire_at(at)
        return NOTHING if wire is None else Hit(wire=wire)

    def wire_at(self, at: QPointF, reach: float = 7.0, besides: Collection[str] = ()) -> Wire | None:
        """The wire at a scene point, leaving out those of some nodes."""
        around = QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach)
        for item in self.wires_near(around):
            if item.wire.source not in besides and item.wire.target not in besides and item.hits(at, reach):
                return item.wire
        return None

    def port_point(self, ref: PortRef) -> QPointF | None:
        """Where a port is in the scene; None if it is not shown."""
        item = self.nodes.get(ref.node)
        slot = item.card.slot(ref.side, ref.port, ref.index) if item else None
        return item.port_point(slot) if item and slot else None

    def bounds(self, ids: Iterable[str] | None = None) -> QRectF:
        """The rectangle around some nodes, or all; a null one if there are none."""
        rect = QRectF()
        for item in self.nodes.values() if ids is None else [self.nodes[i] for i in ids if i in self.nodes]:
            rect = rect.united(item.rect)
        return rect


def _sane(place: Point) -> Point:
    if abs(place.x) <= FAR and abs(place.y) <= FAR:
        return place
    return Point(*(min(max(v, -FAR), FAR) if v == v else 0.0 for v in place))


def _box(rect: QRectF) -> Box:
    return rect.left(), rect.top(), rect.right(), rect.bottom()


def _touch(box: Box, rect: QRectF) -> bool:
    return box[0] <= rect.right() and box[2] >= rect.left() and box[1] <= rect.bottom() and box[3] >= rect.top()
