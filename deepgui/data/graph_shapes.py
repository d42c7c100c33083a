"""Small graphs of four shapes, generated: what a network can tell from how nodes are joined, and from that alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from deepgui.catalog.spec import ParamSpec
from deepgui.data.errors import DataError
from deepgui.data.fields import label_field, number_field
from deepgui.data.joined import Drawn, GraphsTable, both_ways, feature_field, stacked
from deepgui.data.source_spec import Options, integer

Pairs = NDArray[np.int64]

SHAPES_PARAMS = (
    ParamSpec("n", "int", 600, minimum=12, doc="Number of graphs, as many of each shape."),
    ParamSpec("smallest", "int", 6, minimum=6, doc="Fewest nodes of a graph."),
    ParamSpec("largest", "int", 20, minimum=6, doc="Most nodes of a graph."),
    ParamSpec(
        "task",
        "choice",
        "auto",
        choices=("auto", "classification", "regression"),
        doc="Classification: the shape of a graph. Regression: how many independent loops it has. Auto: the shape, "
        "unless the project learns numbers.",
    ),
    ParamSpec("seed", "int", 0, minimum=0, doc="Of the random numbers; the same seed gives the same graphs."),
)


def _ring(nodes: int, rng: np.random.Generator) -> Pairs:
    return np.stack([np.arange(nodes), (np.arange(nodes) + 1) % nodes])


def _tree(nodes: int, rng: np.random.Generator) -> Pairs:
    """Every node hangs on one of the three before it, so that no tree of six nodes or more is a star."""
    parents = [0, *(int(rng.integers(max(0, child - 3), child)) for child in range(2, nodes))]
    return np.stack([np.arange(1, nodes), np.array(parents)])


def _star(nodes: int, rng: np.random.Generator) -> Pairs:
    return np.stack([np.zeros(nodes - 1, np.int64), np.arange(1, nodes)])


def _grid(nodes: int, rng: np.random.Generator) -> Pairs:
    """A grid of two rows or more, at least as many columns, and as many of the nodes as that needs."""
    rows = int(rng.integers(2, max(3, int(nodes**0.5) + 1)))
    places = np.arange(rows * (nodes // rows)).reshape(rows, -1)
    across = np.stack([places[:, :-1].ravel(), places[:, 1:].ravel()])
    return np.concatenate([across, np.stack([places[:-1].ravel(), places[1:].ravel()])], axis=1)


_SHAPES: dict[str, Callable[[int, np.random.Generator], Pairs]] = {
    "ring": _ring,
    "tree": _tree,
    "star": _star,
    "grid": _grid,
}


def graph_shapes(options: Options) -> GraphsTable:
    """Rings, trees, stars and grids with shuffled nodes; all that a node knows is how many neighbours it has.

    Raises:
        DataError: the smallest is larger than the largest.
    """
    least, most = integer(options, "smallest"), integer(options, "largest")
    if least > most:
        raise DataError(f"the smallest graph has {least} nodes and the largest {most}: exchange them")
    rng = np.random.default_rng(integer(options, "seed"))
    names = tuple(_SHAPES)
    drawn = [i % len(names) for i in range(integer(options, "n"))]
    graphs = [_shuffled(_SHAPES[names[i]](int(rng.integers(least, most + 1)), rng), rng) for i in drawn]
    if options["task"] != "regression":
        target, values = label_field("shape", names), torch.tensor(drawn)
    else:  # a connected graph has as many independent loops as it has edges more than a tree
        loops = [g.edges.shape[1] // 2 - len(g.features) + 1 for g in graphs]
        target, values = number_field("loops"), torch.tensor(loops, dtype=torch.float32)[:, None]
    return stacked(graphs, feature_field(1, ("neighbours",)), target, values)


def _shuffled(pairs: Pairs, rng: np.random.Generator) -> Drawn:
    order = rng.permutation(int(pairs.max()) + 1)
    edges = both_ways(order[pairs])
    return Drawn(np.bincount(edges[0])[:, None].astype(np.float32), edges)
