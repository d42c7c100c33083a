"""What is said of single layers: frozen, at a rate of their own, begun in a way of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from deepgui import builder
from deepgui.catalog.builtin import registry
from deepgui.compiler.build import build
from deepgui.compiler.catalogue import catalogue
from deepgui.project import file
from deepgui.project.layer_training import in_force
from deepgui.project.values import DataConfig, LayerTraining, TrainingConfig
from deepgui.training import layers, optim
from deepgui.training.events import Failed, Finished, Scalars, Started
from deepgui.training.inits import dimensions, inits
from deepgui.training.mover import Mover
from deepgui.training.optim import Length
from deepgui.training.preflight import preflight
from deepgui.training.trainer import RunSpec, Trainer


def trained(project):
    """The trainer at its end, and the weights it began with."""
    torch.manual_seed(project.training.seed)
    begin = build(project.main, catalogue(project.blocks)).state_dict()
    trainer = Trainer(RunSpec(project))
    *_, last = trainer
    assert isinstance(last, Finished), last
    return trainer, begin


def moved(trainer, begin):
    """The weights and buffers that are not as they began."""
    return {name for name, value in trainer.module.state_dict().items() if not torch.equal(value, begin[name])}


def test_what_is_frozen_stays_and_the_others_learn(digits):
    project = digits(
        epochs=1, layers={"conv2d": LayerTraining(frozen=True), "batch_norm2d": LayerTraining(frozen=True)}
    )
    trainer, begin = trained(project)
    assert moved(trainer, begin) == {"linear.weight", "linear.bias"}


def test_a_frozen_normalisation_uses_its_statistics_and_not_the_batch(digits):
    """Also in training mode, as a hand-written loop with ``norm.eval()`` does."""
    project = digits(layers={"batch_norm2d": LayerTraining(frozen=True)})
    module = build(project.main, registry())
    layers.freeze(module, project.training.layers)
    images = torch.rand(4, 1, 8, 8)
    module.train()
    found = module(images)
    module.batch_norm2d._forward_pre_hooks.clear()
    module.eval()
    assert torch.equal(found, module(images))


def block_project(**training):
    """A row of two blocks, each with a Linear and a LayerNorm, and a head."""
    inner = builder.Block("Stage")
    x = inner.add("Input", shape=(13,))
    inner.add("Output", inner.add("ReLU", inner.add("LayerNorm", inner.add("Linear", x, out_features=13))))
    net = builder.Network("net")
    row = net.add(inner, net.add("Input", shape=(13,)), repeat=2)
    net.add("Output", net.add("Linear", row, out_features=3, name="head"))
    project = net.project(data=DataConfig("wine"))
    return replace(project, training=TrainingConfig(**{"device": "cpu", "epochs": 1, **training}))


@pytest.mark.parametrize(
    ("path", "still"),
    [
        ("stage.0.linear", {"stage.0.linear.weight", "stage.0.linear.bias"}),
        ("stage.linear", {f"stage.{i}.linear.{w}" for i in (0, 1) for w in ("weight", "bias")}),
        ("stage.1", {f"stage.1.{layer}.{w}" for layer in ("linear", "layer_norm") for w in ("weight", "bias")}),
        ("gone.long.ago", set()),
    ],
)
def test_a_layer_inside_a_block_a_place_in_a_row_and_a_whole_block(path, still):
    trainer, begin = trained(block_project(layers={path: LayerTraining(frozen=True)}))
    assert set(begin) - moved(trainer, begin) == still


def test_the_nearest_rate_and_initialisation_count_and_frozen_is_frozen():
    said = {
        "stage": LayerTraining(frozen=True, lr=0.1, init="zeros_"),
        "stage.linear": LayerTraining(lr=0.5),
        "stage.1.linear": LayerTraining(init="ones_"),
    }
    assert in_force(said, "stage.0.linear") == LayerTraining(True, 0.5, "zeros_")
    assert in_force(said, "stage.1.linear") == LayerTraining(True, 0.5, "ones_")
    assert in_force(said, "stage.1.norm") == LayerTraining(True, 0.1, "zeros_")
    assert in_force(said, "head") == LayerTraining()


@pytest.mark.parametrize("optimizer", ["Adam", "SGD", "AdamW", "RMSprop", "Adagrad"])
def test_rates_of_their_own_are_those_of_groups_written_by_hand(wine, optimizer):
    options = {"lr": 0.01}
    project = wine(
        epochs=2,
        batch_size=200,
        optimizer=optimizer,
        optimizer_options=options,
        layers={"linear": LayerTraining(lr=0.1)},
    )
    trainer = Trainer(RunSpec(project))
    losses = [v for e in trainer if isinstance(e, Scalars) for v in e.columns.get("train_loss", ())]
    torch.manual_seed(0)
    net = build(project.main, registry())
    groups = [{"params": net.linear_2.parameters()}, {"params": net.linear.parameters(), "lr": 0.001}]
    mover = getattr(torch.optim, optimizer)(groups, **options)
    data = trainer.dataset.train.get(trainer._batches.order(0))
    twin = []
    for epoch in range(2):
        data = trainer.dataset.train.get(trainer._batches.order(epoch))
        loss = nn.functional.cross_entropy(
            net.train()(data[trainer.dataset.inputs[0]]), data[trainer.dataset.target.name]
        )
        mover.zero_grad()
        loss.backward()
        mover.step()
        twin.append(loss.item())
    assert losses == pytest.approx(twin, rel=1e-6)


@pytest.mark.parametrize("name", ["", *optim.schedulers()])
def test_every_scheduler_keeps_the_ratio_of_the_rates(name):
    needed = {"ConstantLR": {}, "StepLR": {"step_size": 2}}
    config = TrainingConfig(
        scheduler=name,
        scheduler_options=needed.get(name, {}),
        optimizer="SGD",
        optimizer_options={"lr": 0.1, "momentum": 0.9},
    )
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    factors = dict.fromkeys(net[1].parameters(), 0.5)
    mover = Mover([net], config, torch.device("cpu"), Length(3, 4, 12), factors)
    rates = []
    for step in range(12):
        first, second = (group["lr"] for group in mover.optimizer.param_groups)
        assert second == pytest.approx(first / 2)
        rates.append(first)
        mover.learn(net(torch.ones(1, 2)).sum(), step % 3)
        if step % 3 == 2:
            mover.schedule.epoch_finished(1.0 / (step + 1))
    assert rates == pytest.approx(optim.preview_schedule(config, 12, 3))


def test_only_layers_with_the_same_factor():
    """Nothing learns at the run's own rate then."""
    project = block_project(layers={path: LayerTraining(lr=0.1) for path in ("stage", "linear")})
    slow = [e for e in Trainer(RunSpec(project)) if isinstance(e, Scalars)]
    plain = block_project(optimizer_options={"lr": 1e-4})
    assert [e.columns.get("train_loss") for e in slow] == [
        e.columns.get("train_loss") for e in Trainer(RunSpec(plain)) if isinstance(e, Scalars)
    ]


