"""Which ends go together, and why not. Knows no Qt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from deepgui.catalog.spec import LayerSpec, PortSpec
from deepgui.graph import edits, lint, topology
from deepgui.graph.shapes import TensorType
from deepgui.graph.values import Network, Wire
from deepgui.qt.canvas.card import Card, Side
from deepgui.qt.canvas.hits import PortRef

if TYPE_CHECKING:
    from deepgui.catalog.spec import Registry
    from deepgui.compiler.report import Report
    from deepgui.qt.palette.search import Fits


def opposite(side: Side) -> Side:
    return "in" if side == "out" else "out"


def between(a: PortRef, b: PortRef) -> Wire:
    """The wire that joins an output and an input, whichever way round they are given."""
    source, target = (a, b) if a.side == "out" else (b, a)
    return Wire(source.node, source.port, target.node, target.port, target.index)


def ends(wire: Wire) -> tuple[PortRef, PortRef]:
    """The output and the input that a wire joins."""
    return PortRef(wire.source, "out", wire.output), PortRef(wire.target, "in", wire.input, wire.index)


def without(network: Network, wire: Wire) -> Network:
    """The network as it would be with a wire gone."""
    return edits.disconnect(network, (wire,))


def blocked(network: Network, origin: PortRef) -> frozenset[str]:
    """Nodes that a wire from ``origin`` must not reach, because it would close a cycle."""
    if origin.node not in network.nodes:
        return frozenset()
    reach = topology.upstream if origin.side == "out" else topology.downstream
    return reach(network, origin.node) | {origin.node}


def refusal(network: Network, registry: Registry, a: PortRef, b: PortRef) -> str:
    """Why two ends cannot be joined, in one sentence; empty if they can."""
    if a.side == b.side:
        other = "input" if a.side == "out" else "output"
        return f"A wire that starts at an {'output' if a.side == 'out' else 'input'} ends at an {other}."
    wire = between(a, b)
    return lint.refuse_wire(network, registry, wire.source, wire.output, wire.target, wire.input)


def doubt(network: Network, registry: Registry, report: Report | None, wire: Wire) -> str:
    """What the layer at the end of a wire will say to the shape it carries; empty if it fits or nothing is known."""
    target = network.nodes.get(wire.target)
    spec = registry.get(target.kind) if target else None
    port = next((p for p in spec.inputs if p.name == wire.input), None) if spec else None
    carried = flow(report, PortRef(wire.source, "out", wire.output))
    if target is None or port is None or carried is None or takes(port, carried):
        return ""
    wanted = " or ".join(port.layouts or port.dtypes)
    return f"{target.label} takes {wanted}; this is {carried}."


def flow(report: Report | None, output: PortRef) -> TensorType | None:
    """What leaves an output, as far as the last check knows."""
    source = report.nodes.get(output.node) if report else None
    return source.outputs.get(output.port) if source else None


def takes(port: PortSpec, carried: TensorType) -> bool:
    """Whether an input accepts this number of dimensions and element type."""
    if port.dtypes and carried.dtype not in port.dtypes:
        return False
    return not port.layouts or any(_matches(layout, len(carried.dims)) for layout in port.layouts)


def _matches(layout: str, dims: int) -> bool:
    names = layout.split()
    return dims >= len(names) - 1 if "*" in names else dims == len(names)


def fits(origin: PortRef, carried: TensorType | None) -> Fits:
    """Tells which layer kinds can be at the other end of a wire from ``origin``."""

    def fitting(spec: LayerSpec) -> bool:
        if origin.side == "in":
            return bool(spec.outputs) and spec.form != "output"
        return first_input(spec, carried) is not None

    return fitting


def first_input(spec: LayerSpec, carried: TensorType | None = None) -> PortSpec | None:
    """The input that a wire should end at: a required one before an optional one; None if none takes it."""
    able = [p for p in spec.active_inputs(spec.starters()) if carried is None or takes(p, carried)]
    return next((p for p in able if not p.optional), able[0] if able else None)


def first_output(spec: LayerSpec) -> PortSpec | None:
    """The output that a wire should start from."""
    outputs = spec.active_outputs(spec.starters())
    return outputs[0] if outputs and spec.form != "output" else None


def passes_through(registry: Mapping[str, LayerSpec], kind: str) -> tuple[str, str] | None:
    """Input and output by which a kind can be put into a wire, or None if it has not both."""
    spec = registry.get(kind)
    into, out = (first_input(spec), first_output(spec)) if spec else (None, None)
    return (into.name, out.name) if into and out else None


def free_slot(card: Card, origin: PortRef) -> PortRef | None:
    """Where a wire dropped on a node's body ends: its first unconnected required port, then any other."""
    slots = [s for s in card.slots if s.side == opposite(origin.side)]
    if origin.side == "in":  # an output feeds any number of wires
        return PortRef(card.node, "out", slots[0].port) if slots else None
    slots.sort(key=lambda s: (s.connected, s.optional))
    return PortRef(card.node, "in", slots[0].port, slots[0].index) if slots else None
