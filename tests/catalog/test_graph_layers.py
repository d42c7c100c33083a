"""Layers of PyTorch Geometric: declared by introspection, shapes per node, edge and graph, and its own numbers."""

from __future__ import annotations

import pytest
import torch
import torch_geometric.nn as geometric

import deepgui
from deepgui.catalog.extras import GRAPH_LAYERS
from deepgui.catalog.graph_layers import CHOOSING
from deepgui.graph.values import Network, Node, Wire
from deepgui.project.values import Project

EDGES = torch.tensor([[0, 1, 2, 3, 5], [1, 2, 0, 4, 4]])
BATCH = torch.tensor([0, 0, 0, 1, 1, 1])


def _drawn(kind: str, **params: object) -> deepgui.Network:
    spec = deepgui.layers()[kind]
    net = deepgui.Network("net")
    x = net.add("Input", shape=(5,))
    given = {
        "edge_index": net.add("Input", shape=(2,), dtype="int64", per="edge_index"),
        "batch": net.add("Input", shape=(), dtype="int64"),
    }
    wired = {p.name: given[p.name] for p in spec.inputs if p.name in given}
    layer = net.add(kind, x, **wired, **params)
    net.add("Output", layer["x"] if kind in CHOOSING else layer)
    return net


@pytest.mark.parametrize("kind", GRAPH_LAYERS)
def test_every_layer_gives_rows_for_nodes_or_graphs(kind: str) -> None:
    spec = deepgui.layers()[kind]
    sizes = {p.name: 8 for p in spec.params if p.name in ("out_channels", "hidden_channels")}
    report = deepgui.check(_drawn(kind, **{**sizes, **({"K": 2} if spec.has_param("K") else {})}))
    assert [p.message for p in report.problems if p.severity == "error"] == []
    (node,) = [n for n in report.nodes.values() if n.kind == kind]
    rows = "G" if kind.startswith("global") else "N1" if kind in CHOOSING else "N"
    assert str(next(iter(node.outputs.values()))) == f"{rows}×{8 if sizes else 5}"
    assert {str(t[0]) for name, t in node.inputs.items() if name == "edge_index"} <= {"2×E int64"}


def _classifier() -> deepgui.Network:
    net = deepgui.Network("molecules")
    x = net.add("Input", shape=(5,))
    edges = net.add("Input", shape=(2,), dtype="int64", per="edge_index")
    batch = net.add("Input", shape=(), dtype="int64")
    h = net.add("ReLU", net.add("GCNConv", x, edges, out_channels=8))
    h = net.add("GATConv", h, edges, out_channels=4, heads=2)
    h = net.add("GINConv", h, edges, out_channels=6, hidden_channels=7)
    net.add("Output", net.add("Linear", net.add("global_mean_pool", h, batch), out_features=3))
    return net


