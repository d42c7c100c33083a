"""Networks that take graphs: batches whose nodes, edges and graphs agree, and which of their sizes are free."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.export import Dim

from deepgui.catalog.graph_layers import CATEGORY
from deepgui.exporters.exportable import Batch, Exportable, shape_of
from deepgui.graph.values import Node


def takes_graphs(subject: Exportable) -> bool:
    """Whether the Inputs are those of a graph, so that their first dimensions do not all count the same."""
    return any(_per(node) != "example" for node in subject.inputs)


def random_graphs(subject: Exportable, count: int) -> Batch:
    """So many random graphs joined into one, a tensor for each Input."""
    generator = torch.Generator().manual_seed(count)
    nodes, edges = 2 * count + 1, 3 * count + 2
    return tuple(_input(subject, node, (count, nodes, edges), generator) for node in subject.inputs)


def free_sizes(subject: Exportable) -> tuple[dict[int, Dim], ...]:
    """Which dimensions of each Input have any size, as ``torch.export`` wants them: nodes and edges."""
    nodes, edges = Dim("nodes"), Dim("edges")
    found = {"edge": {0: edges}, "edge_index": {1: edges}, "example": {0: nodes}}
    return tuple(dict(found[_per(node)]) for node in subject.inputs)


def _per(node: Node) -> str:
    return str(node.params.get("per", "example"))


def _input(subject: Exportable, node: Node, counts: tuple[int, int, int], generator: torch.Generator) -> Tensor:
    graphs, nodes, edges = counts
    dtype = getattr(torch, str(node.params.get("dtype", "float32")))
    if _per(node) == "edge_index":
        return torch.randint(0, nodes, (*shape_of(node), edges), generator=generator, dtype=dtype)
    shape = (edges if _per(node) == "edge" else nodes, *shape_of(node))
    if dtype.is_floating_point:
        return torch.randn(shape, generator=generator, dtype=dtype)
    if _numbers_graphs(subject, node):
        return (torch.arange(nodes) * graphs // nodes).to(dtype)
    return torch.randint(0, 2, shape, generator=generator).to(dtype)


def _numbers_graphs(subject: Exportable, node: Node) -> bool:
    """Whether an Input says which graph each node belongs to: the data says so, or a graph layer takes it as that."""
    places = {own.id: place for place, own in enumerate(subject.inputs)}
    if place_field := subject.fields[places[node.id] : places[node.id] + 1]:
        return place_field[0].kind == "graph"
    takers = [(subject.network.nodes[w.target], w.input) for w in subject.network.out_of(node.id)]
    return any(port == "batch" and subject.registry[taker.kind].category == CATEGORY for taker, port in takers)
