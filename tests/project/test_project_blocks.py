"""Edits of a project's blocks: renamed everywhere, parameters, copies, and blocks from elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

import deepgui
from deepgui.catalog.expr import Expr
from deepgui.graph import edits
from deepgui.graph.values import Block
from deepgui.project import blocks
from deepgui.project.blocks import BlockError
from deepgui.project.values import Project


def project() -> Project:
    """Outer uses Inner twice; the network uses Outer once."""
    inner = deepgui.Block("Inner", width=4)
    inner.add("Output", inner.add("Linear", inner.add("Input"), out_features="=2 * width", name="fc"))
    outer = deepgui.Block("Outer", size=8)
    first = outer.add(inner, outer.add("Input"), width="=size", name="first")
    outer.add("Output", outer.add(inner, first, width=3, name="second"))
    net = deepgui.Network("net")
    net.add("Output", net.add(outer, net.add("Input", shape=(3,)), size=16, name="part"))
    return net.project()


def test_uses_say_in_which_drawing_a_block_stands() -> None:
    found = blocks.uses(project(), "Inner")
    assert [(u.drawing, u.in_block, u.node.label) for u in found] == [
        ("Outer", True, "first"),
        ("Outer", True, "second"),
    ]
    assert [(u.drawing, u.in_block) for u in blocks.uses(project(), "Outer")] == [("network", False)]


def test_a_block_is_renamed_in_every_drawing_and_what_it_computes_stays() -> None:
    before = project()
    after, name = blocks.rename(before, "Inner", "my part", taken={"Linear"})
    assert name == "my_part"
    assert list(after.blocks) == ["my_part", "Outer"]
    assert {n.kind for n in after.blocks["Outer"].network.nodes.values()} == {"Input", "my_part", "Output"}
    assert after.networks is before.networks
    report = deepgui.check(after)
    assert (report.ok, report.parameters) == (True, deepgui.check(before).parameters)


@pytest.mark.parametrize(("wanted", "given"), [("Outer", "Outer_2"), ("Linear", "Linear_2"), ("  ", "Inner")])
def test_no_two_blocks_and_no_layer_have_the_same_name(wanted: str, given: str) -> None:
    assert blocks.rename(project(), "Inner", wanted, taken={"Linear"})[1] == given


def test_renaming_to_what_it_is_called_changes_nothing() -> None:
    before = project()
    assert blocks.rename(before, "Inner", "Inner")[0] is before


def test_a_parameter_is_renamed_in_expressions_and_uses() -> None:
    after, name = blocks.rename_param(project(), "Inner", "width", "channels")
    assert name == "channels"
    assert after.blocks["Inner"].network.nodes["linear"].params["out_features"] == Expr("2 * channels")
    uses = [u.node.params for u in blocks.uses(after, "Inner")]
    assert uses == [{"channels": Expr("size")}, {"channels": 3}]
    assert deepgui.check(after).parameters == deepgui.check(project()).parameters


@pytest.mark.parametrize("wanted", ["index", "repeat"])
def test_words_with_a_meaning_are_no_names_of_parameters(wanted: str) -> None:
    assert blocks.rename_param(project(), "Inner", "width", wanted)[1] == f"{wanted}_2"


def test_only_what_nothing_asks_for_can_be_removed() -> None:
    with pytest.raises(BlockError, match="width is used by fc"):
        blocks.remove_param(project(), "Inner", "width")
    with pytest.raises(BlockError, match="Inner is used 2 times"):
        blocks.remove(project(), "Inner")
    before = project()
    inner = before.blocks["Inner"]
    network = edits.set_params(inner.network, "linear", {"out_features": 5})
    free = replace(before, blocks={**before.blocks, "Inner": replace(inner, network=network)})
    after = blocks.remove_param(free, "Inner", "width")
    assert after.blocks["Inner"].params == ()
    assert [u.node.params for u in blocks.uses(after, "Inner")] == [{}, {}]


def test_a_default_that_the_type_does_not_allow_brings_its_own() -> None:
    block = blocks.add_param(project().blocks["Inner"], "width", 2)
    assert [p.name for p in block.params] == ["width", "width_2"]
    assert [blocks.set_default(block, "width", v).params[0].type for v in (5, 0.5, True, "a", (1, 2))] == [
        "int",
        "float",
        "bool",
        "str",
        "ints",
    ]


def test_a_copy_is_a_block_of_its_own() -> None:
    after, name = blocks.copied(project(), "Inner")
    assert name == "Inner_2"
    assert after.blocks[name].network.meaning() == after.blocks["Inner"].network.meaning()
    assert after.blocks[name].network.name == name


def test_newcomers_that_mean_the_same_are_the_blocks_there_and_others_get_a_name() -> None:
    here, there = project(), project()
    moved = {name: _moved(block) for name, block in there.blocks.items()}
    same, names = blocks.bring(here, moved)
    assert same is here
    assert names == {"Inner": "Inner", "Outer": "Outer"}
    inner = there.blocks["Inner"]
    other = replace(inner, network=edits.set_params(inner.network, "linear", {"bias": False}))
    after, names = blocks.bring(here, {**there.blocks, "Inner": other}, taken={"Inner_2"})
    assert names == {"Inner": "Inner_3", "Outer": "Outer_2"}
    assert {n.kind for n in after.blocks["Outer_2"].network.nodes.values()} == {"Input", "Inner_3", "Output"}
    again, names = blocks.bring(after, {**there.blocks, "Inner": other}, taken={"Inner_2"})
    assert again is after
    assert names == {"Inner": "Inner_3", "Outer": "Outer_2"}


def _moved(block: Block) -> Block:
    """Drawn elsewhere on the canvas: another place is no other meaning."""
    return replace(block, network=edits.move(block.network, dict.fromkeys(block.network.nodes, (7.0, 7.0))))
