"""What was imported answers like the original wherever the project goes: compiled, saved, loaded, exported, trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import deepgui
from deepgui.compiler.weights import WeightsError
from deepgui.graph import edits
from deepgui.project import file
from deepgui.project.values import TrainingConfig, with_network
from deepgui.training.events import Failed, Finished


@pytest.fixture
def original() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(13, 8), nn.ReLU(), nn.Linear(8, 3)).eval()


@pytest.fixture
def example() -> torch.Tensor:
    return torch.randn(4, 13)


def test_compiling_gives_the_originals_answers(original: nn.Module, example: torch.Tensor) -> None:
    project = deepgui.from_module(original, example)
    torch.testing.assert_close(deepgui.compile(project).eval()(example), original(example))


def test_a_saved_project_takes_them_along(original: nn.Module, example: torch.Tensor, tmp_path: Path) -> None:
    path = tmp_path / "net.v2.deepgui"
    deepgui.save(deepgui.from_module(original, example), path)
    assert (tmp_path / "net.v2.safetensors").is_file()
    assert '"weights": "net.v2.safetensors"' in path.read_text()
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("net.v2.deepgui", "net.v2.safetensors"):
        (tmp_path / name).rename(moved / name)
    loaded = deepgui.load(moved / path.name)
    torch.testing.assert_close(deepgui.compile(loaded).eval()(example), original(example))


def test_training_starts_from_them(original: nn.Module, example: torch.Tensor) -> None:
    training = TrainingConfig(optimizer="SGD", optimizer_options={"lr": 0.0}, epochs=1, device="cpu")
    project = replace(deepgui.from_module(original, example), training=training)
    project = replace(project, data=replace(project.data, source="wine"))
    fresh = list(deepgui.train(replace(project, weights="")))[-1]
    started = list(deepgui.train(project))[-1]
    assert isinstance(fresh, Finished)
    assert isinstance(started, Finished)
    assert started.metrics["train_loss"] != pytest.approx(fresh.metrics["train_loss"])


def test_what_a_changed_drawing_still_has_is_kept(original: nn.Module, example: torch.Tensor) -> None:
    project = deepgui.from_module(original, example)
    last = [n.id for n in project.main.nodes.values() if n.kind == "Linear"][-1]
    wider = edits.set_params(project.main, last, {"out_features": 5})
    module = deepgui.compile(with_network(project, "network", wider))
    first = next(p for p in module.parameters() if p.shape == (8, 13))
    assert torch.equal(first, original[0].weight)


def test_a_missing_file_is_said_in_a_sentence(original: nn.Module, example: torch.Tensor, tmp_path: Path) -> None:
    project = replace(deepgui.from_module(original, example), weights=str(tmp_path / "gone.safetensors"))
    with pytest.raises(WeightsError, match=r"are not there: gone.safetensors. Put the file beside the project"):
        deepgui.compile(project)
    training = replace(project, data=replace(project.data, source="wine"))
    last = list(deepgui.train(training))[-1]
    assert isinstance(last, Failed)
    assert "gone.safetensors" in last.message


def test_a_broken_file_runs_nothing(original: nn.Module, example: torch.Tensor, tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    path.write_bytes(b"not tensors")
    with pytest.raises(WeightsError, match="cannot be read"):
        deepgui.compile(replace(deepgui.from_module(original, example), weights=str(path)))


def test_runs_from_other_weights_are_other_runs(original: nn.Module, example: torch.Tensor) -> None:
    project = deepgui.from_module(original, example)
    assert file.meaning_hash(project) != file.meaning_hash(replace(project, weights=""))
