"""Nobody is warned of what published networks do on purpose; and their counts are the published ones."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import deepgui
from deepgui.builder import Network
from deepgui.catalog.builtin import registry
from deepgui.compiler.build import build
from deepgui.compiler.catalogue import catalogue
from deepgui.compiler.report import check
from deepgui.paths import samples

SAMPLES = sorted(samples().glob("*.deepgui"))
UNCOUNTED = {"LSTM", "GRU", "MultiheadAttention", "scaled_dot_product_attention", "GCNConv"}
"""Torch's counter leaves these out where they run as one kernel."""


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_samples_give_no_reason_for_remarks_and_count_as_torch_counts(path: object) -> None:
    project = deepgui.load(path)
    for network in project.networks.values():
        report = check(network, catalogue(project.blocks))
        assert report.problems == ()
        kinds = {
            node.kind
            for drawn in (network, *(b.network for b in project.blocks.values()))
            for node in drawn.nodes.values()
        }
        if not kinds & UNCOUNTED:
            counted(network, catalogue(project.blocks))


def counted(network: object, kinds: object) -> None:
    """The whole module under torch's own counter agrees with the sum over layers."""
    report = check(network, kinds)
    module = build(network, kinds, report).eval()
    inputs = [report.nodes[n.id].outputs["output"] for n in network.of_kind("Input")]
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        module(*[torch.zeros(t.at(4), dtype=getattr(torch, t.dtype)) for t in inputs])
    assert counter.get_total_flops() == 2 * 4 * report.multiply_adds
    assert sum(p.numel() for p in module.parameters()) == report.parameters


def test_a_network_of_many_kinds_counts_as_torch_counts() -> None:
    net = Network("net")
    x = net.add("Input", shape=(4, 16, 16))
    a = net.add("Conv2d", x, out_channels=8, kernel_size=3, padding=1, groups=2)
    b = net.add("ConvTranspose2d", net.add("MaxPool2d", a, kernel_size=2), out_channels=8, kernel_size=2, stride=2)
    tokens = net.add("transpose", net.add("Flatten", net.add("add", a, b), start_dim=2), dim0=1, dim1=2)
    y = net.add("Linear", net.add("LayerNorm", tokens), out_features=12)
    scores = net.add("matmul", y, net.add("transpose", y, dim0=1, dim1=2))
    net.add("Output", net.add("matmul", scores, y))
    counted(net.network(), registry())


def silent(net: Network) -> None:
    assert deepgui.check(net).problems == ()


def test_low_rank_factors_and_separable_convolutions_are_meant() -> None:
    net = Network("factors")
    x = net.add("Input", shape=(16, 8, 8))
    y = net.add("Conv2d", x, out_channels=16, kernel_size=3, groups=16)
    y = net.add("ReLU", net.add("Conv2d", y, out_channels=32, kernel_size=1))
    code = net.add("Linear", net.add("Flatten", y), out_features=2)
    net.add("Output", net.add("Linear", code, out_features=64))
    silent(net)


def test_a_rectified_projection_of_queries_and_a_gate_are_meant() -> None:
    net = Network("gate")
    x = net.add("Input", shape=(8,))
    gate = net.add("Softmax", net.add("Linear", x, out_features=16), dim=1)
    y = net.add("mul", net.add("Linear", x, out_features=16), gate)
    net.add("Output", net.add("Linear", y, out_features=3))
    silent(net)


def test_the_bias_before_layer_norm_and_dropout_before_the_last_layer_are_meant() -> None:
    net = Network("norms")
    x = net.add("Linear", net.add("Input", shape=(8,)), out_features=8)
    x = net.add("Dropout", net.add("GELU", net.add("LayerNorm", x)))
    net.add("Output", net.add("Linear", x, out_features=3))
    silent(net)


def test_a_bias_that_another_layer_uses_stays() -> None:
    net = Network("branches")
    x = net.add("Linear", net.add("Input", shape=(8,)), out_features=8)
    net.add("Output", net.add("add", net.add("BatchNorm1d", x), x))
    silent(net)
