"""Small projects to train, and the two ways of training them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deepgui import builder
from deepgui.project.values import DataConfig, Project, TrainingConfig

Make = Callable[..., Project]


def chain(name: str, shape: tuple[int, ...], *layers: tuple[str, dict[str, Any]]) -> builder.Network:
    """Input, layers, Output in a row."""
    net = builder.Network(name)
    handle = net.add("Input", shape=shape)
    for kind, params in layers:
        handle = net.add(kind, handle, **params)
    net.add("Output", handle)
    return net


def _with(project: Project, **training: Any) -> Project:
    defaults: dict[str, Any] = {"device": "cpu", "epochs": 3}
    return replace(project, training=TrainingConfig(**{**defaults, **training}))


@pytest.fixture(scope="session")
def wine() -> Make:
    """Classification of 13 numbers, with dropout; keyword arguments are training settings."""
    net = chain(
        "wine",
        (13,),
        ("Linear", {"out_features": 16}),
        ("ReLU", {}),
        ("Dropout", {"p": 0.3}),
        ("Linear", {"out_features": 3}),
    )
    return lambda **training: _with(net.project(data=DataConfig("wine")), **training)


@pytest.fixture(scope="session")
def digits() -> Make:
    """Classification of 8×8 pictures by a small CNN with batch normalisation."""
    net = chain(
        "digits",
        (1, 8, 8),
        ("Conv2d", {"out_channels": 6, "kernel_size": 3, "bias": False}),
        ("BatchNorm2d", {}),
        ("ReLU", {}),
        ("MaxPool2d", {"kernel_size": 2}),
        ("Flatten", {}),
        ("Linear", {"out_features": 10}),
    )
    return lambda **training: _with(net.project(data=DataConfig("digits")), **{"batch_size": 128, **training})


@pytest.fixture(scope="session")
def diabetes() -> Make:
    """Regression of one number from ten."""
    net = chain("diabetes", (10,), ("Linear", {"out_features": 8}), ("ReLU", {}), ("Linear", {"out_features": 1}))
    project = net.project(data=DataConfig("diabetes"))
    return lambda **training: _with(project, **{"objective": "regression", **training})


@pytest.fixture
def new_run(tmp_path: Path) -> Callable[[Project], Path]:
    """A fresh run folder for a project."""
    from deepgui.training.store import RunStore

    return RunStore(tmp_path / "runs").create
