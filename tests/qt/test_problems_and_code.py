"""Problems are listed and mended by a click; the code follows the drawing."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot
from qt.frame_helpers import chain, session_of, settle, small_cnn

from deepgui.graph import edits
from deepgui.qt.code_pane import CodePane
from deepgui.qt.problems import Problems


def test_a_fix_is_one_click_and_one_undo(qtbot: QtBot) -> None:
    broken = edits.set_params(small_cnn(), "conv2d_2", {"in_channels": 7})
    session = session_of(broken)
    panel = Problems(session)
    qtbot.addWidget(panel)
    panel.show()
    counts: list[tuple[int, int]] = []
    panel.counted.connect(lambda errors, warnings: counts.append((errors, warnings)))
    fix = panel.findChild(QPushButton, "fix_0")
    qtbot.mouseClick(fix, Qt.MouseButton.LeftButton)
    settle(session)
    assert session.report.ok
    assert counts[-1] == (0, 0)
    assert panel.findChild(QPushButton, "fix_0") is None
    session.document.undo()
    assert session.network is broken


def test_a_click_selects_and_shows_the_node(qtbot: QtBot) -> None:
    session = session_of(chain(("Input", {"shape": (4,)}), ("Linear", {"out_features": 2})))
    panel = Problems(session)
    qtbot.addWidget(panel)
    shown: list[str] = []
    panel.node_chosen.connect(shown.append)
    number = next(n for n, p in enumerate(session.report.problems) if p.node == "linear")
    qtbot.mouseClick(panel.findChild(object, f"problem_{number}"), Qt.MouseButton.LeftButton)
    assert (session.selection, shown) == (frozenset({"linear"}), ["linear"])


def test_code_follows_the_drawing_and_marks_the_selection(qtbot: QtBot) -> None:
    session = session_of(small_cnn())
    pane = CodePane(session)
    qtbot.addWidget(pane)
    pane.refresh()
    assert "self.conv2d = nn.Conv2d(1, 4, kernel_size=3)" in pane.text.toPlainText()
    session.select(["conv2d"])
    lines = pane.text.toPlainText().split("\n")
    assert pane.marked_lines()
    assert all("conv2d" in lines[n] and "conv2d_2" not in lines[n].split("=")[0] for n in pane.marked_lines())
    session.edit("x", lambda net: edits.set_params(net, "conv2d", {"out_channels": 6}))
    settle(session)
    pane.refresh()
    assert "nn.Conv2d(1, 6, kernel_size=3)" in pane.text.toPlainText()
    qtbot.mouseClick(pane.copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == pane.text.toPlainText()
    pane._timer.stop()


def test_a_broken_drawing_keeps_the_last_whole_code_and_says_why(qtbot: QtBot) -> None:
    session = session_of(small_cnn())
    pane = CodePane(session)
    qtbot.addWidget(pane)
    pane.refresh()
    whole = pane.text.toPlainText()
    session.edit("x", lambda net: edits.set_params(net, "conv2d_2", {"in_channels": 7}))
    settle(session)
    pane.refresh()
    assert pane.text.toPlainText() == whole
    assert "last code" in pane.status.full_text()
    pane._timer.stop()
