"""The cheat sheet: what may become a shortcut, and what merely leaves the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from deepgui.graph import edits
from deepgui.project.document import Document
from deepgui.project.values import empty_project
from deepgui.qt import theme
from deepgui.qt.actions import Actions
from deepgui.qt.field_keys import FieldKeys
from deepgui.qt.session import Session
from deepgui.qt.settings import Settings
from deepgui.qt.shortcuts import ShortcutsDialog
from deepgui.qt.workbench import Workbench


@pytest.fixture
def actions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Actions]:
    monkeypatch.setenv("DEEPGUI_HOME", str(tmp_path))
    theme.current()  # as the application does: before anything is painted
    owner = QObject()
    yield Actions(Settings(), owner)
    owner.deleteLater()


@pytest.fixture
def dialog(qtbot: QtBot, actions: Actions) -> ShortcutsDialog:
    made = ShortcutsDialog(actions)
    qtbot.addWidget(made)
    made.show()
    return made


def shown(actions: Actions, id: str) -> list[str]:
    return [key.toString(QKeySequence.SequenceFormat.PortableText) for key in actions[id].shortcuts()]


def test_no_field_waits_for_a_key_at_first(dialog: ShortcutsDialog, actions: Actions, qtbot: QtBot) -> None:
    with qtbot.waitActive(dialog):
        pass
    assert dialog.focusWidget().objectName() == "shortcuts_done"
    for _ in range(5):
        qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
        assert dialog.focusWidget() not in dialog.editors.values()


def test_escape_leaves_and_binds_nothing(dialog: ShortcutsDialog, actions: Actions, qtbot: QtBot) -> None:
    dialog.editors["redo"].setFocus()
    qtbot.keyClick(dialog.editors["redo"], Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    assert shown(actions, "redo") == ["Ctrl+Shift+Z", "Ctrl+Y"]


@pytest.mark.parametrize(
    ("id", "key", "after"),
    [
        ("new", "N", ["Ctrl+N"]),
        ("new", "Esc", ["Ctrl+N"]),
        ("new", "Ctrl+S", ["Ctrl+N"]),
        ("new", "Ctrl+Alt+N", ["Ctrl+Alt+N"]),
        ("shortcuts", "F3", ["F3"]),
        ("shortcuts", "Esc", ["F1", "?"]),
        ("redo", "Ctrl+Shift+Z", ["Ctrl+Shift+Z", "Ctrl+Y"]),
    ],
)
def test_what_may_be_a_shortcut(dialog: ShortcutsDialog, actions: Actions, id: str, key: str, after: list[str]) -> None:
    editor = dialog.editors[id]
    editor.setKeySequence(QKeySequence(key))
    editor.editingFinished.emit()
    assert shown(actions, id) == after
    assert editor.keySequence() == actions[id].shortcut()


def test_a_key_of_the_canvas_can_be_another_and_the_old_one_is_free(
    dialog: ShortcutsDialog, actions: Actions, qtbot: QtBot
) -> None:
    bench = Workbench(Session(Document(empty_project())), Settings(), actions)
    qtbot.addWidget(bench)
    bench.canvas.session.edit("Add", lambda net: edits.add_node(net, "ReLU")[0])
    nodes = tuple(bench.canvas.session.network.nodes)
    editor = dialog.editors["select_all"]
    editor.setKeySequence(QKeySequence("Q"))  # alone: on the canvas nobody types
    editor.editingFinished.emit()
    qtbot.keyClick(bench.canvas, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert not bench.canvas.session.selection
    qtbot.keyClick(bench.canvas, Qt.Key.Key_Q)
    assert tuple(bench.canvas.session.selection) == nodes
    dialog._reset_all()
    bench.canvas.session.select(())
    qtbot.keyClick(bench.canvas, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert tuple(bench.canvas.session.selection) == nodes
    bench.shut_down()


def test_a_field_leaves_the_windows_shortcuts_to_the_window(actions: Actions, qtbot: QtBot) -> None:
    window, field = QWidget(), QLineEdit("abc")
    qtbot.addWidget(window)
    QVBoxLayout(window).addWidget(field)
    window.addAction(actions["export"])
    keys = FieldKeys(actions, window)
    actions.rebind("export", QKeySequence("Ctrl+Right"))  # to the next word, for a field on every platform
    asked: list[bool] = []
    actions.connect("export", lambda: asked.append(True))
    window.show()
    with qtbot.waitActive(window):
        window.activateWindow()
    keys._follow(None, field)
    field.setFocus()
    for id, taken in (("export", False), ("undo", True)):
        key = actions[id].shortcut()[0]
        wish = QKeyEvent(QEvent.Type.ShortcutOverride, key.key(), key.keyboardModifiers())
        wish.ignore()
        QApplication.sendEvent(field, wish)
        assert wish.isAccepted() == taken, id
    qtbot.keyClick(field, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert asked
