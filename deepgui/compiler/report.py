"""All that can be said about a network: shapes, parameters, multiply-adds, and problems with their fixes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from deepgui.catalog.spec import Registry, Value
from deepgui.compiler.advice import Case, advise
from deepgui.compiler.facts import Facts, Types
from deepgui.compiler.lower import Lowered, relower
from deepgui.compiler.shapes import propagate
from deepgui.graph.lint import lint
from deepgui.graph.problems import Problem
from deepgui.graph.shapes import TensorType
from deepgui.graph.values import Network


@dataclass(frozen=True)
class NodeReport:
    """One node. ``params`` are those in force; ``inferred`` names the ones read from a wire.

    ``multiply_adds`` are those of one example's forward pass.
    """

    id: str
    kind: str
    inputs: Mapping[str, tuple[TensorType, ...]] = field(default_factory=dict)
    outputs: Mapping[str, TensorType] = field(default_factory=dict)
    params: Mapping[str, Value] = field(default_factory=dict)
    inferred: frozenset[str] = frozenset()
    parameters: int = 0
    multiply_adds: int = 0


@dataclass(frozen=True)
class Report:
    """What :func:`check` found."""

    problems: tuple[Problem, ...] = ()
    nodes: Mapping[str, NodeReport] = field(default_factory=dict)
    parameters: int = 0
    multiply_adds: int = 0

    @property
    def ok(self) -> bool:
        """Whether the network can be built."""
        return not any(p.severity == "error" for p in self.problems)

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.severity == "error")


_last = threading.local()
"""The graph of each thread's last check: the next one is usually the same network with one number changed."""


def check(network: Network, registry: Registry) -> Report:
    """Lint a network, infer all shapes, and count. Never raises."""
    lowered = relower(getattr(_last, "lowered", None), network, registry)
    _last.lowered = None
    known = propagate(lowered)
    nodes = {n.id: _node_report(network, n.id, lowered, known) for n in network.nodes.values()}
    problems = [*lint(network, registry)]
    flawed = {p.node for p in problems if p.severity == "error"}
    for node_id, (types, facts) in known.items():
        spec = lowered.calls[node_id].meta["spec"]
        if spec.form != "input" and node_id not in flawed:
            problems += advise(Case(network, registry, network.nodes[node_id], spec, types, facts))
    problems += _bad_outputs(network, nodes)
    _last.lowered = lowered
    return Report(
        tuple(sorted(problems, key=lambda p: p.severity != "error")),
        nodes,
        sum(n.parameters for n in nodes.values()),
        sum(n.multiply_adds for n in nodes.values()),
    )


def _node_report(
    network: Network, node_id: str, lowered: Lowered, known: Mapping[str, tuple[Types, Facts]]
) -> NodeReport:
    node = network.nodes[node_id]
    if node_id in known:
        types, facts = known[node_id]
        return NodeReport(
            node_id,
            node.kind,
            types,
            facts.outputs,
            facts.params,
            facts.inferred,
            facts.parameters,
            facts.multiply_adds,
        )
    arriving: dict[str, tuple[TensorType, ...]] = {}
    for wire in network.into(node_id):
        value = lowered.values.get((wire.source, wire.output))
        if value is not None and "type" in value.meta:
            arriving[wire.input] = (*arriving.get(wire.input, ()), value.meta["type"])
    return NodeReport(node_id, node.kind, arriving, params=dict(node.params))


def _bad_outputs(network: Network, nodes: Mapping[str, NodeReport]) -> Iterator[Problem]:
    for node in network.of_kind("Output"):
        for arriving in nodes[node.id].inputs.get("input", ()):
            if not arriving.batch_first and arriving.dims:
                lost = not any(d.batch for d in arriving.dims)
                yield Problem(
                    "batch-lost" if lost else "batch-mixed",
                    f"{node.label}: the network returns {arriving.shape}, in which "
                    + ("the batch got lost." if lost else "the examples of a batch are mixed."),
                    node.id,
                    "input",
                    expected="N×…",
                    received=arriving.shape,
                    severity="warning",
                    reason="Training compares one row of the output with each example.",
                )
