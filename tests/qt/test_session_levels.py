"""Looking into blocks: which drawing is in view, what an edit changes, and which report is shown."""

from __future__ import annotations

import pytest

import deepgui
from deepgui.catalog.builtin import registry
from deepgui.graph import edits
from deepgui.project.document import Document
from deepgui.project.values import Project
from deepgui.qt.checking import Checking
from deepgui.qt.session import Level, Session


def project() -> Project:
    inner = deepgui.Block("Inner", width=4)
    inner.add("Output", inner.add("Linear", inner.add("Input"), out_features="=width", name="fc"))
    outer = deepgui.Block("Outer", size=8)
    outer.add("Output", outer.add("ReLU", outer.add(inner, outer.add("Input"), width="=size", name="part")))
    net = deepgui.Network("net")
    net.add("Output", net.add(outer, net.add("Input", shape=(3,)), size=16, repeat=2, name="row"))
    return net.project()


@pytest.fixture
def session(qapp: object) -> Session:
    made = Session(Document(project()))
    made.use_catalogue(registry(), Checking(registry()))
    made._check()
    return made


def test_a_block_is_entered_and_left_level_by_level(session: Session) -> None:
    session.enter("outer", 1)
    assert session.levels == (Level("Outer", "outer.1"),)
    assert session.network is session.project.blocks["Outer"].network
    session.enter("inner")
    assert session.path("linear") == "outer.1.inner.linear"
    session.leave()
    assert [level.block for level in session.levels] == ["Outer"]
    session.leave(0)
    assert session.network is session.main


def test_inside_shapes_are_those_of_the_use_that_was_entered(session: Session) -> None:
    session.show("outer.1.inner.linear")
    assert session.selection == {"linear"}
    assert session.report is not None
    assert str(session.report.nodes["linear"].inputs["input"][0]) == "N×16"
    session.leave(0)
    session.show("outer.0.inner.linear")
    assert str(session.report.nodes["linear"].inputs["input"][0]) == "N×3"


def test_a_block_as_such_is_checked_with_its_defaults(session: Session) -> None:
    session.show_block("Inner")
    assert session.report is not None
    assert session.report.nodes["linear"].params["out_features"] == 4
    assert not [p for p in session.report.problems if p.severity == "error"]
    assert session.path("linear") == "=Inner.linear", "no probe may take it for a node of the network"


def test_an_edit_inside_changes_the_block_and_one_undo_takes_it_back(session: Session) -> None:
    before = session.project
    session.show("outer.0.inner.linear")
    session.edit("Bias off", lambda net: edits.set_params(net, "linear", {"bias": False}))
    assert session.project.blocks["Inner"].network.nodes["linear"].params["bias"] is False
    assert session.project.networks == before.networks
    session.document.undo()
    assert session.project == before


def test_an_undo_that_takes_the_block_away_leaves_it(session: Session) -> None:
    session.edit("Repeat no more", lambda net: edits.unset_param(net, "outer", "repeat"))
    session.document.undo()
    session.show("outer.0.inner.linear")
    session.edit_project("Another network", lambda p: deepgui.Network("other").project())
    assert session.levels == ()
    assert session.network is session.main


def test_other_nodes_cannot_be_entered(session: Session) -> None:
    session.enter("input")
    session.enter("nowhere")
    assert session.levels == ()
