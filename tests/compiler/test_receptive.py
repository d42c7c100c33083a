"""Receptive fields: those of published networks, and those that gradients show."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mistakes import chain, conv, given
from torch import nn

import deepgui
from deepgui.builder import Block, Network
from deepgui.compiler.catalogue import catalogue
from deepgui.compiler.receptive import Field, fields


def of(net: Network) -> dict[str, Field]:
    project = net.project()
    return fields(project.main, catalogue(project.blocks), deepgui.check(project))


def measured(net: Network) -> int:
    """The largest extent of pixels that one place of the answer has a gradient to."""
    module = deepgui.compile(net)
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.constant_(layer.weight, 1.0)
    x = torch.rand(1, 1, 48, 48, requires_grad=True)
    answer = module(x)
    middle = answer.shape[-1] // 2
    extents = []
    for place in range(middle - 4, middle + 4):
        (gradient,) = torch.autograd.grad(answer[0, :, middle, place].sum(), x, retain_graph=True)
        seen = gradient[0, 0].abs().sum(0).nonzero()
        extents.append(int(seen.max() - seen.min()) + 1)
    return max(extents)


AVERAGE = {"kernel_size": 2}
CHAINS: dict[str, tuple[Any, ...]] = {
    "kernels": (conv(2), conv(1, 5)),
    "strides": (conv(2, 3, stride=2, padding=1), conv(2, 3, padding=1)),
    "dilation": (conv(2, 3, dilation=3), ("ReLU", {})),
    "pooling": (conv(2, 3), ("AvgPool2d", AVERAGE), conv(2, 3)),
    "up again": (("AvgPool2d", AVERAGE), conv(2, 3), ("Upsample", {"scale_factor": 2})),
    "transposed": (
        ("AvgPool2d", AVERAGE),
        ("ConvTranspose2d", {"out_channels": 2, "kernel_size": 2, "stride": 2}),
        conv(2, 3),
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_field_is_what_gradients_reach(name: str) -> None:
    net = chain(given(1, 48, 48), *CHAINS[name])
    last = list(of(net).values())[-1]
    assert last.size == (measured(net),) * 2


def test_vgg_sees_212_pixels() -> None:
    layers: list[Any] = []
    for count in (2, 2, 3, 3, 3):
        layers += [conv(2, padding=1)] * count + [("MaxPool2d", {"kernel_size": 2})]
    last = list(of(chain(given(3, 224, 224), *layers)).values())[-1]
    assert (str(last), last.jump) == ("212", (32, 32))


def test_of_branches_the_largest_counts_and_mixing_all_places_ends_it() -> None:
    net = Network("net")
    x = net.add("Input", shape=(3, 16, 16))
    wide = net.add("Conv2d", x, out_channels=3, kernel_size=5, padding=2)
    y = net.add("add", net.add("Conv2d", x, out_channels=3, kernel_size=3, padding=1), wide, name="sum")
    net.add("Output", net.add("Linear", net.add("Flatten", y), out_features=2))
    found = of(net)
    assert str(found["add"]) == "5"
    assert "flatten" not in found
    assert "linear" not in found


def test_it_goes_through_blocks_in_a_row() -> None:
    block = Block("Step")
    block.add("Output", block.add("Conv2d", block.add("Input"), out_channels=4, kernel_size=3, padding=1, name="conv"))
    net = Network("net")
    x = net.add(block, net.add("Input", shape=(4, 9, 9)), repeat=3, name="row")
    net.add("Output", x)
    found = of(net)
    assert str(found[x.node]) == "7"
    assert {path: str(field) for path, field in found.items() if path.endswith("conv2d")} == {
        f"{x.node}.{place}.conv2d": str(3 + 2 * place) for place in range(3)
    }
