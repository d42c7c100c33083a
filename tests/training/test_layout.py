"""The memory format that a training chooses changes its speed, never its numbers."""

from __future__ import annotations

import pytest
import torch

from deepgui.training import layout
from deepgui.training.control import Control
from deepgui.training.events import Scalars
from deepgui.training.trainer import RunSpec, Trainer


def losses(project, folder=None, resume=None):
    trainer = Trainer(RunSpec(project, folder=folder, resume=resume), Control())
    found = [loss for e in trainer if isinstance(e, Scalars) for loss in e.columns.get("train_loss", ())]
    return found, trainer


def test_a_small_network_that_pools_computes_with_the_channels_last(digits):
    _, trainer = losses(digits(max_steps=2))
    weight = next(p for p in trainer.module.parameters() if p.dim() == 4)
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_the_losses_are_those_of_the_plain_format(digits, monkeypatch):
    project = digits(max_steps=20)
    fast, _ = losses(project)
    monkeypatch.setattr(layout, "_SLOW_PLAIN", ())
    plain, trainer = losses(project)
    assert all(p.is_contiguous() for p in trainer.module.parameters())
    assert fast == pytest.approx(plain, rel=1e-4)


def test_a_run_saved_in_the_plain_format_goes_on_in_the_other(digits, new_run, monkeypatch):
    """The fused optimiser goes through weights and averages side by side: another order would mix them up."""
    whole, _ = losses(digits(epochs=2))
    folder = new_run(digits(epochs=1))
    with monkeypatch.context() as patch:
        patch.setattr(layout, "_SLOW_PLAIN", ())
        losses(digits(epochs=1), folder=folder)
    rest, trainer = losses(digits(epochs=2), resume=folder)
    assert rest == pytest.approx(whole[len(whole) - len(rest) :], rel=1e-4)
    for parameter, state in trainer.stepper.movers[""].optimizer.state.items():
        assert state["exp_avg"].stride() == parameter.stride()
