"""Sources of graphs."""

from __future__ import annotations

from deepgui.data.edge_list import EDGE_LIST_PARAMS, edge_list, edge_list_again
from deepgui.data.graph_shapes import SHAPES_PARAMS, graph_shapes
from deepgui.data.karate import KARATE_PARAMS, karate
from deepgui.data.molecules import MOLECULES_PARAMS, molecules
from deepgui.data.planetoid import PLANETOID_PARAMS, planetoid
from deepgui.data.source_spec import SourceSpec

_ONE = ("classification",)
_BOTH = ("classification", "regression")

SOURCES: tuple[SourceSpec, ...] = (
    SourceSpec(
        "karate", "Karate club", "34 members, their ties, and the sides they took.", KARATE_PARAMS, karate, _ONE
    ),
    SourceSpec(
        "graph_shapes", "Graph shapes", "Rings, trees, stars and grids, generated.", SHAPES_PARAMS, graph_shapes, _BOTH
    ),
    SourceSpec(
        "planetoid",
        "Citation network",
        "Papers that cite each other: Cora, Citeseer.",
        PLANETOID_PARAMS,
        planetoid,
        _ONE,
    ),
    SourceSpec(
        "edge_list",
        "Edges and nodes",
        "A graph in two CSV files.",
        EDGE_LIST_PARAMS,
        edge_list,
        _BOTH,
        again=edge_list_again,
    ),
    SourceSpec(
        "molecules", "Molecules", "A CSV file with SMILES and what to learn.", MOLECULES_PARAMS, molecules, _BOTH
    ),
)
