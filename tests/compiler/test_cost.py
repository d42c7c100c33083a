"""The forecast of memory against what PyTorch really keeps, and numbers that are too large for it."""

from __future__ import annotations

import pytest
import torch
from torch.autograd.graph import saved_tensors_hooks

import deepgui
from deepgui import machine
from deepgui.catalog.builtin import registry
from deepgui.compiler.cost import cost, optimizer_states
from deepgui.graph import edits
from deepgui.graph.problems import NetworkError


def pictures() -> deepgui.Network:
    net = deepgui.Network("pictures")
    x = net.add("Conv2d", net.add("Input", shape=(3, 16, 16)), out_channels=8, kernel_size=3)
    x = net.add("MaxPool2d", net.add("ReLU", net.add("BatchNorm2d", x)), kernel_size=2)
    net.add("Output", net.add("Linear", net.add("Dropout", net.add("Flatten", x)), out_features=10))
    return net


def texts() -> deepgui.Network:
    net = deepgui.Network("texts")
    x = net.add("Embedding", net.add("Input", shape=(12,), dtype="int64"), num_embeddings=50, embedding_dim=16)
    x = net.add("TransformerEncoderLayer", x, nhead=4, dim_feedforward=32)
    net.add("Output", net.add("Linear", net.add("mean", x, dim=1), out_features=2))
    return net


def really_kept(net: deepgui.Network, size: int) -> int:
    module = deepgui.compile(net).train()
    shape, whole = (3, 16, 16) if net.network().name == "pictures" else (12,), net.network().name == "texts"
    batch = torch.zeros(size, *shape, dtype=torch.int64 if whole else torch.float32)
    saved = {}
    own = {p.untyped_storage().data_ptr() for p in (*module.parameters(), *module.buffers())}
    with saved_tensors_hooks(lambda t: saved.setdefault(t.untyped_storage().data_ptr(), t), lambda t: t):
        module(batch)
    return sum(t.untyped_storage().nbytes() for place, t in saved.items() if place not in own)


@pytest.mark.parametrize("draw", [pictures, texts])
def test_activations_are_what_autograd_keeps(draw) -> None:
    found = cost(draw().network(), registry())
    assert found.activations(32) == pytest.approx(really_kept(draw(), 32), rel=0.15)


def test_the_largest_batch_fits_and_one_more_does_not() -> None:
    found = cost(pictures().network(), registry())
    most = found.largest_batch(50e6, 2)
    assert found.training(most, 2) <= 50e6 < found.training(most + 1, 2)
    assert found.largest_batch(found.weights, 2) == 0


def test_what_an_optimizer_keeps() -> None:
    module = torch.nn.Linear(8, 8, bias=False)
    settings = {"SGD": {}, "Adam": {}, "AdamW": {"amsgrad": True}, "RMSprop": {}, "Adagrad": {}, "Rprop": {}}
    for name, options in {**settings, "Adamax": {}, "NAdam": {}, "RAdam": {}}.items():
        optimizer = getattr(torch.optim, name)(module.parameters(), **options)
        module(torch.ones(2, 8)).sum().backward()
        optimizer.step()
        kept = [v for s in optimizer.state.values() for v in s.values() if isinstance(v, torch.Tensor) and v.dim() == 2]
        assert optimizer_states(name, options) == len(kept), name
    assert optimizer_states("SGD", {"momentum": 0.9}) == 1


def wide(out_features: int) -> deepgui.Network:
    net = deepgui.Network("wide")
    x = net.add("Linear", net.add("Input", shape=(13,)), out_features=out_features, name="hidden")
    net.add("Output", x)
    return net


@pytest.mark.parametrize("number", [10**18, 10**30])
def test_a_number_that_is_too_large_for_torch_is_named(number: int) -> None:
    report = deepgui.check(edits.set_params(wide(2).network(), "linear", {"out_features": number}))
    assert not report.ok
    assert [p.node for p in report.errors] == ["linear"]
    assert report.errors[0].message.startswith("hidden: out_features")
    assert "too large" in report.errors[0].message


def test_a_network_that_no_memory_here_can_hold_is_not_built() -> None:
    assert deepgui.check(wide(10**13)).ok
    for use in (deepgui.compile, lambda net: deepgui.api.export(net, "weights", "w.pt")):
        with pytest.raises(NetworkError, match=r"^hidden: its weights take [\d.,]+ TB, but this machine has "):
            use(wide(10**13))


def test_bytes_for_people() -> None:
    assert [machine.size(n) for n in (0, 999, 1500, 2e9, 3.5e15)] == ["0 B", "999 B", "1.5 KB", "2.0 GB", "3,500.0 TB"]
