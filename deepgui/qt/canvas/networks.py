"""The project's networks as tabs over the canvas: a generator and a discriminator are two drawings of one project."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFrame, QInputDialog, QMenu, QTabBar

from deepgui.graph.values import Network
from deepgui.project.values import Project, renamed_network, with_network, without_network
from deepgui.qt.session import Session
from deepgui.qt.widgets import row, tool_button


class NetworkBar(QFrame):
    """Hidden while the project has one network and needs no other."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("networks")
        self.setProperty("role", "crumbs")
        self._session = session
        self.tabs = QTabBar()
        self.tabs.setObjectName("network_tabs")
        self.tabs.setAccessibleName("Networks of the project")
        self.tabs.setExpanding(False)
        self.tabs.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tabs.customContextMenuRequested.connect(self._menu)
        self.tabs.currentChanged.connect(self._choose)
        self.tabs.tabBarDoubleClicked.connect(lambda index: self.rename(self.tabs.tabText(index)))
        self.plus = tool_button("plus", "add_network", "Add a network to the project")
        self.plus.clicked.connect(lambda: self.add())
        line = row(self.tabs, self.plus, gap=4)
        line.setContentsMargins(4, 0, 4, 0)
        line.addStretch(1)
        self.setLayout(line)
        for signal in (session.level_changed, session.document_replaced, session.registry_ready):
            signal.connect(self.refresh)
        session.changed.connect(lambda before, after: self.refresh())
        self.refresh()

    # -- what there is

    def missing(self) -> tuple[str, ...]:
        """The roles of the project's objective for which it has no network yet."""
        if not self._session.ready:
            return ()
        from deepgui.training.bindings import roles, unplayed
        from deepgui.training.objectives import objectives

        project = self._session.project
        kind = objectives().get(project.training.objective)
        return unplayed(kind, roles(project, kind=kind)) if kind is not None else ()

    def refresh(self) -> None:
        """Show the tabs of the moment."""
        keys = list(self._session.project.networks)
        shown = [self.tabs.tabText(i) for i in range(self.tabs.count())]
        self.tabs.blockSignals(True)
        if shown != keys:
            while self.tabs.count():
                self.tabs.removeTab(0)
            for key in keys:
                self.tabs.addTab(key)
        if self._session.key in keys:
            self.tabs.setCurrentIndex(keys.index(self._session.key))
        self.tabs.blockSignals(False)
        missing = self.missing()
        self.plus.setToolTip(f"Add the {missing[0]}" if missing else "Add a network to the project")
        self.setVisible(len(keys) > 1 or bool(missing))

    def _choose(self, index: int) -> None:
        self._session.show_network(self.tabs.tabText(index))

    # -- what a person does

    def add(self) -> None:
        """Add an empty network, named by the role that nobody plays yet, and show it."""
        known = self._session.project.networks
        names = (*self.missing(), *(f"network{n}" for n in range(2, len(known) + 3)))
        name = next(name for name in names if name not in known)
        self._edit(f"Add {name}", lambda project: with_network(project, name, Network(name)))
        self._session.show_network(name)

    def rename(self, key: str, name: str | None = None) -> None:
        """Give a network another name; without one a dialog asks for it."""
        if name is None:
            name, given = QInputDialog.getText(self, "Rename network", "Name", text=key)
            if not given:
                return
        wanted = name.strip()
        if wanted != key:
            self._edit(f"Rename {key}", lambda project: renamed_network(project, key, wanted))

    def remove(self, key: str) -> None:
        """Take a network out of the project; undo brings it back."""
        self._edit(f"Remove {key}", lambda project: without_network(project, key))

    def put_first(self, key: str) -> None:
        """Make a network the main one: the one that opens first and that is exported."""

        def change(project: Project) -> Project:
            others = {own: network for own, network in project.networks.items() if own != key}
            return replace(project, networks={key: project.networks[key], **others})

        self._edit(f"Put {key} first", change)

    def _edit(self, label: str, change: Callable[[Project], Project]) -> None:
        try:
            self._session.edit_project(label, change)
        except ValueError as error:
            self.tabs.setToolTip(str(error))

    def _menu(self, at: QPoint) -> None:
        index = self.tabs.tabAt(at)
        if index < 0:
            return
        key, menu = self.tabs.tabText(index), QMenu(self)
        menu.addAction("Rename…", lambda: self.rename(key))
        menu.addAction("Put first", lambda: self.put_first(key)).setEnabled(index > 0)
        menu.addAction("Remove", lambda: self.remove(key)).setEnabled(self.tabs.count() > 1)
        menu.popup(self.tabs.mapToGlobal(at))
