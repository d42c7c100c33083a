"""What goes wrong while training is said in one sentence that names the layer; nothing is raised."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from deepgui import builder
from deepgui.data.batches import Batches
from deepgui.data.errors import DataError
from deepgui.project.values import DataConfig, TrainingConfig
from deepgui.training import checkpoints, store
from deepgui.training.alarm import Alarm
from deepgui.training.control import Control
from deepgui.training.events import EpochFinished, Failed, Finished, Warned
from deepgui.training.trainer import RunSpec, Trainer


def last_event(project, folder=None):
    *_, last = Trainer(RunSpec(project, folder=folder))
    assert isinstance(last, Failed), last
    assert "\n" not in last.message
    assert last.message.endswith((".", "?"))
    return last


def test_an_exploding_network_names_the_layer_and_step(wine, new_run):
    project = wine(optimizer="SGD", optimizer_options={"lr": 1e18}, epochs=50)
    folder = new_run(project)
    failed = last_event(project, folder)
    assert failed.reason == "not_finite"
    assert failed.node in ("linear", "linear_2")
    assert f"step {failed.step}" in failed.message
    assert "learning rate" in failed.message
    steps, values = store.history(folder, "train_loss")
    assert failed.step == steps[~torch.from_numpy(values).isfinite().numpy()][0]
    assert store.read_run(folder).status == "failed"


def test_a_learning_rate_that_is_changed_to_something_wild_is_lived_through_again(wine):
    control = Control()
    trainer = Trainer(RunSpec(wine(optimizer="SGD", optimizer_options={"lr": 0.01}, epochs=50)), control)
    for event in trainer:
        if isinstance(event, EpochFinished):
            control.set("lr", 0.02 if event.epoch < 3 else 1e18)
    assert isinstance(event, Failed)
    assert event.node in ("linear", "linear_2")


def test_a_layer_inside_a_block_is_named_with_the_way_to_it():
    block = builder.Block("Layers", width=3)
    block.add("Output", block.add("Linear", block.add("Input"), out_features="=width", name="fc"))
    net = builder.Network("net")
    net.add("Output", net.add(block, net.add("Input", shape=(13,)), repeat=2, name="stage"))
    training = TrainingConfig(optimizer="SGD", optimizer_options={"lr": 1e18}, epochs=50, device="cpu")
    failed = last_event(net.project(data="wine", training=training))
    assert failed.node.startswith("layers.")
    assert "stage " in failed.message
    assert " › fc computes values that are not finite" in failed.message


@pytest.mark.parametrize("limit", [None, 5])
def test_a_loss_that_explodes_and_stays_finite_is_warned_of_once(wine, limit):
    project = wine(optimizer_options={"lr": 1e9}, max_steps=limit)
    events = list(Trainer(RunSpec(project)))
    warnings = [e.message for e in events if isinstance(e, Warned)]
    assert isinstance(events[-1], Finished)
    assert len(warnings) == 1
    assert warnings[0].startswith("The loss has grown from ")
    assert "smaller learning rate" in warnings[0]


def test_a_sound_training_raises_no_alarm_and_a_change_arms_it_again():
    alarm = Alarm()
    noisy = [1.0, 0.5, 0.01, 400.0, 0.02, 30.0, 0.01, 0.001] * 20
    assert alarm.heed(1.0, noisy, at_end=True) == ""
    assert alarm.heed(1.0, [500.0] * 30)
    assert alarm.heed(1.0, [500.0] * 30) == ""
    alarm.rearm()
    assert alarm.heed(1.0, [900.0] * 8) == ""
    assert "to 900" in alarm.heed(1.0, [900.0] * 8)


def test_a_failure_while_looking_for_the_cause_is_still_an_event(wine, new_run, monkeypatch):
    def broken(*_):
        raise RuntimeError("the device is gone")

    monkeypatch.setattr(Trainer, "restore", broken)
    project = wine(optimizer="SGD", optimizer_options={"lr": 1e18}, epochs=50)
    folder = new_run(project)
    failed = last_event(project, folder)
    assert (failed.reason, failed.node) == ("not_finite", "")
    assert f"at step {failed.step}" in failed.message
    assert store.read_run(folder).status == "failed"


def test_a_logarithm_of_nothing_is_found_in_the_middle(wine):
    net = builder.Network("log")
    x = net.add("Input", shape=(13,))
    x = net.add("ReLU", net.add("Linear", x, out_features=8))
    x = net.add("log", x)
    net.add("Output", net.add("Linear", x, out_features=3))
    project = replace(wine(epochs=2), networks={"network": net.network()})
    failed = last_event(project)
    assert (failed.node, failed.reason, failed.step) == ("log", "not_finite", 1)


def test_the_last_good_checkpoint_stays(wine, new_run):
    project = wine(epochs=3)
    folder = new_run(project)
    list(Trainer(RunSpec(project, folder=folder)))
    wild = wine(epochs=9, optimizer="SGD", optimizer_options={"lr": 1e30}, checkpoint_minutes=0.0)
    before = checkpoints.load(folder / "checkpoints" / "last.pt")["position"]["step"]
    assert isinstance(list(Trainer(RunSpec(wild, resume=folder)))[-1], Failed)
    state = checkpoints.load(folder / "checkpoints" / "last.pt")
    assert state["position"]["step"] >= before
    assert all(bool(v.isfinite().all()) for v in state["module"].values())


def test_a_shape_that_only_shows_at_run_time_is_blamed_on_its_layer(wine, monkeypatch):
    epoch = Batches.epoch
    monkeypatch.setattr(Batches, "epoch", lambda self, number, start=0: cut(epoch(self, number, start)))
    failed = last_event(wine())
    assert (failed.reason, failed.node) == ("runtime", "linear")
    assert failed.message.startswith("linear: ")


def cut(batches):
    for batch in batches:
        yield {name: values[:, :5] if values.dim() == 2 else values for name, values in batch.items()}


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_out_of_memory_suggests_half_the_batch(wine, monkeypatch, error):
    def full(self, *_):
        raise error

    monkeypatch.setattr("deepgui.training.stepping.Stepper.__call__", full)
    failed = last_event(wine(batch_size=48))
    assert failed.reason == "memory"
    assert "batch size of 24" in failed.message


def test_a_broken_file_in_the_data_is_its_own_sentence(wine, monkeypatch):
    def broken(self, number, start=0):
        raise DataError("this picture cannot be read", file="cat.png")

    monkeypatch.setattr(Batches, "epoch", broken)
    failed = last_event(wine())
    assert (failed.reason, failed.message) == ("data", "cat.png: this picture cannot be read.")


def test_a_full_disk_ends_the_run_with_a_sentence(wine, new_run, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    project = wine()
    folder = new_run(project)
    monkeypatch.setattr("deepgui.training.checkpoints.save", full)
    failed = last_event(project, folder)
    assert failed.reason == "disk"
    assert "no space left" in failed.message.lower()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"data": DataConfig()}, "no data is chosen"),
        ({"data": DataConfig("digitz")}, "did you mean digits"),
        ({"data": DataConfig("csv", {"path": "/nowhere/x.csv"})}, "x.csv"),
        ({"data": DataConfig("digits")}, "1×8×8"),
    ],
)
def test_projects_that_cannot_train_fail_before_the_first_step(wine, change, says):
    failed = last_event(replace(wine(), **change))
    assert (failed.step, failed.reason) == (0, "project")
    assert says.lower() in failed.message.lower()


def test_a_device_that_is_not_here_is_said_plainly(wine):
    failed = last_event(wine(device="xpu:7"))
    assert "There is no device xpu:7" in failed.message
