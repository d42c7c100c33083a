"""What stands in the way of training is found before it, and one click mends it where one edit can."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torchmetrics.functional as tm

from deepgui import builder
from deepgui.catalog.builtin import registry
from deepgui.compiler.build import build
from deepgui.data.dataset import prepare
from deepgui.project.values import DataConfig, TrainingConfig, main_key
from deepgui.training.events import Failed, Finished
from deepgui.training.objectives import objectives
from deepgui.training.preflight import preflight
from deepgui.training.trainer import RunSpec, Trainer


def problems(project, severity="error"):
    return [p for p in preflight(project, main_key(project), registry()) if p.severity == severity]


def chain(shape, *layers):
    net = builder.Network("net")
    handle = net.add("Input", shape=shape)
    for kind, params in layers:
        handle = net.add(kind, handle, **params)
    net.add("Output", handle)
    return net


def mended(project, code):
    """The project after clicking the fix of the one problem with this code."""
    found = [p for p in preflight(project, main_key(project), registry()) if p.code == code]
    assert len(found) == 1, [p.message for p in preflight(project, main_key(project), registry())]
    assert found[0].fix is not None
    assert found[0].expected or found[0].severity == "warning"
    return replace(project, networks={"network": found[0].fix.apply(project.main)})


def test_a_sound_project_has_nothing_against_it(wine, digits, diabetes):
    for project in (wine(), digits(), diabetes()):
        assert preflight(project, "", registry()) == ()


def test_the_wrong_number_of_classes_is_mended_at_the_last_linear():
    project = chain(
        (13,), ("Linear", {"out_features": 8}), ("ReLU", {}), ("Linear", {"out_features": 7}), ("Dropout", {})
    )
    project = project.project(data="wine")
    (problem,) = problems(project)
    assert (problem.expected, problem.received) == ("N×3", "N×7")
    fixed = mended(project, "output-classes")
    assert fixed.main.nodes["linear_2"].params == {"out_features": 3}
    assert problems(fixed) == []


def test_a_picture_that_was_not_flattened_is():
    project = chain((1, 8, 8), ("Conv2d", {"out_channels": 4, "kernel_size": 3}), ("Linear", {"out_features": 10}))
    fixed = mended(project.project(data="digits"), "output-shape")
    assert [n.kind for n in fixed.main.nodes.values() if n.kind == "Flatten"]
    assert problems(fixed) == []


def test_a_network_without_a_last_layer_gets_flatten_and_linear():
    project = chain((1, 8, 8), ("Conv2d", {"out_channels": 4, "kernel_size": 3}), ("ReLU", {})).project(data="digits")
    assert problems(mended(project, "output-shape")) == []


def test_a_softmax_before_cross_entropy_is_taken_out():
    project = chain((13,), ("Linear", {"out_features": 3}), ("Softmax", {"dim": 1})).project(data="wine")
    assert problems(project) == []
    assert [p.code for p in problems(project, "warning")] == ["extra-activation"]
    fixed = mended(project, "extra-activation")
    assert "Softmax" not in {n.kind for n in fixed.main.nodes.values()}


def test_nll_wants_log_softmax():
    project = chain((13,), ("Linear", {"out_features": 3})).project(
        data="wine", training=TrainingConfig(objective_options={"loss": "NLLLoss"})
    )
    fixed = mended(project, "loss-needs-log-softmax")
    assert problems(fixed, "warning") == []


def test_one_output_for_two_classes():
    options = TrainingConfig(objective_options={"loss": "BCEWithLogitsLoss"}, epochs=8, device="cpu")
    project = chain((30,), ("Linear", {"out_features": 2})).project(data="breast_cancer", training=options)
    fixed = mended(project, "output-shape")
    assert fixed.main.nodes["linear"].params == {"out_features": 1}
    *_, last = Trainer(RunSpec(fixed))
    assert isinstance(last, Finished)
    assert last.metrics["test_accuracy"] > 0.85
    three = replace(fixed, data=DataConfig("iris"))
    assert "loss-needs-two-classes" in {p.code for p in problems(three)}


def test_regression_needs_the_targets_numbers():
    config = TrainingConfig(objective="regression")
    project = chain((10,), ("Linear", {"out_features": 4})).project(data="diabetes", training=config)
    fixed = mended(project, "output-shape")
    assert problems(fixed) == []


def test_input_shape_follows_the_data():
    project = chain((5,), ("Linear", {"out_features": 3})).project(data="wine")
    (problem,) = problems(project)
    assert (problem.node, problem.expected, problem.received) == ("input", "N×13", "N×5")
    assert problems(mended(project, "input-shape")) == []


def test_an_input_without_data_and_an_unknown_field():
    net = builder.Network("two")
    a, b = net.add("Input", shape=(13,)), net.add("Input", shape=(13,))
    net.add("Output", net.add("Linear", net.add("add", a, b), out_features=3))
    assert "unbound-input" in {p.code for p in problems(net.project(data="wine"))}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"optimizer": "Adamm"}, "There is no optimiser Adamm"),
        ({"optimizer_options": {"lr": -1.0}}, "lr must be at least 0"),
        ({"optimizer_options": {"learning_rate": 1.0}}, "Adam has no setting learning_rate"),
        ({"scheduler": "LambdaLR"}, "Python function"),
        ({"scheduler": "StepLr"}, "There is no scheduler StepLr"),
        ({"scheduler": "StepLR", "scheduler_options": {"step_size": "x"}}, "step_size must be a whole number"),
        ({"objective": "divination"}, "There is no objective divination"),
        ({"objective_options": {"loss": "MSELoss"}}, "loss must be one of"),
        ({"device": "tpu"}, "There is no device tpu"),
        ({"precision": "fp8"}, "There is no precision fp8"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"seed": 2**70}, "seed must be from 0 to"),
        ({"seed": -1}, "seed must be from 0 to"),
        ({"clip_grad_norm": 0.0}, "clip_grad_norm must be more than 0"),
        ({"objective": "regression"}, "choose classification"),
    ],
)
def test_wrong_settings_are_one_sentence_each(wine, settings, says):
    found = problems(wine(**settings))
    assert len(found) == 1, [p.message for p in found]
    assert says in found[0].message


def test_batches_that_do_not_suit(wine, digits):
    assert [p.code for p in problems(wine(batch_size=4096), "warning")] == ["large-batch"]
    assert [p.code for p in problems(digits(batch_size=1))] == ["single-example-batch"]
    count = len(prepare(digits().data, "classification").train)
    size = next(s for s in range(2, count) if count % s == 1)
    lonely = digits(batch_size=size, epochs=1)
    assert [p.code for p in problems(lonely, "warning")] == ["single-example-batch"]
    *_, last = Trainer(RunSpec(replace(lonely, training=replace(lonely.training, max_steps=None))))
    assert not isinstance(last, Failed), "the example left over is left out"


def test_problems_with_the_data_itself(wine):
    assert [p.code for p in problems(replace(wine(), data=DataConfig()))] == ["no-data"]
    (missing,) = problems(replace(wine(), data=DataConfig("csv", {"path": "/nowhere/there.csv"})))
    assert "there.csv" in missing.message


def bound(project):
    dataset = prepare(project.data, project.training.objective)
    kind = objectives()[project.training.objective]
    return kind(dataset, project.training.objective_options, dataset.inputs), dataset


def test_classification_scores_are_torchmetrics(digits):
    objective, _ = bound(digits())
    torch.manual_seed(0)
    output, target = torch.randn(200, 10), torch.randint(0, 9, (200,))
    score = objective.score(output, target)
    assert score.metrics["accuracy"] == pytest.approx(tm.accuracy(output, target, "multiclass", num_classes=10).item())
    expected = tm.f1_score(output, target, "multiclass", num_classes=10, average="macro").item()
    assert score.metrics["f1"] == pytest.approx(expected, abs=1e-6)
    assert score.confusion.sum() == 200
    assert np.array_equal(score.confusion.sum(1), np.bincount(target, minlength=10))


def test_regression_scores_are_in_the_targets_own_units(diabetes):
    objective, dataset = bound(diabetes())
    batch = dataset.test.all()
    module = build(diabetes().main, registry()).eval()
    with torch.no_grad():
        output = module(batch[dataset.inputs[0]])
    score = objective.score(output, batch[dataset.target.name])
    scale = dataset.normalizer[dataset.target.name]
    guess, truth = (
        scale.inverse(output).flatten(),
        dataset.test.raw(torch.arange(len(dataset.test)))[dataset.target.name].flatten(),
    )
    assert score.metrics["rmse"] == pytest.approx(float((guess - truth).square().mean().sqrt()), rel=1e-5)
    assert score.metrics["mae"] == pytest.approx(float((guess - truth).abs().mean()), rel=1e-5)
    assert score.metrics["r2"] == pytest.approx(tm.r2_score(guess, truth).item(), abs=1e-5)


def test_rare_classes_weigh_more(wine):
    objective, dataset = bound(wine(objective_options={"class_weights": True}))
    counts = torch.bincount(dataset.train.labels()).float()
    weights = objective.criterion.weight
    torch.testing.assert_close(weights * counts, (weights * counts)[0].expand(3))
    *_, last = Trainer(RunSpec(wine(objective_options={"class_weights": True, "label_smoothing": 0.1})))
    assert isinstance(last, Finished)


@pytest.mark.parametrize("loss", ["L1Loss", "SmoothL1Loss", "HuberLoss", "MSELoss"])
def test_every_regression_loss_trains(diabetes, loss):
    *_, last = Trainer(RunSpec(diabetes(objective_options={"loss": loss}, epochs=2)))
    assert isinstance(last, Finished)
    assert {"test_rmse", "test_mae", "test_r2", "val_loss", "train_loss"} <= last.metrics.keys()
