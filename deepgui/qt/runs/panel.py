"""The panel of runs: a table, and beside it curves, differences, and all about one of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog, QMenu, QSplitter, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from deepgui.project import atomic
from deepgui.qt import theme
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.dashboard.sight import SeenPanel
from deepgui.qt.dashboard.worker import Broken, Worker
from deepgui.qt.files import Files
from deepgui.qt.runs import picture
from deepgui.qt.runs.about import AboutPage
from deepgui.qt.runs.curves import CurvesPage
from deepgui.qt.runs.differences import DifferencesPage
from deepgui.qt.runs.model import RunsModel, short_name
from deepgui.qt.runs.shelf import Shelf
from deepgui.qt.runs.table import RunsTable
from deepgui.qt.session import Session
from deepgui.qt.theme import GRID
from deepgui.qt.widgets import Elided, Note, button, column, row
from deepgui.training import tensorboard
from deepgui.training.compare import compare
from deepgui.training.spreadsheet import write_csv
from deepgui.training.store import RunError, RunInfo, RunStore

CURVES, DIFFERENCES, ABOUT = range(3)
_EMPTY = "Train the network with Ctrl+Enter: every training is kept here, with its drawing, curves and weights."
_GOES_ON = frozenset(("stopped", "interrupted", "failed"))


class RunsPanel(SeenPanel):
    """The content of the dock.

    Signals:
        training_asked: the training panel should come to the front.
        told(sentence): something for the status bar.
    """

    training_asked = Signal()
    told = Signal(str)

    def __init__(self, session: Session, controller: RunController, files: Files) -> None:
        super().__init__()
        self.setObjectName("runs_panel")
        self.setAccessibleName("Runs")
        self.session, self.controller, self.files = session, controller, files
        self.shelf = Shelf(session, controller)
        self.rows = RunsModel()
        self.table = RunsTable(self.rows)
        self.curves = CurvesPage(self.shelf)
        self.differences = DifferencesPage(self.rows.color)
        self.about = AboutPage()
        self.ask_path: Callable[[str, str, str], Path | None] = self._ask_path
        self._worker = Worker(self)
        self._shown = False
        self._wanted: Path | None = None
        self._lay_out()
        self._connect()
        self._follow()

    # -- parts

    def _lay_out(self) -> None:
        left = column(self._bar(), self.table, gap=0)
        right = column(self._tabs(), self._build_pages(), gap=0)
        halves = []
        for layout in (left, right):
            layout.setStretch(1, 1)
            half = QWidget()
            half.setLayout(layout)
            halves.append(half)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setObjectName("runs_split")
        self.split.setChildrenCollapsible(False)
        self.split.setHandleWidth(1)
        for half, share in zip(halves, (5, 4), strict=True):
            self.split.addWidget(half)
            self.split.setStretchFactor(self.split.count() - 1, share)
        self.split.setSizes([500, 400])
        self.empty = Note("chart-line", "No runs yet", _EMPTY)
        self.empty.setObjectName("runs_empty")
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.split)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)

    def _bar(self) -> QWidget:
        self.open_button = button("Open drawing", "runs_open", role="quiet", icon="folder-open")
        self.open_button.setToolTip("Open the project as it was when this run began, as an untitled copy")
        self.continue_button = button("Go on", "runs_continue", role="quiet", icon="play")
        self.continue_button.setToolTip("Train this run further from its last checkpoint")
        self.export_button = button("Export", "runs_export", role="quiet", icon="export")
        self.export_button.setToolTip("Curves as a table or a picture, and for TensorBoard")
        self.export_button.setMenu(self._export_menu())
        self.delete_button = button("", "runs_delete", role="quiet", icon="trash", tip="Delete the chosen runs (Del)")
        self.count = Elided("", "caption")
        self.count.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        line = row(self.open_button, self.continue_button, self.export_button, self.delete_button, self.count, gap=2)
        line.setStretch(4, 1)
        line.setContentsMargins(GRID // 2, 3, GRID, 3)
        bar = QWidget()
        bar.setLayout(line)
        return bar

    def _export_menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setObjectName("runs_export_menu")
        self.exports: dict[str, QAction] = {}
        for id, text, does in (
            ("csv", "Curves as a table (CSV) …", self.export_csv),
            ("picture", "Plot as a picture (PNG, SVG) …", self.export_picture),
            ("tensorboard", "Files for TensorBoard …", self.export_tensorboard),
        ):
            action = menu.addAction(text)
            action.setObjectName(f"runs_export_{id}")
            action.triggered.connect(lambda _=False, does=does: does())
            self.exports[id] = action
        menu.addSeparator()
        self.live_log = menu.addAction("TensorBoard files while training")
        self.live_log.setObjectName("runs_live_tensorboard")
        self.live_log.setToolTip("Written into the run's folder; look with: tensorboard --logdir")
        self.live_log.setCheckable(True)
        self.live_log.toggled.connect(self._log_live)
        return menu

    def _log_live(self, on: bool) -> None:
        self.controller.tensorboard = on

    def _tabs(self) -> QWidget:
        self.tabs = QTabBar()
        self.tabs.setObjectName("runs_tabs")
        self.tabs.setAccessibleName("What is shown of the chosen runs")
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        for title in ("Curves", "Differences", "About"):
            self.tabs.addTab(title)
        return self.tabs

    def _build_pages(self) -> QWidget:
        self.pages = QStackedWidget()
        for page in (self.curves, self.differences, self.about):
            self.pages.addWidget(page)
        self.pages.setContentsMargins(GRID, GRID // 2, GRID, GRID // 2)
        self.pages.setMinimumWidth(260)
        return self.pages

    def _connect(self) -> None:
        self.sight.changed.connect(self.shelf.watch)
        self.shelf.changed.connect(self._fill)
        self.table.chosen_changed.connect(self._follow)
        self.table.deletion_asked.connect(self.delete)
        self.table.menu_asked.connect(self._show_menu)
        self.tabs.currentChanged.connect(self._turn_to)
        self.open_button.clicked.connect(self.open_drawing)
        self.continue_button.clicked.connect(self.go_on)
        self.delete_button.clicked.connect(self.delete)
        self.rows.remarked.connect(self._remark)
        self.about.noted.connect(lambda folder, text: self._remark(folder, "note", text))
        self.controller.state_changed.connect(lambda state: self._enable())
        self.controller.closing.connect(self._worker.close)
        self.session.document_replaced.connect(self._start_over)
        theme.current().changed.connect(lambda: self.rows.show(self.rows.runs))

    # -- what is shown

    @property
    def chosen(self) -> tuple[RunInfo, ...]:
        """The chosen runs, the oldest first."""
        return self.table.chosen()

    def _start_over(self) -> None:
        self._shown = False

    def _fill(self) -> None:
        """The shelf has changed."""
        if self.table.editing:
            return  # what is being written stays; the next look comes soon
        runs = self.shelf.runs
        self._stack.setCurrentIndex(1 if runs else 0)
        known = {run.folder for run in self.rows.runs}
        fresh = [run for run in runs if run.folder not in known]
        if self.rows.show(runs) or not self._shown:
            self.table.fit_columns()
        if runs and (not self._shown or (fresh and fresh[0].status == "running" and len(self.chosen) <= 1)):
            self._shown = True
            self.table.choose([self._wanted if self._wanted in {run.folder for run in runs} else runs[0].folder])
            self._wanted = None
        self.count.setText(f"{len(runs)} runs" if len(runs) != 1 else "1 run")
        self._follow()

    def _follow(self) -> None:
        """Show what is chosen."""
        chosen = self.chosen
        self.shelf.choose([run.folder for run in chosen])
        self.curves.show_runs([(run.folder, short_name(run), self.rows.color(run.folder)) for run in chosen])
        self.about.show_run(chosen[-1] if len(chosen) == 1 else None)
        self._compare()
        self._enable()

    def _turn_to(self, page: int) -> None:
        self.pages.setCurrentIndex(page)
        self._compare()

    def _compare(self) -> None:
        """Find out what differs, if anybody looks."""
        chosen = self.chosen
        if self.tabs.currentIndex() != DIFFERENCES:
            return
        if len(chosen) < 2:
            self.differences.say()
            return

        def then(found: Any) -> None:
            if isinstance(found, Broken):
                self.differences.say(str(found.error))
            elif [run.folder for run in self.chosen] == [run.folder for run in found.runs]:
                self.differences.show_comparison(found)

        self._worker.submit("compare", lambda: compare(chosen), then)

    def _enable(self) -> None:
        chosen = self.chosen
        one = chosen[0] if len(chosen) == 1 else None
        self.open_button.setEnabled(one is not None)
        left = one is not None and one.status in _GOES_ON and one.last_checkpoint is not None
        self.continue_button.setEnabled(left and not self.controller.active)
        self.delete_button.setEnabled(bool(chosen) and all(run.status != "running" for run in chosen))
        self.exports["tensorboard"].setEnabled(one is not None)
        for id in ("csv", "picture"):
            self.exports[id].setEnabled(bool(chosen))

    def _show_menu(self, place: QPoint) -> None:
        menu = QMenu(self)
        menu.setObjectName("runs_menu")
        for source in (self.open_button, self.continue_button):
            action = menu.addAction(source.icon(), source.text(), source.click)
            action.setEnabled(source.isEnabled())
        menu.addSeparator()
        menu.addActions(list(self.exports.values()))
        menu.addSeparator()
        delete = menu.addAction(self.delete_button.icon(), "Delete …", self.delete)
        delete.setEnabled(self.delete_button.isEnabled())
        menu.exec(place)

    # -- what a person asks for

    def open_drawing(self) -> None:
        """Open the project of the chosen run as it was."""
        chosen = self.chosen
        if len(chosen) == 1 and self.files.open_run(chosen[0].folder):
            self._wanted = chosen[0].folder
            self.shelf.stay_with(chosen[0].folder.parent)

    def go_on(self) -> None:
        """Train the chosen run further."""
        chosen = self.chosen
        if len(chosen) == 1:
            self.training_asked.emit()
            self.controller.start(resume=chosen[0].folder)

    def delete(self) -> None:
        """Delete the chosen runs, if the person is sure."""
        chosen = self.chosen
        if not self.delete_button.isEnabled() or not self.files.dialogs.delete_runs([short_name(r) for r in chosen]):
            return
        try:
            for run in chosen:
                RunStore(run.folder.parent).delete(run.folder.name)
        except (RunError, OSError) as error:
            self.files.dialogs.complain(_sentence(error))
        self.shelf.look()

    def _remark(self, folder: Path, remark: str, text: str) -> None:
        value = tuple(text.split(",")) if remark == "tags" else text
        try:
            RunStore(folder.parent).describe(folder.name, **{remark: value})
        except (RunError, OSError) as error:
            self.files.dialogs.complain(_sentence(error))
        self.shelf.look()

    # -- taking out

    def export_csv(self) -> None:
        """Write the curves that are drawn as a table."""
        path = self.ask_path("Export curves", f"{self.curves.metric or 'curves'}.csv", "Tables (*.csv)")
        if path is not None:
            self._write(path, lambda: write_csv(self.curves.curves(), path))

    def export_picture(self) -> None:
        """Write the plot as it is."""
        self.tabs.setCurrentIndex(CURVES)
        path = self.ask_path("Export the plot", f"{self.curves.metric or 'curves'}.png", "Pictures (*.png *.svg)")
        if path is not None:
            self._write(path, lambda: picture.save(self.curves, path))

    def export_tensorboard(self) -> None:
        """Write a run's curves as TensorBoard's event files."""
        chosen = self.chosen
        folder = self.ask_path("A folder for TensorBoard's files", "", "") if len(chosen) == 1 else None
        if folder is not None:
            self._worker.submit(
                "tensorboard",
                lambda: tensorboard.export(chosen[0].folder, folder / chosen[0].folder.name),
                lambda found: self._say_written(found, f"Written; look with: tensorboard --logdir {folder}"),
            )

    def _write(self, path: Path, write: Callable[[], object]) -> None:
        try:
            write()
        except OSError as error:
            self._say_written(Broken(error), "")
        else:
            self._say_written(None, f"Exported {path.name}")

    def _say_written(self, found: Any, sentence: str) -> None:
        if isinstance(found, Broken):
            self.files.dialogs.complain(_sentence(found.error))
        else:
            self.told.emit(sentence)

    def _ask_path(self, title: str, name: str, kinds: str) -> Path | None:
        path = self.session.document.path
        start = path.parent if path is not None else Path.home()
        if not kinds:
            chosen = QFileDialog.getExistingDirectory(self, title, str(start))
        else:
            chosen, _ = QFileDialog.getSaveFileName(self, title, str(start / name), kinds)
        return Path(chosen) if chosen else None


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, RunError) else f"That did not work: {atomic.reason(error)}."
