"""From a drawn network to one torch.fx graph: the only description of it below the drawing.

Every fx node carries where it comes from: ``meta["node"]`` (id of the drawn node), ``meta["port"]``
(the output it stands for), ``meta["spec"]`` and ``meta["params"]`` (what the user set), and
``meta["feeds"]`` (input port → the fx nodes wired to it). ``meta["aliases"]`` names outputs of further
nodes that are this same value, since those nodes are bypassed or repeated zero times.

A block is one call of a module, whose own graph is the lowered drawing of the block; a repeated one is
a row of calls, ``meta["instance"]`` counting them.
"""

from __future__ import annotations

import importlib
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from torch import fx

from deepgui.catalog.spec import LayerSpec, PortSpec, Registry
from deepgui.compiler.call import arguments
from deepgui.compiler.names import attribute_names
from deepgui.graph import blocks, topology
from deepgui.graph.lint import Memory
from deepgui.graph.values import Network, Node

Feeds = dict[str, tuple[fx.Node, ...]]


@dataclass
class Lowered:
    """The graph, and the fx node behind each output of each drawn node.

    Nodes of unknown kind, with unconnected inputs, on a cycle, or behind such nodes are not lowered.

    Attributes:
        calls: the call of each node; of a repeated block the last one, of a bypassed node none.
        rows: all calls of a repeated block.
        bypassed: what is handed on by each bypassed node.
        returned: what arrives at each Output.
        linted, reported, advised: what a check of it found, for the next one.
    """

    network: Network
    registry: Registry
    graph: fx.Graph
    values: dict[tuple[str, str], fx.Node] = field(default_factory=dict)
    calls: dict[str, fx.Node] = field(default_factory=dict)
    returned: dict[str, fx.Node] = field(default_factory=dict)
    rows: dict[str, list[fx.Node]] = field(default_factory=dict)
    bypassed: dict[str, fx.Node] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    in_rows: bool = True
    linted: Memory = field(default_factory=dict)
    reported: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    advised: Any = None

    @property
    def outputs(self) -> list[fx.Node]:
        """What the network returns, in the order in which the Outputs were placed."""
        return [self.returned[n.id] for n in self.network.of_kind("Output") if n.id in self.returned]


@cache
def resolve(target: str) -> Callable[..., Any]:
    """The class or function that a declaration names. Raises ImportError if it is not there."""
    module, _, name = target.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]
    except AttributeError as error:
        raise ImportError(f"{target} does not exist") from error


def lower(network: Network, registry: Registry, only: frozenset[str] | None = None, *, rows: bool = True) -> Lowered:
    """Lower a network, or the part of it in ``only``. Never fails: what cannot be lowered is left out.

    Without ``rows`` a repeated block is one call, as one writes it.
    """
    lowered = Lowered(network, registry, fx.Graph(), names=attribute_names(network), in_rows=rows)
    for node_id in topology.order(network):
        if only is not None and node_id not in only:
            continue
        node = network.nodes[node_id]
        spec = registry.get(node.kind)
        if spec is not None:
            _lower_node(lowered, node, spec, lowered.names[node_id])
    if lowered.outputs:
        returned = lowered.outputs[0] if len(lowered.outputs) == 1 else tuple(lowered.outputs)
        lowered.graph.output(returned)
    return lowered


def relower(before: Lowered | None, network: Network, registry: Registry) -> Lowered:
    """Lower a network that may differ from ``before``'s in settings alone; then that graph is taken over as it is.

    Most edits change one parameter of one layer, and the graph is the same but for that. ``before`` is used up.
    """
    if before is None or registry is not before.registry or network.wires is not before.network.wires:
        return lower(network, registry)
    if len(network.nodes) != len(before.network.nodes):
        return lower(network, registry)
    changed = [(a, b) for a, b in zip(before.network.nodes.values(), network.nodes.values(), strict=True) if a is not b]
    if not all(_only_settings(a, b, registry) for a, b in changed):
        return lower(network, registry)
    for _, node in changed:
        if node.id in before.calls:
            before.calls[node.id].meta["params"] = node.params
    for value in before.graph.nodes:
        value.meta.pop("type", None)
    before.network = network
    return before


def _only_settings(before: Node, after: Node, registry: Registry) -> bool:
    """Whether a node differs in constructor arguments alone, on which neither ports nor the call depend."""
    spec = registry.get(after.kind)
    if spec is None or spec.form != "module" or replace(before, params=after.params) != after:
        return False
    return not any(p.call for p in spec.params) and not any(p.when for p in (*spec.inputs, *spec.outputs))


def live_nodes(network: Network) -> frozenset[str]:
    """The nodes that lead to an Output, and all Inputs."""
    live = {n.id for n in network.of_kind("Output")} | {n.id for n in network.of_kind("Input")}
    return frozenset(live.union(*(topology.upstream(network, n.id) for n in network.of_kind("Output"))))


