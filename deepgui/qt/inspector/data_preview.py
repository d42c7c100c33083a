"""The data in a window of its own: examples, classes, columns, and what should make one suspicious."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLabel, QTabWidget, QVBoxLayout, QWidget

from deepgui.qt import icons
from deepgui.qt.inspector.data_bars import ClassBars, Histogram
from deepgui.qt.inspector.data_columns import ColumnsPage
from deepgui.qt.inspector.data_examples import ExamplesPage
from deepgui.qt.theme import GRID
from deepgui.qt.widgets import Elided, Note, button, clear, column, label, scrolled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deepgui.data.csv_roles import ColumnUse
    from deepgui.data.preview import Preview
    from deepgui.data.preview_remarks import Remark

SIZE = QSize(880, 600)


class DataPreview(QDialog):
    """Not modal: it follows the project's data as long as it is open.

    Signals:
        role_chosen(column, role): see :class:`ColumnsPage`.
    """

    role_chosen = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("data_preview")
        self.setWindowTitle("Data")
        self.resize(SIZE)
        self.setMinimumSize(560, 400)
        self._title = label("", "heading")
        self._line = Elided("", "muted")
        self._complaint = label("", "error", wrap=True, selectable=True)
        self._complaint.setObjectName("data_preview_error")
        self.tabs = QTabWidget()
        self.tabs.setObjectName("data_preview_tabs")
        self.tabs.setDocumentMode(True)
        self.examples, self.columns = ExamplesPage(), ColumnsPage()
        self.columns.role_chosen.connect(self.role_chosen)
        self._classes, self._warnings = _page(), _page()
        for page, title in (
            (self.examples, "Examples"),
            (self._classes, "Classes"),
            (self.columns, "Columns"),
            (self._warnings, "Warnings"),
        ):
            self.tabs.addTab(page, title)
        head = column(self._title, self._line, self._complaint, margin=2 * GRID, gap=4)
        layout = column(head, gap=0)
        layout.addWidget(self.tabs, 1)
        self._nothing = Note("warning", "There is nothing to see", "The data cannot be read as it is chosen.")
        layout.addWidget(self._nothing, 1)
        self.setLayout(layout)
        self._nothing.hide()
        self._complaint.hide()

    def say(self, text: str) -> None:
        """A line below the title: how far reading is."""
        self._line.setText(text)

    def show_preview(self, title: str, preview: Preview) -> None:
        """Show what was found in the data."""
        from deepgui.data.preview import summary

        self._title.setText(title)
        self._line.setText(summary(preview))
        self._complaint.hide()
        self._show_tabs(True)
        self.examples.show_preview(preview)
        self.columns.show_columns(preview.columns, preview.uses)
        self._show_classes(preview)
        self._show_warnings(preview.remarks, preview.notes, bool(preview.uses))
        for page in (self.examples, self._classes, self._warnings):
            self.tabs.setTabEnabled(self.tabs.indexOf(page), True)
        self.tabs.setTabEnabled(self.tabs.indexOf(self.columns), bool(preview.columns))
        count = len(preview.remarks)
        self.tabs.setTabText(self.tabs.indexOf(self._warnings), f"Warnings  {count}" if count else "Warnings")

    def show_trouble(self, title: str, sentence: str, uses: Sequence[ColumnUse]) -> None:
        """The data cannot be read as it is told; of a text table the columns and their roles are shown all the same."""
        self._title.setText(title)
        self._line.setText("")
        self._complaint.setText(sentence)
        self._complaint.show()
        self.columns.show_columns((), uses)
        self._show_tabs(bool(uses))
        for page in (self.examples, self._classes, self._warnings):
            self.tabs.setTabEnabled(self.tabs.indexOf(page), False)
        self.tabs.setTabEnabled(self.tabs.indexOf(self.columns), True)
        self.tabs.setTabText(self.tabs.indexOf(self._warnings), "Warnings")
        self.tabs.setCurrentWidget(self.columns)

    def _show_tabs(self, on: bool) -> None:
        self.tabs.setVisible(on)
        self._nothing.setVisible(not on)

    def _show_classes(self, preview: Preview) -> None:
        body = self._classes.layout()
        assert body is not None
        clear(body)
        number = next((c for c in preview.columns if c.field == preview.target.name), None)
        if any(any(s.classes.values()) for s in preview.splits):
            bars = QWidget()
            bars.setLayout(
                column(
                    label(f"{preview.target.name}, {preview.counted} of each class", "muted"),
                    ClassBars(preview.splits),
                    margin=2 * GRID,
                )
            )
            bars.layout().addStretch()
            body.addWidget(scrolled(bars))
        elif number is not None and number.counts:
            text = f"{number.name} is a number between {number.low:.4g} and {number.high:.4g}; mean {number.mean:.4g}"
            chart = QWidget()
            chart.setLayout(column(label(text, "muted"), Histogram(number, 240, numbered=True), margin=2 * GRID))
            chart.layout().addStretch()
            body.addWidget(chart)
        else:
            body.addWidget(Note("squares-four", "No classes", f"{preview.target.name} has none."))

    def _show_warnings(self, remarks: Sequence[Remark], notes: Sequence[str], roles: bool) -> None:
        body = self._warnings.layout()
        assert body is not None
        clear(body)
        content = QWidget()
        lines = QVBoxLayout(content)
        lines.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        lines.setSpacing(GRID)
        for remark in remarks:
            lines.addWidget(self._card(remark.text, "warning", remark.column if roles else ""))
        if not remarks:
            lines.addWidget(self._card("Nothing suspicious was found.", "check-circle", ""))
        for note in notes:
            lines.addWidget(self._card(f"{note[:1].upper()}{note[1:]}.", "info", ""))
        lines.addStretch()
        body.addWidget(scrolled(content))

    def _card(self, text: str, icon: str, name: str) -> QFrame:
        """A sentence with its icon; with a button where leaving out a column helps."""
        made = QFrame()
        made.setProperty("role", "card")
        line = QHBoxLayout(made)
        line.setContentsMargins(12, 10, 12, 10)
        line.setSpacing(12)
        mark = QLabel()
        token = {"warning": "warning", "check-circle": "success"}.get(icon, "muted")
        mark.setPixmap(icons.icon(icon, token).pixmap(QSize(18, 18)))
        sentence = label(text[:1].upper() + text[1:], wrap=True, selectable=True)
        line.addWidget(mark, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(sentence, 1)
        if name:
            out = button("Ignore it", f"ignore_{name}", role="fix")
            out.setAccessibleName(f"Ignore the column {name}")
            out.clicked.connect(lambda: self.role_chosen.emit(name, "ignore"))
            line.addWidget(out, 0, Qt.AlignmentFlag.AlignTop)
        return made


def _page() -> QWidget:
    page = QWidget()
    page.setProperty("role", "panel")
    layout = QVBoxLayout(page)
    layout.setContentsMargins(0, 0, 0, 0)
    return page