def test_a_classifier_of_graphs_computes_what_the_hand_written_one_does() -> None:
    class ByHand(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gcn = geometric.GCNConv(5, 8)
            self.gat = geometric.GATConv(8, 4, heads=2)
            parts = torch.nn.Linear(8, 7), torch.nn.ReLU(), torch.nn.Linear(7, 6)
            self.gin = geometric.GINConv(torch.nn.Sequential(*parts))
            self.linear = torch.nn.Linear(6, 3)

        def forward(self, x: torch.Tensor, edges: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
            h = self.gat(self.gcn(x, edges).relu(), edges)
            return self.linear(geometric.global_mean_pool(self.gin(h, edges), batch))

    net = _classifier()
    x = torch.randn(6, 5)
    torch.manual_seed(0)
    expected = ByHand()(x, EDGES, BATCH)
    torch.manual_seed(0)
    assert torch.equal(deepgui.compile(net)(x, EDGES, BATCH), expected)
    names: dict[str, object] = {}
    exec(deepgui.to_python(net), names)
    torch.manual_seed(0)
    assert torch.equal(names["Molecules"]()(x, EDGES, BATCH), expected)  # type: ignore[operator]


def test_edge_attributes_give_their_size() -> None:
    net = deepgui.Network("net")
    x = net.add("Input", shape=(5,))
    edges = net.add("Input", shape=(2,), dtype="int64", per="edge_index")
    attributes = net.add("Input", shape=(3,), per="edge")
    net.add("Output", net.add("GATv2Conv", x, edges, edge_attr=attributes, out_channels=4))
    report = deepgui.check(net)
    (node,) = [n for n in report.nodes.values() if n.kind == "GATv2Conv"]
    assert (node.params["edge_dim"], str(node.inputs["edge_attr"][0])) == (3, "E×3")
    answer = deepgui.compile(net)(torch.randn(6, 5), EDGES, torch.randn(5, 3))
    assert answer.shape == (6, 4)


def test_node_numbers_that_are_no_whole_numbers_are_refused() -> None:
    nodes = {
        "x": Node("x", "Input", {"shape": (5,)}),
        "e": Node("e", "Input", {"shape": (2,), "per": "edge_index"}),
        "conv": Node("conv", "GCNConv", {"out_channels": 4}),
        "output": Node("output", "Output"),
    }
    wires = (
        Wire("x", "output", "conv", "x"),
        Wire("e", "output", "conv", "edge_index"),
        Wire("conv", "output", "output", "input"),
    )
    (problem,) = deepgui.check(Project("p", {"network": Network("net", nodes, wires)})).problems
    assert (problem.code, problem.port) == ("wrong-dtype", "edge_index")


def _twice_pooled() -> deepgui.Network:
    net = deepgui.Network("chosen")
    x = net.add("Input", shape=(5,))
    edges = net.add("Input", shape=(2,), dtype="int64", per="edge_index")
    batch = net.add("Input", shape=(), dtype="int64")
    first = net.add("TopKPooling", x, edges, batch=batch, ratio=0.8)
    h = net.add("GCNConv", first["x"], first["edge_index"], out_channels=6)
    second = net.add("SAGPooling", h, first["edge_index"], batch=first["batch"])
    net.add("Output", net.add("global_mean_pool", second["x"], second["batch"]))
    return net


def test_every_choice_among_nodes_leaves_a_number_of_its_own() -> None:
    report = deepgui.check(_twice_pooled())
    assert report.problems == ()
    kinds = {n.kind: n for n in report.nodes.values()}
    assert {str(t) for t in kinds["TopKPooling"].outputs.values()} == {"N1×5", "2×E1 int64", "N1 int64", "N1"}
    assert {str(t) for t in kinds["SAGPooling"].outputs.values()} == {"N2×6", "2×E2 int64", "N2 int64", "N2"}
    assert str(kinds["global_mean_pool"].outputs["output"]) == "G×6"


def test_choosing_layers_compute_what_hand_written_ones_do() -> None:
    net = _twice_pooled()
    x = torch.randn(6, 5)
    torch.manual_seed(0)
    top, conv, sag = geometric.TopKPooling(5, 0.8), geometric.GCNConv(5, 6), geometric.SAGPooling(6)
    h, edges, _, batch, _, _ = top(x, EDGES, batch=BATCH)
    h, _, _, batch, _, _ = sag(conv(h, edges), edges, batch=batch)
    expected = geometric.global_mean_pool(h, batch)
    torch.manual_seed(0)
    assert torch.equal(deepgui.compile(net)(x, EDGES, BATCH), expected)
    names: dict[str, object] = {}
    exec(deepgui.to_python(net), names)
    torch.manual_seed(0)
    assert torch.equal(names["Chosen"]()(x, EDGES, BATCH), expected)  # type: ignore[operator]


def test_choices_in_a_row_of_blocks_are_told_apart() -> None:
    block = deepgui.Block("Step")
    x = block.add("Input", shape=(5,), name="x")
    edges = block.add("Input", shape=(2,), dtype="int64", per="edge_index", name="edges")
    batch = block.add("Input", shape=(), dtype="int64", name="batch")
    chosen = block.add("TopKPooling", x, edges, batch=batch)
    for port in ("x", "edge_index", "batch"):
        block.add("Output", chosen[port], name=f"{port}_out")
    net = deepgui.Network("net")
    given = net.add("Input", shape=(5,)), net.add("Input", shape=(2,), dtype="int64", per="edge_index")
    step = net.add(block, *given, net.add("Input", shape=(), dtype="int64"), repeat=2)
    other = net.add("TopKPooling", *given)
    net.add("Output", net.add("global_mean_pool", step["x_out"], step["batch_out"]))
    net.add("Output", other["x"])
    report = deepgui.check(net)
    assert report.problems == ()
    assert [str(n.inputs["input"][0]) for n in report.nodes.values() if n.kind == "Output"] == ["G×5", "N2×5"]


def test_torchs_own_functions_stay_in_place() -> None:
    deepgui.layers()
    assert torch.select is torch._C._VariableFunctions.select
    assert torch.index_select is torch._C._VariableFunctions.index_select
