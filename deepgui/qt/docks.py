"""Docks with quiet titles, whose contents may come later than they do."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDockWidget, QLayout, QMainWindow, QSizePolicy, QTabBar, QWidget

from deepgui.qt.theme import GRID
from deepgui.qt.widgets import Elided, Note, row, tool_button

TITLE_HEIGHT = 36


class DockTitle(QWidget):
    """A dock's name with the buttons to float and close it; no height at all while tabs show the name."""

    def __init__(self, dock: Dock) -> None:
        super().__init__()
        self.setProperty("role", "dock-title")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._name = Elided(dock.windowTitle(), "strong")
        self._name.setMinimumWidth(48)
        float_button = tool_button("arrows-out-simple", f"float_{dock.objectName()}", "Float or dock this panel")
        close = tool_button("x", f"close_{dock.objectName()}", "Close this panel; the View menu brings it back")
        float_button.clicked.connect(lambda: dock.setFloating(not dock.isFloating()))
        close.clicked.connect(dock.close)
        for control in (float_button, close):
            control.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        line = row(self._name, float_button, close, gap=0)
        line.setStretch(0, 1)
        line.setContentsMargins(2 * GRID, 0, 4, 0)
        line.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self.setLayout(line)
        self._collapsed = False
        dock.windowTitleChanged.connect(self._name.setText)

    def collapse(self, collapsed: bool) -> None:
        """Show nothing: the dock is one of several tabs."""
        if collapsed != self._collapsed:
            self._collapsed = collapsed
            self.setMaximumHeight(0 if collapsed else TITLE_HEIGHT)
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(120, 0 if self._collapsed else TITLE_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 0 if self._collapsed else TITLE_HEIGHT)


class Dock(QDockWidget):
    """A dock by name. Until :meth:`fill` it says that it waits for PyTorch."""

    def __init__(self, name: str, title: str, parent: QMainWindow) -> None:
        super().__init__(title, parent)
        self.setObjectName(f"dock_{name}")
        self.setAccessibleName(title)
        self._base = title
        self._title = DockTitle(self)
        self.setTitleBarWidget(self._title)
        self.setWidget(Note("hourglass", "Getting PyTorch ready", "This panel comes in a moment."))
        self.topLevelChanged.connect(lambda floating: self.tidy())
        self.dockLocationChanged.connect(lambda area: self.tidy())

    def fill(self, content: QWidget) -> None:
        """Put the panel in."""
        waiting = self.widget()
        content.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        content.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setWidget(content)
        if waiting is not None:
            waiting.deleteLater()

    def set_count(self, count: int) -> None:
        """Show a number with the title, none for zero."""
        self.setWindowTitle(f"{self._base}  {count}" if count else self._base)

    def tidy(self) -> None:
        """Hide the title while a tab shows it."""
        window = self.parent()
        if isinstance(window, QMainWindow):
            self._title.collapse(not self.isFloating() and bool(window.tabifiedDockWidgets(self)))

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.ParentChange):
            self._tidy_all()
        return super().event(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self._tidy_all()

    def _tidy_all(self) -> None:
        window = self.parent()
        if isinstance(window, QMainWindow):
            QTimer.singleShot(0, window, lambda: tidy(window))  # when Qt has rearranged its tabs


def tidy(window: QMainWindow) -> None:
    """Titles only where no tab says the same; tabs that are never cut off but scroll if they must."""
    for dock in window.findChildren(Dock, options=Qt.FindChildOption.FindDirectChildrenOnly):
        dock.tidy()
    groups = _groups(window)
    for tabs in window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
        # Qt leaves the bars of groups that are no more where they were.
        tabs.setVisible(frozenset(map(tabs.tabText, range(tabs.count()))) in groups)
        tabs.setElideMode(Qt.TextElideMode.ElideNone)
        tabs.setUsesScrollButtons(True)
        tabs.setExpanding(False)
        tabs.setAccessibleName("Panels")


def _groups(window: QMainWindow) -> set[frozenset[str]]:
    """The titles of docks that share a place."""
    found = set()
    for dock in window.findChildren(Dock, options=Qt.FindChildOption.FindDirectChildrenOnly):
        others = window.tabifiedDockWidgets(dock)
        if others:
            found.add(frozenset(d.windowTitle() for d in (dock, *others) if not d.isHidden()))
    return found
