"""Runs side by side, what people write on them, and the forms in which they leave."""

from __future__ import annotations

import csv
import json
import math
import os
import time
from dataclasses import replace

import numpy as np
import pytest

from deepgui import builder
from deepgui.catalog.spec import ParamSpec
from deepgui.graph import edits
from deepgui.graph.values import Block, Code, Network, Point
from deepgui.project.values import DataConfig, Project, with_block, with_network
from deepgui.training import ranking, store, tensorboard
from deepgui.training.compare import compare, drawing_changes
from deepgui.training.events import EpochFinished, Finished, Scalars
from deepgui.training.recorder import Recorder
from deepgui.training.spreadsheet import curves_of, write_csv
from deepgui.training.store import RunError, RunStore
from deepgui.training.trainer import RunSpec, Trainer


def trained(project, runs):
    folder = runs.create(project)
    *_, last = Trainer(RunSpec(project, folder=folder))
    assert isinstance(last, Finished), last
    return folder


# -- which is the best


@pytest.mark.parametrize(
    ("metric", "higher"),
    [
        ("val_accuracy", True),
        ("test_top5_accuracy", True),
        ("val_map_50", True),
        ("val_loss", False),
        ("mae", False),
        ("val_mape", False),
        ("perplexity", False),
        ("val_mean_iou", True),
    ],
)
def test_more_is_better_of_some_metrics_only(metric, higher):
    assert ranking.higher_is_better(metric) is higher


def test_the_best_value_is_marked_wherever_it_stands():
    assert ranking.best_of("val_accuracy", (0.5, None, 0.9, 0.9, math.nan)) == (2, 3)
    assert ranking.best_of("val_loss", (0.5, 0.9)) == (0,)
    assert ranking.best_of("val_loss", (0.5, None)) == ()
    assert ranking.best_of("val_loss", (0.5, 0.5)) == ()


# -- finding, describing, deleting


def test_a_run_is_found_by_what_it_is(wine, diabetes, tmp_path):
    runs = RunStore(tmp_path)
    poor = trained(wine(max_steps=1), runs)
    good = trained(wine(epochs=8, optimizer_options={"lr": 0.01}), runs)
    newest = trained(wine(epochs=1), runs)
    assert runs.open("last").folder == newest
    assert runs.open("best").folder == good
    assert runs.open("best:val_accuracy").folder == good
    with pytest.raises(RunError, match="has val_bleu"):
        runs.open("best:val_bleu")
    runs.describe(poor.name, title="the first", tags=("short", " short ", "no, good"), note=" one step \n")
    found = runs.open("the first")
    assert (found.folder, found.label) == (poor, "the first")
    assert (found.remarks.tags, found.remarks.note) == (("short", "no good"), "one step")
    other = trained(diabetes(epochs=1), runs)  # its losses are thousands, and of another kind
    assert runs.open("best").folder == other


def test_what_people_wrote_outlives_a_training_that_goes_on(wine, tmp_path):
    runs = RunStore(tmp_path)
    folder = trained(wine(epochs=1), runs)
    runs.describe(folder.name, note="look at this again")
    list(Trainer(RunSpec(wine(epochs=2), resume=folder)))
    assert runs.open("last").remarks.note == "look at this again"
    (folder / "remarks.json").write_text('["not", "ours"]')
    assert runs.open("last").remarks.note == ""


def test_a_run_under_way_is_not_deleted(wine, tmp_path):
    runs = RunStore(tmp_path)
    folder = runs.create(wine())
    events = iter(Trainer(RunSpec(wine(epochs=50), folder=folder)))
    next(e for e in events if isinstance(e, EpochFinished))
    with pytest.raises(RunError, match="still being trained"):
        runs.delete("last")
    events.close()
    runs.delete("last")
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_another_machine_is_deleted_only_once_it_is_quiet(wine, tmp_path):
    runs = RunStore(tmp_path)
    folder = runs.create(wine())
    store.update_info(folder, host="elsewhere")
    with pytest.raises(RunError, match="still being trained"):
        runs.delete("last")
    long_ago = time.time() - 2 * store.QUIET_SECONDS
    for path in folder.rglob("*"):
        os.utime(path, (long_ago, long_ago))
    runs.delete("last")
    assert runs.list() == []


def test_a_link_to_a_run_leaves_the_run_alone(wine, tmp_path):
    folder = trained(wine(epochs=1), RunStore(tmp_path / "there"))
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link").symlink_to(folder)
    with pytest.raises(RunError, match="is a link"):
        RunStore(tmp_path / "here").delete("link")
    assert store.read_run(folder).status == "completed"


