"""A training in a process of its own: it is followed and steered through its folder, and goes on alone."""

from __future__ import annotations

import pytest

from deepgui.training import detached, store
from deepgui.training.control import Control
from deepgui.training.events import EpochFinished, Finished, NumberChanged, Scalars, Started, from_dict
from deepgui.training.store import RunError
from deepgui.training.trainer import RunSpec, Trainer


def test_a_detached_run_is_followed_steered_and_ended(wine, new_run):
    run = new_run(wine(epochs=1_000_000, seed=3))
    pid = detached.start(run)
    assert store.read_run(run).status == "running"
    losses, seen = [], []
    for event in detached.follow(run):
        seen.append(type(event))
        if isinstance(event, Started):
            detached.order(run, "set", "lr", 0.25)
        if isinstance(event, NumberChanged):
            assert (event.name, event.value) == ("lr", 0.25)
            detached.order(run, "stop")
        if isinstance(event, Scalars):
            losses.extend(event.columns.get("train_loss", ()))
    assert isinstance(event, Finished)
    assert event.reason == "stopped"
    assert {Started, EpochFinished, NumberChanged} <= set(seen)
    steps, recorded = store.history(run, "train_loss")
    assert losses == recorded.tolist()
    assert steps.tolist() == list(range(1, event.steps + 1))
    assert store.read_run(run).status == "stopped"
    assert pid > 0
    with pytest.raises(RunError, match="nothing to stop"):
        detached.order(run, "stop")


def test_a_run_that_has_ended_tells_what_it_said(wine, new_run):
    run = new_run(wine())
    said = [event for event in Trainer(RunSpec(wine(), folder=run)) if not isinstance(event, Scalars)]
    told = [event for event in detached.follow(run) if not isinstance(event, Scalars)]
    assert [event.as_dict() for event in told] == [
        event.as_dict() for event in said[1:]
    ]  # it says that it prepares before it keeps a record
    assert from_dict(said[-1].as_dict()) == said[-1]


def test_lines_that_are_no_orders_are_passed_over(tmp_path):
    control = Control()
    with detached.Listening(tmp_path, control) as listening:
        (tmp_path / detached.ORDERS).write_text('nonsense\n{"order": "close"}\n{"order": "pause"}\n{"order": "st')
        for _ in range(3):  # as often as it takes to get past two bad lines
            listening._over.wait(2 * detached.POLL_SECONDS)
        assert control.paused
        assert not control.stopping
