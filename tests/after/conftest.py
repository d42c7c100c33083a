"""Small networks that have learnt, with their data."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from deepgui import builder
from deepgui.after.subject import Subject
from deepgui.compiler.build import build
from deepgui.compiler.catalogue import catalogue
from deepgui.data.dataset import prepare
from deepgui.project.values import DataConfig, TrainingConfig
from deepgui.training.bindings import make_objective
from deepgui.training.objectives.base import Networks

_STEPS = 60


def small_mlp() -> builder.Network:
    net = builder.Network("net")
    x = net.add("Input", shape=(13,))
    x = net.add("ReLU", net.add("Linear", x, out_features=16, name="hidden"))
    net.add("Output", net.add("Linear", x, out_features=3, name="head"))
    return net


def small_cnn() -> builder.Network:
    net = builder.Network("net")
    x = net.add("Input", shape=(1, 8, 8))
    x = net.add("ReLU", net.add("BatchNorm2d", net.add("Conv2d", x, out_channels=8, kernel_size=3, name="conv")))
    x = net.add("AdaptiveAvgPool2d", x, output_size=3)
    net.add("Output", net.add("Linear", net.add("Flatten", x), out_features=10, name="head"))
    return net


def learnt(net: builder.Network, data: DataConfig, objective: str = "classification") -> Subject:
    """A drawing after some full-batch steps."""
    project = net.project(data=data, training=TrainingConfig(objective=objective))
    dataset = prepare(project.data, objective)
    torch.manual_seed(0)
    module = build(project.networks["network"], catalogue(()))
    networks, judge = Networks({"network": module}), make_objective(project, "network", dataset)
    optimizer = torch.optim.Adam(module.parameters(), 0.02)
    for _ in range(_STEPS):
        optimizer.zero_grad()
        judge.loss(networks, dataset.train.all()).loss.backward()
        optimizer.step()
    optimizer.zero_grad()
    networks.train(False)
    return Subject(networks, dataset, judge)


@pytest.fixture(scope="session")
def learn() -> Callable[..., Subject]:
    return learnt


@pytest.fixture(scope="session")
def wine() -> Subject:
    return learnt(small_mlp(), DataConfig("wine"))


@pytest.fixture(scope="session")
def digits() -> Subject:
    return learnt(small_cnn(), DataConfig("digits"))