def test_the_list_tells_of_runs_that_were_cut_off(wine, tmp_path):
    runs = RunStore(tmp_path)
    folder = runs.create(wine())
    recorder = Recorder(folder)
    list_before = runs.list()
    assert (list_before[0].status, list_before[0].steps) == ("running", 0)
    trainer = Trainer(RunSpec(wine(epochs=3), folder=folder))
    for event in trainer:
        if isinstance(event, Finished):
            break
        recorder.record(event)
    recorder.close()
    store.update_info(folder, status="running", metrics={}, steps=0, pid=2**30)
    (info,) = runs.list()
    assert (info.status, info.steps) == ("interrupted", 12)
    assert {"val_loss", "val_accuracy"} <= info.metrics.keys()
    runs.describe(folder.name, tags=("cut",))
    assert runs.list()[0].remarks.tags == ("cut",)


def test_the_list_follows_a_run_that_goes_on(wine, tmp_path):
    runs = RunStore(tmp_path)
    folder = trained(wine(epochs=1), runs)
    before = runs.list()[0]
    events = iter(Trainer(RunSpec(wine(epochs=50), resume=folder)))
    for event in events:
        if isinstance(event, EpochFinished) and event.epoch == 20:
            break
    events.close()
    (info,) = runs.list()
    assert (info.status, info.steps) == ("interrupted", 80)
    assert info.metrics["val_loss"] < before.metrics["val_loss"]


# -- settings and metrics


def test_settings_that_differ_stand_beside_each_other(wine, tmp_path):
    runs = RunStore(tmp_path)
    for project in (
        wine(epochs=1, batch_size=16),
        wine(epochs=1, optimizer="SGD", optimizer_options={"lr": 0.1, "momentum": 0.9}),
    ):
        trained(project, runs)
    newer, older = runs.list()
    raw = json.loads((older.folder / "run.json").read_text())
    del raw["config"]["training"]["accumulate"]  # as a version would that did not know it
    (older.folder / "run.json").write_text(json.dumps(raw))
    found = compare([store.read_run(older.folder), newer])
    rows = {row.label: row.values for row in found.settings}
    assert rows.keys() == {"batch size", "optimizer", "optimizer lr", "optimizer momentum"}
    assert rows["batch size"] == (16, 32)
    assert str(rows["optimizer momentum"][0]) == "default"
    metrics = {row.name: row for row in found.metrics}
    assert metrics["steps"].values == (8, 4)
    assert metrics["val_loss"].values == (older.metrics["val_loss"], newer.metrics["val_loss"])
    assert found.drawings == ((),)


# -- drawings


def drawn(*, norm: bool = False, width: int = 8) -> Project:
    net = builder.Network("net")
    x = net.add("Linear", net.add("Input", shape=(4,)), out_features=width)
    if norm:
        x = net.add("LayerNorm", x)
    net.add("Output", net.add("ReLU", x))
    return net.project(data=DataConfig("iris"))


def texts(before, after):
    return [str(change) for change in drawing_changes(before, after)]


def test_what_was_done_to_a_drawing_is_said_in_words():
    assert texts(drawn(), drawn()) == []
    assert texts(drawn(), drawn(width=16)) == ["linear: out_features 8 → 16"]
    assert texts(drawn(), drawn(norm=True)) == [
        "+ layer_norm (LayerNorm) after linear",
        "− wire linear → relu",
        "+ wire layer_norm → relu",
    ]
    assert texts(drawn(norm=True), drawn()) == ["− layer_norm (LayerNorm)", "+ wire linear → relu"]


def test_names_bypasses_and_kinds_count_and_places_do_not():
    project = drawn()
    network = project.main
    moved = replace(network, layout={**network.layout, "relu": Point(500, 500)})
    assert texts(project, with_network(project, "network", moved)) == []
    changed = edits.rename_node(edits.bypass(network, "relu", True), "linear", "first")
    assert texts(project, with_network(project, "network", changed)) == [
        "first: name default → first",
        "relu: bypass False → True",
    ]


def test_blocks_and_further_networks_are_named():
    inner = drawn().main
    block = Block(inner, (ParamSpec("width", "int", default=8),))
    one = with_block(drawn(), "Residual", block)
    other = with_block(
        drawn(), "Residual", replace(block, network=drawn(width=4).main, params=(ParamSpec("width", "int", default=4),))
    )
    assert texts(one, other) == [
        "block Residual: parameter width 8 → 4",
        "block Residual: linear: out_features 8 → 4",
    ]
    assert texts(drawn(), one) == ["+ block Residual"]
    own = Block(Network("Own"), code=Code("class Own: ...", "Own"))
    edited = Block(Network("Own"), code=Code("class Own: pass", "Own"))
    assert texts(with_block(drawn(), "Own", own), with_block(drawn(), "Own", edited)) == [
        "block Own: its Python source changed"
    ]
    second = replace(drawn(), networks={**drawn().networks, "critic": inner})
    assert texts(drawn(), second) == ["+ network critic"]


