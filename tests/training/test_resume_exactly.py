"""Stopping anywhere and going on gives the very numbers that an uninterrupted training gives."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from deepgui import paths
from deepgui.data.dataset import Split
from deepgui.project import file
from deepgui.project.values import LayerTraining
from deepgui.training import checkpoints, keeper, optim, store
from deepgui.training.control import Control
from deepgui.training.evaluate import load_trained
from deepgui.training.events import CheckpointSaved, Finished, Scalars, Warned
from deepgui.training.trainer import RunSpec, Trainer

MOMENTUM = {"optimizer": "SGD", "optimizer_options": {"lr": 0.05, "momentum": 0.9}}
SETTINGS = {
    "adam with dropout": {},
    "momentum and one cycle": {
        "optimizer": "SGD",
        "optimizer_options": {"lr": 0.05, "momentum": 0.9},
        "scheduler": "OneCycleLR",
    },
    "accumulation and clipping": {"accumulate": 3, "clip_grad_norm": 0.5, "optimizer": "AdamW"},
    "plateau": {
        "scheduler": "ReduceLROnPlateau",
        "scheduler_options": {"patience": 1},
        "early_stopping": 4,
        "epochs": 6,
    },
    "milestones": {"optimizer": "RMSprop", "scheduler": "MultiStepLR", "scheduler_options": {"milestones": (1, 3)}},
    "lbfgs": {"optimizer": "LBFGS", "optimizer_options": {"lr": 0.1, "max_iter": 3}, "epochs": 2},
    "half precision": {"precision": "bf16"},
    "scaled half precision": {"precision": "fp16", "clip_grad_norm": 1.0},
    "average and warm-up": {"ema": 0.9, "warmup_steps": 12, "scheduler": "CosineAnnealingLR", "accumulate": 2},
    "one cycle after a warm-up": {**MOMENTUM, "scheduler": "OneCycleLR", "warmup_steps": 9, "ema": 0.5},
    "rates of layers, one of them frozen": {
        "layers": {"linear": LayerTraining(lr=0.1), "linear_2": LayerTraining(lr=3.0, init="orthogonal_")},
        "optimizer": "AdamW",
        "scheduler": "StepLR",
        "scheduler_options": {"step_size": 2},
    },
    "everything at once, in fp16": {
        "precision": "fp16",
        "ema": 0.8,
        "warmup_steps": 7,
        "layers": {"linear": LayerTraining(frozen=True), "linear_2": LayerTraining(lr=0.5)},
        "check_gradients": 2,
        "deterministic": True,
        "clip_grad_norm": 1.0,
        "accumulate": 2,
        "scheduler": "CyclicLR",
    },
}


def train(project, folder, resume=None, stop_at=None):
    """All curves point by point, the last event and the final weights."""
    control = Control()
    trainer = Trainer(RunSpec(project, folder=folder, resume=resume), control)
    curves: dict[str, list[tuple[int, float]]] = {}
    last = None
    if stop_at is not None:
        step_by_step(trainer, stop_at)
    for event in trainer:
        last = event
        if isinstance(event, Scalars):
            for name, values in event.columns.items():
                curves.setdefault(name, []).extend(zip(event.steps, values, strict=True))
    return curves, last, {k: v.clone() for k, v in trainer.module.state_dict().items()}


def step_by_step(trainer, stop_at):
    """Have the trainer stopped after exactly ``stop_at`` steps."""
    stepper_of = trainer._started

    def started():
        inner = trainer.stepper

        class Counting:
            def __call__(self, batch, index, step):
                if trainer.step + 1 == stop_at:
                    trainer.control.stop()
                return inner(batch, index, step)

            def __getattr__(self, name):
                return getattr(inner, name)

        trainer.stepper = Counting()
        return stepper_of()

    trainer._started = started


GENERATIVE = {
    "adversarial, three critic steps, one cycle": (
        "digits_gan",
        {"scheduler": "OneCycleLR", "objective_options": {"loss": "wasserstein", "critic_steps": 3}},
    ),
    "adversarial, gathered and clipped": ("digits_gan", {"accumulate": 3, "clip_grad_norm": 0.5}),
    "diffusion": ("digits_diffusion", {}),
    "variational": ("digits_vae", {}),
    "denoising": ("digits_autoencoder", {"objective_options": {"noise": "gaussian"}}),
}


@pytest.mark.parametrize(("name", "settings"), GENERATIVE.values(), ids=GENERATIVE)
def test_several_networks_and_noise_resume_exactly_too(name, settings, new_run):
    project = file.read(paths.samples() / f"{name}.deepgui")
    config = replace(project.training, **{"epochs": 2, "batch_size": 200, "device": "cpu", **settings})
    project = replace(project, training=config)
    whole, end, weights = train(project, new_run(project))
    assert isinstance(end, Finished), end
    for stop_at in random.Random(name).sample(range(1, end.steps), 2):
        folder = new_run(project)
        first, stopped, _ = train(project, folder, stop_at=stop_at)
        assert (stopped.reason, stopped.steps) == ("stopped", stop_at)
        second, again, resumed = train(project, None, resume=folder)
        for curve, points in whole.items():
            assert first.get(curve, []) + second.get(curve, []) == points, f"{curve} differs after a stop at {stop_at}"
        assert (again.metrics, again.steps) == (end.metrics, end.steps)
        assert all(torch.equal(weights[key], resumed[key]) for key in weights)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_stop_and_resume_at_any_step_is_bit_for_bit_the_same(wine, new_run, settings):
    project = wine(**{"epochs": 5, "batch_size": 20, **settings})
    whole, end, weights = train(project, new_run(project))
    assert isinstance(end, Finished), end
    for stop_at in random.Random(str(settings)).sample(range(1, end.steps), 3):
        folder = new_run(project)
        first, stopped, _ = train(project, folder, stop_at=stop_at)
        assert (stopped.reason, stopped.steps) == ("stopped", stop_at)
        second, again, resumed = train(project, None, resume=folder)
        for name, points in whole.items():
            assert first.get(name, []) + second.get(name, []) == points, f"{name} differs after a stop at {stop_at}"
        assert (again.metrics, again.steps) == (end.metrics, end.steps)
        assert all(torch.equal(weights[key], resumed[key]) for key in weights)


def test_batch_statistics_and_a_second_stop_survive_too(digits, new_run):
    project = digits(epochs=2)
    whole, end, weights = train(project, new_run(project))
    folder = new_run(project)
    parts = [train(project, folder, stop_at=4)[0], train(project, None, resume=folder, stop_at=13)[0]]
    last, again, resumed = train(project, None, resume=folder)
    losses = [point for part in (*parts, last) for point in part.get("train_loss", [])]
    assert losses == whole["train_loss"]
    assert again.metrics == end.metrics
    assert all(torch.equal(weights[key], resumed[key]) for key in weights)
    steps, values = store.history(folder, "train_loss")
    assert list(zip(steps.tolist(), values.tolist(), strict=True)) == whole["train_loss"]


def test_data_that_does_not_fit_in_memory_resumes_exactly_too(wine, new_run, monkeypatch):
    monkeypatch.setattr(Split, "fits", property(lambda self: False))
    project = wine()
    whole, end, _ = train(project, new_run(project))
    folder = new_run(project)
    first, _, _ = train(project, folder, stop_at=6)
    second, again, _ = train(project, None, resume=folder)
    assert first["train_loss"] + second["train_loss"] == whole["train_loss"]
    assert again.metrics == end.metrics


def test_a_finished_run_goes_on_for_more_epochs(wine, new_run):
    long = wine(epochs=4)
    whole, _, _ = train(long, new_run(long))
    short = wine(epochs=2)
    folder = new_run(short)
    first, _, _ = train(short, folder)
    second, end, _ = train(long, None, resume=folder)
    assert first["train_loss"] + second["train_loss"] == whole["train_loss"]
    assert end.reason == "completed"


@pytest.mark.parametrize("limit", [6, 8])  # inside an epoch and at the end of one
def test_a_run_that_reached_its_most_steps_ends_at_once_when_resumed(wine, new_run, limit):
    project = wine(epochs=5, max_steps=limit)
    folder = new_run(project)
    _, first, weights = train(project, folder)
    curves, again, same = train(project, None, resume=folder)
    assert (again.reason, again.steps, again.metrics) == ("max_steps", limit, first.metrics)
    assert "train_loss" not in curves
    assert all(torch.equal(weights[key], same[key]) for key in weights)
    lower = replace(project, training=replace(project.training, max_steps=3))
    assert train(lower, None, resume=folder)[1].steps == limit


def test_a_finished_one_cycle_of_a_fixed_length_goes_on_at_its_last_rate(wine, new_run):
    short = wine(epochs=2, scheduler="OneCycleLR", scheduler_options={"total_steps": 8})
    folder = new_run(short)
    first, _, _ = train(short, folder)
    more, end, _ = train(replace(short, training=replace(short.training, epochs=4)), None, resume=folder)
    assert (end.reason, end.steps) == ("completed", 16)
    assert len({lr for _, lr in more["lr"]}) == 1
    assert more["lr"][0][1] <= first["lr"][-1][1]


@pytest.mark.parametrize("name", ["CosineAnnealingLR", "OneCycleLR"])  # moves by epochs, by steps
def test_with_more_epochs_a_schedule_is_laid_out_anew_and_that_is_said(wine, new_run, name):
    long = wine(epochs=8, scheduler=name)
    short = replace(long, training=replace(long.training, epochs=4))
    folder = new_run(short)
    train(short, folder, stop_at=10)
    events = list(Trainer(RunSpec(long, resume=folder)))
    rates = [lr for e in events if isinstance(e, Scalars) for lr in e.columns.get("lr", ())]
    assert rates == pytest.approx(optim.preview_schedule(long.training, 32, steps_per_epoch=4)[10:])
    assert [e.message for e in events if isinstance(e, Warned)] == [
        f"{name} is laid out anew over 8 epochs (32 steps): the learning rate goes on at {rates[0]:.3g}."
    ]


def test_watching_does_not_change_what_is_learnt(wine, new_run):
    project = wine(epochs=10)

    def observer(trainer):
        torch.rand(3)
        trainer.module.eval()

    quiet = [e for e in Trainer(RunSpec(project)) if isinstance(e, Finished)]
    watched = [e for e in Trainer(RunSpec(project), observers=[observer]) if isinstance(e, Finished)]
    assert quiet[0].metrics == watched[0].metrics


def test_checkpoints_hold_nothing_but_tensors_and_plain_values(wine, new_run):
    project = wine()
    saved = [e for e in Trainer(RunSpec(project, folder=new_run(project))) if isinstance(e, CheckpointSaved)]
    assert {e.reason for e in saved} == {"start", "best", "end"}
    for event in saved:
        torch.load(event.path, weights_only=True)


def test_an_interrupted_write_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "last.pt"
    checkpoints.save({"module": {"w": torch.ones(3)}}, path)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        checkpoints.save({"module": {"w": torch.zeros(3)}}, path)
    assert torch.equal(checkpoints.load(path)["module"]["w"], torch.ones(3))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04"])
def test_a_broken_checkpoint_is_refused_in_one_sentence(tmp_path, content):
    path = tmp_path / "last.pt"
    path.write_bytes(content)
    with pytest.raises(checkpoints.CheckpointError, match="cannot be read") as caught:
        checkpoints.load(path)
    assert "\n" not in str(caught.value)


def test_resuming_with_another_drawing_is_refused(wine, digits, new_run):
    project = wine()
    folder = new_run(project)
    train(project, folder)
    events = list(Trainer(RunSpec(digits(), resume=folder)))
    assert (events[-1].reason, "another network" in events[-1].message) == ("project", True)
    assert store.read_run(folder).status == "completed", "the run itself is as it was"


def test_resuming_with_another_optimizer_is_refused_and_with_another_rate_obeyed(wine, new_run):
    project = wine(scheduler="StepLR", scheduler_options={"step_size": 2})
    folder = new_run(project)
    train(project, folder, stop_at=9)
    *_, last = Trainer(RunSpec(wine(optimizer="SGD"), resume=folder))
    assert (last.reason, "trained with the optimiser Adam" in last.message) == ("project", True)
    faster = replace(project, training=replace(project.training, optimizer_options={"lr": 0.002}))
    curves, _, _ = train(faster, None, resume=folder)
    assert [lr for _, lr in curves["lr"]] == pytest.approx([0.0002] * 3)


@pytest.mark.parametrize("scheduler", ["", "StepLR", "CosineAnnealingLR"])
def test_a_rate_of_nothing_can_be_raised_and_lowered_when_a_run_goes_on(wine, new_run, scheduler):
    options = {"step_size": 2} if scheduler == "StepLR" else {}
    still = wine(epochs=3, scheduler=scheduler, scheduler_options=options, optimizer_options={"lr": 0.0})
    folder = new_run(still)
    curves, _, _ = train(still, folder, stop_at=3)
    assert {lr for _, lr in curves["lr"]} == {0.0}
    faster = replace(still, training=replace(still.training, optimizer_options={"lr": 0.01}))
    curves, end, _ = train(faster, None, resume=folder, stop_at=6)
    assert isinstance(end, Finished), end
    assert all(0 < lr <= 0.01 for _, lr in curves["lr"])
    curves, end, _ = train(still, None, resume=folder)
    assert isinstance(end, Finished), end
    assert {lr for _, lr in curves["lr"]} == {0.0}


def test_a_run_that_cannot_begin_says_so_in_its_folder(wine, new_run):
    project = wine(optimizer="Adamm")
    folder = new_run(project)
    list(Trainer(RunSpec(project, folder=folder)))
    run = store.read_run(folder)
    assert (run.status, "Adamm" in run.message) == ("failed", True)


def test_a_run_that_dies_before_its_first_step_can_be_taken_up(wine, new_run):
    project = wine(epochs=2)
    folder = new_run(project)
    dying = iter(Trainer(RunSpec(project, folder=folder)))
    first = next(event for event in dying if isinstance(event, CheckpointSaved))
    assert (first.step, first.reason) == (0, "start")
    dying.close()
    with pytest.raises(store.RunError, match="nothing is learnt"):
        load_trained(folder)
    assert list(Trainer(RunSpec(project, resume=folder)))[-1].metrics == list(Trainer(RunSpec(project)))[-1].metrics


def test_kill_9_leaves_a_run_that_resumes(wine, new_run, tmp_path):
    from deepgui.project.file import write

    project = wine(epochs=100_000, checkpoint_minutes=0.002)
    write(project, tmp_path / "wine.deepgui")
    folder = new_run(project)
    script = textwrap.dedent(f"""
        from pathlib import Path
        from deepgui.project.file import read
        from deepgui.training.trainer import RunSpec, Trainer
        for event in Trainer(RunSpec(read({str(tmp_path / "wine.deepgui")!r}), folder=Path({str(folder)!r}))):
            pass
    """)
    process = subprocess.Popen([sys.executable, "-c", script])
    wait_for(lambda: len(list_steps(folder)) > 300, process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert store.read_run(folder).status == "interrupted"
    step = checkpoints.load(folder / "checkpoints" / "last.pt")["position"]["step"]
    assert step > 100
    resumed, end, _ = train(replace(project, training=replace(project.training, max_steps=step + 50)), None, folder)
    assert (end.reason, end.steps) == ("max_steps", step + 50)
    assert [s for s, _ in resumed["train_loss"]] == list(range(step + 1, step + 51))
    assert np.array_equal(list_steps(folder), np.arange(1, step + 51))
    assert store.read_run(folder).status == "max_steps"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that begin as copies, so that they begin fast")
def test_killed_at_ten_random_moments_the_losses_are_those_of_an_uninterrupted_run(wine, new_run, tmp_path):
    from deepgui.project.file import write

    settings = {"ema": 0.99, "warmup_steps": 300, "layers": {"linear": LayerTraining(lr=0.5)}}
    project = wine(epochs=100_000, checkpoint_minutes=0.001, **settings)
    write(project, tmp_path / "wine.deepgui")
    folder = new_run(project)
    script = textwrap.dedent(f"""
        import os, random, signal, sys, time
        from pathlib import Path
        from deepgui.catalog.builtin import registry
        from deepgui.project.file import read
        from deepgui.training.devices import preload
        from deepgui.training.preflight import preflight
        from deepgui.training.trainer import RunSpec, Trainer
        project, folder = read({str(tmp_path / "wine.deepgui")!r}), Path({str(folder)!r})
        last = folder / "checkpoints" / "last.pt"
        preload(), preflight(project, "", registry())  # read once what every training needs
        for _ in range(10):
            before = last.stat().st_mtime_ns if last.exists() else 0
            spec = RunSpec(project, resume=folder) if before else RunSpec(project, folder=folder)
            child = os.fork()
            if not child:
                for event in Trainer(spec):
                    pass
                print(event, file=sys.stderr, flush=True)
                os._exit(1)
            while not last.exists() or last.stat().st_mtime_ns == before:
                time.sleep(0.01)
                assert os.waitpid(child, os.WNOHANG) == (0, 0), "the training ended by itself"
            time.sleep(random.uniform(0, 0.3))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    """)
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}  # threads do not survive in a copy of a process
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, env=alone)
    assert done.returncode == 0, done.stderr
    step = checkpoints.load(folder / "checkpoints" / "last.pt")["position"]["step"] + 20
    limited = replace(project, training=replace(project.training, max_steps=step))
    _, end, weights = train(limited, None, folder)
    steps, losses = store.history(folder, "train_loss")
    whole, again, expected = train(limited, None)
    assert step > 100
    assert list(zip(steps.tolist(), losses.tolist(), strict=True)) == whole["train_loss"]
    assert end.metrics == again.metrics
    assert all(torch.equal(weights[key], expected[key]) for key in weights)


def test_the_first_checkpoint_comes_early_and_the_next_ones_ever_later(new_run, wine, monkeypatch):
    now, slow = [100.0], [0.0]
    monkeypatch.setattr(keeper, "perf_counter", lambda: now[0])
    monkeypatch.setattr(checkpoints, "save", lambda *_: now.__setitem__(0, now[0] + slow[0]))
    kept = keeper.Keeper(new_run(wine()), 1.0)

    def wait():
        began = now[0]
        while not kept.due(now[0]):
            now[0] += 0.25
        waited = now[0] - began
        kept.save({"position": {"step": 1}}, "interval")
        return waited

    now[0] += 50  # getting ready
    kept.begin()
    assert [wait() for _ in range(7)] == [2, 4, 8, 16, 32, 60, 60]
    kept.close()
    kept, slow[0] = keeper.Keeper(new_run(wine()), 1.0), 0.6
    assert [wait() for _ in range(3)] == pytest.approx([2, 20, 40], abs=0.3), "a slow disk is asked less often"
    kept.close()


def wait_for(condition, process, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the training ended by itself"
        assert time.monotonic() < until, "the training did not get going"
        time.sleep(0.1)


def list_steps(folder: Path):
    try:
        return store.history(folder, "train_loss")[0] if (folder / "checkpoints" / "last.pt").exists() else []
    except Exception:  # the file is being made
        return []
