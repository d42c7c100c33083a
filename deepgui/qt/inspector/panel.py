"""The inspector: the selected layers, or the project."""

from __future__ import annotations

from PySide6.QtWidgets import QStackedLayout, QTabBar, QWidget

from deepgui.qt.inspector.block_page import BlockPage
from deepgui.qt.inspector.layer_page import LayerPage
from deepgui.qt.inspector.project_page import ProjectPage
from deepgui.qt.session import Session
from deepgui.qt.widgets import Note, column, scrolled

LAYER, PROJECT, BLOCK = 0, 1, 2


class Inspector(QWidget):
    """Tabs for the layer, the project and, inside a block, the block.

    Selecting a layer brings its tab to the front, deselecting that of the drawing.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("inspector")
        self.setAccessibleName("Inspector")
        self.setProperty("role", "panel")
        self.setMinimumWidth(312)
        self._session = session
        self.layer_page = LayerPage(session)
        self.project_page = ProjectPage(session)
        self.block_page = BlockPage(session)
        self._nothing = Note("cursor", "No layer selected", "Click a layer on the canvas to see and change it.")
        self.tabs = QTabBar()
        self.tabs.setObjectName("inspector_tabs")
        self.tabs.setAccessibleName("Inspector pages")
        self.tabs.addTab("Layer")
        self.tabs.addTab("Project and data")
        self.tabs.addTab("Block")
        self.tabs.setTabVisible(BLOCK, False)
        self.tabs.setExpanding(False)
        self.tabs.currentChanged.connect(self._show_tab)
        self._pages = QStackedLayout()
        self._layer_view, self._project_view = scrolled(self.layer_page), scrolled(self.project_page)
        self._block_view = scrolled(self.block_page)
        for page in (self._layer_view, self._project_view, self._block_view, self._nothing):
            self._pages.addWidget(page)
        layout = column(self.tabs, gap=0)
        layout.addLayout(self._pages, 1)
        self.setLayout(layout)
        session.selection_changed.connect(self._on_selection)
        session.document_replaced.connect(self._on_selection)
        session.level_changed.connect(self._on_selection)
        session.registry_ready.connect(self._refresh)
        session.changed.connect(lambda before, after: self._refresh())
        session.report_changed.connect(lambda report: self._refresh())
        self._on_selection()

    def close_workers(self) -> None:
        """For closing the window."""
        self.project_page.data.close_worker()

    def show_project(self) -> None:
        """Bring the project's page to the front."""
        self.tabs.setCurrentIndex(PROJECT)

    def focus_param(self, name: str) -> None:
        """Put the cursor into a parameter's field, if the selected layers have it."""
        if name in self.layer_page.rows:
            self.tabs.setCurrentIndex(LAYER)
            self.layer_page.rows[name].field.setFocus()

    def _on_selection(self) -> None:
        inside = bool(self._session.levels)
        if self.tabs.isTabVisible(BLOCK) != inside:
            self.tabs.setTabVisible(BLOCK, inside)
        wanted = LAYER if self._session.selection else BLOCK if inside else PROJECT
        if self.tabs.currentIndex() != wanted:
            self.tabs.setCurrentIndex(wanted)
        else:
            self._show_tab(wanted)

    def _show_tab(self, tab: int) -> None:
        if tab in (PROJECT, BLOCK):
            self._pages.setCurrentWidget(self._project_view if tab == PROJECT else self._block_view)
        else:
            self._pages.setCurrentWidget(self._layer_view if self._session.selection else self._nothing)
        self._refresh()

    def _refresh(self) -> None:
        if self.tabs.currentIndex() == PROJECT:
            self.project_page.refresh()
        elif self.tabs.currentIndex() == BLOCK:
            self.block_page.refresh()
        else:
            self.layer_page.show_selection()
