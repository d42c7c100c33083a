"""The page shown when no layer is selected: the network in figures, its data, and notes."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QGridLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from deepgui.qt.inspector.data_section import DataSection
from deepgui.qt.session import Session
from deepgui.qt.widgets import Elided, Fold, label


class ProjectPage(QWidget):
    """What belongs to the project as a whole."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self._session = session
        self.name = QLineEdit()
        self.name.setObjectName("project_name")
        self.name.setAccessibleName("Name of the project")
        self.name.setProperty("role", "name")
        self.name.editingFinished.connect(self._rename)
        self.notes = QPlainTextEdit()
        self.notes.setObjectName("project_notes")
        self.notes.setAccessibleName("Notes")
        self.notes.setPlaceholderText("What is this network for? What did you try?")
        self.notes.setProperty("role", "field")
        self.notes.setMinimumHeight(96)
        self.notes.setTabChangesFocus(True)
        self.notes.textChanged.connect(self._note)
        self.data = DataSection(session)
        self._figures = {
            key: Elided("–", "mono") for key in ("layers", "wires", "parameters", "multiply-adds", "problems")
        }
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 8, 8, 16)
        layout.setSpacing(12)
        layout.addWidget(self.name)
        layout.addWidget(Fold("NETWORK", "fold_network", self._figure_grid()))
        layout.addWidget(Fold("DATA", "fold_data", self.data))
        layout.addWidget(Fold("NOTES", "fold_notes", self.notes))
        layout.addStretch()
        self.refresh()

    def _figure_grid(self) -> QWidget:
        content = QWidget()
        grid = QGridLayout(content)
        grid.setContentsMargins(4, 0, 0, 0)
        grid.setVerticalSpacing(4)
        grid.setHorizontalSpacing(12)
        places = {"layers": (0, 0), "wires": (0, 2), "parameters": (1, 0), "problems": (1, 2), "multiply-adds": (2, 0)}
        for key, (line, across) in places.items():
            value = self._figures[key]
            value.setObjectName(f"figure_{key.replace('-', '_')}")
            grid.addWidget(label(key, "muted"), line, across)
            grid.addWidget(value, line, across + 1, 1, 3 if key == "multiply-adds" else 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        return content

    def refresh(self) -> None:
        """Show the project of the moment."""
        project, network, report = self._session.project, self._session.main, self._session.whole
        figures = {"layers": f"{len(network.nodes):,}", "wires": f"{len(network.wires):,}"}
        figures["parameters"] = f"{report.parameters:,}" if report else "–"
        figures["multiply-adds"] = f"{report.multiply_adds:,} per example" if report else "–"
        figures["problems"] = f"{len(report.problems):,}" if report else "–"
        for key, text in figures.items():
            self._figures[key].setText(text)
        if not self.name.hasFocus():
            self.name.setText(project.name)
        if self.notes.toPlainText() != project.notes:
            with QSignalBlocker(self.notes):
                self.notes.setPlainText(project.notes)
        self.data.refresh()

    def _note(self) -> None:
        text = self.notes.toPlainText()
        self._session.edit_project("Write notes", lambda p: p if p.notes == text else replace(p, notes=text), "notes")

    def _rename(self) -> None:
        text = self.name.text().strip() or self._session.project.name
        self._session.edit_project("Rename project", lambda p: p if p.name == text else replace(p, name=text))
        self.name.setText(self._session.project.name)
