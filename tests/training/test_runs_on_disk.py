"""What a run leaves on disk, and what can be got back from it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from deepgui.project.file import meaning_hash, read
from deepgui.training import store
from deepgui.training.evaluate import evaluate, examples_of, load_trained
from deepgui.training.events import EpochFinished, Finished, Scalars
from deepgui.training.recorder import Recorder
from deepgui.training.store import RunError, RunStore
from deepgui.training.trainer import RunSpec, Trainer


def finished(project, folder=None):
    *events, last = Trainer(RunSpec(project, folder=folder))
    assert isinstance(last, Finished), last
    return events, last


def test_a_run_is_a_folder_with_everything_in_it(wine, tmp_path):
    project = wine(epochs=3)
    runs = RunStore(tmp_path)
    folder = runs.create(project)
    assert store.read_run(folder).status == "running"
    events, last = finished(project, folder)
    (info,) = runs.list()
    assert (info.status, info.steps, info.name) == ("completed", 12, "wine")
    assert info.meaning == meaning_hash(project)
    assert info.metrics == pytest.approx(last.metrics)
    assert info.config["training"]["epochs"] == 3
    assert read(folder / "project.deepgui") == project
    assert info.best_checkpoint is not None
    assert info.last_checkpoint is not None
    for name in store.columns(folder):
        told = [
            p
            for e in events
            if isinstance(e, Scalars) and name in e.columns
            for p in zip(e.steps, e.columns[name], strict=True)
        ]
        steps, values = store.history(folder, name)
        assert list(zip(steps.tolist(), values.tolist(), strict=True)) == told
    kinds = [e["event"] for e in store.events(folder)]
    assert kinds.count("epoch_finished") == 3
    assert kinds[-1] == "finished"
    assert runs.size(folder.name) > 10_000
    assert runs.open(folder.name[:15]).folder == folder
    runs.delete(folder.name)
    assert runs.list() == []
    with pytest.raises(RunError, match="There is no run"):
        runs.open(folder.name)


def test_a_run_that_nobody_followed_to_its_end_is_interrupted(wine, new_run):
    project = wine(epochs=50)
    folder = new_run(project)
    events = iter(Trainer(RunSpec(project, folder=folder)))
    next(e for e in events if isinstance(e, EpochFinished))
    events.close()
    assert store.read_run(folder).status == "interrupted"


def test_runs_of_a_project_lie_beside_its_file(tmp_path):
    assert store.default_root(tmp_path / "net.deepgui") == tmp_path / "net.runs"
    assert store.default_root(tmp_path / "net.v2.deepgui") == tmp_path / "net.v2.runs"
    assert store.default_root(tmp_path / "net.v2") == tmp_path / "net.v2.runs"
    assert store.default_root(None).name == "runs"


def test_what_is_not_a_run_is_left_out_of_the_list(tmp_path):
    (tmp_path / "strange").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    assert RunStore(tmp_path).list() == []
    with pytest.raises(RunError, match="not a run"):
        store.read_run(tmp_path / "broken")


def test_a_trained_module_comes_back_and_scores_the_same(digits, new_run):
    project = digits(epochs=4)
    folder = new_run(project)
    _, last = finished(project, folder)
    trained = load_trained(folder)
    assert not trained.module.training
    dataset, objective = examples_of(trained)
    for split, prefix in (("test", "test"), ("val", "val")):
        score = evaluate(trained.module, dataset, split, objective)
        for name, value in score.metrics.items():
            assert value == pytest.approx(last.metrics[f"{prefix}_{name}"], rel=1e-5)
    assert score.confusion.shape == (10, 10)
    assert not trained.module.training


def test_evaluation_gives_the_module_its_mode_back(digits, new_run):
    project = digits(epochs=1)
    folder = new_run(project)
    finished(project, folder)
    trained = load_trained(folder)
    trained.module.train()
    dataset, objective = examples_of(trained)
    evaluate(trained.module, dataset, "test", objective)
    assert trained.module.training
    with pytest.raises(KeyError):
        evaluate(trained.module, dataset, "exam", objective)


def test_the_best_epoch_is_what_is_kept(wine):
    project = wine(optimizer_options={"lr": 0.3}, epochs=12)
    events, last = finished(project)
    epochs = [e for e in events if isinstance(e, EpochFinished)]
    best = min(epochs, key=lambda e: e.metrics["val_loss"])
    assert [e for e in epochs if e.best][-1] == best
    assert last.metrics["val_loss"] == best.metrics["val_loss"]
    last_weights = finished(wine(optimizer_options={"lr": 0.3}, epochs=12, restore_best=False))[1]
    assert last_weights.metrics["val_loss"] == epochs[-1].metrics["val_loss"]


def test_early_stopping_waits_its_patience_and_no_longer(wine):
    events, last = finished(wine(optimizer_options={"lr": 0.5}, epochs=200, early_stopping=3))
    epochs = [e for e in events if isinstance(e, EpochFinished)]
    assert last.reason == "early_stopping"
    assert [e.best for e in epochs[-4:]] == [True, False, False, False]


@pytest.mark.parametrize("limit", [1, 4, 6, 8])
def test_max_steps_is_exact(wine, limit):
    events, last = finished(wine(max_steps=limit))
    assert (last.steps, last.reason) == (limit, "max_steps")
    steps = [s for e in events if isinstance(e, Scalars) and "train_loss" in e.columns for s in e.steps]
    assert steps == list(range(1, limit + 1))
    assert {"train_loss", "val_loss", "val_accuracy", "test_accuracy"} <= last.metrics.keys()


def test_training_without_validation_or_test_data(wine):
    from dataclasses import replace

    project = wine(epochs=2)
    _, last = finished(replace(project, data=replace(project.data, validation=0.0, test=0.0)))
    assert set(last.metrics) == {"train_loss", "train_accuracy"}


def test_events_are_json(wine, new_run):
    project = wine(epochs=1)
    for event in Trainer(RunSpec(project, folder=new_run(project))):
        plain = json.loads(json.dumps(event.as_dict(), allow_nan=False))
        assert plain["event"].islower()
    assert plain["event"] == "finished"
    assert {"run", "metrics", "steps", "seconds"} <= plain.keys()


def test_the_same_seed_gives_the_same_run_and_another_one_another(wine):
    one, two, three = (finished(wine(seed=s))[1].metrics for s in (5, 5, 6))
    assert one == two
    assert one != three


def test_curves_survive_being_cut_and_continued(tmp_path, wine):
    folder = RunStore(tmp_path).create(wine())
    recorder = Recorder(folder)
    recorder.record(Scalars(tuple(range(1, 11)), {"train_loss": tuple(np.arange(10.0))}))
    recorder.flush()
    recorder.record(Scalars((11, 12), {"train_loss": (10.0, 11.0)}))
    recorder.flush()
    recorder.rewind(7)
    recorder.record(Scalars((8,), {"train_loss": (70.0,)}))
    recorder.close()
    steps, values = store.history(folder, "train_loss")
    assert steps.tolist() == [1, 2, 3, 4, 5, 6, 7, 8]
    assert values.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 70.0]


def test_half_precision_learns(digits):
    for precision in ("bf16", "fp16"):
        _, last = finished(digits(precision=precision, epochs=4, optimizer_options={"lr": 0.01}))
        assert last.metrics["val_accuracy"] > 0.6, precision


def test_global_settings_of_torch_are_left_alone(wine):
    grad = torch.is_grad_enabled()
    finished(wine(epochs=1))
    assert torch.is_grad_enabled() == grad
