"""What is measured beyond the metrics, against scikit-learn and numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import precision_recall_fscore_support

from deepgui import builder
from deepgui.compiler.build import build
from deepgui.compiler.catalogue import catalogue
from deepgui.data.dataset import prepare
from deepgui.project.values import DataConfig, TrainingConfig
from deepgui.training.bindings import make_objective
from deepgui.training.objectives.base import Networks
from deepgui.use import measuring


def mlp(inputs, outputs, shape=None):
    net = builder.Network("net")
    x = net.add("Input", shape=shape or (inputs,))
    x = net.add("Flatten", x) if shape else x
    net.add("Output", net.add("Linear", x, out_features=outputs))
    return net


def learning(net, data, objective):
    project = net.project(data=data, training=TrainingConfig(objective=objective))
    dataset = prepare(project.data, objective)
    torch.manual_seed(0)
    networks = Networks({"network": build(project.networks["network"], catalogue(()))})
    return networks, make_objective(project, "network", dataset), dataset


def test_every_class_has_the_numbers_of_scikit_learn():
    networks, objective, dataset = learning(mlp(13, 3), DataConfig("wine", validation=0.4), "classification")
    found = measuring.closely(networks, objective, dataset, "validation")
    split = dataset.validation.all()
    said = networks.main(split[objective.inputs[0]]).argmax(1)
    truth = split[dataset.target.name]
    expected = precision_recall_fscore_support(truth, said, labels=range(3), zero_division=np.nan)
    for k, one in enumerate(found.classes):
        assert (one.precision, one.recall, one.f1, one.examples) == pytest.approx(
            [part[k] for part in expected], nan_ok=True
        )
    assert found.means["recall"] == pytest.approx(np.nanmean(expected[1]))


def test_areas_under_curves_are_those_of_the_probability_alone():
    chances = np.array([[0.9, 0.1], [0.6, 0.4], [0.4, 0.6], [0.2, 0.8]])
    true = np.array([[1, 0], [0, 1], [1, 0], [0, 1]], bool)
    first, second = measuring.of_classes(chances, true, chances.argmax(1), ("a", "b"))
    assert (first.roc_auc, second.roc_auc) == (0.75, 0.75)  # three of four pairs are in order
    assert first.average_precision == pytest.approx((1 + 2 / 3) / 2)
    assert (first.precision, first.recall) == (0.5, 0.5)


def test_a_class_that_is_nowhere_has_no_recall_and_no_curve():
    chances = np.array([[0.9, 0.1], [0.6, 0.4]])
    true = np.array([[1, 0], [1, 0]], bool)
    _, never = measuring.of_classes(chances, true, chances.argmax(1), ("a", "b"))
    assert np.isnan([never.recall, never.precision, never.roc_auc, never.average_precision]).all()


def test_the_worst_examples_have_the_highest_loss():
    networks, objective, dataset = learning(mlp(13, 3), DataConfig("wine", validation=0.4), "classification")
    found = measuring.worst(networks, objective, dataset, "validation", 3)
    split = dataset.validation.all()
    scores = networks.main(split[objective.inputs[0]]).detach()
    losses = torch.nn.functional.cross_entropy(scores, split[dataset.target.name], reduction="none")
    assert [bad.index for bad in found] == losses.argsort(descending=True)[:3].tolist()
    assert found[0].loss == pytest.approx(float(losses.max()), rel=1e-5)
    assert found[0].row == int(dataset.validation.rows[found[0].index])
    assert found[0].true == dataset.target.classes[int(split[dataset.target.name][found[0].index])]
    assert objective.criterion.reduction == "mean", "training goes on as before"


def test_residuals_are_in_the_units_of_the_data():
    networks, objective, dataset = learning(mlp(10, 1), DataConfig("diabetes", validation=0.4), "regression")
    found = measuring.closely(networks, objective, dataset, "validation")
    split = dataset.validation.all()
    scale = dataset.normalizer[dataset.target.name]
    away = scale.inverse(networks.main(split[objective.inputs[0]])) - scale.inverse(split[dataset.target.name])
    (one,) = found.residuals
    assert one.mean == pytest.approx(float(away.mean()), rel=1e-4)
    assert one.largest == pytest.approx(float(away.abs().max()), rel=1e-4)
    assert one.quantiles[2] == pytest.approx(float(away.median()), abs=5)
    assert one.largest > 50, "in points of the disease's progress, not in standard deviations"


def test_an_autoencoder_is_worst_at_something_too():
    net = builder.Network("auto")
    x = net.add("Flatten", net.add("Input", shape=(1, 8, 8)))
    x = net.add("Linear", net.add("Linear", x, out_features=4), out_features=64)
    net.add("Output", net.add("reshape", x, shape=(-1, 1, 8, 8)))
    networks, objective, dataset = learning(net, DataConfig("digits", validation=0.02), "reconstruction")
    found = measuring.worst(networks, objective, dataset, "validation", 2)
    pictures = dataset.validation.all()[objective.inputs[0]]
    errors = (networks.main(pictures) - pictures).square().flatten(1).mean(1)
    assert [bad.index for bad in found] == errors.argsort(descending=True)[:2].tolist()
