"""The order in which layers are built: that of the wires and, among equals, that of drawing."""

from __future__ import annotations

from deepgui.graph import edits, topology
from deepgui.graph.values import Network, Wire


def _network(ids: str, wires: list[str]) -> Network:
    network = Network("network")
    for id in ids:
        network, _ = edits.add_node(network, "ReLU", id=id)
    for ends in wires:
        network = edits.append_wire(network, ends[0], "output", ends[1], "input")
    return network


def test_among_equals_the_one_placed_first_comes_first() -> None:
    assert topology.order(_network("dbac", [])) == ("d", "b", "a", "c")
    assert topology.order(_network("dbac", ["ad", "cd"])) == ("b", "a", "c", "d")
    assert topology.order(_network("xyab", ["xa", "yb", "ab"])) == ("x", "y", "a", "b")


def test_a_circle_and_what_only_it_leads_to_are_left_out() -> None:
    network = _network("abcde", ["ab", "bc", "cb", "cd"])
    assert topology.order(network) == ("a", "e")
    assert topology.cyclic_nodes(network) == {"b", "c"}


def test_a_layer_that_feeds_itself_is_a_circle() -> None:
    assert topology.cyclic_nodes(_network("ab", ["aa"])) == {"a"}


def test_upstream_and_downstream() -> None:
    network = _network("abcd", ["ab", "bc"])
    assert topology.downstream(network, "a") == {"b", "c"}
    assert topology.upstream(network, "c") == {"a", "b"}
    assert topology.downstream(network, "d") == frozenset()


def test_parallel_wires_are_one_edge() -> None:
    network = _network("ab", [])
    for index in range(2):
        network = edits.connect(network, Wire("a", "output", "b", "tensors", index))
    assert topology.order(network) == ("a", "b")
