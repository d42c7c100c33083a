"""A panel behind another tab is out of sight, however late it was put into its dock."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMainWindow

from deepgui.qt.dashboard.sight import SeenPanel
from deepgui.qt.docks import Dock


def test_a_panel_that_comes_late_behind_a_tab_is_not_seen(qtbot):
    window = QMainWindow()
    qtbot.addWidget(window)
    front, back = Dock("front", "Front", window), Dock("back", "Back", window)
    for dock in (front, back):
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
    window.tabifyDockWidget(front, back)
    window.resize(400, 300)
    front.raise_()
    window.show()
    qtbot.wait(20)
    panel = SeenPanel()
    back.fill(panel)
    qtbot.wait(20)
    assert panel.isVisible(), "which is what Qt says of it"
    assert not panel.sight.seen
    back.raise_()
    qtbot.waitUntil(lambda: panel.sight.seen)
    front.raise_()
    qtbot.waitUntil(lambda: not panel.sight.seen)
