"""Batches of graphs: several joined into one, and nodes of a single graph that every batch holds."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deepgui.data.batches import Batches
from deepgui.data.dataset import Split
from deepgui.data.fields import Field, input_params, label_field, number_field, of_one_graph, type_of
from deepgui.data.joined import EDGE_FIELD, GRAPH_FIELD, NODE_FIELD, GraphsTable, NodesTable, feature_field
from deepgui.data.normalize import Normalizer, Scale
from deepgui.data.table import renumbered


def graphs(sizes: list[tuple[int, int]], seed: int = 0) -> GraphsTable:
    """Random graphs with so many nodes and edges; the target counts the graphs."""
    generator = torch.Generator().manual_seed(seed)
    edges = [torch.randint(max(n, 1), (2, e), generator=generator) for n, e in sizes]
    tensors = {
        "features": torch.rand(sum(n for n, _ in sizes), 3, generator=generator),
        "edges": torch.cat(edges, 1) if edges else torch.empty(2, 0, dtype=torch.int64),
        "edge_features": torch.rand(sum(e for _, e in sizes), 2, generator=generator),
        "y": torch.arange(len(sizes)).float()[:, None],
    }
    fields = (
        feature_field(3),
        EDGE_FIELD,
        GRAPH_FIELD,
        Field("edge_features", "edge_features", (2,)),
        number_field("y"),
    )
    return GraphsTable(fields, "y", tensors, *(torch.tensor([s[i] for s in sizes], dtype=torch.int64) for i in (0, 1)))


def club(rows: int = 4) -> NodesTable:
    """Six nodes, the first ``rows`` of them examples."""
    tensors = {
        "features": torch.arange(12.0).reshape(6, 2),
        "edges": torch.tensor([[0, 1, 2], [1, 2, 3]]),
        "nodes": torch.arange(rows),
        "label": torch.tensor([0, 1, 0, 1, 1, 0])[:rows],
    }
    fields = (feature_field(2), EDGE_FIELD, NODE_FIELD, label_field("label", ("a", "b")))
    return NodesTable(fields, "label", tensors)


def split_of(table, normalizer: Normalizer | None = None) -> Split:
    return Split("train", table, torch.arange(len(table)), normalizer or Normalizer())


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 6)), min_size=1, max_size=8), st.data())
def test_a_joined_graph_falls_apart_into_the_chosen_ones(sizes, data) -> None:
    table = graphs(sizes)
    chosen = torch.tensor(data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=6)), dtype=torch.int64)
    batch = table.get(chosen)
    assert len(batch["graph"]) == len(batch["features"])
    assert torch.equal(batch["y"][:, 0].long(), chosen)
    for place, row in enumerate(chosen.tolist()):
        alone = table.get(torch.tensor([row]))
        own = (batch["graph"] == place).nonzero().flatten()
        assert torch.equal(batch["features"][own], alone["features"])
        links = batch["graph"][batch["edges"][0]] == place
        assert torch.equal(batch["edges"][:, links] - own[0], alone["edges"])
        assert torch.equal(batch["edge_features"][links], alone["edge_features"])


@given(st.integers(1, 30), st.integers(1, 12), st.booleans(), st.booleans())
def test_every_graph_comes_once_an_epoch_and_any_start_continues_it(count, size, shuffle, drop) -> None:
    split = split_of(graphs([(1 + i % 4, i % 5) for i in range(count)]))
    batches = Batches(split, size, shuffle=shuffle, seed=3, drop_last=drop)
    full = [batch["y"].flatten().tolist() for batch in batches.epoch(1)]
    assert len(full) == len(batches)
    flat = [y for batch in full for y in batch]
    assert len(set(flat)) == len(flat) == (count // size * size if drop else count)
    for start in (1, len(full)):
        assert [batch["y"].flatten().tolist() for batch in batches.epoch(1, start)] == full[start:]


def test_batches_of_nodes_hold_the_whole_graph_once() -> None:
    split = split_of(club())
    found = list(Batches(split, 3, shuffle=True).epoch(0))
    assert [len(batch["nodes"]) for batch in found] == [3, 1]
    assert {n for batch in found for n in batch["nodes"].tolist()} == {0, 1, 2, 3}
    for batch in found:
        assert batch["features"] is found[0]["features"]
        assert torch.equal(split.table.tensors["label"][batch["nodes"]], batch["label"])
    whole = Batches(split, 100, shuffle=True)
    assert next(whole.epoch(0)) is next(whole.epoch(1))
    (judged,) = Batches(split, 1).epoch(0)
    assert judged["nodes"].tolist() == [0, 1, 2, 3]


def test_features_are_normalised_once_for_all_splits() -> None:
    scales = Normalizer({"features": Scale("features", (1.0, 2.0), (2.0, 4.0))})
    table = club()
    first, second = (Batches(split_of(table, scales), 2) for _ in range(2))
    batch, other = next(first.epoch(0)), next(second.epoch(0))
    assert torch.equal(batch["features"], (table.tensors["features"] - torch.tensor([1.0, 2.0])) / torch.tensor([2, 4]))
    assert batch["features"] is other["features"]
    assert torch.equal(batch["features"], split_of(table, scales).all()["features"])


def test_inputs_of_graphs_are_drawn_per_node_edge_and_graph() -> None:
    table = graphs([(2, 1)])
    assert [str(type_of(f)) for f in table.fields] == ["N×3", "2×E int64", "N int64", "E×2", "N×1"]
    assert [input_params(f)["per"] for f in table.fields] == ["example", "edge_index", "example", "edge", "example"]
    assert of_one_graph(club().fields)
    assert not of_one_graph(table.fields)


def test_sizes_of_a_batch() -> None:
    assert graphs([(2, 1), (4, 5)]).sizes(1) == {"N": 3, "E": 3, "G": 1}
    assert club().sizes(2) == {"N": 6, "E": 3, "G": 1}


def test_classes_are_numbered_as_a_network_knows_them() -> None:
    other = renumbered(club(), label_field("label", ("c", "b", "a")))
    assert other.get(torch.tensor([0, 1]))["label"].tolist() == [2, 1]
    assert other.labels().tolist() == [2, 1, 2, 1]
    assert next(Batches(split_of(other), 1).epoch(0))["label"].tolist() == [2, 1, 2, 1]


def test_a_graph_without_nodes_is_refused() -> None:
    with pytest.raises(ValueError, match="no nodes"):
        graphs([(1, 0), (0, 0)])
