"""What goes on inside blocks: problems with their way, probes, code, the breadcrumb, and undo through it all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtWidgets import QPushButton, QToolButton
from pytestqt.qtbot import QtBot
from qt.frame_helpers import session_of, settle, small_cnn
from qt.test_inspector_blocks import session_with_blocks

from deepgui.graph import edits
from deepgui.graph.values import Network
from deepgui.project.document import Document
from deepgui.project.values import edit_network
from deepgui.qt.canvas import CanvasView
from deepgui.qt.canvas.breadcrumb import Breadcrumb
from deepgui.qt.code_pane import CodePane
from deepgui.qt.problems import ProblemRow, Problems
from deepgui.qt.session import Session


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[CanvasView]:
    made = CanvasView(session_with_blocks())
    qtbot.addWidget(made)
    made.resize(900, 600)
    made.show()
    yield made
    made.close()


def broken(session: Session) -> None:
    """The second layer inside the third of the row gets a size that does not fit."""
    session.edit_with_blocks("Break", lambda project, network: (project, network))
    session.enter("stage", 2)
    session.edit("Break", lambda net: edits.set_params(net, "linear_2", {"in_features": 7}))
    session.leave()
    settle(session)


def test_a_problem_inside_names_the_way_and_a_click_goes_there(qtbot: QtBot, view: CanvasView) -> None:
    session = view.session
    problems = Problems(session, view.act.mend)
    qtbot.addWidget(problems)
    problems.node_chosen.connect(view.centre_on)
    broken(session)
    line = next(r for r in problems.findChildren(ProblemRow) if r.problem.inside)
    assert line.problem.message.startswith("row › down")
    assert line.problem.path == "stage.0.linear_2"
    line.chosen.emit(line.problem)
    assert session.levels[0].step == "stage.0"
    assert session.selection == {"linear_2"}
    settle(session)
    mending = problems.findChild(QPushButton, "fix_0")
    mending.click()
    settle(session)
    assert session.whole is not None
    assert session.whole.ok
    assert "in_features" not in session.project.blocks["Stage"].network.nodes["linear_2"].params


def test_the_badge_of_a_block_leads_to_the_problem_inside(view: CanvasView) -> None:
    session = view.session
    broken(session)
    view.overlays.show_problems("stage")
    view.overlays.problems.findChild(QPushButton, "go_inside_0").click()
    assert session.selection == {"linear_2"}
    assert view.overlays.problems.isVisible()
    assert view.overlays.problems.findChild(QPushButton, "fix_button") is not None


def test_the_breadcrumb_names_the_way_and_each_step_of_it_leads_back(qtbot: QtBot, view: CanvasView) -> None:
    session = view.session
    bar = Breadcrumb(view)
    qtbot.addWidget(bar)
    assert not bar.isVisible()
    session.enter("stage", 1)
    assert bar.isVisible()
    assert bar.texts() == ["net", "row (2 of 3)"]
    assert bar.note.full_text() == "Block Stage: edits change all 3 of the row"
    bar.findChild(QToolButton, "crumb_next").click()
    assert bar.texts() == ["net", "row (3 of 3)"]
    session.select(("re_lu", "linear"))
    view.blocks.group()
    view.overlays.close()
    session.enter(next(iter(session.selection)))
    assert bar.texts() == ["net", "row (3 of 3)", "block"]
    bar.findChild(QPushButton, "crumb_1").click()
    assert bar.texts() == ["net", "row (3 of 3)"]
    bar.findChild(QPushButton, "crumb_0").click()
    assert session.levels == ()
    assert session.selection == {"stage"}
    assert not bar.isVisible()


def test_the_breadcrumb_counts_the_uses_and_makes_one_unique(qtbot: QtBot, view: CanvasView) -> None:
    session = view.session
    bar = Breadcrumb(view)
    qtbot.addWidget(bar)
    session.select(("stage",))
    view.duplicate()
    session.enter("stage")
    assert bar.note.full_text() == "Block Stage: edits change all 2 uses"
    bar.findChild(QPushButton, "make_unique_button").click()
    assert bar.note.full_text() == "Block Stage_2: edits change all 3 of the row"
    assert session.main.nodes["stage"].kind == "Stage_2"


def test_wires_inside_carry_the_shapes_of_the_one_that_was_entered(view: CanvasView) -> None:
    session = view.session
    session.edit("Other widths", lambda net: edits.set_params(net, "stage", {"width": 7}))
    settle(session)
    session.enter("stage", 1)
    labels = {w.source: item.label for w, item in view.mirror.wires.items()}
    assert labels["linear"] == "N×28"
    session.edit_project("Narrower", lambda p: edit_network(p, session.key, narrowed))
    settle(session)
    assert {w.source: item.label for w, item in view.mirror.wires.items()}["linear"] == "N×12"


def narrowed(network: Network) -> Network:
    return edits.set_params(network, "stage", {"width": 3})


def test_the_code_marks_the_lines_of_a_layer_inside(qtbot: QtBot, view: CanvasView) -> None:
    code = CodePane(view.session)
    qtbot.addWidget(code)
    code.refresh()
    view.session.enter("stage")
    view.session.select(("linear",))
    lines = code.text.toPlainText().split("\n")
    assert any("self.up = nn.Linear" in lines[n] for n in code.marked_lines())


def test_the_finder_lists_what_is_in_view(view: CanvasView) -> None:
    view.session.enter("stage")
    view.find()
    assert set(view.overlays.finder.keys) == set(view.session.network.nodes)


def test_a_block_goes_when_its_last_use_is_taken_apart(view: CanvasView) -> None:
    session = view.session
    before = set(session.project.blocks)
    layers = [n.id for n in session.network.nodes.values() if n.kind not in ("Input", "Output", *before)]
    session.select(layers[:1])
    view.blocks.group()
    (made,) = set(session.project.blocks) - before
    (use,) = (n.id for n in session.network.nodes.values() if n.kind == made)
    session.select([use])
    view.blocks.ungroup()
    assert set(session.project.blocks) == before
    session.document.undo()
    assert made in session.project.blocks


# --- undo ----------------------------------------------------------------------------------------------

MOVES = ("group", "ungroup", "enter", "leave", "step", "unique", "bypass", "repeat", "name", "delete", "undo", "redo")


def act(view: CanvasView, move: str, number: int) -> None:
    """One move of somebody who presses keys at random."""
    session = view.session
    nodes = list(session.network.nodes)
    if nodes:
        session.select(nodes[(number + i) % len(nodes)] for i in range(1 + number % 3))
    blocks = [n for n in nodes if view.blocks.is_block(n)]
    one = blocks[number % len(blocks)] if blocks else ""
    named = {
        "enter": lambda: view.blocks.enter(one),
        "unique": lambda: view.blocks.make_unique(one),
        "repeat": lambda: view.blocks.repeat(one, str(number)),
        "name": lambda: view.blocks.name(one, f"Part{number}"),
    }
    if move in named:
        if one:
            named[move]()
        return
    {
        "group": view.blocks.group,
        "ungroup": view.blocks.ungroup,
        "leave": view.blocks.leave,
        "step": lambda: view.blocks.step(1),
        "bypass": view.blocks.bypass,
        "delete": view.delete,
        "undo": session.document.undo,
        "redo": session.document.redo,
    }[move]()
    view.overlays.close()


def assert_shown(view: CanvasView) -> None:
    """The canvas shows the drawing that the levels lead to, and nothing is selected that is not there."""
    session = view.session
    assert set(view.mirror.nodes) == set(session.network.nodes)
    assert set(view.mirror.wires) == set(session.network.wires)
    assert session.selection <= session.network.nodes.keys()
    for level in session.levels:
        assert level.block in session.project.blocks


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from(MOVES), st.integers(0, 6)), max_size=14))
def test_any_sequence_undone_to_the_start_gives_the_first_value(moves: list[tuple[str, int]]) -> None:
    session = session_of(small_cnn())
    view = CanvasView(session)
    first = session.project
    try:
        for move, number in moves:
            act(view, move, number)
            assert_shown(view)
        last = session.project
        steps = 0
        while session.document.undo():
            assert_shown(view)
            steps += 1
        assert session.project is first
        for _ in range(steps):
            session.document.redo()
        assert_shown(view)
        if not any(move in ("undo", "redo") for move, _ in moves):
            assert session.project is last
        session.open(Document(first))
    finally:
        session._check_timer.stop()
        view.deleteLater()
