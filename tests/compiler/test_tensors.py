"""Parameter and Constant: tensors of the module's own, with the same key in module and source."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from deepgui import builder
from deepgui.catalog.builtin import registry
from deepgui.compiler.build import build
from deepgui.compiler.report import check
from deepgui.compiler.source import to_python
from deepgui.graph.values import Network


def both(network: Network) -> tuple[torch.nn.Module, torch.nn.Module, str]:
    """The built module, and one made from its source, each under the same seed."""
    torch.manual_seed(3)
    module = build(network, registry())
    source = to_python(network, registry())
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    torch.manual_seed(3)
    twin = next(v for v in namespace.values() if isinstance(v, type) and v.__module__ == "builtins")()
    return module, twin, source


def assert_same(network: Network, *examples: torch.Tensor) -> str:
    module, twin, source = both(network)
    ours, theirs = module.state_dict(), twin.state_dict()
    assert ours.keys() == theirs.keys()
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], rtol=0, atol=0)
    torch.testing.assert_close(module(*examples), twin(*examples), rtol=0, atol=0)
    program = torch.export.export(module, examples, strict=False)
    torch.testing.assert_close(program.module()(*examples), module(*examples))
    return source


def vision_tokens() -> Network:
    """The head of a vision transformer: a class token in front, and a position for each."""
    net = builder.Network("tokens")
    x = net.add("Linear", net.add("Input", shape=(16, 12)), out_features=8)
    token = net.add("Parameter", shape=(1, 1, 8), name="class_token")
    x = net.add("cat", net.add("expand_batch", token, x), x, dim=1)
    place = net.add("Parameter", shape=(1, 17, 8), init="randn", scale=0.02, name="position")
    x = net.add("slice", net.add("add", x, place), index=":, 0")
    net.add("Output", net.add("Linear", x, out_features=3))
    return net.network()


def test_a_class_token_and_positions_are_learnt() -> None:
    network = vision_tokens()
    report = check(network, registry())
    assert report.ok, report.errors
    assert report.nodes["linear_2"].outputs["output"].shape == "N×3"
    assert report.parameters == 12 * 8 + 8 + 8 + 17 * 8 + 8 * 3 + 3
    source = assert_same(network, torch.randn(2, 16, 12))
    assert "self.class_token = nn.Parameter(torch.zeros(1, 1, 8))" in source
    assert "self.position = nn.Parameter(0.02 * torch.randn(1, 17, 8))" in source
    assert "+ self.position" in source
    module = build(network, registry())
    module(torch.randn(2, 16, 12)).sum().backward()
    gradients = dict(module.named_parameters())
    assert all(gradients[name].grad.abs().sum() > 0 for name in ("class_token", "position"))  # type: ignore[union-attr]


@pytest.mark.parametrize("init", ["zeros", "ones", "randn", "rand", "trunc_normal", "xavier_uniform"])
def test_every_way_to_start_is_the_same_in_source(init: str) -> None:
    net = builder.Network("start")
    x = net.add("Input", shape=(6,))
    net.add("Output", net.add("matmul", x, net.add("Parameter", shape=(6, 4), init=init, scale=0.5)))
    source = assert_same(net.network(), torch.randn(3, 6))
    assert init in source


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"value": 0.5}, torch.tensor(0.5)),
        ({"value": 2, "shape": (4, 1)}, torch.full((4, 1), 2.0)),
        ({"value": (1, 2, 3)}, torch.tensor([1.0, 2.0, 3.0])),
        ({"value": (1, 2, 3), "shape": (3, 1, 1)}, torch.tensor([1.0, 2.0, 3.0]).reshape(3, 1, 1)),
        ({"value": (1, 0, 1), "dtype": "int64"}, torch.tensor([1, 0, 1])),
    ],
)
def test_a_constant_is_a_buffer(params: dict[str, Any], expected: torch.Tensor) -> None:
    net = builder.Network("shift")
    x = net.add("Input", shape=(3, 4, 3))
    constant = net.add("Constant", name="mean", **params)
    net.add("Output", net.add("sub", x, constant))
    network = net.network()
    assert check(network, registry()).nodes["constant"].outputs["output"].at(1) == tuple(expected.shape)
    assert 'self.register_buffer("mean", torch.' in assert_same(network, torch.randn(2, 3, 4, 3))
    torch.testing.assert_close(build(network, registry()).state_dict()["mean"], expected)


def test_values_that_do_not_fill_the_shape_are_a_problem() -> None:
    net = builder.Network("bad")
    net.add("Output", net.add("add", net.add("Input", shape=(3,)), net.add("Constant", value=(1, 2), shape=(3,))))
    problems = check(net.network(), registry()).errors
    assert [p.node for p in problems] == ["constant"]
    assert "2 values do not fill" in problems[0].message


def test_numbers_stand_in_for_wires() -> None:
    net = builder.Network("numbers")
    x = net.add("Input", shape=(4,))
    y = net.add("sub", net.add("add", net.add("mul", x, other=2), other=1.5), input=1)
    y = net.add("sub", x, net.add("sub", y, input=1))
    net.add("Output", net.add("where", net.add("gt", y, other=0), net.add("pow", y, exponent=2), other=-1.0))
    source = assert_same(net.network(), torch.randn(5, 4))
    for line in ("* 2", "+ 1.5", "= 1 - ", "> 0"):
        assert line in source, source


def test_parts_and_slices_read_as_in_python() -> None:
    net = builder.Network("parts")
    x = net.add("Input", shape=(6, 12))
    parts = net.add("chunk", x, chunks=3, dim=-1)
    picked = net.add("slice", parts["output_2"], index="..., :-1")
    early, late = (net.add("split", x, split_size_or_sections=(2, 4))[f"output_{i}"] for i in range(2))
    net.add("Output", net.add("einsum", picked, picked, equation="bij,bkj->bik"))
    net.add("Output", net.add("cat", early, late))
    net.add("Output", net.add("expand", net.add("slice", x, index=":, :1"), size=(-1, 5, 12)))
    source = assert_same(net.network(), torch.randn(2, 6, 12))
    assert "[..., :-1]" in source
    assert "torch.einsum('bij,bkj->bik', " in source
    assert ".expand(-1, 5, 12)" in source


def test_an_attention_that_gives_no_weights_is_unpacked() -> None:
    net = builder.Network("attention")
    x = net.add("Input", shape=(6, 8))
    mask = net.add("causal_mask", x)
    net.add("Output", net.add("MultiheadAttention", x, attn_mask=mask, num_heads=2, need_weights=False))
    module, example = build(net.network(), registry()), torch.randn(2, 6, 8)
    assert "_ = self.multihead_attention(" in assert_same(net.network(), example)
    later = example.clone()
    later[:, 3:] += 1
    torch.testing.assert_close(module(later)[:, :3], module(example)[:, :3])
