"""All that can be said about a network: shapes, parameters, multiply-adds, and problems with their fixes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from deepgui.catalog.own.declared import is_own
from deepgui.catalog.own.loading import UNTRUSTED, obstacle
from deepgui.catalog.spec import LayerSpec, Registry, Value, show
from deepgui.compiler.advice import Case, advise, bad_answers
from deepgui.compiler.advice.memory import Silence
from deepgui.compiler.expert import remarks
from deepgui.compiler.facts import Facts, Types, infer, params_key
from deepgui.compiler.lower import Lowered, attribute, lower, relower
from deepgui.compiler.shapes import propagate
from deepgui.compiler.ties import tied
from deepgui.graph import blocks
from deepgui.graph.blocks import INDEX
from deepgui.graph.edits import share
from deepgui.graph.lint import lint
from deepgui.graph.problems import Fix, NetworkError, Problem
from deepgui.graph.shapes import TensorType
from deepgui.graph.values import Block, Network, Node


@dataclass(frozen=True)
class NodeReport:
    """One node. ``params`` are those in force; ``inferred`` names the ones read from a wire.

    ``multiply_adds`` are those of one example's forward pass; ``parameters`` does not count weights that are
    another node's. ``inside`` has one entry per instance of a block.
    """

    id: str
    kind: str
    inputs: Mapping[str, tuple[TensorType, ...]] = field(default_factory=dict)
    outputs: Mapping[str, TensorType] = field(default_factory=dict)
    params: Mapping[str, Value] = field(default_factory=dict)
    inferred: frozenset[str] = frozenset()
    parameters: int = 0
    multiply_adds: int = 0
    inside: tuple[Inside, ...] = ()


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


@dataclass(frozen=True)
class Inside:
    """One instance of a block where it is used.

    Attributes:
        params: the values of the block's parameters, ``index`` among them if the use is repeated.
        network: the block's drawing with these in place of its expressions.
        report: what is known of it, given what arrives at the use.
    """

    params: Mapping[str, Value]
    network: Network
    report: Report


_last = threading.local()
"""The graph of each thread's last check: the next one is usually the same network with one number changed."""

NOTHING: Mapping[str, TensorType] = {}


def check(network: Network, registry: Registry) -> Report:
    """Lint a network, infer all shapes, and count. Never raises."""
    network = blocks.bind(network, {}, registry)
    lowered = relower(getattr(_last, "lowered", None), network, registry)
    _last.lowered = None
    found = _examine(lowered, NOTHING, None)
    _last.lowered = lowered
    return found


def valid(network: Network, registry: Registry, report: Report | None = None) -> tuple[Network, Report]:
    """A network that can be built, bound, with its report.

    Args:
        report: what :func:`check` said of this very network, if already known.

    Raises:
        NetworkError: if it has errors.
    """
    report = report or check(network, registry)
    if not report.ok:
        raise NetworkError(report.errors)
    return blocks.bind(network, {}, registry), report


def check_block(
    block: Block, params: Mapping[str, Value], given: Mapping[str, TensorType], registry: Registry
) -> Inside:
    """What becomes of a block under values of its parameters.

    Args:
        params: the values in force, by name.
        given: what its Inputs get, by node id; those not named have the shape that is set for them.
    """
    network = blocks.bind(block.network, params, registry)
    return Inside(params, network, _examine(lower(network, registry), given, params))


def at(report: Report, path: str) -> Inside | None:
    """What is inside a use of a block: ``stage1`` is its first instance, ``stage1.2`` its third, and so on inward."""
    inside: Inside | None = None
    parts = path.split(".")
    while parts:
        node = report.nodes.get(parts.pop(0))
        place = int(parts.pop(0)) if parts and parts[0].isdecimal() else 0
        if node is None or place >= len(node.inside):
            return None
        inside = node.inside[place]
        report = inside.report
    return inside


