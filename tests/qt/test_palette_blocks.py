"""Blocks in the palette: those of the project and those of the library, placed, opened, renamed and deleted."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, QPointF, Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot
from qt.test_inspector_blocks import session_with_blocks

from deepgui import library
from deepgui.graph.blocks import CATEGORY, needed
from deepgui.graph.values import Network
from deepgui.project.document import Document
from deepgui.project.values import Project, with_block
from deepgui.qt.canvas import CanvasView
from deepgui.qt.palette.block_menu import BlockMenu
from deepgui.qt.palette.panel import KIND, Palette
from deepgui.qt.session import Session


@pytest.fixture
def palette(qtbot: QtBot) -> Palette:
    made = Palette(session_with_blocks())
    qtbot.addWidget(made)
    made.show()
    return made


def heading(palette: Palette, name: str) -> QModelIndex:
    model = palette.tree.model()
    return next((i for row in range(model.rowCount()) if (i := model.index(row, 0)).data() == name), QModelIndex())


def under(palette: Palette, name: str) -> list[str]:
    found, model = heading(palette, name), palette.tree.model()
    return [model.index(row, 0, found).data(KIND) for row in range(model.rowCount(found))] if found.isValid() else []


def current(palette: Palette, kind: str) -> None:
    parent = heading(palette, CATEGORY)
    palette.tree.setCurrentIndex(palette.tree.model().index(under(palette, CATEGORY).index(kind), 0, parent))


def trigger(menu: BlockMenu, name: str) -> None:
    next(action for action in menu.actions() if action.objectName() == name).trigger()
    menu.close()


def test_the_projects_blocks_have_a_heading_of_their_own_that_follows_the_project(palette: Palette) -> None:
    assert under(palette, CATEGORY) == ["Stage"]
    assert palette.tree.isExpanded(heading(palette, CATEGORY))
    assert "ResidualBasic" in under(palette, "Convolution blocks")
    session = palette._session
    session.edit_project("Another", lambda p: with_block(p, "Other", p.blocks["Stage"]))
    assert under(palette, CATEGORY) == ["Stage", "Other"]
    session.open(Document(Project("empty", {"network": Network("network")})))
    assert under(palette, CATEGORY) == []


def test_a_block_is_opened_renamed_and_deleted_by_its_menu(qtbot: QtBot, palette: Palette) -> None:
    session = palette._session
    current(palette, "Stage")
    menu = palette.menu()
    assert not next(a for a in menu.actions() if a.objectName() == "delete_block").isEnabled()
    trigger(menu, "open_block")
    assert [(level.block, level.step) for level in session.levels] == [("Stage", "stage.0")]
    qtbot.keyClick(palette.tree, Qt.Key.Key_F2)
    line = palette.tree.findChild(QLineEdit)
    line.clear()
    qtbot.keyClicks(line, "Tower")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: list(session.project.blocks) == ["Tower"])
    assert session.levels[0].block == "Tower"
    assert session.main.nodes["stage"].kind == "Tower"
    session.edit_project("Free", lambda p: with_block(p, "Free", p.blocks["Tower"]))
    current(palette, "Free")
    trigger(palette.menu(), "delete_block")
    assert list(session.project.blocks) == ["Tower"]
    current(palette, "Tower")
    qtbot.keyClick(palette.tree, Qt.Key.Key_Delete)
    assert list(session.project.blocks) == ["Tower"]


def test_a_layer_has_nothing_to_open_or_delete(palette: Palette) -> None:
    palette.search.setText("Conv2d")
    menu = palette.menu()
    assert [a.objectName() for a in menu.actions()] == ["place"]
    menu.close()


def canvas(qtbot: QtBot, session: Session) -> CanvasView:
    view = CanvasView(session)
    qtbot.addWidget(view)
    view.resize(900, 600)
    view.show()
    return view


def test_a_block_of_the_library_comes_into_the_project_with_those_inside_in_one_step(qtbot: QtBot) -> None:
    session = session_with_blocks()
    view = canvas(qtbot, session)
    before = session.project
    name = next(n for n in library.blocks() if len(needed([n], library.blocks())) > 1)
    view.place_at(name, QPointF(0, 300))
    assert set(session.project.blocks) == {"Stage"} | set(needed([name], library.blocks()))
    assert len(session.network.of_kind(name)) == 1
    session.document.undo()
    assert session.project is before


def test_a_block_of_the_library_gives_way_to_the_projects_own(qtbot: QtBot) -> None:
    session = session_with_blocks()
    view = canvas(qtbot, session)
    own = session.project.blocks["Stage"]
    session.edit_project("Own", lambda p: with_block(p, "ConvReLU", own))
    view.place_at("ConvReLU", QPointF(0, 300))
    assert session.project.blocks["ConvReLU"] is own


def test_copies_take_their_blocks_to_another_project(qtbot: QtBot) -> None:
    session = session_with_blocks()
    view = canvas(qtbot, session)
    session.select(("stage", "linear"))
    view.copy()
    block = session.project.blocks["Stage"]
    session.open(Document(Project("other", {"network": Network("network")})))
    view.paste()
    assert session.project.blocks["Stage"] == block
    assert [n.kind for n in session.network.nodes.values()] == ["Stage", "Linear"]
    empty = session.project
    view.paste()
    assert list(session.project.blocks) == ["Stage"], "the same content is the same block"
    assert session.project is not empty
    other = Project("clash", {"network": Network("network")}, blocks={"Stage": library.block("ConvReLU")})
    session.open(Document(other))
    view.paste()
    assert list(session.project.blocks) == ["Stage", "Stage_2"]
    assert session.network.of_kind("Stage_2")
    session.document.undo()
    assert session.project is other
