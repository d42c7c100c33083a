"""From a drawn network to one torch.fx graph: the only description of it below the drawing.

Every fx node carries where it comes from: ``meta["node"]`` (id of the drawn node), ``meta["port"]``
(the output it stands for), ``meta["spec"]`` and ``meta["params"]`` (what the user set), and
``meta["feeds"]`` (input port → the fx nodes wired to it).
"""

from __future__ import annotations

import importlib
import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from torch import fx

from deepgui.catalog.spec import LayerSpec, Registry
from deepgui.compiler.call import arguments
from deepgui.compiler.names import attribute_names
from deepgui.graph import topology
from deepgui.graph.values import Network, Node


@dataclass
class Lowered:
    """The graph, and the fx node behind each output of each drawn node.

    Nodes of unknown kind, with unconnected inputs, on a cycle, or behind such nodes are not lowered.
    """

    network: Network
    registry: Registry
    graph: fx.Graph
    values: dict[tuple[str, str], fx.Node] = field(default_factory=dict)
    calls: dict[str, fx.Node] = field(default_factory=dict)
    outputs: list[fx.Node] = field(default_factory=list)


@cache
def resolve(target: str) -> Callable[..., Any]:
    """The class or function that a declaration names. Raises ImportError if it is not there."""
    module, _, name = target.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]
    except AttributeError as error:
        raise ImportError(f"{target} does not exist") from error


def lower(network: Network, registry: Registry, only: frozenset[str] | None = None) -> Lowered:
    """Lower a network, or the part of it in ``only``. Never fails: what cannot be lowered is left out."""
    lowered = Lowered(network, registry, fx.Graph())
    names = attribute_names(network)
    for node_id in topology.order(network):
        if only is not None and node_id not in only:
            continue
        node = network.nodes[node_id]
        spec = registry.get(node.kind)
        if spec is not None:
            _lower_node(lowered, node, spec, names[node_id])
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
    if (
        spec is None
        or spec.form != "module"
        or (before.id, before.kind, before.name) != (after.id, after.kind, after.name)
    ):
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
    if spec.form == "input":
        call = lowered.graph.placeholder(name)
    elif spec.form == "output":
        lowered.outputs.append(feeds["input"][0])
        return
    else:
        args, kwargs = arguments(spec, node.params, feeds)
        nested = any(port.path for port in spec.active_outputs(node.params))
        value = f"{name}_results" if nested else name
        if spec.form == "module":
            call = lowered.graph.create_node("call_module", name, args, kwargs, value)
        else:
            call = lowered.graph.create_node("call_function", resolve(spec.target), args, kwargs, value)
    call.meta.update(node=node.id, spec=spec, params=node.params, feeds=feeds)
    lowered.calls[node.id] = call
    _name_outputs(lowered, node, spec, call, name)


def _feeds(lowered: Lowered, node: Node, spec: LayerSpec) -> dict[str, tuple[fx.Node, ...]] | None:
    """The fx nodes wired to each input; None if a required one is missing."""
    network = lowered.network
    feeds: dict[str, tuple[fx.Node, ...]] = {}
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


def _name_outputs(lowered: Lowered, node: Node, spec: LayerSpec, call: fx.Node, name: str) -> None:
    """Reach into a nested result for the outputs that somebody uses; otherwise the call is the output."""
    used = {w.output for w in lowered.network.out_of(node.id)}
    for port in spec.active_outputs(node.params):
        value = call
        if port.path:
            if port.name not in used:
                continue
            for depth, step in enumerate(port.path, 1):
                last = (name if port.name == "output" else f"{name}_{port.name}") if depth == len(port.path) else None
                value = lowered.graph.create_node("call_function", operator.getitem, (value, step), {}, last)
                value.meta.update(node=node.id, port="")
        value.meta.update(node=node.id, port=port.name)
        lowered.values[node.id, port.name] = value
