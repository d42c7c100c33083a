"""Whatever is done to a network in whatever order, it stays sound, and what nobody touched stays the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from networks import REGISTRY, Edit, assert_sound, edit, edit_lists, networks

from deepgui.graph import edits, topology
from deepgui.graph.lint import lint
from deepgui.graph.values import Network


@given(edit_lists)
def test_every_sequence_of_edits_leaves_a_sound_network(changes: list[Edit]) -> None:
    network = Network("network")
    for change in changes:
        network = change(network)
        assert_sound(network)


@given(networks(), edit())
def test_an_edit_leaves_the_value_it_was_given_as_it_was(network: Network, change: Edit) -> None:
    before = (dict(network.nodes), network.wires, dict(network.layout), network.name)
    after = change(network)
    assert (dict(network.nodes), network.wires, dict(network.layout), network.name) == before
    if after != network:
        assert after is not network


@given(networks(), st.lists(st.integers(0, 30), max_size=5))
def test_a_paste_has_the_inner_wires_and_nothing_else_changes(network: Network, numbers: list[int]) -> None:
    ids = list(network.nodes)
    chosen = {ids[n % len(ids)] for n in numbers} if ids else set()
    piece = edits.excerpt(network, chosen)
    pasted, new = edits.paste(network, piece)
    assert len(new) == len(chosen)
    assert edits.remove_nodes(pasted, new) == network
    renamed = dict(zip(piece.nodes, new, strict=True))
    copies = {w._replace(source=renamed[w.source], target=renamed[w.target]) for w in piece.wires}
    assert {w for w in pasted.wires if w.target in new} == copies
    assert [pasted.nodes[n].params for n in new] == [node.params for node in piece.nodes.values()]


@given(networks())
def test_the_order_respects_every_wire_and_leaves_out_only_what_a_cycle_feeds(network: Network) -> None:
    order = topology.order(network)
    position = {node: index for index, node in enumerate(order)}
    assert len(position) == len(order)
    for wire in network.wires:
        if wire.target in position:
            assert position[wire.source] < position[wire.target]
    cyclic = topology.cyclic_nodes(network)
    for node in network.nodes.keys() - position.keys():
        assert node in cyclic or topology.upstream(network, node) & cyclic
    assert not cyclic & position.keys()


@given(networks(), st.integers(0, 30), st.integers(0, 30))
def test_a_wire_would_close_a_cycle_exactly_if_drawing_it_does(network: Network, a: int, b: int) -> None:
    ids = list(network.nodes)
    if not ids:
        return
    source, target = ids[a % len(ids)], ids[b % len(ids)]
    drawn = edits.append_wire(network, source, "output", target, "input")
    cyclic = topology.cyclic_nodes(drawn)
    on_one_circle = source == target or source in topology.downstream(network, target)
    assert topology.would_cycle(network, source, target) == on_one_circle
    if on_one_circle:
        assert {source, target} <= cyclic
    else:
        assert cyclic == topology.cyclic_nodes(network)


@given(networks())
def test_every_fix_that_lint_offers_mends_its_problem(network: Network) -> None:
    problems = lint(network, REGISTRY)
    for problem in problems:
        if problem.fix is None:
            continue
        mended = problem.fix.apply(network)
        assert_sound(mended)
        assert mended != network
        if problem.code != "cycle":  # one wire of several circles
            assert lint(mended, REGISTRY).count(problem) < problems.count(problem)


@given(networks())
def test_applying_fixes_comes_to_an_end(network: Network) -> None:
    for _ in range(200):
        fix = next((p.fix for p in lint(network, REGISTRY) if p.fix), None)
        if fix is None:
            break
        network = fix.apply(network)
    assert not [p.code for p in lint(network, REGISTRY) if p.fix]
    assert not topology.cyclic_nodes(network)
