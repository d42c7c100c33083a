"""The module is the one a person would write by hand, and the source is what that person would write."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import nn

from deepgui.catalog.builtin import registry
from deepgui.compiler.build import build
from deepgui.compiler.interpret import blame, capture
from deepgui.compiler.source import to_python
from deepgui.graph import edits
from deepgui.graph.problems import NetworkError
from deepgui.graph.values import Network, Wire


def add(network: Network, kind: str, *feeds: str, name: str = "", **params: Any) -> Network:
    """Place a node and wire ``node`` or ``node.output`` to its inputs in order."""
    network, node = edits.add_node(network, kind, params, name=name)
    spec = registry()[kind]
    for place, feed in enumerate(feeds):
        source, _, output = feed.partition(".")
        output = output or registry()[network.nodes[source].kind].outputs[0].name
        port = spec.inputs[0].name if spec.inputs[0].variadic else spec.inputs[place].name
        network = edits.append_wire(network, source, output, node.id, port)
    return network


def mixed() -> Network:
    """Branches, a nested result, self-attention, a variadic join, two outputs."""
    net = add(Network("mixed bag"), "Input", shape=(8, 16))
    net = add(net, "LSTM", "input", hidden_size=8, bidirectional=True)
    net = add(net, "MultiheadAttention", "lstm", num_heads=4)
    net = add(net, "add", "lstm", "multihead_attention")
    net = add(net, "cat", "add", "lstm", "input", dim=2)
    net = add(net, "mean", "cat", dim=1)
    net = add(net, "Linear", "mean", name="head", out_features=3)
    net = add(net, "Output", "linear")
    return add(net, "Output", "lstm.c_n")


def test_weights_equal_a_hand_written_twin_under_the_same_seed() -> None:
    class Twin(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv2d = nn.Conv2d(1, 6, 5, padding=2)
            self.batch_norm2d = nn.BatchNorm2d(6)
            self.linear = nn.Linear(6 * 28 * 28, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.linear(self.batch_norm2d(self.conv2d(x)).relu().flatten(1))

    net = add(Network("twin"), "Input", shape=(1, 28, 28))
    net = add(net, "Conv2d", "input", out_channels=6, kernel_size=5, padding=2)
    net = add(net, "BatchNorm2d", "conv2d")
    net = add(net, "ReLU", "batch_norm2d")
    net = add(net, "Flatten", "relu")
    net = add(net, "Linear", "flatten", out_features=10)
    net = add(net, "Output", "linear")
    torch.manual_seed(3)
    ours = build(net, registry())
    torch.manual_seed(3)
    twin = Twin()
    assert list(ours.state_dict()) == list(twin.state_dict())
    images = torch.randn(5, 1, 28, 28)
    assert torch.equal(ours(images), twin(images))


def test_source_has_the_module_s_keys_and_results() -> None:
    namespace: dict[str, Any] = {}
    exec(to_python(mixed(), registry()), namespace)
    torch.manual_seed(0)
    ours = build(mixed(), registry())
    torch.manual_seed(0)
    theirs = namespace["MixedBag"]()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = torch.randn(4, 8, 16)
    for a, b in zip(ours(x), theirs(x), strict=True):
        assert torch.equal(a, b)


def test_source_is_formatted_and_free_of_deepgui() -> None:
    source = to_python(mixed(), registry())
    assert "deepgui" not in source.lower()
    check = ["check", "--isolated", "--select", "E,F,I", "--line-length", "100", "-"]
    for command in (check, ["format", "--isolated", "--line-length", "100", "--diff", "-"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command], input=source, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_source_reads_like_a_person_wrote_it() -> None:
    source = to_python(mixed(), registry())
    assert "self.lstm = nn.LSTM(16, 8, batch_first=True, bidirectional=True)" in source
    assert "lstm, (_, lstm_c_n) = self.lstm(x)" in source
    assert "y, _ = self.multihead_attention(lstm, lstm, lstm)\n        y = lstm + y  # N×8×16" in source
    assert "return x, lstm_c_n" in source


@pytest.mark.parametrize("name", ["forward", "self", "x", "torch", "class", "train", "print", "weight x"])
def test_awkward_names_still_make_working_source(name: str) -> None:
    net = add(Network(name), "Input", shape=(4,))
    net = add(net, "Linear", "input", out_features=4)
    net = edits.rename_node(net, "linear", name)
    net = edits.rename_node(net, "input", "x")
    net = add(net, "Input", shape=(4,))
    net = add(net, "add", "linear", "input_2")
    net = add(net, "Output", "add")
    namespace: dict[str, Any] = {}
    exec(to_python(net, registry()), namespace)
    twin = next(v for v in namespace.values() if isinstance(v, type) and v.__module__ == "builtins")()
    ours = build(net, registry())
    twin.load_state_dict(ours.state_dict())
    a, b = torch.randn(2, 4), torch.randn(2, 4)
    assert torch.equal(ours(a, b), twin(a, b))


def test_a_dead_branch_is_neither_built_nor_written() -> None:
    net = add(mixed(), "Linear", "input", out_features=99, name="dead")
    assert "dead" not in to_python(net, registry())
    assert not any(k.startswith("dead") for k in build(net, registry()).state_dict())


def test_errors_are_raised_with_their_problems() -> None:
    net = add(Network("bad"), "Input", shape=(4,))
    with pytest.raises(NetworkError, match="no Output") as caught:
        build(net, registry())
    assert caught.value.problems[0].code == "no-output"


def test_inputs_are_taken_in_the_order_placed() -> None:
    net = add(Network("two"), "Input", shape=(4,), name="first")
    net = add(net, "Linear", "input", out_features=3)
    net = add(net, "Input", shape=(3,), name="second")
    net = add(net, "sub", "linear", "input_2")
    net = add(net, "Output", "sub")
    module = build(net, registry())
    a, b = torch.randn(2, 4), torch.randn(2, 3)
    assert torch.equal(module(a, b), module.linear(a) - b)


def test_capture_sees_every_wire_and_changes_nothing() -> None:
    module = build(mixed(), registry())
    x = torch.randn(2, 8, 16)
    wanted = [
        ("lstm", "output"),
        ("lstm", "c_n"),
        ("multihead_attention", "attn_output"),
        ("linear", "output"),
        ("gone", "a"),
    ]
    state = torch.get_rng_state()
    seen = capture(module, [x], wanted)
    assert set(seen) == set(wanted[:4])
    assert seen["lstm", "output"].shape == (2, 8, 16)
    assert torch.equal(seen["linear", "output"], module(x)[0])
    assert torch.equal(torch.get_rng_state(), state)


def test_capture_is_not_fooled_by_an_in_place_layer() -> None:
    net = add(Network("inplace"), "Input", shape=(4,))
    net = add(net, "Linear", "input", out_features=4)
    net = add(net, "ReLU", "linear", inplace=True)
    net = add(net, "Output", "relu")
    seen = capture(build(net, registry()), [torch.randn(9, 4)], [("linear", "output"), ("relu", "output")])
    assert (seen["linear", "output"] < 0).any()


def test_blame_names_the_layer_with_broken_weights() -> None:
    module = build(mixed(), registry())
    with torch.no_grad():
        module.head.weight[0, 0] = float("nan")
    found = blame(module, [torch.randn(2, 8, 16)])
    assert found is not None
    assert found.node == "linear"


def test_blame_names_the_layer_that_cannot_run() -> None:
    module = build(mixed(), registry())
    found = blame(module, [torch.randn(2, 8, 15)])
    assert found is not None
    assert found.node == "lstm"


def test_wires_of_a_network_in_any_order_lower_the_same() -> None:
    net = mixed()
    shuffled = Network(net.name, dict(reversed(net.nodes.items())), tuple(reversed(net.wires)))
    module = build(shuffled, registry())
    module.load_state_dict(build(net, registry()).state_dict())
    assert isinstance(module(torch.randn(2, 8, 16)), tuple)
    assert Wire("lstm", "c_n", "output_2", "input") in net.wires
