"""Tables whose batches are put together of tensors that are no rows of examples: several graphs, or nodes of one.

Graphs are joined into one large graph without edges between its parts, so a layer sees a single graph whatever the
batch; PyTorch Geometric does the same. All of it is tensor code over graphs that lie one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepgui.data.fields import SHARED, Field
from deepgui.data.normalize import Normalizer
from deepgui.data.table import Table, field_of

FEATURES, EDGES, EDGE_FEATURES, GRAPH, NODES = "features", "edges", "edge_features", "graph", "nodes"
"""Names of the fields of graphs; each is its kind, too."""

Placed = dict[torch.device, tuple[Normalizer, Any]]


@runtime_checkable
class Joining(Protocol):
    """What a table can do whose batches are put together anew.

    Attributes:
        tensors: what is stored, by field.
        whole: every batch holds the whole graph, whatever its examples are.
    """

    @property
    def tensors(self) -> Mapping[str, Tensor]: ...
    @property
    def whole(self) -> bool: ...

    def recoded(self, fields: tuple[Field, ...], codes: Tensor) -> Table:
        """The same table with other fields; ``codes`` maps the classes of the target to theirs."""
        ...

    def placed(self, normalizer: Normalizer, device: torch.device) -> Table:
        """The same table, normalised, with its tensors on a device, made once. Row numbers stay on the CPU."""
        ...

    def sizes(self, batch_size: int) -> Mapping[str, int]:
        """How many nodes (``N``), edges (``E``) and graphs (``G``) a batch of so many examples has, on average."""
        ...


@dataclass(frozen=True, eq=False)
class GraphsTable:
    """Every row is a graph; the chosen ones are joined.

    ``get`` gives ``features`` (n, F) of all their nodes, ``edges`` (2, E) with the nodes numbered through, ``graph``
    (n,) with the position in the batch of the graph that each node belongs to, and per graph what else there is.

    Attributes:
        tensors: of all graphs one after the other: ``features`` (nodes, F), ``edges`` (2, edges) with nodes numbered
            from 0 in every graph, ``edge_features`` (edges, K) if there are any, and the target and whatever else
            there is with a row for each graph.
        nodes, edges: how many nodes and edges each graph has, int64 (graphs,); every graph has a node.
    """

    fields: tuple[Field, ...]
    target: str
    tensors: Mapping[str, Tensor]
    nodes: Tensor
    edges: Tensor
    fixed: Mapping[str, Tensor] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    in_memory: bool = True
    whole: bool = False
    _placed: Placed = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if not bool((self.nodes > 0).all()):
            raise ValueError("a graph has no nodes")
        counts = int(self.nodes.sum()), int(self.edges.sum())
        if counts != (len(self.tensors[FEATURES]), self.tensors[EDGES].shape[1]):
            raise ValueError(f"{counts[0]} nodes and {counts[1]} edges are announced, but there are others")

    def __len__(self) -> int:
        return len(self.nodes)

    def get(self, indices: Tensor) -> dict[str, Tensor]:
        counts = self.nodes[indices]
        rows, graph = spans(self._firsts[0][indices], counts)
        links, owner = spans(self._firsts[1][indices], self.edges[indices])
        home = self.tensors[FEATURES].device
        rows, graph, links, shift = (
            t.to(home, non_blocking=True) for t in (rows, graph, links, _starts(counts)[owner])
        )
        found = {}
        for item in self.fields:
            if item.kind == GRAPH:
                found[item.name] = graph
            elif item.kind == EDGES:
                found[item.name] = self.tensors[item.name].index_select(1, links) + shift
            else:
                chosen = {FEATURES: rows, EDGE_FEATURES: links}.get(item.kind)
                found[item.name] = self.tensors[item.name].index_select(
                    0, indices.to(home) if chosen is None else chosen
                )
        return found

    @cached_property
    def _firsts(self) -> tuple[Tensor, Tensor]:
        """The first node and the first edge of every graph."""
        return _starts(self.nodes), _starts(self.edges)

    def labels(self) -> Tensor | None:
        return _labels(self)

    def recoded(self, fields: tuple[Field, ...], codes: Tensor) -> GraphsTable:
        return _recoded(self, fields, codes)

    def placed(self, normalizer: Normalizer, device: torch.device) -> GraphsTable:
        return _placed(self, normalizer, device)

    def sizes(self, batch_size: int) -> Mapping[str, int]:
        share = min(batch_size, len(self)) / max(1, len(self))
        return {
            "N": round(int(self.nodes.sum()) * share),
            "E": round(int(self.edges.sum()) * share),
            "G": min(batch_size, len(self)),
        }


@dataclass(frozen=True, eq=False)
class NodesTable:
    """One graph, whose nodes are the rows; every batch holds the whole graph and says which nodes it is about.

    ``get`` gives ``features`` (n, F) and ``edges`` (2, E) as they are, ``nodes`` (B,) and the nodes' targets.

    Attributes:
        tensors: ``features``, ``edges`` and, if there are any, ``edge_features`` of the graph; ``nodes`` (rows,), the
            node that each row is about, and the target with a row for each of them. Nodes of which nobody knows what
            is to be learnt are in the graph, but no rows.
    """

    fields: tuple[Field, ...]
    target: str
    tensors: Mapping[str, Tensor]
    fixed: Mapping[str, Tensor] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    in_memory: bool = True
    whole: bool = True
    _placed: Placed = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.tensors[NODES])

    def get(self, indices: Tensor) -> dict[str, Tensor]:
        chosen = indices.to(self.tensors[NODES].device, non_blocking=True)
        return {
            f.name: self.tensors[f.name] if f.kind in SHARED else self.tensors[f.name].index_select(0, chosen)
            for f in self.fields
        }

    def labels(self) -> Tensor | None:
        return _labels(self)

    def recoded(self, fields: tuple[Field, ...], codes: Tensor) -> NodesTable:
        return _recoded(self, fields, codes)

    def placed(self, normalizer: Normalizer, device: torch.device) -> NodesTable:
        return _placed(self, normalizer, device)

    def sizes(self, batch_size: int) -> Mapping[str, int]:
        return {"N": len(self.tensors[FEATURES]), "E": self.tensors[EDGES].shape[1], "G": 1}


def spans(starts: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Numbers ``start, start + 1, ...`` of several spans in a row, and the position of the span of each (int64)."""
    owner = torch.repeat_interleave(torch.arange(len(counts)), counts)
    return torch.arange(len(owner)) + (starts - _starts(counts))[owner], owner


