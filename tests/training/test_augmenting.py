"""Training pictures are changed at random, the same way whenever a run gets to them; validation ones never are."""

from __future__ import annotations

import pytest
import torch
from training.test_resume_exactly import train

from deepgui.training.events import Failed, Started
from deepgui.training.trainer import RunSpec, Trainer

STRONG = {"rotation": 15.0, "noise": 0.1, "shift": 0.1}


def ready(project):
    trainer = Trainer(RunSpec(project))
    next(event for event in trainer if isinstance(event, Started))
    return trainer


def test_pictures_are_changed_and_what_is_to_be_learnt_is_not(digits):
    plain, changed = next(ready(digits()).batches()), next(ready(digits(augmentation=STRONG)).batches())
    assert torch.equal(plain["label"], changed["label"])
    assert not torch.equal(plain["image"], changed["image"])
    assert plain["image"].shape == changed["image"].shape


def test_each_epoch_sees_other_changes_and_the_same_ones_again(digits):
    trainer = ready(digits(augmentation=STRONG))
    first = [b["image"].clone() for b in trainer.batches()]
    again = [b["image"].clone() for b in trainer.batches()]
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    trainer.position.index = 3
    assert torch.equal(next(trainer.batches())["image"], first[3])


def test_a_run_that_goes_on_sees_the_same_pictures(digits, new_run):
    project = digits(epochs=2, augmentation=STRONG)
    whole, end, weights = train(project, new_run(project))
    folder = new_run(project)
    first, _, _ = train(project, folder, stop_at=5)
    second, again, resumed = train(project, None, resume=folder)
    assert first["train_loss"] + second["train_loss"] == whole["train_loss"]
    assert end.metrics == again.metrics
    assert all(torch.equal(weights[key], resumed[key]) for key in weights)


@pytest.mark.parametrize(
    ("settings", "expected"), [({"spin": 1.0}, "no augmentation 'spin'"), ({"flip": 2.0}, "at most 1")]
)
def test_a_setting_that_cannot_be_is_one_sentence(digits, settings, expected):
    *_, last = Trainer(RunSpec(digits(augmentation=settings)))
    assert isinstance(last, Failed)
    assert expected in last.message