def _examine(lowered: Lowered, given: Mapping[str, TensorType], env: Mapping[str, Value] | None) -> Report:
    network, registry = lowered.network, lowered.registry
    insides: dict[str, tuple[Inside, ...]] = {}

    def measure(node: Node, spec: LayerSpec, types: Types) -> Facts:
        facts, insides[node.id] = _measure_block(node, spec, types, registry)
        return facts

    known = propagate(lowered, given, measure)
    nodes = {n.id: _node_report(n, lowered, known, insides.get(n.id, ())) for n in network.nodes.values()}
    problems = [*lint(network, registry, env, lowered.linted), *_own_code(network, registry)]
    flawed = {p.node for p in problems if p.severity == "error"}
    silence = lowered.advised = lowered.advised or Silence()
    silence.begin()
    for node_id, (types, facts) in known.items():
        spec = lowered.calls[node_id].meta["spec"]
        if spec.form == "block":
            problems += _inner_problems(network.nodes[node_id], insides.get(node_id, ()))
        elif is_own(spec.target) and facts.error and node_id not in flawed:
            label = network.nodes[node_id].label
            problems.append(Problem("own-code", f"{label}: {spec.kind} fails: {facts.error}.", node_id))
        elif spec.form != "input" and node_id not in flawed:
            problems += _advice(Case(network, registry, network.nodes[node_id], spec, types, facts), silence)
    problems += bad_answers(network, nodes) if env is None else ()
    problems += _unlike(network, nodes)
    problems += remarks(network, registry, nodes, whole=env is None)
    return Report(
        tuple(sorted(problems, key=lambda p: p.severity != "error")),
        nodes,
        sum(n.parameters for n in nodes.values()),
        sum(n.multiply_adds for n in nodes.values()),
    )


def _advice(case: Case, silence: Silence) -> list[Problem]:
    if silence.holds(case):
        return []
    found = list(advise(case))
    silence.learn(case, fine=not found)
    return found


def _measure_block(node: Node, spec: LayerSpec, types: Types, registry: Registry) -> tuple[Facts, tuple[Inside, ...]]:
    """The facts of a use of a block, instance by instance, and what is inside each."""
    assert isinstance(registry, blocks.BlockRegistry)
    key = (node.kind, params_key(node.params), tuple(sorted(types.items())))
    if key in registry.remembered:
        return registry.remembered[key]  # type: ignore[no-any-return]
    if blocks.contains_itself(node.kind, registry.blocks):
        return Facts(), ()
    block = registry.blocks[node.kind]
    inputs = blocks.port_names(block.network, "Input")
    outputs = blocks.port_names(block.network, "Output")
    flowing = {port: values[0] for port, values in types.items()}
    insides: list[Inside] = []
    for params in blocks.unroll(node.params, {}):
        sizes = infer(spec, params, {port: (type_,) for port, type_ in flowing.items()})
        env = {**blocks.Env.of(spec, params).values, **sizes}
        if blocks.repeats(node.params):
            env[INDEX] = len(insides)
        given = {id: flowing[port] for id, port in inputs.items() if port in flowing}
        insides.append(check_block(block, env, given, registry))
        results = [insides[-1].report.nodes[id].inputs.get("input", ()) for id in outputs]
        if not all(results):
            return _remember(registry, key, Facts(params=dict(node.params)), insides)
        found = {port: values[0] for port, values in zip(outputs.values(), results, strict=True)}
        flowing = {**flowing, **dict(zip(inputs.values(), found.values(), strict=False))}
    if not insides:
        found = dict(zip(outputs.values(), flowing.values(), strict=False))
    weights, adds = (sum(getattr(i.report, what) for i in insides) for what in ("parameters", "multiply_adds"))
    inferred = infer(spec, node.params, types)
    in_force = {p.name: inferred.get(p.name, spec.value(node.params, p.name)) for p in spec.params}
    facts = Facts(found, in_force, frozenset(inferred), weights, adds)
    return _remember(registry, key, facts, insides)


def _remember(
    registry: blocks.BlockRegistry, key: object, facts: Facts, insides: list[Inside]
) -> tuple[Facts, tuple[Inside, ...]]:
    if len(registry.remembered) > _REMEMBER:
        registry.remembered.clear()
    registry.remembered[key] = facts, tuple(insides)
    return facts, tuple(insides)


