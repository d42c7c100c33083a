"""What a rule can ask about the surroundings of a layer."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from deepgui.catalog.spec import Registry, Value
from deepgui.graph.problems import Problem
from deepgui.graph.shapes import TensorType
from deepgui.graph.values import Network, Node, Wire

if TYPE_CHECKING:
    from deepgui.compiler.report import NodeReport


@dataclass(frozen=True)
class Scene:
    """A drawing with what is known of its layers. ``whole``: it is no block."""

    network: Network
    registry: Registry
    nodes: Mapping[str, NodeReport]
    whole: bool

    @cached_property
    def shared(self) -> frozenset[str]:
        """The layers whose weights others use, too."""
        return frozenset(node.shares for node in self.network.nodes.values() if node.shares)

    def after(self, node: Node) -> Wire | None:
        """The wire to the only layer that uses a result; None if none or several do."""
        wires = self.network.out_of(node.id)
        return wires[0] if len(wires) == 1 else None

    def next(self, node: Node, through: Container[str] = ()) -> tuple[Wire, Node] | None:
        """The only layer that uses a result, past those of the kinds in ``through``, with the last wire to it."""
        wire = self.after(node)
        for _ in range(len(self.network.nodes)):
            if wire is None:
                return None
            found = self.network.nodes[wire.target]
            if found.kind not in through and found.bypass is not True:
                return wire, found
            wire = self.after(found)
        return None

    def value(self, node: Node, name: str) -> Value:
        """A parameter in force."""
        known = self.nodes.get(node.id)
        return known.params.get(name) if known else None

    def result(self, node: Node) -> TensorType | None:
        """The type of a layer's first output."""
        known = self.nodes.get(node.id)
        return next(iter(known.outputs.values()), None) if known else None


Rule = Callable[[Scene, Node], Iterator[Problem]]


def remark(code: str, node: Node, message: str, port: str = "", **more: object) -> Problem:
    """A warning about a layer."""
    place = f"{node.label}.{port}" if port else node.label
    return Problem(code, f"{place}: {message}", node.id, port, severity="warning", **more)  # type: ignore[arg-type]
