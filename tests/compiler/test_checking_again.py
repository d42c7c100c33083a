"""A check that remembers the one before says what a check from nothing says, after any sequence of edits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepgui.catalog.builtin import registry
from deepgui.compiler import report
from deepgui.compiler.report import Report, check
from deepgui.graph import edits
from deepgui.graph.values import Network, Wire

CHAIN: tuple[tuple[str, dict[str, Any]], ...] = (
    ("Input", {"shape": (3, 8, 8)}),
    ("Conv2d", {"out_channels": 4, "kernel_size": 3}),
    ("ReLU", {}),
    ("Dropout", {}),
    ("Conv2d", {"out_channels": 4, "kernel_size": 3}),
    ("Flatten", {}),
    ("Linear", {"out_features": 6}),
    ("Softmax", {"dim": 1}),
    ("Output", {}),
)
changes = st.lists(
    st.one_of(
        st.tuples(st.just("input"), st.just("shape"), st.sampled_from([(3, 8, 8), (8, 8), (1, 8, 8), (8, 8, 3), (5,)])),
        st.tuples(st.just("conv2d"), st.just("out_channels"), st.sampled_from([4, 5, 0])),
        st.tuples(st.just("conv2d_2"), st.just("in_channels"), st.sampled_from([4, 5])),
        st.tuples(st.just("conv2d_2"), st.just("kernel_size"), st.sampled_from([3, 9])),
        st.tuples(st.just("dropout"), st.just("p"), st.sampled_from([0.1, 1.0])),
        st.tuples(st.just("linear"), st.just("in_features"), st.sampled_from([64, 65])),
        st.tuples(st.just("softmax"), st.just("dim"), st.sampled_from([1, 2])),
    ),
    max_size=8,
)


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    report._last.lowered = None
    yield
    report._last.lowered = None


def drawn() -> Network:
    network, before = Network("again"), ""
    for kind, params in CHAIN:
        network, node = edits.add_node(network, kind, params)
        if before:
            network = edits.connect(network, Wire(before, "output", node.id, "input"))
        before = node.id
    return network


def said(found: Report) -> list[tuple[str, str, str, str | None]]:
    return [(p.code, p.message, p.reason, p.fix.label if p.fix else None) for p in found.problems]


@given(changes)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_check_after_edits_is_the_check_of_the_result(steps: list[tuple[str, str, Any]]) -> None:
    network = drawn()
    check(network, registry())
    for node, name, value in steps:
        network = edits.set_params(network, node, {name: value})
        again = check(network, registry())
        remembered, report._last.lowered = report._last.lowered, None
        fresh = check(network, registry())
        report._last.lowered = remembered
        assert said(again) == said(fresh)
        assert again.nodes == fresh.nodes
