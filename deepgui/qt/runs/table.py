"""The table of runs: sorted by a click on a heading, edited in place, several rows chosen at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QTableView

from deepgui.qt.runs.model import RunsModel
from deepgui.training.store import RunInfo

ROW_HEIGHT = 26
WIDEST = 220
_PADDING = 4


class RunsTable(QTableView):
    """The table. What is chosen stays chosen while runs come, go and are sorted.

    Signals:
        chosen_changed: other runs are chosen.
        deletion_asked: Delete was pressed.
        menu_asked(place): a menu is wanted at this place of the screen.
    """

    chosen_changed = Signal()
    deletion_asked = Signal()
    menu_asked = Signal(QPoint)

    def __init__(self, model: RunsModel) -> None:
        super().__init__()
        self.setObjectName("runs_table")
        self.setAccessibleName("Runs")
        self.rows = model
        self._quiet = False
        self._widths: dict[str, int] = {}
        self._kept: tuple[Path, ...] = ()
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setAlternatingRowColors(False)
        self.setTabKeyNavigation(False)
        self.setIconSize(QSize(14, 14))
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setStretchLastSection(True)
        head.setMinimumSectionSize(48)
        head.setSortIndicator(*model.order)
        self.setSortingEnabled(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(lambda at: self.menu_asked.emit(self.viewport().mapToGlobal(at)))
        model.modelAboutToBeReset.connect(self._remember)
        model.modelReset.connect(self._recall)

    @property
    def editing(self) -> bool:
        """Somebody is writing into a cell."""
        return self.state() == QAbstractItemView.State.EditingState

    def chosen(self) -> tuple[RunInfo, ...]:
        """The chosen runs, the oldest first."""
        rows = {index.row() for index in self.selectionModel().selectedIndexes()}
        return tuple(sorted((self.rows.run_at(row) for row in rows), key=lambda run: run.started))

    def choose(self, folders: Sequence[Path]) -> None:
        """Choose these runs and no others."""
        selection, model = QItemSelection(), self.rows
        last = model.columnCount() - 1
        for row in (row for folder in folders if (row := model.row_of(folder)) is not None):
            selection.select(model.index(row, 0), model.index(row, last))
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        if not self._quiet:
            self.chosen_changed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and not self.editing:
            self.deletion_asked.emit()
        else:
            super().keyPressEvent(event)

    def fit_columns(self) -> None:
        """Make every column as wide as what is in it, up to a limit; one that was dragged keeps its width."""
        head = self.horizontalHeader()
        for column, heading in enumerate(self.rows.headings):
            wide = max(self.sizeHintForColumn(column), head.sectionSizeHint(column)) + _PADDING
            now = self.columnWidth(column)
            if self._widths.get(heading.name, now) == now or heading.name not in self._widths:
                head.resizeSection(column, min(wide, WIDEST))
                self._widths[heading.name] = min(wide, WIDEST)

    def _remember(self) -> None:
        self._kept = tuple(run.folder for run in self.chosen())
        self._quiet = True

    def _recall(self) -> None:
        head = self.horizontalHeader()
        head.blockSignals(True)  # the rows are sorted so already; only their column has moved
        head.setSortIndicator(*self.rows.order)
        head.blockSignals(False)
        self.choose(self._kept)
        self._quiet = False
        if tuple(run.folder for run in self.chosen()) != self._kept:
            self.chosen_changed.emit()
