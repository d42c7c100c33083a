"""The examples of a split: a grid of pictures, a table of rows, or a list of texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QHBoxLayout,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from deepgui.qt.inspector.data_tiles import CAPTION, Tile, drawable
from deepgui.qt.theme import GRID
from deepgui.qt.widgets import Flow, clear, label, scrolled

if TYPE_CHECKING:
    from deepgui.data.preview import Preview
    from deepgui.data.preview_examples import Example

SIDE = 104
_LONG = 60  # characters from which on a text takes the room that is left


class ExamplesPage(QWidget):
    """Switches between the splits."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._preview: Preview | None = None
        self._shown = "train"
        self._switch = QHBoxLayout()
        self._switch.setSpacing(4)
        self._group = QButtonGroup(self)
        self._body = QVBoxLayout()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, GRID)
        layout.setSpacing(GRID)
        layout.addLayout(self._switch)
        layout.addLayout(self._body, 1)

    def show_preview(self, preview: Preview) -> None:
        """Show the examples of the split that was in view, or of the first one."""
        self._preview = preview
        clear(self._switch)
        names = [s.name for s in preview.splits if s.examples]
        self._shown = self._shown if self._shown in names else next(iter(names), "")
        for split in preview.splits:
            if split.examples:
                choice = QToolButton()
                choice.setText(f"{split.name}  {split.examples:,}")
                choice.setObjectName(f"data_split_{split.name}")
                choice.setAccessibleName(f"Examples of {split.name}")
                choice.setCheckable(True)
                choice.setChecked(split.name == self._shown)
                choice.clicked.connect(lambda _=False, name=split.name: self._show_split(name))
                self._group.addButton(choice)
                self._switch.addWidget(choice)
        self._switch.addStretch()
        self._show_split(self._shown)

    def _show_split(self, name: str) -> None:
        self._shown = name
        clear(self._body)
        assert self._preview is not None
        found = [e for e in self._preview.examples if e.split == name]
        if any(map(drawable, found)):
            self._body.addWidget(_grid(found))
        elif found:
            self._body.addWidget(_table(found))
        else:
            self._body.addWidget(label("There are no examples in it.", "muted"))


def _grid(examples: Sequence[Example]) -> QWidget:
    content = QWidget()
    flow = Flow(SIDE, SIDE + CAPTION)
    content.setLayout(flow)
    for example in examples:
        flow.addWidget(Tile(example, QSize(SIDE, SIDE)))
    area = scrolled(content)
    area.setObjectName("data_examples")
    return area


def _table(examples: Sequence[Example]) -> QTableWidget:
    """A row an example: the cells of vectors with named columns, the words of everything else."""
    rows = [[("row", f"{e.row + 1:,}"), *_cells(e)] for e in examples]
    names = [name for name, _ in rows[0]]
    made = QTableWidget(len(rows), len(names))
    made.setObjectName("data_examples")
    made.setAccessibleName("Examples")
    made.setProperty("role", "spaced")
    made.setHorizontalHeaderLabels(names)
    made.verticalHeader().hide()
    made.setShowGrid(False)
    made.setWordWrap(True)
    made.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    made.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    for i, cells in enumerate(rows):
        for k, (_, text) in enumerate(cells):
            item = QTableWidgetItem(text or "–")
            item.setToolTip(text)
            made.setItem(i, k, item)
    made.resizeColumnsToContents()
    for k in range(len(names)):
        _set_side(made, k)
        made.setColumnWidth(k, made.columnWidth(k) + 2 * GRID)
    long = [k for k in range(len(names)) if any(len(cells[k][1]) > _LONG for cells in rows)]
    if long:
        made.horizontalHeader().setSectionResizeMode(long[0], QHeaderView.ResizeMode.Stretch)
        made.resizeRowsToContents()
    return made


def _set_side(table: QTableWidget, column: int) -> None:
    """Numbers stand at the right, words at the left, and so do their headings."""
    items = [table.item(line, column) for line in range(table.rowCount())]
    numeric = all(item.text().lstrip("-–")[:1].isdigit() for item in items if item.text() != "–")
    side = Qt.AlignmentFlag.AlignRight if numeric else Qt.AlignmentFlag.AlignLeft
    for item in (*items, table.horizontalHeaderItem(column)):
        item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)


def _cells(example: Example) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for sample in (s for s in example.samples if s.kind not in ("padding", "length")):
        found += sample.cells or ((sample.field, " ".join(sample.text.split())),)
    return found
