"""Every network that was trained can be taken home, under its own name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from safetensors.torch import load_file

import deepgui
from deepgui import api, paths
from deepgui.training.store import RunStore
from deepgui.training.trainer import RunSpec, Trainer


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    project = deepgui.load(paths.samples() / "digits_gan.deepgui")
    project = replace(project, training=replace(project.training, max_steps=2))
    folder = RunStore(tmp_path_factory.mktemp("runs")).create(project)
    trainer = Trainer(RunSpec(project, folder=folder))
    list(trainer)
    return project, folder, trainer


def test_the_discriminator_leaves_with_what_it_learnt(trained, tmp_path):
    project, folder, trainer = trained
    result = api.export(project, "python", tmp_path / "out", run=folder, network="discriminator")
    assert not result.fresh
    assert "real inputs" in result.checked_with
    assert {path.name for path in result.paths} >= {"discriminator.py", "discriminator.safetensors"}
    weights = load_file(tmp_path / "out" / "discriminator.safetensors")
    learnt = trainer.networks.modules["discriminator"].state_dict()
    assert weights.keys() == learnt.keys()
    assert all(bool((weights[name] == learnt[name]).all()) for name in weights)


def test_without_a_run_it_leaves_with_fresh_weights(trained, tmp_path):
    assert api.export(trained[0], "weights", tmp_path / "out", network="discriminator").fresh


def test_a_network_that_is_not_there_is_named(trained, tmp_path):
    with pytest.raises(ValueError, match="no network judge: it has generator, discriminator"):
        api.export(trained[0], "weights", tmp_path / "out", network="judge")