def test_a_layer_begins_as_torch_says_and_the_others_as_ever(wine):
    project = wine(layers={"linear_2": LayerTraining(init="normal_", init_options={"std": 0.02})})
    trainer = Trainer(RunSpec(project))
    next(event for event in trainer if isinstance(event, Started))  # built, not yet trained
    torch.manual_seed(0)
    twin = build(project.main, registry())
    nn.init.normal_(twin.linear_2.weight, std=0.02)
    nn.init.zeros_(twin.linear_2.bias)
    found = trainer.module.state_dict()
    assert all(torch.equal(found[name], value) for name, value in twin.state_dict().items())


def test_an_initialisation_of_a_block_leaves_the_scales_of_its_norms():
    project = block_project(layers={"stage": LayerTraining(init="orthogonal_")})
    module = build(project.main, catalogue(project.blocks))
    layers.begin(module, project.training.layers)
    weight = dict(module.named_parameters())["stage.1.linear.weight"]
    torch.testing.assert_close(weight @ weight.T, torch.eye(13), atol=1e-5, rtol=0)
    assert torch.equal(dict(module.named_parameters())["stage.1.layer_norm.weight"], torch.ones(13))


def test_every_initialisation_of_torch_can_be_chosen():
    expected = {n for n in dir(nn.init) if n.endswith("_") and not n.startswith("_")}
    assert set(inits()) == expected
    assert dimensions("zeros_", {}) == (1, 2, 3, 4, 5)
    assert dimensions("xavier_uniform_", {}) == (2, 3, 4, 5)
    assert dimensions("eye_", {}) == (2,)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"linear": LayerTraining(init="xavier")}, "linear: there is no initialisation xavier"),
        ({"linear": LayerTraining(init="constant_")}, "linear: constant_ needs a value for val"),
        ({"linear": LayerTraining(init="normal_", init_options={"sd": 1.0})}, "normal_ has no setting sd"),
        ({"linear": LayerTraining(lr=-1.0)}, "must be 0 or more, not -1"),
        ({n: LayerTraining(frozen=True) for n in ("linear", "linear_2")}, "Every layer is frozen"),
    ],
)
def test_what_cannot_be_is_said_before_training(wine, said, expected):
    project = wine(layers=said)
    assert any(expected in p.message for p in preflight(project, "", registry()))
    *_, last = Trainer(RunSpec(project))
    assert isinstance(last, Failed)


def test_a_norm_cannot_begin_with_what_needs_a_matrix(digits):
    problems = preflight(digits(layers={"batch_norm2d": LayerTraining(init="xavier_uniform_")}), "", registry())
    assert [p.node for p in problems if "xavier_uniform_ needs weights with two" in p.message] == ["batch_norm2d"]


def test_lbfgs_takes_no_rates_of_layers(wine):
    problems = preflight(wine(optimizer="LBFGS", layers={"linear": LayerTraining(lr=0.1)}), "", registry())
    assert any("LBFGS moves all weights at one rate" in p.message for p in problems)


def test_a_project_keeps_it_and_one_without_has_no_trace_of_it(wine):
    said = {
        "stage.2.conv": LayerTraining(True, 0.1, "normal_", {"std": 0.02}),
        "linear": LayerTraining(frozen=True),
    }
    project = wine(layers=said)
    text = file.to_text(project)
    assert file.from_text(text) == project
    assert sum('"frozen"' in line for line in text.split("\n")) == 2, "a layer a line"
    assert "layers" not in file.to_text(wine())
    assert file.meaning_hash(project) != file.meaning_hash(wine())
