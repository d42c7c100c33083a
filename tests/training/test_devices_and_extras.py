"""Devices by name, and curves for TensorBoard."""

from __future__ import annotations

import importlib.util

import pytest
import torch

from deepgui.training import devices, store
from deepgui.training.trainer import RunSpec, Trainer


def test_the_cpu_is_always_there_and_auto_is_the_best():
    found = devices.devices()
    assert found[-1].id == "cpu"
    assert devices.resolve("auto") == found[0]
    assert devices.resolve("cpu").memory > 2**28
    torch.device(devices.resolve("auto").id)


@pytest.mark.parametrize("name", ["cuda:99", "tpu", "gpu"])
def test_an_absent_device_is_refused_with_what_is_there(name):
    with pytest.raises(devices.DeviceError, match=rf"no device {name} .*found: .*cpu"):
        devices.resolve(name)


def test_an_unknown_precision_is_refused():
    with pytest.raises(devices.DeviceError, match="fp32, bf16, fp16"):
        devices.check_precision(devices.resolve("cpu"), "int4")


def test_curves_go_to_tensorboard_or_a_sentence_says_what_is_missing(wine, new_run, tmp_path):
    project = wine(epochs=1)
    folder = new_run(project)
    list(Trainer(RunSpec(project, folder=folder)))
    if importlib.util.find_spec("tensorboard") is None:
        with pytest.raises(store.RunError, match=r"pip install deepgui\[tensorboard\]"):
            store.export_tensorboard(folder, tmp_path / "tb")
    else:
        points = sum(len(store.history(folder, name)[0]) for name in store.columns(folder))
        assert store.export_tensorboard(folder, tmp_path / "tb") == points
        assert list((tmp_path / "tb").iterdir())
