"""The cheat sheet: what may become a shortcut, and what merely leaves the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence
from pytestqt.qtbot import QtBot

from deepgui.qt import theme
from deepgui.qt.actions import Actions
from deepgui.qt.settings import Settings
from deepgui.qt.shortcuts import ShortcutsDialog


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
