"""One layer with what arrives at it, and the few edits that most fixes are made of."""

from __future__ import annotations

from dataclasses import dataclass

from deepgui.catalog.spec import LayerSpec, Registry, Value, show
from deepgui.compiler.facts import Facts, Types
from deepgui.graph import edits
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.shapes import TensorType
from deepgui.graph.values import Network, Node, Wire

KEEPS_SHAPE = frozenset(("Identity", "Dropout", "AlphaDropout", "Dropout1d", "Dropout2d", "Dropout3d"))


@dataclass(frozen=True)
class Case:
    """One layer with what arrives at it and what came of that."""

    network: Network
    registry: Registry
    node: Node
    spec: LayerSpec
    types: Types
    facts: Facts

    @property
    def first_port(self) -> str:
        """The input that a problem of the layer as a whole is said of."""
        return next(iter(self.types), "")

    @property
    def first(self) -> TensorType | None:
        """What arrives at the first input."""
        arriving = self.types.get(self.first_port, ())
        return arriving[0] if arriving else None

    def wire(self, port: str, index: int = 0) -> Wire | None:
        wires = self.network.into(self.node.id, port)
        return wires[index] if index < len(wires) else None

    def source(self, port: str, index: int = 0) -> Node | None:
        """The layer that a wire comes from, those left out that hand on what they get."""
        wire = self.wire(port, index)
        node = self.network.nodes.get(wire.source) if wire else None
        seen: set[str] = set()
        while node is not None and node.id not in seen and is_elementwise(self.registry.get(node.kind)):
            seen.add(node.id)
            before = self.network.into(node.id)
            if len(before) != 1:
                break
            node = self.network.nodes.get(before[0].source)
        return node

    def problem(self, code: str, message: str, port: str = "", **more: object) -> Problem:
        place = f"{self.node.label}.{port}" if port else self.node.label
        return Problem(code, f"{place}: {message}", self.node.id, port, **more)  # type: ignore[arg-type]

    def set(self, name: str, value: Value) -> Fix:
        """Set one of the layer's own parameters."""
        return Fix(f"Set {name} to {show(value)}", lambda net: edits.set_params(net, self.node.id, {name: value}))

    def unset(self, label: str, name: str) -> Fix:
        return Fix(label, lambda net: edits.unset_param(net, self.node.id, name))

    def insert(self, label: str, wire: Wire | None, *layers: tuple[str, dict[str, Value]]) -> Fix | None:
        """Put layers on a wire, in this order; None without a wire."""
        if wire is None:
            return None
        return Fix(f"Insert {label}", lambda net: inserted(net, wire, layers))

    def remove(self) -> Fix:
        """Take the layer out, joining what it stood between."""
        return Fix(f"Remove {self.node.label}", lambda net: edits.heal_and_remove(net, (self.node.id,)))


def inserted(network: Network, wire: Wire, layers: tuple[tuple[str, dict[str, Value]], ...]) -> Network:
    """The network with layers on a wire."""
    for kind, params in layers:
        network, node = edits.insert_on_wire(network, wire, kind, params)
        wire = Wire(node.id, "output", wire.target, wire.input, wire.index)
    return network


def is_elementwise(spec: LayerSpec | None) -> bool:
    """Whether a layer hands every value on in its place, changed or not."""
    return spec is not None and (spec.kind in KEEPS_SHAPE or (spec.category == "Activation" and len(spec.inputs) == 1))


def spread(value: Value, count: int) -> list[int]:
    """A size as PyTorch reads it: one number stands for all dimensions. Empty if it is neither."""
    if isinstance(value, int):
        return [value] * count
    if isinstance(value, tuple) and len(value) in (1, count):
        numbers = [v for v in value if isinstance(v, int)]
        return numbers * count if len(value) == 1 else numbers
    return []


def folded(sizes: list[int]) -> Value:
    """One number if all are equal, else a tuple: the opposite of :func:`spread`."""
    return sizes[0] if len(set(sizes)) == 1 else tuple(sizes)