def test_a_project_that_cannot_be_read_is_said_and_the_rest_is_compared(wine, tmp_path):
    runs = RunStore(tmp_path)
    for _ in range(2):
        trained(wine(max_steps=1), runs)
    one, other = runs.list()
    (other.folder / "project.deepgui").write_text("{")
    found = compare([one, other])
    assert found.drawings[0][0].what == "unreadable"
    assert len(found.metrics) > 2


# -- leaving


def test_curves_leave_as_a_table(wine, tmp_path):
    runs = RunStore(tmp_path)
    folder = trained(wine(epochs=2), runs)
    assert write_csv(curves_of(folder), tmp_path / "curves.csv") == 8
    rows = list(csv.DictReader((tmp_path / "curves.csv").open()))
    assert [int(row["step"]) for row in rows] == list(range(1, 9))
    for name in store.columns(folder):
        steps, values = store.history(folder, name)
        kept = [(int(row["step"]), float(row[name])) for row in rows if row[name] != ""]
        assert kept == list(zip(steps.tolist(), values.tolist(), strict=True))


def test_a_loss_that_is_no_number_stays_in_the_table(tmp_path):
    curves = {"a": (np.array([1, 2]), np.array([np.nan, 1.0])), "b": (np.array([3]), np.array([np.inf]))}
    assert write_csv(curves, tmp_path / "c.csv") == 3
    assert (tmp_path / "c.csv").read_text() == "step,a,b\n1,nan,\n2,1.0,\n3,,inf\n"


def test_only_the_end_of_a_curve_can_be_asked_for(wine, tmp_path):
    folder = RunStore(tmp_path).create(wine())
    recorder = Recorder(folder)
    for first in (1, 4, 7):
        recorder.record(Scalars(tuple(range(first, first + 3)), {"train_loss": (0.0, 1.0, float(first))}))
        recorder.flush()
    recorder.close()
    assert store.history(folder, "train_loss", after=5)[0].tolist() == [6, 7, 8, 9]
    assert store.history(folder, "train_loss", after=9)[0].tolist() == []


def accumulated(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder), size_guidance={"scalars": 0, "tensors": 0})
    found.Reload()
    return found


def test_a_finished_run_is_read_back_from_tensorboards_files(wine, tmp_path):
    runs = RunStore(tmp_path)
    folder = trained(wine(epochs=2), runs)
    runs.describe(folder.name, note="the first one")
    points = tensorboard.export(folder, tmp_path / "tb")
    found = accumulated(tmp_path / "tb")
    assert points == sum(len(store.history(folder, name)[0]) for name in store.columns(folder))
    for name in store.columns(folder):
        steps, values = store.history(folder, name)
        told = found.Scalars(name)
        assert [event.step for event in told] == steps.tolist()
        assert [event.value for event in told] == pytest.approx(values.tolist(), rel=1e-6)
    info = store.read_run(folder)
    assert found.Scalars("result/val_loss")[0].value == pytest.approx(info.metrics["val_loss"])
    text = found.Tensors("settings/text_summary")[0].tensor_proto.string_val[0].decode()
    assert "the first one" in text
    assert "| batch size | 32 |" in text


def test_a_training_is_followed_live_and_again_when_it_goes_on(wine, tmp_path):
    runs = RunStore(tmp_path)
    folder = runs.create(wine())
    events = list(tensorboard.following(Trainer(RunSpec(wine(epochs=2), folder=folder)), tensorboard.LiveLog(folder)))
    assert isinstance(events[-1], Finished)
    list(tensorboard.following(Trainer(RunSpec(wine(epochs=3), resume=folder)), tensorboard.LiveLog(folder)))
    found = accumulated(folder / tensorboard.FOLDER)
    assert [event.step for event in found.Scalars("val_loss")] == [4, 8, 12]
    _, values = store.history(folder, "val_loss")
    assert [event.value for event in found.Scalars("val_loss")] == pytest.approx(values.tolist(), rel=1e-6)
    assert found.Scalars("train_loss")[-1].step == 12
    assert "result/val_loss" in found.Tags()["scalars"]


def test_a_log_that_cannot_be_written_leaves_the_training_alone(wine, tmp_path, caplog):
    folder = RunStore(tmp_path).create(wine())
    (folder / tensorboard.FOLDER).write_text("in the way")
    *_, last = tensorboard.following(Trainer(RunSpec(wine(epochs=1), folder=folder)), tensorboard.LiveLog(folder))
    assert isinstance(last, Finished)
    assert "cannot be written" in caplog.text
