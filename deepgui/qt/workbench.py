"""The place where one works: canvas in the middle, panels around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QMainWindow, QTabWidget, QWidget

from deepgui.qt.actions import Actions
from deepgui.qt.canvas import CanvasView, keys
from deepgui.qt.canvas.breadcrumb import with_breadcrumb
from deepgui.qt.code_pane import CodePane
from deepgui.qt.docks import Dock, tidy
from deepgui.qt.inspector.panel import Inspector
from deepgui.qt.log_panel import LogPanel
from deepgui.qt.own.trust_bar import with_trust_bar
from deepgui.qt.palette.panel import Palette
from deepgui.qt.problems import Problems
from deepgui.qt.session import Session
from deepgui.qt.settings import Settings
from deepgui.qt.toolbar import ToolBar

TITLES: Mapping[str, str] = {
    "palette": "Layers",
    "inspector": "Inspector",
    "training": "Training",
    "runs": "Runs",
    "feature_maps": "Feature maps",
    "confusion": "Confusion",
    "boundary": "Boundary",
    "results": "Results",
    "try_out": "Try it",
    "problems": "Problems",
    "code": "Code",
    "log": "Log",
}
BOTTOM = ("training", "runs", "feature_maps", "confusion", "boundary", "results", "try_out", "problems", "code", "log")
WIDE = 1680
"""From this width on there is room for the code beside the other panels."""
STATE_VERSION = 4
BOTTOM_SHARE = 0.42
SIDES_AT_MOST = (264, 400)


class Workbench(QMainWindow):
    """Canvas and docks. Panels that need PyTorch are put in later with :meth:`fill`."""

    def __init__(self, session: Session, settings: Settings, actions: Actions) -> None:
        super().__init__()
        self.setWindowFlags(Qt.WindowType.Widget)
        self.setObjectName("workbench")
        self._settings = settings
        self._by_hand = False
        self.canvas = CanvasView(session)
        self.palette_panel = Palette(session)
        self.inspector = Inspector(session)
        self.problems = Problems(session, self.canvas.act.mend)
        self.code = CodePane(session)
        self.log = LogPanel()
        self.toolbar = ToolBar(session, actions)
        self.addToolBar(self.toolbar)
        self.setCentralWidget(with_trust_bar(session, with_breadcrumb(self.canvas)))
        self.docks = {name: Dock(name, title, self) for name, title in TITLES.items()}
        for name, panel in (
            ("palette", self.palette_panel),
            ("inspector", self.inspector),
            ("problems", self.problems),
            ("code", self.code),
            ("log", self.log),
        ):
            self.docks[name].fill(panel)
        self.setDockNestingEnabled(True)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        self.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.BottomDockWidgetArea)
        self._bind_keys(actions)
        actions.rebound.connect(lambda: self._bind_keys(actions))
        self.palette_panel.place_requested.connect(self.canvas.place)
        self.problems.node_chosen.connect(self.canvas.centre_on)
        self.problems.counted.connect(lambda errors, warnings: self.docks["problems"].set_count(errors + warnings))

    def _bind_keys(self, actions: Actions) -> None:
        self.canvas.keys = keys.table(actions.bound())

    def arrange(self, width: int) -> None:
        """Put all docks where they are at first; their sizes follow the window's until somebody drags a border."""
        self._by_hand = False
        for dock in self.docks.values():
            dock.setFloating(False)
            dock.show()
        self._place(beside=width >= WIDE)
        self.docks[BOTTOM[0]].raise_()
        self._proportion()
        tidy(self)

    def _proportion(self) -> None:
        """Give every dock its share of the window."""
        width, height = self.width(), self.height()
        first, code = self.docks[BOTTOM[0]], self.docks["code"]
        sides = [max(208, min(width // 7, SIDES_AT_MOST[0])), max(312, min(width // 5, SIDES_AT_MOST[1]))]
        self.resizeDocks([self.docks["palette"], self.docks["inspector"]], sides, Qt.Orientation.Horizontal)
        self.resizeDocks([first], [int(height * BOTTOM_SHARE)], Qt.Orientation.Vertical)
        if not self.tabifiedDockWidgets(code):
            self.resizeDocks([first, code], [2 * width // 3, width // 3], Qt.Orientation.Horizontal)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if not self._by_hand:
            self._proportion()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonPress:  # only the borders between docks are the window's own
            self._by_hand = True
        return super().event(event)

    def _place(self, *, beside: bool) -> None:
        """Palette left, inspector right, the rest below; the code beside those if there is room."""
        self.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, self.docks["palette"])
        self.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, self.docks["inspector"])
        first = self.docks[BOTTOM[0]]
        self.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, first)
        if beside:
            self.splitDockWidget(first, self.docks["code"], Qt.Orientation.Horizontal)
        for name in BOTTOM[1:]:
            if not (beside and name == "code"):
                self.tabifyDockWidget(first, self.docks[name])

    def restore(self) -> bool:
        """Put the docks where they were last time; False if that is not known."""
        state = self._settings.state("docks")
        self._by_hand = state is not None and self.restoreState(state, STATE_VERSION)
        return self._by_hand

    def remember(self) -> None:
        """Note where the docks are."""
        self._settings.set("docks", self.saveState(STATE_VERSION))

    def shut_down(self) -> None:
        """Remember the docks and end what the panels do beside the GUI thread."""
        self.remember()
        self.inspector.close_workers()
        self.log.detach()

    def canvas_commands(self) -> dict[str, Callable[[], object]]:
        """What the menus can ask of the canvas, by the ids of the actions; undo and redo are the window's own."""
        return {id: partial(does, self.canvas) for id, does in keys.COMMANDS.items() if id not in ("undo", "redo")}

    def fill(self, name: str, panel: QWidget) -> None:
        """Put a panel into its dock."""
        self.docks[name].fill(panel)

    def reveal(self, name: str) -> None:
        """Bring a panel to the front."""
        self.docks[name].show()
        self.docks[name].raise_()