def _lower_node(lowered: Lowered, node: Node, spec: LayerSpec, name: str) -> None:
    feeds = _feeds(lowered, node, spec)
    if feeds is None:
        return
    if spec.form == "output":
        lowered.returned[node.id] = feeds["input"][0]
    elif spec.form == "input":
        _finish(lowered, node, spec, lowered.graph.placeholder(name), name, feeds)
    elif node.bypass is True:
        _hand_on(lowered, node, spec, feeds)
    elif lowered.in_rows and spec.form == "block" and blocks.repeats(node.params) is not None:
        _lower_row(lowered, node, spec, name, feeds)
    else:
        _finish(lowered, node, spec, _call(lowered, node, spec, name, feeds), name, feeds)


def _call(lowered: Lowered, node: Node, spec: LayerSpec, name: str, feeds: Feeds) -> fx.Node:
    args, kwargs = arguments(spec, node.params, feeds)
    nested = any(port.path for port in spec.active_outputs(node.params))
    value = f"{name}_results" if nested else name
    if spec.form in ("parameter", "constant"):
        return lowered.graph.create_node("get_attr", attribute(lowered, node), (), {}, value)
    if spec.form == "function":
        return lowered.graph.create_node("call_function", resolve(spec.target), args, kwargs, value)
    return lowered.graph.create_node("call_module", attribute(lowered, node), args, kwargs, value)


def attribute(lowered: Lowered, node: Node) -> str:
    """The attribute that holds a node's layer: another node's, if it is that node's very layer."""
    master = lowered.network.nodes.get(node.shares)
    same = master is not None and master.kind == node.kind and not master.shares
    return lowered.names[master.id if master is not None and same else node.id]


def _finish(lowered: Lowered, node: Node, spec: LayerSpec, call: fx.Node, name: str, feeds: Feeds) -> None:
    call.meta.update(node=node.id, spec=spec, params=node.params, feeds=feeds)
    lowered.calls[node.id] = call
    used = {w.output for w in lowered.network.out_of(node.id)}
    ports = [p for p in spec.active_outputs(node.params) if not p.path or p.name in used]
    for port, value in _outputs(lowered, call, ports, name).items():
        value.meta.update(node=node.id, port=port)
        lowered.values[node.id, port] = value


def _outputs(lowered: Lowered, call: fx.Node, ports: Sequence[PortSpec], name: str) -> dict[str, fx.Node]:
    """The value of each output, reached for in a nested result."""
    found: dict[str, fx.Node] = {}
    for port in ports:
        value = call
        for depth, step in enumerate(port.path, 1):
            last = (name if port.name == "output" else f"{name}_{port.name}") if depth == len(port.path) else None
            value = lowered.graph.create_node("call_function", operator.getitem, (value, step), {}, last)
            value.meta.update(node=call.meta["node"], port="")
        found[port.name] = value
    return found


def _hand_on(lowered: Lowered, node: Node, spec: LayerSpec, feeds: Feeds) -> None:
    """Inputs become outputs in their order: the first for a bypassed layer, all for a block repeated zero times."""
    given = [values[0] for values in feeds.values()]
    outputs = spec.active_outputs(node.params)[: len(given) if spec.form == "block" else 1]
    for port, value in zip(outputs, given, strict=False):
        value.meta.setdefault("aliases", []).append((node.id, port.name))
        lowered.values[node.id, port.name] = value
    if given:
        lowered.bypassed[node.id] = given[0]


def _lower_row(lowered: Lowered, node: Node, spec: LayerSpec, name: str, feeds: Feeds) -> None:
    """A repeated block: the outputs of one are the first inputs of the next, the other inputs go to all."""
    inputs = [p.name for p in spec.active_inputs(node.params)]
    instances = blocks.unroll(node.params, {})
    if not instances:
        _hand_on(lowered, node, spec, feeds)
        return
    row: list[fx.Node] = []
    for index, params in enumerate(instances):
        args, kwargs = arguments(spec, {}, feeds)
        call = lowered.graph.create_node(
            "call_module", f"{attribute(lowered, node)}.{index}", args, kwargs, f"{name}_{index}"
        )
        call.meta.update(node=f"{node.id}.{index}", spec=spec, params=params, feeds=feeds, instance=index)
        row.append(call)
        if index < len(instances) - 1:
            values = _outputs(lowered, call, spec.outputs, f"{name}_{index}")
            for port, value in values.items():
                value.meta.update(node=f"{node.id}.{index}", port=port)
            feeds = {**feeds, **{port: (value,) for port, value in zip(inputs, values.values(), strict=False)}}
    lowered.rows[node.id] = row
    first_feeds = row[0].meta["feeds"]
    _finish(lowered, node, spec, row[-1], name, first_feeds)


def _feeds(lowered: Lowered, node: Node, spec: LayerSpec) -> Feeds | None:
    """The fx nodes wired to each input; None if a required one is missing."""
    network = lowered.network
    feeds: Feeds = {}
    for port in spec.active_inputs(node.params):
        wires = network.into(node.id, port.name)
        found = [lowered.values.get((w.source, w.output)) for w in wires]
        values = tuple(v for v in found if v is not None)
        if len(values) < len(found):
            return None
        if not values and port.fallback:
            values = feeds.get(port.fallback, ())
        if values:
            feeds[port.name] = values if port.variadic else values[:1]
        elif not port.optional:
            return None
    return feeds
