"""What is in 8 bits is said to be, is smaller, and answers nearly as before; from its file, too."""

from __future__ import annotations

import pytest
import torch

from deepgui import builder
from deepgui.after import quantising
from deepgui.after.subject import AfterError, Subject
from deepgui.project.values import DataConfig


def wide() -> builder.Network:
    net = builder.Network("net")
    x = net.add("Flatten", net.add("Input", shape=(1, 8, 8)))
    x = net.add("ReLU", net.add("Linear", x, out_features=256))
    net.add("Output", net.add("Linear", x, out_features=10))
    return net


@pytest.fixture(scope="module")
def dense(learn) -> Subject:
    return learn(wide(), DataConfig("digits"))


@pytest.mark.parametrize("way", quantising.WAYS)
def test_it_is_smaller_and_nearly_as_good(dense, way, tmp_path):
    path = tmp_path / "small.ts"
    found = quantising.quantise(dense, way, path)
    assert sum(found.layers.values()) == 2
    assert found.left == {}
    assert found.remark == ""
    assert found.after.bytes == path.stat().st_size < 0.6 * found.before.bytes
    assert found.before.metrics == dense.metrics()
    assert found.after.metrics["accuracy"] == pytest.approx(found.before.metrics["accuracy"], abs=0.02)
    x = dense.dataset.test.all()[dense.objective.inputs[0]]
    said, truth = torch.jit.load(path)(x), dense.module(x)
    assert not torch.equal(said, truth), "8 bits round"
    assert (said - truth).abs().max() < 0.1 * truth.abs().max()


def test_static_quantises_convolutions_and_dynamic_leaves_them_and_says_so(digits):
    static, dynamic = (quantising.quantise(digits, way) for way in ("static", "dynamic"))
    assert static.left == {}
    assert sum(static.layers.values()) == 2
    assert static.after.metrics["accuracy"] > static.before.metrics["accuracy"] - 0.03
    assert dynamic.layers == {"Linear": 1}
    assert "1 × Conv2d" in dynamic.remark
    assert "knows Linear, LSTM and GRU" in dynamic.remark


def test_recurrent_layers_are_quantised_dynamically(learn):
    net = builder.Network("net")
    x = net.add("squeeze", net.add("Input", shape=(1, 8, 8)), dim=1)
    x = net.add("GRU", net.add("LSTM", x, hidden_size=32, batch_first=True), hidden_size=32, batch_first=True)
    net.add("Output", net.add("Linear", net.add("Flatten", x), out_features=10))
    found = quantising.quantise(learn(net, DataConfig("digits")), "dynamic")
    assert found.layers == {"LSTM": 1, "GRU": 1, "Linear": 1}
    assert found.after.metrics["accuracy"] == pytest.approx(found.before.metrics["accuracy"], abs=0.03)


def test_a_network_with_nothing_to_quantise_is_told_so(learn):
    net = builder.Network("net")
    x = net.add("Conv2d", net.add("Input", shape=(1, 8, 8)), out_channels=10, kernel_size=3)
    net.add("Output", net.add("Flatten", net.add("AdaptiveAvgPool2d", x, output_size=1)))
    with pytest.raises(AfterError, match=r"Nothing of this network.*Conv2d"):
        quantising.quantise(learn(net, DataConfig("digits")), "dynamic")


def test_the_network_itself_is_left_as_it_was(dense):
    before = {name: t.clone() for name, t in dense.module.state_dict().items()}
    quantising.quantise(dense, "static")
    assert all(torch.equal(before[name], t) for name, t in dense.module.state_dict().items())
    assert not dense.module.training
