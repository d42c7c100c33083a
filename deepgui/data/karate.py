"""Zachary's karate club: 34 members, who meets whom, and the sides they took when the club split."""

from __future__ import annotations

import numpy as np
import torch

from deepgui.catalog.spec import ParamSpec
from deepgui.data.errors import DataError
from deepgui.data.fields import label_field
from deepgui.data.joined import EDGE_FIELD, EDGES, FEATURES, NODE_FIELD, NODES, NodesTable, both_ways, feature_field
from deepgui.data.source_spec import Options, integer

KARATE_PARAMS = (
    ParamSpec(
        "communities",
        "choice",
        "2",
        choices=("2", "4"),
        doc="2: the side that a member took when the club split. 4: the circles that their meetings show.",
    ),
    ParamSpec(
        "labelled",
        "int",
        1,
        minimum=1,
        doc="Members of each community that training knows, those with the most ties; the others are to be guessed.",
    ),
)

_SIDES = ("Mr. Hi", "Officer")
_CIRCLES = (
    (0, 1, 2, 3, 7, 11, 12, 13, 17, 19, 21),
    (4, 5, 6, 10, 16),
    (8, 9, 14, 15, 18, 20, 22, 26, 29, 30, 32, 33),
    (23, 24, 25, 27, 28, 31),
)
"""The partition of the club with the highest modularity, 0.4198 (Brandes et al., 2008)."""


def karate(options: Options) -> NodesTable:
    """The club of Zachary (1977) from networkx; a member's features say who it is, and nothing else.

    Training knows a few members of each community; of its others every second one is for validation, the rest for test.

    Raises:
        DataError: training would know all members of a community.
    """
    import networkx

    club = networkx.karate_club_graph()
    ties = torch.from_numpy(both_ways(np.array(club.edges, dtype=np.int64).T))
    if options["communities"] == "2":
        classes: tuple[str, ...] = _SIDES
        sides = [club.nodes[member]["club"] for member in club]
        communities = torch.tensor([_SIDES.index(side) for side in sides])
    else:
        classes = tuple(f"circle {n + 1}" for n in range(len(_CIRCLES)))
        communities = torch.empty(len(club), dtype=torch.int64)
        for number, members in enumerate(_CIRCLES):
            communities[list(members)] = number
    labelled, smallest = integer(options, "labelled"), int(communities.bincount().min())
    if labelled >= smallest:
        raise DataError(f"a community has {smallest} members only: set labelled to at most {smallest - 1}")
    busiest = torch.tensor([club.degree[member] for member in club]).argsort(descending=True, stable=True)
    ranked = [busiest[communities[busiest] == c] for c in range(len(classes))]
    fixed = {
        "train": [members[:labelled] for members in ranked],
        "validation": [members[labelled::2] for members in ranked],
        "test": [members[labelled + 1 :: 2] for members in ranked],
    }
    names = tuple(f"is member {member}" for member in club)
    tensors = {FEATURES: torch.eye(len(club)), EDGES: ties, NODES: torch.arange(len(club)), "community": communities}
    return NodesTable(
        (feature_field(len(club), names, scaled=False), EDGE_FIELD, NODE_FIELD, label_field("community", classes)),
        "community",
        tensors,
        fixed={split: torch.cat(parts).sort().values for split, parts in fixed.items()},
        notes=(f"{len(club)} members, {club.number_of_edges()} ties; training knows {labelled} of each community",),
    )
