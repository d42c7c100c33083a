"""Every optimiser and scheduler of PyTorch is there with typed settings, and works."""

from __future__ import annotations

import pytest
import torch

from deepgui import builder
from deepgui.project.values import DataConfig, TrainingConfig
from deepgui.training import optim
from deepgui.training.events import EpochFinished, Failed, Finished, Scalars
from deepgui.training.trainer import RunSpec, Trainer

NEEDS_OTHER_NETWORKS = {"SparseAdam", "Muon"}


def test_nothing_of_torch_optim_is_missing():
    theirs = {n for n, c in vars(torch.optim).items() if isinstance(c, type) and issubclass(c, torch.optim.Optimizer)}
    assert set(optim.optimizers()) == theirs - {"Optimizer"}
    base = torch.optim.lr_scheduler.LRScheduler
    theirs = {n for n, c in vars(torch.optim.lr_scheduler).items() if isinstance(c, type) and issubclass(c, base)}
    theirs = {n for n in theirs if not n.startswith("_")} - {"LRScheduler"}
    assert set(optim.schedulers()) | set(optim.left_out()) == theirs


def test_settings_are_typed_documented_and_free_of_internals():
    for option in (*optim.optimizers().values(), *optim.schedulers().values()):
        names = {p.name for p in option.params}
        assert not names & {"params", "optimizer", "foreach", "fused", "capturable", "differentiable", "last_epoch"}
        assert option.doc
        for param in option.params:
            assert param.doc, f"{option.name}.{param.name} has no help"
            assert param.required or param.check(param.default) is None, f"{option.name}.{param.name}"
    adam = {p.name: p for p in optim.optimizers()["Adam"].params}
    assert (adam["lr"].type, adam["lr"].default) == ("float", 0.001)
    assert (adam["betas"].type, adam["betas"].default, adam["betas"].length) == ("floats", (0.9, 0.999), 2)
    assert (adam["amsgrad"].type, adam["amsgrad"].default) == ("bool", False)
    one_cycle = {p.name: p for p in optim.schedulers()["OneCycleLR"].params}
    assert one_cycle["anneal_strategy"].choices == ("cos", "linear")
    assert one_cycle["max_lr"].nullable


@pytest.mark.parametrize("name", sorted(set(optim.optimizers()) - NEEDS_OTHER_NETWORKS))
def test_every_optimizer_trains_as_torch_defaults_it(name):
    net = builder.Network("linear")
    net.add("Output", net.add("Linear", net.add("Input", shape=(13,)), out_features=3))
    config = TrainingConfig(optimizer=name, optimizer_options={}, epochs=25, batch_size=64, device="cpu")
    *events, last = Trainer(RunSpec(net.project(data=DataConfig("wine"), training=config)))
    assert isinstance(last, Finished), last
    losses = [e.metrics["train_loss"] for e in events if isinstance(e, EpochFinished)]
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("name", sorted(NEEDS_OTHER_NETWORKS))
def test_an_optimizer_that_does_not_suit_says_why(wine, name):
    *_, last = Trainer(RunSpec(wine(optimizer=name, optimizer_options={})))
    assert isinstance(last, Failed)
    assert (last.reason, last.step) == ("project", 0)
    assert name in last.message


def test_muon_trains_a_network_of_matrices():
    net = builder.Network("matrices")
    x = net.add("ReLU", net.add("Linear", net.add("Input", shape=(13,)), out_features=16, bias=False))
    net.add("Output", net.add("Linear", x, out_features=3, bias=False))
    config = TrainingConfig(optimizer="Muon", optimizer_options={"lr": 0.02}, epochs=3, device="cpu")
    *_, last = Trainer(RunSpec(net.project(data=DataConfig("wine"), training=config)))
    assert isinstance(last, Finished), last


