"""Networks to take home: every kind of layer that exports differently, with learned and with fresh weights."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import deepgui
from deepgui import api
from deepgui.exporters.exportable import Exportable
from deepgui.project.values import DataConfig


def pictures() -> deepgui.Network:
    """Batch normalisation, dropout and a skip connection."""
    net = deepgui.Network("pictures")
    x = net.add("Input", shape=(1, 8, 8), name="image")
    a = net.add("BatchNorm2d", net.add("Conv2d", x, out_channels=4, kernel_size=3, padding=1))
    b = net.add("Conv2d", a, out_channels=4, kernel_size=3, padding=1)
    x = net.add("MaxPool2d", net.add("ReLU", net.add("add", a, b)), kernel_size=2)
    x = net.add("Dropout", net.add("Flatten", x))
    net.add("Output", net.add("Linear", x, out_features=10), name="digit")
    return net


def sequence() -> deepgui.Network:
    """An embedding of whole numbers and a recurrent layer."""
    net = deepgui.Network("sequence")
    x = net.add("Input", shape=(7,), dtype="int64")
    x = net.add("LSTM", net.add("Embedding", x, num_embeddings=11, embedding_dim=6), hidden_size=5)
    net.add("Output", net.add("Linear", net.add("mean", x, dim=1), out_features=3))
    return net


def attention() -> deepgui.Network:
    net = deepgui.Network("attention")
    x = net.add("Input", shape=(6, 8))
    x = net.add("TransformerEncoderLayer", net.add("MultiheadAttention", x, num_heads=2), nhead=2, dim_feedforward=16)
    net.add("Output", net.add("LayerNorm", x, normalized_shape=8))
    return net


def two_in_two_out() -> deepgui.Network:
    net = deepgui.Network("pair")
    a, b = net.add("Input", shape=(3,)), net.add("Input", shape=(4,))
    both = net.add("cat", a, b, dim=1)
    net.add("Output", net.add("Linear", both, out_features=2))
    net.add("Output", net.add("mul", a, a))
    return net


def graphs() -> deepgui.Network:
    """Layers on nodes and edges, and one that makes as many rows as there are graphs."""
    net = deepgui.Network("graphs")
    x = net.add("Input", shape=(5,), name="features")
    edges = net.add("Input", shape=(2,), dtype="int64", per="edge_index", name="edges")
    graph = net.add("Input", shape=(), dtype="int64", name="graph")
    x = net.add("GATConv", net.add("GCNConv", x, edges, out_channels=6), edges, out_channels=4, heads=2)
    x = net.add("GraphNorm", net.add("GINConv", x, edges, out_channels=6, hidden_channels=5), graph)
    net.add("Output", net.add("Linear", net.add("global_mean_pool", x, graph), out_features=3))
    return net


NETWORKS: dict[str, Callable[[], deepgui.Network]] = {
    "pictures": pictures,
    "sequence": sequence,
    "attention": attention,
    "pair": two_in_two_out,
    "graphs": graphs,
}


@pytest.fixture(params=NETWORKS)
def subject(request: pytest.FixtureRequest) -> Exportable:
    """A network with weights that are not what a fresh one would have."""
    found = api.exportable(NETWORKS[request.param]().project())
    torch.manual_seed(1)
    with torch.no_grad():
        for tensor in found.module.state_dict().values():
            if tensor.is_floating_point():
                tensor.add_(torch.rand_like(tensor) * 0.1)
    return found


@pytest.fixture
def pictures_subject() -> Exportable:
    return api.exportable(pictures().project("Pictures", data=DataConfig("digits")))
