"""Several processes that train one network: the losses of one, and an end that is said plainly."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

from deepgui.data.batches import Batches
from deepgui.data.dataset import prepare
from deepgui.data.shares import Shares
from deepgui.project.values import DataConfig
from deepgui.training import store
from deepgui.training.events import Failed, Finished, Scalars, Started, Warned
from deepgui.training.trainer import RunSpec, Trainer


@pytest.fixture
def plain(wine):
    """Without dropout, which every process would draw for itself."""

    def make(**training):
        project = wine(**training)
        key, network = next(iter(project.networks.items()))
        nodes = {n.id: replace(n, params={"p": 0.0}) if n.kind == "Dropout" else n for n in network.nodes.values()}
        return replace(project, networks={key: replace(network, nodes=nodes)})

    return make


def _count(batch):
    return len(next(iter(batch.values())))


def _curves(events):
    found = {}
    for event in events:
        if isinstance(event, Scalars):
            for name, values in event.columns.items():
                found.setdefault(name, []).extend(values)
    return found


def test_two_processes_give_the_losses_of_one_with_twice_the_batch(plain, new_run):
    settings = {"epochs": 2, "optimizer": "Adam", "ema": 0.9, "clip_grad_norm": 1.0}
    alone = list(Trainer(RunSpec(plain(batch_size=36, **settings))))  # 124 = 3 · 36 + 16
    project = plain(batch_size=18, **settings)
    run = new_run(project)
    trainer = Trainer(RunSpec(project, folder=run, devices=2))
    together = list(trainer)
    assert isinstance(together[-1], Finished), together[-1]
    expected, found = _curves(alone), _curves(together)
    assert expected.keys() == found.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5, err_msg=name)
    assert together[-1].metrics == pytest.approx(alone[-1].metrics, rel=1e-5)
    assert store.read_run(run).status == "completed"

    longer = replace(project, training=replace(project.training, epochs=3))
    resumed = list(Trainer(RunSpec(longer, resume=run, devices=2)))
    assert isinstance(resumed[-1], Finished), resumed[-1]
    assert len(_curves(resumed)["train_loss"]) == 4
    whole = _curves(Trainer(RunSpec(plain(batch_size=36, **{**settings, "epochs": 3}))))
    np.testing.assert_allclose(_curves(resumed)["train_loss"], whole["train_loss"][-4:], rtol=1e-5)


def test_numbers_changed_and_a_stop_reach_all_and_a_killed_process_is_told_of(digits):
    warned, killed = [], []
    trainer = Trainer(RunSpec(digits(epochs=1000), devices=2))
    for event in trainer:
        if isinstance(event, Warned):
            warned.append(event.message)
        if isinstance(event, Started):
            trainer.control.set("lr", 0.5)
        if isinstance(event, Scalars) and trainer.step > 20 and not killed:
            assert trainer.stepper.lr == 0.5
            killed = list(torch.multiprocessing.active_children())
            os.kill(killed[0].pid, signal.SIGKILL)
    assert any("Batch normalisation" in message for message in warned)
    assert isinstance(event, Failed)
    assert (
        event.message == "Process 1 of those that train together was ended by signal 9: go on from the last checkpoint."
    )
    assert not torch.multiprocessing.active_children()
    assert not torch.distributed.is_initialized()


@pytest.mark.parametrize(("batch_size", "processes"), [(16, 2), (41, 3), (61, 2), (7, 3)])
def test_the_shares_of_a_batch_are_what_one_process_would_see(batch_size, processes):
    split = prepare(DataConfig("wine"), "classification").train
    single = Batches(split, batch_size * processes, shuffle=True, seed=5)
    shares = [Shares(split, batch_size, "cpu", 5, False, rank, processes) for rank in range(processes)]
    seen = [list(share.epoch(3)) for share in shares]
    whole = list(single.epoch(3))
    left_out = len(whole) > len(shares[0])
    assert not left_out or _count(whole[-1]) < processes
    for index, parts in enumerate(zip(*seen, strict=True)):
        assert tuple(_count(part) for part in parts) == shares[0].sizes(index)
        for name, values in whole[index].items():
            assert torch.equal(torch.cat([part[name] for part in parts]), values)


def test_what_cannot_be_shared_out_is_said_before_anything_is_learnt(plain):
    events = list(Trainer(RunSpec(plain(optimizer="LBFGS"), devices=2)))
    assert isinstance(events[-1], Failed)
    assert events[-1].message == "LBFGS searches on one device: choose another optimiser to train on several."