_REMEMBER = 5_000


def _inner_problems(node: Node, insides: tuple[Inside, ...]) -> Iterator[Problem]:
    """The problems of a block's inside, said of the node that uses it; each once, however often it is repeated."""
    seen: set[tuple[str, str]] = set()
    in_row = blocks.repeats(node.params) is not None
    for place, inside in enumerate(insides):
        for problem in inside.report.problems:
            if (problem.code, problem.path) not in seen:
                seen.add((problem.code, problem.path))
                where = f"{node.label} › {problem.message}"
                inward = ([str(place)] if in_row else []) + [problem.path] if problem.node else []
                yield replace(problem, message=where, node=node.id, port="", fix=None, inside=".".join(inward))


def _node_report(
    node: Node, lowered: Lowered, known: Mapping[str, tuple[Types, Facts]], inside: tuple[Inside, ...]
) -> NodeReport:
    if node.id in known:
        types, facts = known[node.id]
        before = lowered.reported.get(node.id)
        if before is not None and before[0] is node and before[1] is facts and not node.shares:
            return before[2]  # type: ignore[no-any-return]
        found = NodeReport(
            node.id,
            node.kind,
            types,
            facts.outputs,
            facts.params,
            facts.inferred,
            _own_parameters(node, lowered, known),
            facts.multiply_adds,
            inside,
        )
        lowered.reported[node.id] = node, facts, found
        return found
    arriving: dict[str, tuple[TensorType, ...]] = {}
    for wire in lowered.network.into(node.id):
        value = lowered.values.get((wire.source, wire.output))
        if value is not None and "type" in value.meta:
            arriving[wire.input] = (*arriving.get(wire.input, ()), value.meta["type"])
    outputs: dict[str, TensorType] = {}
    for (owner, port), value in lowered.values.items() if node.id in lowered.bypassed else ():
        if owner == node.id and "type" in value.meta:
            outputs[port] = value.meta["type"]
    return NodeReport(node.id, node.kind, arriving, outputs, params=dict(node.params))


def _own_parameters(node: Node, lowered: Lowered, known: Mapping[str, tuple[Types, Facts]]) -> int:
    """The weights of a node that are not another's too."""
    count = known[node.id][1].parameters
    if node.shares not in known:
        return count
    if attribute(lowered, node) != lowered.names[node.id]:
        return 0
    spec, other = (lowered.calls[id].meta["spec"] for id in (node.id, node.shares))
    return count - sum(tied(spec, known[node.id][1].params, other, known[node.shares][1].params).values())


def _unlike(network: Network, nodes: Mapping[str, NodeReport]) -> Iterator[Problem]:
    """Layers that share weights but would need others."""
    for node in network.nodes.values():
        master = network.nodes.get(node.shares)
        if master is None or master.kind != node.kind:
            continue
        mine, theirs = nodes[node.id].params, nodes[master.id].params
        unlike = [name for name in mine if mine[name] != theirs.get(name)]
        if unlike and nodes[node.id].outputs and nodes[master.id].outputs:
            name = unlike[0]
            yield Problem(
                "unlike-sharing",
                f"{node.label} shares the weights of {master.label}, but its {name} is {show(mine[name])} rather than "
                f"{show(theirs.get(name))}.",
                node.id,
                expected=show(theirs.get(name)),
                received=show(mine[name]),
                fix=Fix("Use weights of its own", lambda net, own=node.id: share(net, own, "")),  # type: ignore[misc]
            )


_WHY_TRUST = "Python can do anything on this machine, so a project's own layers run only once you agreed."


def _own_code(network: Network, registry: Registry) -> Iterator[Problem]:
    """Layers written in Python that may not, or cannot, run."""
    for node in network.nodes.values():
        spec = registry.get(node.kind)
        if spec is not None and (why := obstacle(spec.target)):
            yield Problem(
                "own-code",
                f"{node.label}: {node.kind} {why}.",
                node.id,
                reason=_WHY_TRUST if UNTRUSTED in why else "",
            )