def _starts(counts: Tensor) -> Tensor:
    return counts.cumsum(0) - counts


_Own = TypeVar("_Own", GraphsTable, NodesTable)


def _placed(table: _Own, normalizer: Normalizer, device: torch.device) -> _Own:
    kept = table._placed.get(device)
    if kept is not None and kept[0] is normalizer:
        found: _Own = kept[1]
        return found
    tensors = {name: values.to(device) for name, values in normalizer.transform(table.tensors).items()}
    found = replace(table, tensors=tensors, _placed={})
    table._placed[device] = (normalizer, found)
    return found


def _recoded(table: _Own, fields: tuple[Field, ...], codes: Tensor) -> _Own:
    tensors = {**table.tensors, table.target: codes[table.tensors[table.target]]}
    return replace(table, fields=fields, tensors=tensors, _placed={})


def _labels(table: GraphsTable | NodesTable) -> Tensor | None:
    return table.tensors[table.target] if field_of(table.fields, table.target).kind == "label" else None


def feature_field(columns: int, names: tuple[str, ...] = (), *, scaled: bool = True) -> Field:
    """Numbers of a node, shape (n, columns) in a batch."""
    return Field(FEATURES, "features", (columns,), columns=names, scaled=scaled)


EDGE_FIELD = Field(EDGES, "edges", (2,), "int64")
GRAPH_FIELD = Field(GRAPH, "graph", (), "int64")
NODE_FIELD = Field(NODES, "nodes", (), "int64")


class Drawn(NamedTuple):
    """One graph on its own.

    Attributes:
        features: (nodes, F) float32.
        edges: (2, edges) int64, each direction one of its own.
        edge_features: (edges, K) float32, or None if edges have none.
    """

    features: NDArray[np.float32]
    edges: NDArray[np.int64]
    edge_features: NDArray[np.float32] | None = None


def stacked(graphs: Sequence[Drawn], features: Field, target: Field, values: Tensor, **more: Any) -> GraphsTable:
    """A table of graphs, of which each has a value to learn.

    Args:
        values: the target, with a row for each graph.
        more: what else a :class:`GraphsTable` has.
    """
    tensors = {
        FEATURES: torch.from_numpy(np.concatenate([g.features for g in graphs])),
        EDGES: torch.from_numpy(np.concatenate([g.edges for g in graphs], axis=1)),
        target.name: values,
    }
    fields = [features, EDGE_FIELD, GRAPH_FIELD]
    parts = [g.edge_features for g in graphs if g.edge_features is not None]
    if parts:
        tensors[EDGE_FEATURES] = torch.from_numpy(np.concatenate(parts))
        fields.append(Field(EDGE_FEATURES, "edge_features", tuple(tensors[EDGE_FEATURES].shape[1:])))
    nodes, edges = (
        torch.tensor(counts) for counts in zip(*((len(g.features), g.edges.shape[1]) for g in graphs), strict=True)
    )
    return GraphsTable((*fields, target), target.name, tensors, nodes, edges, **more)


def both_ways(edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Edges (2, E) in both directions, every one once, sorted."""
    nodes = int(edges.max(initial=0)) + 1
    first, second = np.concatenate([edges, edges[::-1]], axis=1)
    return np.stack(np.divmod(np.unique(first * nodes + second), nodes))
