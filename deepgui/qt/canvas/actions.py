"""What can be done to the drawing: each action is one edit of the session, one step of undo."""

from __future__ import annotations

from collections.abc import Callable, Collection

from PySide6.QtCore import QPointF
from PySide6.QtGui import QGuiApplication

from deepgui.graph import edits
from deepgui.graph import layout as autolayout
from deepgui.graph.layout import GRID, snap
from deepgui.graph.problems import Fix
from deepgui.graph.values import Network, Point, Wire
from deepgui.project.blocks import bring, with_kinds
from deepgui.project.values import Project, with_training
from deepgui.qt import shelf
from deepgui.qt.canvas import clipboard, connections
from deepgui.qt.canvas.card import PORT_Y, WIDTH, describe
from deepgui.qt.canvas.hits import PortRef
from deepgui.qt.canvas.mirror import Mirror
from deepgui.qt.session import Session

Change = Callable[[Network], Network]
_NEW_HEIGHT = 72.0


class Actions:
    """Edits of the network in view that need to know where things stand."""

    def __init__(self, session: Session, mirror: Mirror) -> None:
        self._session = session
        self._mirror = mirror

    # -- placing -----------------------------------------------------------------------------------

    def place(self, kind: str, at: QPointF, origin: PortRef | None = None) -> str:
        """Place a node with its header at a scene point, wired to ``origin`` if given. Returns its id."""
        if origin is None:
            corner = Point(at.x() - WIDTH / 2, at.y() - PORT_Y)
        else:
            corner = Point(at.x() - (WIDTH if origin.side == "in" else 0), at.y() - PORT_Y)
        return self._add(kind, Point(snap(corner.x), snap(corner.y)), origin)

    def place_beside(self, kind: str, middle: QPointF) -> str:
        """Place a node right of the one selected and wire it; without a selection near ``middle``."""
        chosen = [n for n in self._session.network.nodes if n in self._session.selection]
        if not chosen:
            corner = Point(middle.x() - WIDTH / 2, middle.y() - PORT_Y)
            return self._add(kind, self._free(corner), None)
        last = max(chosen, key=lambda n: self._mirror.nodes[n].x)
        item = self._mirror.nodes[last]
        outputs = item.card.outputs
        origin = PortRef(last, "out", outputs[0].port) if outputs else None
        if origin and not self._fits(kind, origin):
            origin = None
        return self._add(kind, self._free(Point(item.x + WIDTH + autolayout.GAP_X, item.y)), origin)

    def insert(self, kind: str, wire: Wire, at: QPointF) -> str:
        """Place a node in the middle of a wire; beside it if the kind has no way through."""
        offered = shelf.offered(self._session)
        through = connections.passes_through(offered, kind)
        if through is None or wire not in self._session.network.wires:
            return self.place(kind, at)
        made: list[str] = []
        starters = offered[kind].starters()

        def change(project: Project, network: Network) -> tuple[Project, Network]:
            project, own = shelf.fetched(self._session, project, kind)
            network = self.pinned(network)
            corner = Point(snap(at.x() - WIDTH / 2), snap(at.y() - PORT_Y))
            network, node = edits.insert_on_wire(
                network, wire, own, starters, input=through[0], output=through[1], at=corner
            )
            made.append(node.id)
            return project, self._with_room(network, node.id, corner)

        self._session.edit_with_blocks(f"Insert {kind}", change)
        return self._chosen(made)

    def splice(self, node: str, wire: Wire, places: dict[str, Point]) -> None:
        """Put a node that stands on a wire into it, together with the move that brought it there."""
        value = self._session.network.nodes.get(node)
        through = connections.passes_through(self._session.registry, value.kind) if value else None
        if through is None or wire not in self._session.network.wires:
            self.move(places)
            return

        def change(network: Network) -> Network:
            network = edits.move(self.pinned(network), places)
            network = edits.splice(network, node, wire, input=through[0], output=through[1])
            return self._with_room(network, node, places[node])

        self._session.edit("Insert", change)

    def _add(self, kind: str, corner: Point, origin: PortRef | None) -> str:
        made: list[str] = []
        spec = shelf.offered(self._session).get(kind)
        starters = spec.starters() if spec else {}

        def change(project: Project, network: Network) -> tuple[Project, Network]:
            project, own = shelf.fetched(self._session, project, kind)
            network, node = edits.add_node(self.pinned(network), own, starters, at=corner)
            made.append(node.id)
            return project, self._wired(network, node.id, kind, origin)

        self._session.edit_with_blocks(f"Add {kind}", change)
        return self._chosen(made)

    def _wired(self, network: Network, node: str, kind: str, origin: PortRef | None) -> Network:
        spec = shelf.offered(self._session).get(kind)
        if origin is None or spec is None or origin.node not in network.nodes:
            return network
        if origin.side == "in":
            out = connections.first_output(spec)
            return (
                network
                if out is None
                else edits.connect(network, Wire(node, out.name, origin.node, origin.port, origin.index))
            )
        flow = connections.flow(self._session.report, origin)
        into = connections.first_input(spec, flow) or connections.first_input(spec)
        return network if into is None else edits.connect(network, Wire(origin.node, origin.port, node, into.name))

    def _fits(self, kind: str, origin: PortRef) -> bool:
        spec = shelf.offered(self._session).get(kind)
        return spec is not None and connections.fits(origin, None)(spec)

    def _free(self, wanted: Point) -> Point:
        shown = {n: Point(i.x, i.y) for n, i in self._mirror.nodes.items()}
        return autolayout.free_place(shown, self._mirror.sizes(), wanted, (WIDTH, _NEW_HEIGHT))

    def _with_room(self, network: Network, node: str, at: Point) -> Network:
        spec = shelf.offered(self._session).get(network.nodes[node].kind)
        height = describe(network, network.nodes[node], spec).height
        sizes = {**self._mirror.sizes(), node: (WIDTH, height)}
        return edits.move(network, autolayout.make_room(network, self._mirror.places(), sizes, node, at))

    def pinned(self, network: Network) -> Network:
        """The network with every node's place written down, so that nothing jumps when one is moved."""
        places = self._mirror.places()
        return edits.move(network, {n: p for n, p in places.items() if n not in network.layout})

    def _chosen(self, made: list[str]) -> str:
        self._session.select(made)
        return made[0] if made else ""

    # -- moving ------------------------------------------------------------------------------------

    def move(self, places: dict[str, Point]) -> None:
        """Put nodes at places."""
        self._session.edit("Move", lambda net: edits.move(self.pinned(net), places))

    def nudge(self, dx: float, dy: float) -> None:
        """Move the selection by a step; steps in quick succession are one undo."""
        shown = self._mirror.places()
        places = {n: Point(shown[n].x + dx, shown[n].y + dy) for n in self._session.selection if n in shown}
        if places:
            self._session.edit("Move", lambda net: edits.move(self.pinned(net), places), merge="nudge")

    def auto_layout(self) -> None:
        """Lay out the selection if several nodes are selected, else everything."""
        chosen = self._session.selection if len(self._session.selection) > 1 else frozenset(self._session.network.nodes)
        sizes = self._mirror.sizes()
        shown = self._mirror.places()

        def change(network: Network) -> Network:
            piece = edits.excerpt(network, chosen)
            places = autolayout.layered(piece, sizes)
            if not places:
                return network
            left, top = min(shown[n].x for n in places), min(shown[n].y for n in places)
            dx, dy = (snap(left), snap(top)) if len(chosen) < len(network.nodes) else (0.0, 0.0)
            placed = {n: Point(p.x + dx, p.y + dy) for n, p in places.items()}
            return edits.move(self.pinned(network), placed)

        self._session.edit("Lay out", change)

    # -- wiring ------------------------------------------------------------------------------------

    def connect(self, a: PortRef, b: PortRef, lifted: Wire | None = None) -> None:
        """Join two ends; a ``lifted`` wire gives way to the new one in the same step."""
        wire = connections.between(a, b)
        if wire == lifted:
            return

        def change(network: Network) -> Network:
            if lifted is not None:
                network = edits.disconnect(network, (lifted,))
            last = len(network.into(wire.target, wire.input))
            return edits.connect(network, wire._replace(index=min(wire.index, last)))

        self._session.edit("Connect", change)

    def disconnect(self, wires: Collection[Wire]) -> None:
        """Remove wires."""
        self._session.edit("Disconnect", lambda net: edits.disconnect(net, wires))

    def break_port(self, port: PortRef) -> None:
        """Remove all wires of a port."""
        network = self._session.network
        if port.side == "out":
            wires = network.out_of(port.node, port.port)
        else:
            wires = tuple(w for w in network.into(port.node, port.port) if w.index == port.index)
        self.disconnect(wires)

    # -- editing -----------------------------------------------------------------------------------

    def delete(self, wires: Collection[Wire] = (), *, heal: bool = False) -> None:
        """Remove the selected nodes and some wires; ``heal`` joins what the nodes stood between."""
        chosen = [n for n in self._session.network.nodes if n in self._session.selection]
        remove = edits.heal_and_remove if heal else edits.remove_nodes

        def change(network: Network) -> Network:
            return remove(edits.disconnect(network, wires), chosen)

        if chosen or wires:
            self._session.edit("Delete and heal" if heal else "Delete", change)

    def copy(self) -> bool:
        """Put the selection on the clipboard; False if nothing is selected."""
        if not self._session.selection:
            return False
        drawing = self.pinned(self._session.network)
        piece = clipboard.copy_text(drawing, self._session.selection, self._session.project.blocks)
        QGuiApplication.clipboard().setText(piece)
        return True

    def paste(self, at: QPointF, *, keep_inputs: bool = False) -> bool:
        """Paste what the clipboard holds around a scene point; False if it holds no layers."""
        piece = clipboard.loads(QGuiApplication.clipboard().text())
        if piece is None or not piece.network.nodes:
            return False
        layout = piece.network.layout.values() or [Point(0, 0)]
        left, right = min(p.x for p in layout), max(p.x for p in layout) + WIDTH
        top, bottom = min(p.y for p in layout), max(p.y for p in layout) + _NEW_HEIGHT
        offset = Point(snap(at.x() - (left + right) / 2), snap(at.y() - (top + bottom) / 2))
        self._paste("Paste", piece, offset, keep_inputs)
        return True

    def duplicate(self) -> None:
        """Copy the selection beside itself, not touching the clipboard."""
        if self._session.selection:
            piece = clipboard.take(self.pinned(self._session.network), self._session.selection)
            self._paste("Duplicate", piece, Point(4 * GRID, 4 * GRID), False)

    def _paste(self, label: str, piece: clipboard.Piece, offset: Point, keep_inputs: bool) -> None:
        made: list[str] = []

        def change(project: Project, network: Network) -> tuple[Project, Network]:
            project, names = bring(project, piece.blocks, shelf.catalogue(self._session))
            network, ids = edits.paste(self.pinned(network), with_kinds(piece.network, names), offset=offset)
            made.extend(ids)
            copies = dict(zip(piece.network.nodes, ids, strict=True))
            for wire in piece.feeds if keep_inputs else ():
                if wire.source in network.nodes:
                    last = len(network.into(copies[wire.target], wire.input))
                    network = edits.connect(network, wire._replace(target=copies[wire.target], index=last))
            return project, network

        self._session.edit_with_blocks(label, change)
        self._session.select(made)

    def rename(self, node: str, name: str) -> None:
        """Change what a node is called; an empty name goes back to its id."""
        if node in self._session.network.nodes:
            self._session.edit("Rename", lambda net: edits.rename_node(net, node, name))

    def mend(self, fix: Fix) -> None:
        """Apply a problem's fix; nodes that it adds get room."""
        if fix.training:
            self._session.edit_project(fix.label, lambda project: with_training(project, fix.training))
            return
        before = self._session.network

        def change(network: Network) -> Network:
            after = fix.apply(self.pinned(network))
            for node in [n for n in after.nodes if n not in before.nodes and n in after.layout]:
                after = self._with_room(after, node, after.layout[node])
            return after

        self._session.edit(fix.label, change)