@pytest.mark.parametrize("name", sorted(optim.schedulers()))
def test_every_scheduler_works_with_nothing_set_and_its_preview_is_what_happens(wine, name):
    project = wine(scheduler=name, epochs=8)
    rates: list[float] = []
    for event in Trainer(RunSpec(project)):
        assert not isinstance(event, Failed), event
        if isinstance(event, Scalars):
            rates.extend(event.columns.get("lr", ()))
    assert len(rates) == 32
    if name != "ReduceLROnPlateau":
        assert len({round(r, 12) for r in rates}) > 1, "the learning rate never moves"
        assert optim.preview_schedule(project.training, 32, steps_per_epoch=4) == pytest.approx(rates)


def test_cosine_reaches_the_bottom_with_the_run():
    config = TrainingConfig(scheduler="CosineAnnealingLR", optimizer_options={"lr": 1.0})
    rates = optim.preview_schedule(config, 100, steps_per_epoch=10)
    assert rates[0] == 1.0
    assert rates[-1] == pytest.approx(0.0245, abs=1e-3)


def test_changing_the_learning_rate_scales_what_a_schedule_still_plans():
    module = torch.nn.Linear(2, 2)
    module(torch.ones(1, 2)).sum().backward()
    for name in ("OneCycleLR", "CyclicLR", "CosineAnnealingLR", "StepLR", "LinearLR", "PolynomialLR"):
        config = TrainingConfig(scheduler=name, optimizer="SGD", optimizer_options={"lr": 0.1, "momentum": 0.9})
        rates = {}
        for factor in (1.0, 0.5):
            optimizer = optim.build_optimizer(config, module)
            schedule = optim.Schedule(config, optimizer, optim.Length(5, 4, 20))
            optimizer.step()
            rates[factor] = []
            for step in range(19):
                if step == 7:
                    schedule.set_lr(optimizer.param_groups[0]["lr"] * factor)
                if schedule.each_step:
                    schedule.each_step()
                elif step % 5 == 4:
                    schedule.epoch_finished(1.0)
                rates[factor].append(optimizer.param_groups[0]["lr"])
        assert rates[0.5][7:] == pytest.approx([r / 2 for r in rates[1.0][7:]]), name


def rates_of(schedule: optim.Schedule, epochs: range) -> list[float]:
    """The learning rate of every step of these epochs, five steps each."""
    rates = []
    for _ in epochs:
        for _ in range(5):
            rates.append(schedule.optimizer.param_groups[0]["lr"])
            if schedule.each_step:
                schedule.each_step()
        schedule.epoch_finished(1.0)
    return rates


@pytest.mark.parametrize("epochs", [6, 12])
@pytest.mark.parametrize("name", sorted(set(optim.schedulers()) - {"ReduceLROnPlateau"}))
def test_a_schedule_taken_over_from_a_run_of_other_length_goes_on_as_in_a_run_of_this_one(name, epochs):
    config = TrainingConfig(scheduler=name, optimizer="SGD", optimizer_options={"lr": 0.1, "momentum": 0.9})
    module = torch.nn.Linear(2, 2)

    def schedule_of(epochs: int) -> optim.Schedule:
        optimizer = optim.build_optimizer(config, module)
        schedule = optim.Schedule(config, optimizer, optim.Length(5, epochs, 5 * epochs))
        optimizer.step()
        return schedule

    for factor in (1.0, 0.5):  # changed by hand on the way, or not
        wanted = [rate * factor for rate in rates_of(schedule_of(epochs), range(epochs))[20:]]
        left, taken_up = schedule_of(8), schedule_of(epochs)
        rates_of(left, range(4))
        left.set_lr(left.optimizer.param_groups[0]["lr"] * factor)
        taken_up.optimizer.load_state_dict(left.optimizer.state_dict())
        taken_up.load_state_dict(left.state_dict())
        assert rates_of(taken_up, range(4, epochs)) == pytest.approx(wanted)


def test_settings_that_torch_refuses_are_a_sentence(wine):
    *_, last = Trainer(RunSpec(wine(optimizer_options={"lr": 0.1, "betas": (2.0, 0.9)})))
    assert isinstance(last, Failed)
    assert (last.reason, last.step) == ("project", 0)
    assert "beta" in last.message
