"""The inspector inside blocks: expressions, parameters of the block, rows, bypass and shared weights."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMenu, QPushButton
from pytestqt.qtbot import QtBot
from qt.frame_helpers import settle

import deepgui
from deepgui.catalog.builtin import registry
from deepgui.catalog.expr import Expr
from deepgui.project.document import Document
from deepgui.qt.checking import Checking
from deepgui.qt.inspector import row_menu
from deepgui.qt.inspector.panel import BLOCK, Inspector
from deepgui.qt.session import Session
from deepgui.qt.widgets import Switch


def session_with_blocks() -> Session:
    """``net``: Input → stage (×3) → head → Output; Stage(width) holds two Linears."""
    stage = deepgui.Block("Stage", width=8)
    first = stage.add("Linear", stage.add("Input"), out_features="=4 * width", name="up")
    stage.add("Output", stage.add("Linear", stage.add("ReLU", first), out_features=6, name="down"))
    net = deepgui.Network("net")
    row = net.add(stage, net.add("Input", shape=(6,)), width=5, repeat=3, name="row")
    net.add("Output", net.add("Linear", row, out_features=10, name="head"))
    made = Session(Document(net.project()))
    made.use_catalogue(registry(), Checking(registry()))
    settle(made)
    return made


@pytest.fixture
def inside(qtbot: QtBot) -> tuple[Inspector, Session]:
    """The first of the row is in view."""
    session = session_with_blocks()
    inspector = Inspector(session)
    qtbot.addWidget(inspector)
    inspector.show()
    session.enter("stage")
    return inspector, session


def params(session: Session, node: str) -> object:
    return session.network.nodes[node].params


def test_an_expression_shows_itself_and_its_value_in_this_use(inside: tuple[Inspector, Session]) -> None:
    inspector, session = inside
    session.select(("linear",))
    row = inspector.layer_page.rows["out_features"]
    assert row.field.text() == "=4 * width"
    assert row._note.text() == "= 20 here"
    session.leave()
    session.show_block("Stage")
    session.select(("linear",))
    assert inspector.layer_page.rows["out_features"]._note.text() == "= 32 here"


def test_an_expression_is_typed_like_a_value(inside: tuple[Inspector, Session]) -> None:
    inspector, session = inside
    session.select(("linear_2",))
    row = inspector.layer_page.rows["out_features"]
    row.field.type("=width + 1")
    settle(session)
    assert params(session, "linear_2")["out_features"] == Expr("width + 1")
    assert row._note.text() == "= 6 here"
    assert inspector.layer_page.rows["out_features"] is row, "the field would lose the keyboard"
    row.field.type("12")
    assert params(session, "linear_2")["out_features"] == 12


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("=4 * wdth", "“4 * wdth” uses wdth, which is no parameter here. Known here: index, width."),
        ("=4 *", "“4 *” is not a valid expression."),
        ("=width / 0", "“width / 0” divides by zero."),
        ("=width / 2", "out_features must be a whole number, not 2.5."),
    ],
)
def test_a_wrong_expression_is_said_in_a_sentence_and_changes_nothing(
    inside: tuple[Inspector, Session], text: str, sentence: str
) -> None:
    inspector, session = inside
    session.select(("linear_2",))
    before = session.project
    row = inspector.layer_page.rows["out_features"]
    row.field.type(text)
    assert row.error() == sentence
    assert session.project is before


def test_outside_of_blocks_there_is_nothing_to_name(qtbot: QtBot) -> None:
    session = session_with_blocks()
    inspector = Inspector(session)
    qtbot.addWidget(inspector)
    session.select(("linear",))
    row = inspector.layer_page.rows["out_features"]
    row.field.type("=width")
    assert row.error().endswith("Only a block has parameters to name.")
    row.field.type("=5 * 2")
    assert params(session, "linear")["out_features"] == Expr("5 * 2")


def test_a_row_is_set_in_the_inspector_and_its_parameters_may_use_the_index(qtbot: QtBot) -> None:
    session = session_with_blocks()
    inspector = Inspector(session)
    qtbot.addWidget(inspector)
    session.select(("stage",))
    rows = inspector.layer_page.rows
    assert rows["repeat"].field.text() == "3"
    rows["width"].field.type("=2 ** index")
    settle(session)
    assert params(session, "stage")["width"] == Expr("2 ** index")
    assert rows["width"]._note.text() == "= 1, 2, 4 along the row"
    rows["repeat"].field.type("=index")
    assert "uses index" in rows["repeat"].error()
    rows["repeat"].field.type("2")
    assert params(session, "stage")["repeat"] == 2


def test_a_switch_and_a_choice_take_expressions_by_the_menu(qtbot: QtBot, inside: tuple[Inspector, Session]) -> None:
    inspector, session = inside
    inspector.show()
    session.select(("linear",))
    row = inspector.layer_page.rows["bias"]
    assert isinstance(row.field.focusProxy(), Switch)
    row.write_expression()
    line = inspector.findChild(QLineEdit, "expression_bias")
    qtbot.waitUntil(line.isVisible)
    line.setText("")
    qtbot.keyClicks(line, "=width > 3")
    settle(session)
    assert params(session, "linear")["bias"] == Expr("width > 3")
    assert row._note.text() == "= True here"
    QTest.keyClick(line, Qt.Key.Key_Tab)
    session.document.undo()
    settle(session)
    assert row.field.isVisible()


def chosen(menu: QMenu, name: str) -> object:
    return next(action for action in menu.actions() if action.objectName() == name)


def test_promote_makes_a_value_a_parameter_of_the_block_in_one_step(inside: tuple[Inspector, Session]) -> None:
    inspector, session = inside
    session.select(("linear_2",))
    before = session.project
    row = inspector.layer_page.rows["out_features"]
    asked: list[tuple[str, QPoint]] = []
    row.menu_requested.disconnect()
    row.menu_requested.connect(lambda name, at: asked.append((name, at)))
    menu = row_menu.build(session, session.network.nodes["linear_2"], row)
    chosen(menu, "promote").trigger()
    menu.close()
    block = session.project.blocks["Stage"]
    assert [(p.name, p.default) for p in block.params] == [("width", 8), ("out_features", 6)]
    assert params(session, "linear_2")["out_features"] == Expr("out_features")
    settle(session)
    assert session.whole is not None
    assert session.whole.ok
    menu = row_menu.build(session, session.network.nodes["linear_2"], row)
    assert not chosen(menu, "promote").isEnabled()
    menu.close()
    session.document.undo()
    assert session.project is before


def test_the_menu_of_a_field_is_that_of_its_row(qtbot: QtBot, inside: tuple[Inspector, Session]) -> None:
    from PySide6.QtGui import QContextMenuEvent
    from PySide6.QtWidgets import QApplication

    inspector, session = inside
    session.select(("linear_2",))
    row = inspector.layer_page.rows["out_features"]
    row.menu_requested.disconnect()
    with qtbot.waitSignal(row.menu_requested):
        event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(3, 3))
        QApplication.sendEvent(row.field.focusProxy(), event)


def test_without_a_selection_the_page_is_that_of_the_block(inside: tuple[Inspector, Session]) -> None:
    inspector, session = inside
    page = inspector.block_page
    assert inspector.tabs.currentIndex() == BLOCK
    assert page.name.text() == "Stage"
    assert page.params["width"]._note.text() == "5 here; used by up"
    assert not page.params["width"].remove.isEnabled()
    assert inspector.findChild(QPushButton, "block_use_0").text() == "row ×3 in the network"
    session.leave()
    assert not inspector.tabs.isTabVisible(BLOCK)


def test_a_block_is_renamed_everywhere_and_one_stays_in_it(inside: tuple[Inspector, Session]) -> None:
    inspector, session = inside
    before = session.project
    inspector.block_page.name.setText("My stage")
    inspector.block_page.name.editingFinished.emit()
    assert list(session.project.blocks) == ["My_stage"]
    assert session.main.nodes["stage"].kind == "My_stage"
    assert [(level.block, level.step) for level in session.levels] == [("My_stage", "stage.0")]
    assert inspector.block_page.name.text() == "My_stage"
    session.document.undo()
    assert session.project is before
    assert session.levels[0].block == "Stage"
    session.leave()
    session.show_block("Stage")
    inspector.block_page.name.setText("Other")
    inspector.block_page.name.editingFinished.emit()
    assert session.levels[0].block == "Other"


def test_a_name_typed_before_leaving_is_that_of_the_block_that_was_left(inside: tuple[Inspector, Session]) -> None:
    inspector, session = inside
    inspector.block_page.name.setText("Tower")
    session.leave()
    inspector.block_page.name.editingFinished.emit()
    assert list(session.project.blocks) == ["Tower"]
    session.enter("stage")
    assert inspector.block_page.name.text() == "Tower"


def test_parameters_are_added_renamed_set_and_removed(inside: tuple[Inspector, Session]) -> None:
    inspector, session = inside
    page = inspector.block_page
    page.params["width"].name.setText("size")
    page.params["width"].name.editingFinished.emit()
    settle(session)
    assert params(session, "linear")["out_features"] == Expr("4 * size")
    assert session.main.nodes["stage"].params["size"] == 5
    inspector.findChild(QPushButton, "add_block_param").click()
    assert list(page.params) == ["size", "width"]
    page.params["width"].field.type("0.5")
    assert session.block.params[1].default == 0.5
    assert session.block.params[1].type == "float"
    page.params["width"].remove.click()
    assert [p.name for p in session.block.params] == ["size"]
    settle(session)
    assert session.whole is not None
    assert session.whole.ok


def test_a_use_is_shown_where_it_stands(inside: tuple[Inspector, Session]) -> None:
    inspector, session = inside
    inspector.findChild(QPushButton, "block_use_0").click()
    assert session.levels == ()
    assert session.selection == {"stage"}


def test_bypass_and_shared_weights_are_rows_of_the_layer(qtbot: QtBot, inside: tuple[Inspector, Session]) -> None:
    inspector, session = inside
    session.select(("linear_2",))
    inspector.findChild(Switch, "param_bypass").click()
    assert session.network.nodes["linear_2"].bypass is True
    use = inspector.layer_page._use
    assert [use.shares.itemData(i) for i in range(use.shares.count())] == ["", "linear"]
    use.shares.setCurrentIndex(1)
    use.shares.activated.emit(1)
    assert session.network.nodes["linear_2"].shares == "linear"
    session.select(("re_lu",))
    assert inspector.layer_page._use.shares.isHidden() or not inspector.layer_page._use.shares.isVisible()


def test_the_button_of_a_block_goes_in(qtbot: QtBot) -> None:
    session = session_with_blocks()
    inspector = Inspector(session)
    qtbot.addWidget(inspector)
    session.select(("stage",))
    inspector.findChild(QPushButton, "enter_block").click()
    assert session.levels[0].step == "stage.0"
