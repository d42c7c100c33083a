"""Order, cycles and reachability of a network, by networkx."""

from __future__ import annotations

import networkx as nx

from deepgui.graph.values import Network


def digraph(network: Network) -> nx.DiGraph[str]:
    """Nodes by id and one edge per connected pair."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(network.nodes)
    graph.add_edges_from((w.source, w.target) for w in network.wires)
    return graph


def cyclic_nodes(network: Network) -> frozenset[str]:
    """Nodes that lie on a cycle."""
    graph = digraph(network)
    loops = {n for n in graph if graph.has_edge(n, n)}
    return frozenset(loops.union(*(c for c in nx.strongly_connected_components(graph) if len(c) > 1)))


def order(network: Network) -> tuple[str, ...]:
    """Topological order; among nodes that could come next, the one placed first comes first.

    Nodes on a cycle and everything that only they lead to are left out.
    """
    graph = digraph(network)
    looping = cyclic_nodes(network)
    if looping:
        blocked = looping.union(*(nx.descendants(graph, n) for n in looping))
        graph.remove_nodes_from(blocked)
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
