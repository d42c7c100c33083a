"""What an Input is fed with: a field of the data, or one that the objective makes."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QWidget

from deepgui.graph.values import Node
from deepgui.project.values import Project
from deepgui.qt.inspector.row import LABEL_WIDTH
from deepgui.qt.session import Session
from deepgui.qt.widgets import Elided, row


class FeedingSection(QWidget):
    """One row of the page of an Input; hidden while it is not known what there is."""

    def __init__(self, session: Session, node: Node) -> None:
        super().__init__()
        self._session, self._node = session, node.id
        self.fields = QComboBox()
        self.fields.setObjectName("fed_with")
        self.fields.setAccessibleName("Is fed with")
        self.fields.setToolTip("The field of the data that this Input gets; by itself the next one in order.")
        self.fields.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.fields.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.fields.activated.connect(lambda index: self.choose(self.fields.itemData(index)))
        line = row(Elided("fed with", "parameter", width=LABEL_WIDTH), self.fields)
        line.setContentsMargins(0, 0, 0, 0)
        line.setStretch(1, 1)
        self.setLayout(line)
        session.offer_changed.connect(self.refresh)

    def refresh(self) -> None:
        """Show what is so at the moment."""
        offer = self._session.offer
        self.setVisible(offer is not None and not self._session.levels)
        if offer is None:
            return
        said = self._session.project.data.inputs.get(offer.prefix + self._node, "")
        now = offer.bound.get(self._node, "")
        with QSignalBlocker(self.fields):
            self.fields.clear()
            self.fields.addItem(f"in order: {now}" if now and not said else "in order", "")
            for name, kind in offer.fields.items():
                self.fields.addItem(name, name)
                self.fields.setItemData(self.fields.count() - 1, kind, Qt.ItemDataRole.ToolTipRole)
            if said and said not in offer.fields:
                self.fields.addItem(f"{said} (not there)", said)
            self.fields.setCurrentIndex(max(0, self.fields.findData(said)))

    def choose(self, name: str) -> None:
        """Feed this field; an empty name: the next one in order."""
        offer = self._session.offer
        if offer is None:
            return
        node = offer.prefix + self._node

        def change(project: Project) -> Project:
            others = {own: field for own, field in project.data.inputs.items() if own != node}
            inputs = {**others, node: name} if name else others
            return replace(project, data=replace(project.data, inputs=inputs))

        self._session.edit_project("Choose what an Input gets", change)
