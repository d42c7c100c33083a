"""Before a training: a learning rate from one sweep, and whether one batch can be learnt by heart."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch

from deepgui.cli import main
from deepgui.graph.problems import NetworkError
from deepgui.project.file import write
from deepgui.project.values import LayerTraining
from deepgui.training.lr_finder import find_lr, steepest
from deepgui.training.sanity import overfit_batch


def test_a_sweep_finds_a_rate_that_trains_and_ends_where_the_loss_explodes(wine):
    sweep = find_lr(wine(optimizer="SGD"), highest=1e4)
    assert sweep.diverged
    assert len(sweep.rates) < 100
    assert 1e-3 < sweep.suggestion < 10
    growth = [b / a for a, b in zip(sweep.rates, sweep.rates[1:], strict=False)]
    assert growth == pytest.approx([growth[0]] * len(growth), rel=1e-3), "exponential"


def test_looking_leaves_random_numbers_and_the_project_alone(digits):
    project = digits(layers={"linear": LayerTraining(lr=0.1)}, warmup_steps=5, scheduler="OneCycleLR")
    torch.manual_seed(7)
    state = torch.get_rng_state()
    first = find_lr(project, steps=20)
    assert torch.equal(torch.get_rng_state(), state)
    assert find_lr(project, steps=20) == first


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([5.0] * 8 + [4.9, 4.0, 2.0, 1.9, 1.8, 9.0], 9),
        ([1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0, 2.1, 2.2, 2.3], None),
        ([math.nan] * 14, None),
    ],
)
def test_the_steepest_place_is_suggested_if_there_is_one(losses, expected):
    rates = [10 ** (i / 4 - 4) for i in range(14)]
    assert steepest(rates, losses) == (None if expected is None else rates[expected])


def test_a_batch_is_learnt_by_heart_in_spite_of_dropout(wine):
    found = overfit_batch(wine(optimizer_options={"lr": 0.02}))
    assert found.ok
    assert "learns one batch by heart" in str(found)


def test_a_rate_of_nothing_learns_nothing_and_that_is_said(wine):
    found = overfit_batch(wine(optimizer_options={"lr": 0.0}), steps=5)
    assert not found.ok
    assert "Try another learning rate" in str(found)


def test_what_cannot_be_trained_is_said_as_before_any_training(wine):
    with pytest.raises(NetworkError, match="Adamm"):
        find_lr(wine(optimizer="Adamm"))


def test_from_a_shell(wine, tmp_path, capsys):
    path = tmp_path / "wine.deepgui"
    write(replace(wine(optimizer_options={"lr": 0.02})), path)
    assert main(["train", str(path), "--find-lr", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["message"] == f"The loss falls most steeply at a learning rate of {found['suggestion']:.2g}."
    assert main(["train", str(path), "--overfit-batch"]) == 0
    assert "learns one batch by heart" in capsys.readouterr().out
    assert main(["train", str(path), "--overfit-batch", "--lr", "1e-9"]) == 1
    assert not list(tmp_path.glob("*runs*")), "nothing is kept"
