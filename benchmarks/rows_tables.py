"""Perceptrons on tables: wine and the houses of California."""

from __future__ import annotations

import statistics
from dataclasses import replace
from pathlib import Path

from figures import Row, trained

import deepgui
from deepgui.paths import samples
from deepgui.project.values import DataConfig, TrainingConfig


def wine(data: Path) -> float:
    """Mean test accuracy of the sample over five seeds of split and weights."""
    project = deepgui.load(samples() / "wine_mlp.deepgui")
    found = []
    for seed in range(5):
        own = replace(project, data=replace(project.data, seed=seed), training=replace(project.training, seed=seed))
        found.append(trained(own)[1]["test_accuracy"])
    return statistics.mean(found)


def california(data: Path) -> float:
    """Root mean squared error of a perceptron with three hidden layers, in units of 100,000 dollars."""
    net = deepgui.Network("california")
    x = net.add("Input", shape=(13,))
    for width in (256, 128, 64):
        x = net.add("ReLU", net.add("Linear", x, out_features=width))
    net.add("Output", net.add("Linear", x, out_features=1))
    options = {"path": str(data / "tabular" / "california-housing.csv"), "missing": "median"}
    source = DataConfig("csv", options, target="median_house_value", test=0.2)
    training = TrainingConfig(
        objective="regression",
        optimizer="AdamW",
        optimizer_options={"lr": 2e-3, "weight_decay": 1e-3},
        scheduler="OneCycleLR",
        epochs=60,
        batch_size=128,
    )
    return trained(net.project(data=source, training=training))[1]["test_rmse"] / 100_000


ROWS = (
    Row("wine", "wine_mlp, test accuracy, five seeds", 0.97, wine),
    Row("california", "test RMSE in 100,000 dollars", 0.55, california, highest=True),
)
