"""The strip above the canvas: which project, undo and redo, the device, training, theme."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QSizePolicy, QToolBar, QWidget

from deepgui.qt import icons, theme
from deepgui.qt.actions import Actions
from deepgui.qt.session import Session
from deepgui.qt.widgets import Elided, action_button, label

NAME_WIDTH = 232


class ToolBar(QToolBar):
    """Mostly buttons for actions; it shows the project's name and the device itself."""

    def __init__(self, session: Session, actions: Actions) -> None:
        super().__init__("Tools")
        self.setObjectName("toolbar")
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.setIconSize(QSize(18, 18))
        self._session, self._actions = session, actions
        self.name = Elided("", "strong", width=NAME_WIDTH)
        self.name.setObjectName("project_title")
        self.device = label("", "chip")
        self.device.setObjectName("device_chip")
        self.device.setAccessibleName("Device")
        self.addWidget(self.name)
        self._add("start", "save")
        self.addSeparator()
        self._add("undo", "redo")
        self.addSeparator()
        self._add("add", "fit", "layout", "find")
        self.addWidget(self._stretch())
        self.addWidget(self.device)
        self.addSeparator()
        self._add("train", "pause", "step", "stop")
        self.addSeparator()
        self._add("export", "theme")
        self.device.setToolTip("Where training runs; change it in the settings of the training panel")
        session.changed.connect(lambda before, after: self.refresh())
        session.document_replaced.connect(self.refresh)
        theme.current().changed.connect(self._on_theme)
        self._on_theme()
        self.show_device("")
        self.refresh()

    def _add(self, *ids: str) -> None:
        for id in ids:
            self.addWidget(action_button(self._actions[id]))

    def _stretch(self) -> QWidget:
        space = QWidget()
        space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        return space

    def refresh(self) -> None:
        """Show the project's name, with a dot while there are unsaved changes."""
        document = self._session.document
        self.name.setText(f"{document.project.name}{'  •' if document.dirty else ''}")

    def show_device(self, name: str) -> None:
        """Show where training runs; empty while it is not known."""
        self.device.setText(name)
        self.device.setVisible(bool(name))
        for action in self.actions():
            if self.widgetForAction(action) is self.device:
                action.setVisible(bool(name))

    def _on_theme(self) -> None:
        self._actions["theme"].setIcon(icons.icon("sun" if theme.theme().name == "dark" else "moon"))
