"""Networks over graphs: papers of Cora and the solubility of molecules."""

from __future__ import annotations

import statistics
from pathlib import Path

from figures import Row, trained

import deepgui
from deepgui.data.dataset import prepare
from deepgui.project.values import DataConfig, TrainingConfig


def gcn(data: Path) -> float:
    """Mean test accuracy over ten seeds on Kipf's split: two convolutions of 16, dropout of half."""
    source = DataConfig("planetoid", {"path": str(data / "planetoid" / "cora.npz")})
    features = prepare(source, "classification").field("features").shape
    net = deepgui.Network("cora_gcn")
    x = net.add("Input", shape=features)
    edges = net.add("Input", shape=(2,), dtype="int64", per="edge_index")
    x = net.add("GCNConv", net.add("Dropout", x), edges, out_channels=16)
    x = net.add("GCNConv", net.add("Dropout", net.add("ReLU", x)), edges, out_channels=7)
    net.add("Output", x)
    found = []
    for seed in range(10):
        training = TrainingConfig(
            optimizer_options={"lr": 0.01, "weight_decay": 5e-4}, epochs=200, batch_size=140, seed=seed
        )
        found.append(trained(net.project(data=source, training=training))[1]["test_accuracy"])
    return statistics.mean(found)


def gat(data: Path) -> float:
    """Mean test accuracy over ten seeds on Kipf's split: eight heads of 8, then one, dropout of 0.6."""
    source = DataConfig("planetoid", {"path": str(data / "planetoid" / "cora.npz")})
    features = prepare(source, "classification").field("features").shape
    net = deepgui.Network("cora_gat")
    x = net.add("Input", shape=features)
    edges = net.add("Input", shape=(2,), dtype="int64", per="edge_index")
    x = net.add("GATConv", net.add("Dropout", x, p=0.6), edges, out_channels=8, heads=8, dropout=0.6)
    x = net.add("Dropout", net.add("ELU", x), p=0.6)
    net.add("Output", net.add("GATConv", x, edges, out_channels=7, heads=1, dropout=0.6))
    found = []
    for seed in range(10):
        training = TrainingConfig(
            optimizer_options={"lr": 0.005, "weight_decay": 5e-4}, epochs=300, batch_size=140, seed=seed
        )
        found.append(trained(net.project(data=source, training=training))[1]["test_accuracy"])
    return statistics.mean(found)


def solubility(data: Path) -> float:
    """Test RMSE of ESOL (logarithm of mol/l), mean of three seeds: four convolutions, mean and sum of the atoms."""
    options = {"path": str(data / "molecules" / "delaney-processed.csv")}
    target = "measured log solubility in mols per litre"
    found = []
    for seed in range(3):
        source = DataConfig("molecules", options, target=target, validation=0.1, test=0.1, seed=seed)
        features = prepare(source, "regression").field("features").shape
        net = deepgui.Network("esol")
        x = net.add("Input", shape=features)
        edges = net.add("Input", shape=(2,), dtype="int64", per="edge_index")
        graph = net.add("Input", shape=(), dtype="int64")
        for _ in range(4):
            x = net.add("ReLU", net.add("GraphConv", x, edges, out_channels=64))
        both = net.add("cat", net.add("global_mean_pool", x, graph), net.add("global_add_pool", x, graph), dim=1)
        x = net.add("ReLU", net.add("Linear", both, out_features=64))
        net.add("Output", net.add("Linear", x, out_features=1))
        training = TrainingConfig(
            objective="regression", optimizer_options={"lr": 2e-3}, scheduler="OneCycleLR", epochs=80, seed=seed
        )
        found.append(trained(net.project(data=source, training=training))[1]["test_rmse"])
    return statistics.mean(found)


ROWS = (
    Row("cora_gcn", "Cora, GCN, test accuracy, ten seeds", 0.815, gcn),
    Row("cora_gat", "Cora, GAT, test accuracy, ten seeds", 0.83, gat),
    Row("esol", "ESOL, test RMSE, three seeds", 0.9, solubility, highest=True),
)
