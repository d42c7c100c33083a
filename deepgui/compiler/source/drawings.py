"""What becomes a class: the network, and each block with all the places where it is used."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from deepgui.catalog.spec import LayerSpec, ParamSpec, Registry, Value
from deepgui.compiler.lower import Lowered, live_nodes, lower
from deepgui.compiler.names import class_name
from deepgui.compiler.report import NodeReport, Report
from deepgui.graph import blocks
from deepgui.graph.edits import fresh_id
from deepgui.graph.values import Network, Node


@dataclass(eq=False)
class Instance:
    """One use of a drawing. ``uses`` has the instances of the blocks inside it, by node."""

    params: Mapping[str, Value]
    network: Network
    report: Report
    uses: dict[str, list[Instance]] = field(default_factory=dict)


@dataclass(eq=False)
class Argument:
    """An argument of a class's constructor, with its value in every instance.

    ``default`` is Python source; empty if there is none. ``size`` says that it is read from a wire.
    """

    name: str
    values: Mapping[Instance, Value]
    annotation: str = "int"
    default: str = ""
    size: bool = False


@dataclass(eq=False)
class Drawing:
    """A network or block that becomes a class.

    Attributes:
        network: as drawn, expressions and all.
        params: the block's own parameters.
        instances: at least one.
        signature: the constructor's arguments; known once its source has been written.
    """

    name: str
    network: Network
    registry: Registry
    params: tuple[ParamSpec, ...]
    instances: list[Instance]
    inner: dict[str, Drawing] = field(default_factory=dict)
    signature: list[Argument] = field(default_factory=list)

    @cached_property
    def lowered(self) -> Lowered:
        """The graph that all instances have in common: rows are one call, and bypassed is what is so everywhere."""
        first = self.instances[0].network
        nodes = {id: replace(node, bypass=self.bypassed(id)) for id, node in first.nodes.items()}
        network = replace(first, nodes=nodes)
        return lower(network, self.registry, only=live_nodes(network), rows=False)

    def bypassed(self, node: str) -> bool:
        """Whether a node is bypassed in every instance."""
        return all(i.network.nodes[node].bypass is True for i in self.instances)

    def having(self, node: str) -> list[Instance]:
        """The instances in which a node is not bypassed."""
        return [i for i in self.instances if i.network.nodes[node].bypass is not True]

    def drawn(self, node: str) -> Node:
        return self.network.nodes[node]

    def reports(self, node: str) -> list[NodeReport]:
        return [i.report.nodes[node] for i in self.having(node)]

    @property
    def specs(self) -> Iterator[LayerSpec]:
        """The declarations of the layers in it."""
        for call in self.lowered.calls.values():
            yield call.meta["spec"]


def drawings(network: Network, registry: Registry, report: Report) -> list[Drawing]:
    """All drawings that a network needs, each after those inside it; the network's own is the last."""
    found: dict[str, Drawing] = {}
    top = Drawing(class_name(network.name), network, registry, (), [Instance({}, network, report)])
    _gather(top, top.instances[0], found)
    order: list[Drawing] = []
    _after_its_parts(top, order)
    name_apart(order, frozenset())
    return order


def name_apart(drawings: Sequence[Drawing], taken: Collection[str]) -> None:
    """Give each class a name of its own that is not in ``taken``; the network's has the first choice."""
    names = set(taken)
    for drawing in reversed(drawings):
        drawing.name = fresh_id(names, drawing.name)
        names.add(drawing.name)


def _after_its_parts(drawing: Drawing, order: list[Drawing]) -> None:
    for inner in drawing.inner.values():
        if inner not in order and inner.instances:
            _after_its_parts(inner, order)
    order.append(drawing)


def _gather(drawing: Drawing, instance: Instance, found: dict[str, Drawing]) -> None:
    registry = drawing.registry
    live = live_nodes(instance.network)
    for node in instance.network.nodes.values():
        block = blocks.blocks_of(registry).get(node.kind)
        if block is None or registry[node.kind].form != "block" or node.id not in live or node.bypass is True:
            continue
        if node.kind not in found:
            found[node.kind] = Drawing(class_name(node.kind), block.network, registry, block.params, [])
        inner = drawing.inner[node.kind] = found[node.kind]
        for inside in instance.report.nodes[node.id].inside:
            made = Instance(inside.params, inside.network, inside.report)
            inner.instances.append(made)
            instance.uses.setdefault(node.id, []).append(made)
            _gather(inner, made, found)
