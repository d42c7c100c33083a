"""Sizes that are free beside the batch: edges of graphs. And what is said where graph layers are not installed."""

from __future__ import annotations

import sys

import pytest

import deepgui
from deepgui.catalog import graph_layers
from deepgui.catalog.spec import Registry
from deepgui.graph.lint import lint
from deepgui.graph.shapes import Dim
from deepgui.graph.values import Network, Node, Wire


def _edges(net: deepgui.Network) -> deepgui.Network:
    return net.add("Input", shape=(2,), dtype="int64", per="edge_index")


def _types(net: deepgui.Network, kind: str) -> list[str]:
    report = deepgui.check(net)
    assert [p.message for p in report.problems if p.severity == "error"] == []
    return [str(n.outputs["output"]) for n in report.nodes.values() if n.kind == kind]


def test_features_of_the_ends_of_edges_have_a_row_for_each_edge() -> None:
    net = deepgui.Network("net")
    x, edges = net.add("Input", shape=(5,)), _edges(net)
    ends = net.add("index_select", x, net.add("select", edges, dim=0, index=0), dim=0)
    both = net.add("cat", ends, net.add("Input", shape=(3,), per="edge"), dim=1)
    net.add("Output", net.add("Linear", both, out_features=4))
    assert _types(net, "select") == ["E int64"]
    assert _types(net, "index_select") == ["E×5"]
    assert _types(net, "Linear") == ["E×4"]


def test_what_depends_on_nodes_and_edges_at_once_is_refused() -> None:
    net = deepgui.Network("net")
    net.add("Output", net.add("cat", net.add("Input", shape=(5,)), net.add("Input", shape=(5,), per="edge"), dim=0))
    (problem,) = [p for p in deepgui.check(net).problems if p.severity == "error"]
    assert "N×5 and E×5 cannot be joined along dimension 0" in problem.message


def test_a_number_for_each_example_has_the_batch_alone() -> None:
    net = deepgui.Network("net")
    time = net.add("Input", shape=(), dtype="int64")
    net.add("Output", net.add("Embedding", time, num_embeddings=10, embedding_dim=4))
    assert _types(net, "Embedding") == ["N×4"]


def test_dimensions_say_what_they_count() -> None:
    assert [str(d) for d in (Dim(1, 0), Dim(2, 1, "E"), Dim(1, 0, "G"), Dim(0, 3, "E"))] == ["N", "2E+1", "G", "3"]


def test_a_project_with_graph_layers_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_geometric.nn", None)
    assert graph_layers.graph_layers() == ()
    nodes = {"conv": Node("conv", "GCNConv"), "output": Node("output", "Output")}
    found = lint(Network("net", nodes, (Wire("conv", "output", "output", "input"),)), Registry())
    (problem,) = [p for p in found if p.node == "conv"]
    assert problem.message == (
        "conv: GCNConv is a layer of PyTorch Geometric, which is not installed; install deepgui[graph]."
    )
