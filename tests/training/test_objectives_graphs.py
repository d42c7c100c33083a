"""Answers about nodes and about whole graphs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from deepgui import builder
from deepgui.compiler.catalogue import catalogue
from deepgui.data.batches import Batches
from deepgui.data.dataset import prepare
from deepgui.probes.observe import preview
from deepgui.project.values import DataConfig, TrainingConfig
from deepgui.training.events import Failed, Scalars
from deepgui.training.objectives.previews import GraphDrawing
from deepgui.training.preflight import preflight
from deepgui.training.trainer import RunSpec, Trainer

CLUB, SHAPES = DataConfig("karate"), DataConfig("graph_shapes", {"n": 60})


def club():
    net = builder.Network("club")
    x = net.add("Input", shape=(34,))
    edges = net.add("Input", shape=(2,), dtype="int64", per="edge_index")
    x = net.add("Tanh", net.add("GCNConv", x, edges, out_channels=4))
    net.add("Output", net.add("GCNConv", x, edges, out_channels=2))
    return net


def shapes(pooled=True):
    net = builder.Network("shapes")
    x = net.add("Input", shape=(1,))
    edges = net.add("Input", shape=(2,), dtype="int64", per="edge_index")
    x = net.add("ReLU", net.add("GCNConv", x, edges, out_channels=8))
    if pooled:
        x = net.add("global_mean_pool", x, net.add("Input", shape=(), dtype="int64"))
    net.add("Output", net.add("Linear", x, out_features=4))
    return net


class Club(nn.Module):
    def __init__(self):
        from torch_geometric.nn import (
            GCNConv,  # which would put other functions into torch before the catalogue is read
        )

        super().__init__()
        self.first, self.second = GCNConv(34, 4), GCNConv(4, 2)

    def forward(self, batch):
        x = torch.tanh(self.first(batch["features"], batch["edges"]))
        return self.second(x, batch["edges"])[batch["nodes"]]


class Shapes(nn.Module):
    def __init__(self):
        from torch_geometric.nn import GCNConv

        super().__init__()
        self.conv, self.scores = GCNConv(1, 8), nn.Linear(8, 4)

    def forward(self, batch):
        from torch_geometric.nn import global_mean_pool

        x = torch.relu(self.conv(batch["features"], batch["edges"]))
        return self.scores(global_mean_pool(x, batch["graph"]))


def project(net, data, batch_size):
    return net.project(data=data, training=TrainingConfig(device="cpu", epochs=12, batch_size=batch_size))


def found_in(made):
    return preflight(made, "", catalogue(made.blocks))


@pytest.mark.parametrize(
    ("draw", "write", "data", "batch_size"),
    [(club, Club, CLUB, 34), (shapes, Shapes, SHAPES, 8)],
    ids=["nodes", "graphs"],
)
def test_training_is_that_of_a_loop_written_by_hand(draw, write, data, batch_size):
    made = project(draw(), data, batch_size)
    assert found_in(made) == ()
    ours = []
    for event in Trainer(RunSpec(made)):
        assert not isinstance(event, Failed), event
        if isinstance(event, Scalars):
            ours += event.columns.get("train_loss", ())
    dataset = prepare(data, "classification")
    torch.manual_seed(0)
    twin = write()
    optimizer = torch.optim.Adam(twin.parameters())
    batches, theirs = Batches(dataset.train, batch_size, shuffle=True, seed=0), []
    for epoch in range(12):
        for batch in batches.epoch(epoch):
            optimizer.zero_grad()
            loss = F.cross_entropy(twin(batch), batch[dataset.target.name])
            loss.backward()
            optimizer.step()
            theirs.append(loss.item())
    assert ours[:50] == pytest.approx(theirs[:50], rel=1e-5)


def test_answers_for_nodes_where_graphs_are_asked_for_are_refused():
    (problem,) = found_in(project(shapes(pooled=False), SHAPES, 8))
    assert problem.received == "nodes×4"
    assert problem.expected == "N×4"


def test_edges_drawn_as_examples_are_mended():
    net = builder.Network("club")
    x = net.add("Input", shape=(34,))
    edges = net.add("Input", shape=(2,), dtype="int64")
    net.add("Output", net.add("GCNConv", x, edges, out_channels=2))
    made = project(net, CLUB, 34)
    (problem,) = [p for p in found_in(made) if p.code == "input-shape"]
    key = next(iter(made.networks))
    mended = problem.fix.apply(made.networks[key])
    assert mended.nodes[problem.node].params["per"] == "edge_index"


def test_the_graph_is_coloured_by_what_is_said():
    trainer = Trainer(RunSpec(project(club(), CLUB, 34)))
    list(trainer)
    shown = preview(trainer.objective, trainer.networks, "mistakes")
    assert isinstance(shown, GraphDrawing)
    assert shown.places.shape == (34, 2)
    assert shown.edges.shape == (2, 78)
    assert set(shown.true.tolist()) == {0, 1}
    whole = trainer.dataset.train.table.get(torch.arange(34))
    with torch.no_grad():
        said = trainer.module(whole["features"], whole["edges"]).argmax(1).numpy()
    assert np.array_equal(shown.said, said)
