"""Layers of one's own in the window: written, saved, trusted, edited again, and followed in a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from own_sources import SWIGLU, drawn, plain
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from qt.frame_helpers import settle

from deepgui.catalog.builtin import registry
from deepgui.graph.values import Code
from deepgui.project import file, own, trust
from deepgui.project.document import Document
from deepgui.project.values import Project, empty_project
from deepgui.qt.canvas import CanvasView, menus
from deepgui.qt.canvas.hits import Hit
from deepgui.qt.checking import Checking
from deepgui.qt.own.desk import Desk
from deepgui.qt.own.editor import Editor
from deepgui.qt.own.trust_bar import TrustBar
from deepgui.qt.session import Session


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGUI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(trust, "_until_the_end", set())


def _session(project: Project, path: Path | None = None) -> Session:
    session, kinds = Session(Document(project, path)), registry()
    session.use_catalogue(kinds, Checking(kinds))
    settle(session)
    return session


@pytest.fixture
def desk(qtbot: QtBot) -> Iterator[Desk]:
    session = _session(empty_project())
    canvas = CanvasView(session)
    qtbot.addWidget(canvas)
    made = Desk(session, canvas, canvas)
    yield made
    made.shut_down()
    settle(session)


def _write(editor: Editor, source: str) -> None:
    editor.source.setPlainText(source)
    editor.check()


def test_a_new_layer_is_shown_while_one_types_and_placed_once_it_is_saved(desk: Desk) -> None:
    desk._session.code_requested.emit("")
    editor = desk.editor
    assert editor is not None
    assert "in_features: int, read from x" in editor.about.text()
    assert editor.about.textFormat() == Qt.TextFormat.RichText
    _write(editor, SWIGLU)
    assert "hidden: int = 8" in editor.about.text()
    editor.save_button.click()
    settle(desk._session)
    project = desk._session.project
    assert own.layers(project)["SwiGLU"].source == SWIGLU
    assert [n.kind for n in project.main.nodes.values()] == ["SwiGLU"]
    assert own.untrusted(project) == ()
    assert not editor.isVisible()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("class A(", "Line 1: this is not valid Python"),
        ("import torch\n", "There is no class here"),
        (plain("Linear"), "There is already a layer Linear: call the class otherwise."),
    ],
)
def test_what_is_no_layer_is_said_under_the_text_and_cannot_be_saved(desk: Desk, source: str, said: str) -> None:
    editor = desk.open()
    _write(editor, source)
    assert said in editor.status.text()
    assert not editor.save_button.isEnabled()
    editor.save()
    assert desk._session.project.blocks == {}


def test_code_that_fails_when_it_runs_is_told_and_stays_in_the_editor(desk: Desk) -> None:
    editor = desk.open()
    _write(editor, plain("Mine") + "\n1 / 0\n")
    editor.save_button.click()
    assert editor.status.text() == "Mine does not run: ZeroDivisionError: division by zero (line 12)."
    assert desk._session.project.blocks == {}
    _write(editor, plain("Mine"))
    editor.save_button.click()
    assert list(desk._session.project.blocks) == ["Mine"]


def test_a_double_click_edits_it_again_and_its_uses_follow_the_class(desk: Desk) -> None:
    trust.trust(SWIGLU)
    session = desk._session
    session.open(Document(drawn("SwiGLU", SWIGLU)))
    settle(session)
    desk._canvas.blocks.enter("own")
    editor = desk.editor
    assert editor is not None
    assert editor.source.toPlainText() == SWIGLU
    _write(editor, SWIGLU.replace("class SwiGLU", "class Gated").replace("scale: float = 1.0", "scale: float = 2.0"))
    editor.save_button.click()
    settle(session)
    assert session.network.nodes["own"].kind == "Gated"
    assert list(session.project.blocks) == ["Gated"]
    assert session.report is not None
    assert session.report.ok
    session.document.undo()
    settle(session)
    assert session.network.nodes["own"].kind == "SwiGLU"


def test_the_menus_offer_the_editor_and_no_gesture_for_drawings(desk: Desk) -> None:
    session, canvas = desk._session, desk._canvas
    session.open(Document(drawn("SwiGLU", SWIGLU)))
    settle(session)
    words = [a.text() for a in menus.build(canvas, Hit(node="own"), QPointF()).actions()]
    assert any(w.startswith("Edit the code") for w in words)
    assert not any(w.startswith(("Take apart", "Repeat", "Go in")) for w in words)
    session.select(("own",))
    canvas.blocks.ungroup()
    assert "own" in session.network.nodes
    assert any("Python" in a.text() for a in menus.build(canvas, Hit(), QPointF()).actions())


def test_a_project_with_foreign_code_asks_and_runs_it_only_then(qtbot: QtBot, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    session = _session(drawn("SwiGLU", f"open({str(mark)!r}, 'w').close()\n{SWIGLU}"))
    bar = TrustBar(session)
    qtbot.addWidget(bar)
    bar.show()
    bar.refresh()
    assert "SwiGLU is written in Python" in bar.text.text()
    assert session.report is not None
    assert [p.code for p in session.report.problems] == ["own-code"]
    assert not mark.exists()
    with qtbot.waitSignal(session.code_requested) as asked:
        bar.look.click()
    assert asked.args == ["SwiGLU"]
    bar.agree.click()
    settle(session)
    assert bar.isHidden()
    assert session.report.ok
    assert mark.exists()


def test_layers_of_the_file_beside_follow_it_and_are_edited_there(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    session, path = desk._session, tmp_path / "net.deepgui"
    (tmp_path / "net_layers.py").write_text(plain("One"))
    file.write(empty_project(), path)
    session.open(Document(file.read(path), path))
    assert own.layers(session.project)["One"] == Code(plain("One"), "One", "net_layers.py")
    editor = desk.open("One")
    assert editor.source.isReadOnly()
    assert "net_layers.py" in editor.status.text()
    editor.save_button.click()
    assert trust.trusted(plain("One"))
    fresh = tmp_path / "fresh.py"
    fresh.write_text(plain("One") + "\n" + plain("Two"))
    fresh.replace(tmp_path / "net_layers.py")
    qtbot.waitUntil(lambda: list(session.project.blocks) == ["One", "Two"])
    with qtbot.waitSignal(desk.beside.trouble) as told:
        (tmp_path / "net_layers.py").write_text("class (")
    assert told.args[0].startswith("net_layers.py: Line 1: this is not valid Python")
    assert list(session.project.blocks) == ["One", "Two"]
    settle(session)


def test_tab_and_return_indent(desk: Desk) -> None:
    editor = desk.open()
    editor.source.clear()
    QTest.keyClicks(editor.source, "def f():")
    QTest.keyClick(editor.source, Qt.Key.Key_Return)
    QTest.keyClicks(editor.source, "x")
    QTest.keyClick(editor.source, Qt.Key.Key_Tab)
    QTest.keyClicks(editor.source, "y")
    assert editor.source.toPlainText() == "def f():\n    x   y"


def test_a_file_layer_is_kept_apart_from_one_of_the_project(desk: Desk) -> None:
    project = drawn("One", plain("One"))
    code = own.layers(project)["One"]
    moved = replace(project, blocks={"One": replace(project.blocks["One"], code=replace(code, file="net_layers.py"))})
    desk._session.open(Document(moved))
    editor = desk.open("One")
    editor.save()
    assert own.layers(desk._session.project)["One"].file == "net_layers.py"
    settle(desk._session)
