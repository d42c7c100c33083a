"""Devices by name."""

from __future__ import annotations

import pytest
import torch

from deepgui.training import devices


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
