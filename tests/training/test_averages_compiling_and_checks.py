"""Averaged weights, compiled networks, deterministic algorithms, warm-up and the look at gradients."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from deepgui.catalog.builtin import registry
from deepgui.compiler.build import build
from deepgui.project.values import TrainingConfig
from deepgui.training import compiling, optim, trainer
from deepgui.training.averaging import Average
from deepgui.training.evaluate import load_trained
from deepgui.training.events import Failed, Finished, Scalars, Warned
from deepgui.training.mover import Mover
from deepgui.training.optim import Length
from deepgui.training.preflight import preflight
from deepgui.training.trainer import RunSpec, Trainer


def run(project, **spec):
    """The trainer at its end, all events, the curve of the losses."""
    made = Trainer(RunSpec(project, **spec))
    events = list(made)
    losses = [v for e in events if isinstance(e, Scalars) for v in e.columns.get("train_loss", ())]
    return made, events, losses


def test_the_average_is_that_of_torch():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    twin = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
    average = Average(net, 0.9)
    for _ in range(5):
        net(torch.rand(8, 3))
        with torch.no_grad():
            for weight in net.parameters():
                weight.add_(torch.rand_like(weight))
        twin.update_parameters(net)
        average.update()
    found = average.state_dict()
    for name, value in twin.module.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(found[name], value)


@pytest.mark.parametrize("restore_best", [True, False])
def test_averaged_weights_are_judged_and_kept_and_the_others_learn(wine, new_run, restore_best):
    plain = wine(epochs=3, restore_best=restore_best)
    project = replace(plain, training=replace(plain.training, ema=0.9))
    folder = new_run(project)
    made, events, losses = run(project, folder=folder)
    assert losses == run(plain)[2], "what learns is the same"
    last = events[-1]
    assert isinstance(last, Finished)
    known = load_trained(folder).module.state_dict()
    assert all(torch.equal(value, known[name]) for name, value in made.module.state_dict().items())
    assert made.judge("validation", "val")["val_loss"] == last.metrics["val_loss"]
    raw = torch.load(folder / "checkpoints" / "last.pt", weights_only=True)["module"]
    assert not torch.equal(raw["linear.weight"], known["linear.weight"])


def test_an_average_of_nothing_but_the_last_step_is_the_last_step(wine):
    plain = wine(epochs=2, restore_best=False)
    a, b = run(plain)[0], run(replace(plain, training=replace(plain.training, ema=0.0)))[0]
    assert all(torch.equal(x, y) for x, y in zip(a.module.parameters(), b.module.parameters(), strict=True))


def test_a_network_that_compiles_learns_the_same(wine, monkeypatch):
    monkeypatch.setattr(compiling, "BACKEND", "aot_eager")
    plain = wine(epochs=1, batch_size=40)
    compiled = replace(plain, training=replace(plain.training, compile=True))
    _, events, losses = run(compiled)
    assert not [e for e in events if isinstance(e, Warned)]
    assert losses == pytest.approx(run(plain)[2], rel=1e-4)


def test_without_a_compiler_the_network_runs_as_it_is_and_that_is_said(digits, monkeypatch):
    def broken(graph, inputs):
        raise RuntimeError("no C++ compiler was found\nmany lines")

    monkeypatch.setattr(compiling, "BACKEND", broken)
    plain = digits(epochs=1)
    _, events, losses = run(replace(plain, training=replace(plain.training, compile=True)))
    (said,) = [e.message for e in events if isinstance(e, Warned)]
    assert "torch.compile does not work here, so the network is run as it is" in said
    assert "\n" not in said
    assert losses == run(plain)[2], "and the try changed nothing"


def test_deterministic_algorithms_are_asked_for_and_given_back(wine):
    seen = []
    for event in Trainer(RunSpec(wine(epochs=1, deterministic=True))):
        if isinstance(event, Scalars):
            seen.append(torch.are_deterministic_algorithms_enabled())
    list(Trainer(RunSpec(wine(optimizer="Adamm", deterministic=True))))
    assert seen
    assert all(seen)
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_layer_without_a_deterministic_form_is_named(digits, monkeypatch):
    def refuse(self, x):
        raise RuntimeError("max_pool2d_backward_cuda does not have a deterministic implementation, but you set ...")

    monkeypatch.setattr(nn.MaxPool2d, "forward", refuse)
    project = digits(epochs=1, deterministic=True)
    monkeypatch.setattr(trainer, "preflight", lambda *_: ())
    *_, last = Trainer(RunSpec(project))
    assert isinstance(last, Failed)
    assert last.node == "max_pool2d"
    assert last.message == (
        "max_pool2d: max_pool2d_backward_cuda has no deterministic form on cpu: switch deterministic off,"
        " or use another layer."
    )


def test_a_warm_up_rises_in_a_line_in_front_of_any_schedule():
    config = TrainingConfig(optimizer="SGD", optimizer_options={"lr": 0.1}, warmup_steps=4)
    assert optim.preview_schedule(config, 6) == pytest.approx([0.025, 0.05, 0.075, 0.1, 0.1, 0.1])
    for name in optim.schedulers():
        options = {"step_size": 3} if name == "StepLR" else {}
        plain = replace(config, scheduler=name, scheduler_options=options, warmup_steps=0)
        below = optim.preview_schedule(plain, 12, 3)
        warm = optim.preview_schedule(replace(plain, warmup_steps=4), 12, 3)
        assert warm == pytest.approx([rate * min(1, (i + 1) / 4) for i, rate in enumerate(below)]), name


def test_the_rate_set_by_hand_in_a_warm_up_is_in_force_at_once():
    net = nn.Linear(1, 1)
    config = TrainingConfig(optimizer="SGD", optimizer_options={"lr": 0.1}, warmup_steps=10)
    mover = Mover([net], config, torch.device("cpu"), Length(10, 2, 20))
    mover.learn(net(torch.ones(1, 1)).sum(), 0)
    mover.set_number("lr", 0.5)
    assert mover.lr == pytest.approx(0.5)


class Root(torch.autograd.Function):
    """Fine forward, infinite backward, like a square root at zero; ``left`` times on."""

    left = 1

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        Root.left -= 1
        return gradient * (1.0 if Root.left else float("inf"))


@pytest.mark.parametrize("every", [1, 3])
def test_a_gradient_that_is_not_finite_names_its_layer(wine, monkeypatch, every):
    monkeypatch.setattr(nn.ReLU, "forward", lambda self, x: Root.apply(x))
    monkeypatch.setattr(Root, "left", every)
    *_, last = Trainer(RunSpec(wine(epochs=3, check_gradients=every)))
    assert isinstance(last, Failed)
    assert (last.reason, last.node) == ("not_finite", "linear")
    assert last.message.startswith(f"The gradient of linear.weight became NaN or infinite at step {every}")


def test_where_the_loss_itself_is_not_finite_the_layer_that_computes_it_is_named(wine, monkeypatch):
    monkeypatch.setattr(nn.ReLU, "forward", lambda self, x: x * float("nan"))
    *_, last = Trainer(RunSpec(wine(epochs=1, check_gradients=1)))
    assert (last.node, last.reason) == ("relu", "not_finite")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"ema": 1.0}, "ema must be at least 0 and less than 1"),
        ({"warmup_steps": -1}, "warmup_steps must be at least 0"),
    ],
)
def test_settings_that_cannot_be(wine, settings, expected):
    assert any(expected in p.message for p in preflight(wine(**settings), "", registry()))


def test_a_network_is_built_the_same_whatever_is_switched_on(wine):
    torch.manual_seed(0)
    begin = build(wine().main, registry()).state_dict()
    made = Trainer(RunSpec(wine(max_steps=1, ema=0.5, deterministic=True, optimizer_options={"lr": 0.0})))
    list(made)
    assert all(torch.equal(v, begin[k]) for k, v in made.module.state_dict().items())
