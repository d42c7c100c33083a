"""Networks over graphs."""

from __future__ import annotations

from deepgui import Network
from deepgui.project.values import DataConfig, Project, TrainingConfig
from drawn.places import place


def karate_gcn() -> Project:
    """Two graph convolutions tell who went with whom when a karate club split; two members say where they stand."""
    net = Network("karate_gcn")
    x = net.add("Input", shape=(34,), name="features", at=place(0, 0))
    edges = net.add("Input", shape=(2,), dtype="int64", per="edge_index", name="edges", at=place(0, 1))
    x = net.add("GCNConv", x, edges, out_channels=8, name="conv1", at=place(1, 0))
    x = net.add("Tanh", x, name="tanh", at=place(2, 0))
    x = net.add("GCNConv", x, edges, out_channels=2, name="conv2", at=place(3, 0))
    net.add("Output", x, name="side", at=place(3, 1))
    training = TrainingConfig(optimizer_options={"lr": 2e-2, "weight_decay": 5e-4}, epochs=150, batch_size=34)
    return net.project("Karate GCN", data=DataConfig("karate"), training=training)


def graph_shapes() -> Project:
    """Whole graphs told apart: rings, trees, stars and grids."""
    net = Network("graph_shapes")
    x = net.add("Input", shape=(1,), name="features", at=place(0, 0))
    edges = net.add("Input", shape=(2,), dtype="int64", per="edge_index", name="edges", at=place(0, 1))
    graph = net.add("Input", shape=(), dtype="int64", name="graph", at=place(0, 2))
    x = net.add("GCNConv", x, edges, out_channels=32, name="conv1", at=place(1, 0))
    x = net.add("ReLU", x, name="relu1", at=place(2, 0))
    x = net.add("GCNConv", x, edges, out_channels=32, name="conv2", at=place(1, 1))
    x = net.add("ReLU", x, name="relu2", at=place(2, 1))
    x = net.add("global_mean_pool", x, graph, name="mean_of_nodes", at=place(1, 2))
    x = net.add("Linear", x, out_features=4, name="scores", at=place(2, 2))
    net.add("Output", x, name="shape", at=place(3, 2))
    training = TrainingConfig(optimizer_options={"lr": 1e-2}, epochs=12, batch_size=32)
    return net.project("Graph shapes", data=DataConfig("graph_shapes"), training=training)


SAMPLES = {"karate_gcn": karate_gcn, "graph_shapes": graph_shapes}
