"""Every problem that a drawing alone can have is found, said in a sentence, and mended where an edit can."""

from __future__ import annotations

import pytest
from networks import REGISTRY

from deepgui.graph import edits, topology
from deepgui.graph.lint import lint, refuse_wire
from deepgui.graph.problems import NetworkError, Problem
from deepgui.graph.values import Network, Node, Wire


def drawn(*nodes: Node, wires: tuple[Wire, ...] = ()) -> Network:
    return Network("network", {node.id: node for node in nodes}, wires)


def wire(source: str, target: str, input: str = "input", output: str = "output", index: int = 0) -> Wire:
    return Wire(source, output, target, input, index)


X = Node("x", "Input", {"shape": (4,)})
Y = Node("y", "Output")
FC = Node("fc", "Linear", {"out_features": 3})
GOOD = drawn(X, FC, Y, wires=(wire("x", "fc"), wire("fc", "y")))


def codes(network: Network) -> list[str]:
    return [problem.code for problem in lint(network, REGISTRY)]


def the(code: str, network: Network) -> Problem:
    found = [problem for problem in lint(network, REGISTRY) if problem.code == code]
    assert len(found) == 1, [p.code for p in lint(network, REGISTRY)]
    return found[0]


def test_a_complete_network_has_no_problem() -> None:
    assert codes(GOOD) == []


@pytest.mark.parametrize(
    ("network", "code", "node", "said"),
    [
        (Network("network"), "empty", "", "empty"),
        (drawn(FC, Y, wires=(wire("fc", "y"),)), "no-input", "", "Input"),
        (drawn(X, FC, Y, wires=(wire("x", "y"),)), "unconnected-input", "fc", "input"),
        (drawn(X, Node("a", "Linaer"), Y, wires=(wire("x", "a"), wire("a", "y"))), "unknown-kind", "a", "mean Linear"),
        (drawn(Node("x", "Input"), Y, wires=(wire("x", "y"),)), "missing-parameter", "x", "shape"),
    ],
)
def test_what_only_a_person_can_mend_is_said(network: Network, code: str, node: str, said: str) -> None:
    problem = the(code, network)
    assert problem.node == node
    assert said in problem.message
    assert problem.fix is None


@pytest.mark.parametrize(
    ("network", "code"),
    [
        (edits.set_params(GOOD, "fc", {"in_features": 0}), "bad-parameter"),
        (edits.set_params(GOOD, "fc", {"bias": "yes"}), "bad-parameter"),
        (edits.set_params(GOOD, "fc", {"biass": True}), "unknown-parameter"),
        (edits.connect(GOOD, wire("fc", "y", output="h_n", index=0)), "dangling-wire"),
        (edits.connect(GOOD, wire("x", "fc", input="hidden")), "dangling-wire"),
        (drawn(X, FC, Y, wires=(*GOOD.wires, wire("x", "ghost"))), "dangling-wire"),
        (edits.connect(GOOD, wire("x", "fc", index=1)), "too-many-wires"),
        (edits.connect(GOOD, wire("fc", "fc")), "cycle"),
        (drawn(X, FC, Node("y", "Output", name="fc"), wires=GOOD.wires), "same-name"),
    ],
)
def test_what_one_edit_mends_is_mended_by_its_fix(network: Network, code: str) -> None:
    problem = the(code, network)
    assert problem.message.endswith(".")
    assert problem.fix is not None
    assert code not in codes(problem.fix.apply(network))


def test_the_fix_of_a_circle_takes_one_of_its_own_wires() -> None:
    a, b, c, d = (Node(name, "ReLU") for name in "abcd")
    bridge = wire("b", "c", input="other")
    circles = (wire("a", "b"), wire("b", "a"), wire("c", "d"), wire("d", "c"), bridge)
    network = drawn(a, b, c, d, wires=circles)
    problem = the("cycle", network)
    assert "a, b" in problem.message
    assert problem.fix is not None
    mended = problem.fix.apply(network)
    assert bridge in mended.wires
    assert topology.cyclic_nodes(mended) == {"c", "d"}


def test_an_optional_input_may_stay_open() -> None:
    network = drawn(X, Node("rnn", "LSTM"), Y, wires=(wire("x", "rnn"), wire("rnn", "y")))
    assert codes(network) == []


@pytest.mark.parametrize(
    ("source", "output", "target", "input", "said"),
    [
        ("x", "output", "y", "input", ""),
        ("x", "output", "ghost", "input", "no such node"),
        ("fc", "output", "fc", "input", "itself"),
        ("y", "output", "fc", "input", "no port output"),
        ("x", "output", "fc", "weight", "no port weight"),
        ("x", "h_n", "fc", "input", "no port h_n"),
        ("x", "output", "odd", "anything", ""),
    ],
)
def test_a_wire_is_refused_with_the_reason(source: str, output: str, target: str, input: str, said: str) -> None:
    network = drawn(*GOOD.nodes.values(), Node("odd", "Unheard"), wires=GOOD.wires)
    reason = refuse_wire(network, REGISTRY, source, output, target, input)
    assert said in reason
    assert bool(reason) == bool(said)


def test_a_wire_that_leads_back_is_refused() -> None:
    network = drawn(X, FC, Node("act", "ReLU"), Y, wires=(wire("x", "fc"), wire("fc", "act"), wire("act", "y")))
    assert "cycle" in refuse_wire(network, REGISTRY, "act", "output", "fc", "input")


def test_the_error_for_many_problems_says_the_first_and_how_many_more() -> None:
    problems = lint(drawn(FC, Node("b", "ReLU")), REGISTRY)
    errors = [p for p in problems if p.severity == "error"]
    assert str(NetworkError(problems)) == f"{errors[0].message} {len(errors) - 1} more: deepgui check lists them."
