"""``deepgui runs``: looking at runs, comparing, marking, taking them out, deleting; and runs by a word."""

from __future__ import annotations

import csv
import shutil
import sys
from pathlib import Path

import pytest

import deepgui
from deepgui.project.values import TrainingConfig


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two runs: a short one and a better one of a wider network."""
    folder = tmp_path_factory.mktemp("two")
    for width, epochs in ((8, 1), (16, 6)):
        net = deepgui.Network("wine")
        x = net.add("ReLU", net.add("Linear", net.add("Input", shape=(13,)), out_features=width))
        net.add("Output", net.add("Linear", x, out_features=3))
        training = TrainingConfig(optimizer_options={"lr": 0.01}, epochs=epochs, device="cpu")
        project = net.project(data="wine", training=training)
        deepgui.save(project, folder / "wine.deepgui")
        list(deepgui.train(project, runs=folder / "wine.runs"))
    return folder


@pytest.fixture
def wine(two: Path, tmp_path: Path) -> Path:
    shutil.copytree(two, tmp_path, dirs_exist_ok=True)
    return tmp_path / "wine.deepgui"


def ids(shell, wine: Path) -> list[str]:
    return [run["id"] for run in shell("runs", wine, "--json").json["runs"]]


def test_the_list_has_what_came_of_the_runs(shell, wine: Path) -> None:
    answer = shell("runs", wine)
    assert answer.status == 0
    for word in ("val_loss", "val_accuracy", "completed", *ids(shell, wine)):
        assert word in answer.out


def test_a_run_is_shown_with_everything(shell, wine: Path) -> None:
    found = shell("runs", wine, "--show", "last", "--json").json
    assert found["steps"] == 24
    assert {"train_loss", "val_loss"} <= set(found["curves"])
    assert Path(found["checkpoints"]["best"]).is_file()
    assert found["bytes"] > 10_000
    people = shell("runs", wine, "--show", "last").out
    for words in ("24 steps", "optimizer lr", "0.01", "val_accuracy"):
        assert words in people


def test_runs_are_compared_by_settings_metrics_and_drawing(shell, wine: Path) -> None:
    newer, older = ids(shell, wine)
    found = shell("runs", wine, "--compare", older, newer, "--json").json
    assert found["settings"] == [{"name": "training.epochs", "values": [1, 6]}]
    losses = next(row for row in found["metrics"] if row["name"] == "val_loss")
    assert losses["best"] == [1]
    (drawing,) = found["drawings"]
    assert drawing["run"] == newer
    assert [change["text"] for change in drawing["changes"]] == ["linear: out_features 8 → 16"]
    people = shell("runs", wine, "--compare", older, newer).out
    assert "linear: out_features 8 → 16" in people
    assert f"{losses['values'][1]:.4g} *" in people
    assert shell("runs", wine, "--compare", older).sentence == "deepgui: --compare needs at least two runs."


def test_curves_leave_as_csv_and_for_tensorboard(shell, wine: Path, tmp_path: Path) -> None:
    assert shell("runs", wine, "--csv", "last", "-o", tmp_path / "c.csv", "--json").json["rows"] == 24
    assert len(list(csv.DictReader((tmp_path / "c.csv").open()))) == 24
    assert shell("runs", wine, "--tensorboard", "last", "-o", tmp_path / "tb").status == 0
    assert list((tmp_path / "tb").glob("events.out.*"))
    assert "--csv RUN -o FILE" in shell("runs", wine, "--csv", "last").sentence
    assert shell("runs", wine, "-o", "x").status == 2
    assert shell("runs", wine, "--csv", "last", "-o", tmp_path / "no" / "c.csv").status == 2


def test_tags_notes_and_titles(shell, wine: Path) -> None:
    shell("runs", wine, "--tag", "last", "wide", "first try")
    shell("runs", wine, "--untag", "last", "wide")
    shell("runs", wine, "--note", "last", "learns well")
    found = shell("runs", wine, "--rename", "last", "the wide one", "--json").json
    assert (found["title"], found["tags"], found["note"]) == ("the wide one", ["first try"], "learns well")
    people = shell("runs", wine).out
    assert "the wide one" in people
    assert "first try" in people
    assert shell("runs", wine, "--show", "the wide one").status == 0
    assert "at least one tag" in shell("runs", wine, "--tag", "last").sentence


def test_runs_are_deleted_by_name_or_none_of_them(shell, wine: Path) -> None:
    newer, older = ids(shell, wine)
    refused = shell("runs", wine, "--delete", newer, "nosuch")
    assert (refused.status, ids(shell, wine)) == (2, [newer, older])
    assert "There is no run nosuch" in refused.sentence
    assert shell("runs", wine, "--delete", newer, "--json").status == 0
    assert ids(shell, wine) == [older]


def test_last_and_best_stand_for_a_run_everywhere(shell, wine: Path, tmp_path: Path) -> None:
    newer, older = ids(shell, wine)
    assert shell("eval", wine, "--run", "best", "--json").json["run"].endswith(newer)
    assert shell("eval", wine, "--run", "best:train_loss", "--json").json["run"].endswith(newer)
    out = tmp_path / "net.py"
    assert shell("export", wine, "--to", "python", "--run", "last", "-o", out).status == 0
    resumed = shell("train", wine, "--resume", "last", "--epochs", 7, "--json").events[-1]
    assert (resumed["steps"], Path(resumed["run"]).name) == (28, newer)
    assert "has val_bleu" in shell("eval", wine, "--run", "best:val_bleu").sentence
    assert older in ids(shell, wine)


def test_training_writes_tensorboards_files_if_asked(shell, wine: Path) -> None:
    last = shell("train", wine, "--epochs", 1, "--tensorboard", "--json").events[-1]
    assert list((Path(last["run"]) / "tensorboard").glob("events.out.*"))


def test_without_tensorboard_a_sentence_says_what_to_install(shell, wine: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    before = ids(shell, wine)
    for words in (("runs", wine, "--tensorboard", "last", "-o", "tb"), ("train", wine, "--tensorboard")):
        answer = shell(*words)
        assert answer.status == 2
        assert "pip install deepgui[tensorboard]" in answer.sentence
    assert ids(shell, wine) == before
