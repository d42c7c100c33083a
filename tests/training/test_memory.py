"""A training that does not fit is refused or warned of before it starts, with the batch that would fit."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from deepgui import api
from deepgui.training import devices, memory
from deepgui.training.events import Failed
from deepgui.training.trainer import RunSpec, Trainer


@pytest.fixture
def room(monkeypatch):
    """Gives the CPU so many bytes, of which so many are free."""

    def give(total, vacant=None):
        cpu = replace(devices.resolve("cpu"), memory=total)
        monkeypatch.setattr(devices, "devices", lambda: (cpu,))
        monkeypatch.setattr(memory, "free", lambda device: total if vacant is None else vacant)

    return give


def said(project):
    return [p for p in api.check(project).problems if p.code == "too-much-memory"]


def test_a_smaller_batch_is_offered(room, digits):
    project = digits(batch_size=1024)
    room(4_000_000)
    (problem,) = said(project)
    assert problem.severity == "error"
    assert "at batch size 1024" in problem.message
    assert "but this machine has 4.0 MB:" in problem.message
    assert problem.fix is not None
    ((name, size),) = problem.fix.training
    assert name == "batch_size"
    assert f"a batch size of {size} fits" in problem.message
    assert not said(replace(project, training=replace(project.training, batch_size=size)))
    assert said(replace(project, training=replace(project.training, batch_size=2 * size)))
    *_, last = Trainer(RunSpec(project))
    assert isinstance(last, Failed)
    assert last.message == problem.message


def test_what_does_not_fit_at_all_has_no_fix(room, digits):
    room(8_000)
    (problem,) = said(digits(batch_size=4))
    assert problem.fix is None
    assert problem.message.endswith("use smaller layers.")


def test_a_batch_is_never_more_than_there_are_examples(room, digits):
    room(20_000_000)
    assert not said(digits(batch_size=10**12))


def test_what_does_not_fit_just_now_is_a_warning(room, digits):
    room(10**9, 4_000_000)
    (problem,) = said(digits(batch_size=1024))
    assert problem.severity == "warning"
    assert "has 4.0 MB of 1.0 GB free now" in problem.message
    assert problem.fix is not None


def test_the_layer_at_which_memory_runs_out_is_named(digits, monkeypatch):
    real = torch.nn.MaxPool2d.forward

    def full(self, x):
        if torch.is_grad_enabled():
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")
        return real(self, x)

    monkeypatch.setattr(torch.nn.MaxPool2d, "forward", full)
    monkeypatch.setattr(memory, "free", lambda device: 2_000_000)
    *_, last = Trainer(RunSpec(digits(batch_size=1024)))
    assert isinstance(last, Failed)
    assert (last.node, last.reason) == ("max_pool2d", "memory")
    assert last.message == "cpu ran out of memory at batch size 1024 in max_pool2d: try a batch size of 256."
