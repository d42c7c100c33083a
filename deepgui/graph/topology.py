"""Order, cycles and reachability of a network, by networkx."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

import networkx as nx

from deepgui.graph.values import Network

T = TypeVar("T")


def _remembered(function: Callable[[Network], T]) -> Callable[[Network], T]:
    """Keep the answer with the network: values never change, so it stays right."""
    key = f"_{function.__name__}"

    @wraps(function)
    def ask(network: Network) -> T:
        if key not in network.__dict__:
            network.__dict__[key] = function(network)
        return network.__dict__[key]  # type: ignore[no-any-return]

    return ask


@_remembered
def digraph(network: Network) -> nx.DiGraph[str]:
    """Nodes by id and one edge per connected pair. Shared between callers: do not change it."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(network.nodes)
    graph.add_edges_from((w.source, w.target) for w in network.wires)
    return graph


@_remembered
def cyclic_nodes(network: Network) -> frozenset[str]:
    """Nodes that lie on a cycle."""
    graph = digraph(network)
    loops = {n for n in graph if graph.has_edge(n, n)}
    return frozenset(loops.union(*(c for c in nx.strongly_connected_components(graph) if len(c) > 1)))


@_remembered
def order(network: Network) -> tuple[str, ...]:
    """Topological order; among nodes that could come next, the one placed first comes first.

    Nodes on a cycle and everything that only they lead to are left out.
    """
    graph = digraph(network)
    looping = cyclic_nodes(network)
    if looping:
        blocked = looping.union(*(nx.descendants(graph, n) for n in looping))
        graph = graph.subgraph(n for n in network.nodes if n not in blocked)
    place = {node: index for index, node in enumerate(network.nodes)}
    return tuple(nx.lexicographical_topological_sort(graph, key=place.__getitem__))


def downstream(network: Network, node: str) -> frozenset[str]:
    """Everything that a node's output reaches."""
    return frozenset(nx.descendants(digraph(network), node))


def upstream(network: Network, node: str) -> frozenset[str]:
    """Everything that a node depends on."""
    return frozenset(nx.ancestors(digraph(network), node))


def would_cycle(network: Network, source: str, target: str) -> bool:
    """Whether a wire from ``source`` to ``target`` would close a cycle."""
    if source == target:
        return True
    seen, stack = {target}, [target]
    while stack:
        for wire in network.outgoing.get(stack.pop(), ()):
            if wire.target == source:
                return True
            if wire.target not in seen:
                seen.add(wire.target)
                stack.append(wire.target)
    return False
