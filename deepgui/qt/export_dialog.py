"""Taking the network home: what to export, whose weights, where to, and the proof that it came out right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QLabel,
    QLineEdit,
    QProgressBar,
    QRadioButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from deepgui.graph.edits import identifier
from deepgui.qt import icons, style
from deepgui.qt.dashboard.worker import Broken, Worker
from deepgui.qt.session import Session
from deepgui.qt.theme import GRID
from deepgui.qt.widgets import button, column, label, row, scrolled

if TYPE_CHECKING:
    from deepgui.exporters.export import ExportResult
    from deepgui.qt.dashboard.controller import RunController

MOST_RUNS = 8


@dataclass(frozen=True)
class Format:
    """One way out. ``suffix`` empty means a folder."""

    id: str
    title: str
    text: str
    suffix: str


FORMATS = (
    Format(
        "python", "PyTorch source", "A folder with the module, a training and an inference script, and weights.", ""
    ),
    Format(
        "weights", "Weights", "The state dict as safetensors or .pt, for the source or your own code.", ".safetensors"
    ),
    Format("onnx", "ONNX", "For onnxruntime, browsers, phones and other languages; any batch size.", ".onnx"),
    Format("torch", "torch.export program", "One .pt2 file that torch.export.load runs without the source.", ".pt2"),
)


class ExportDialog(QDialog):
    """Three pages: what and where, work under way, the result."""

    def __init__(self, session: Session, controller: RunController | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("export_dialog")
        self.setWindowTitle("Export")
        self.setMinimumWidth(600)
        self._session, self._controller = session, controller
        self._worker = Worker(self)
        self._choices: dict[str, QRadioButton] = {}
        self._own_path = False
        self.weights = QComboBox()
        self.path = QLineEdit()
        self.result: ExportResult | None = None
        self._pages = QStackedLayout(self)
        self._pages.addWidget(self._ask_page())
        self._pages.addWidget(self._busy_page())
        self._done = QVBoxLayout()
        self._done.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 2 * GRID)
        self._done.setSpacing(2 * GRID)
        done = QWidget()
        done.setLayout(self._done)
        self._pages.addWidget(done)
        self._fill_weights()
        self._choices["python"].setChecked(True)
        self._suggest()

    # -- pages

    def _ask_page(self) -> QWidget:
        page = QWidget()
        layout = column(label("Take the network home", "heading"), margin=3 * GRID, gap=2 * GRID)
        for form in FORMATS:
            layout.addLayout(self._choice(form))
        self.weights.setObjectName("export_weights")
        self.weights.setAccessibleName("Weights")
        self.path.setObjectName("export_path")
        self.path.setAccessibleName("Where to")
        self.path.textEdited.connect(self._note_own_path)
        browse = button("Choose …", "export_browse")
        browse.clicked.connect(self._browse)
        layout.addLayout(column(label("Weights", "strong"), self.weights, gap=4))
        where = row(self.path, browse)
        where.setStretch(0, 1)
        layout.addLayout(column(label("Where to", "strong"), where, gap=4))
        self._complaint = label("", "error", wrap=True)
        self._complaint.setObjectName("export_error")
        self._complaint.hide()
        layout.addWidget(self._complaint)
        export = button("Export", "export_start", role="primary")
        export.setDefault(True)
        export.clicked.connect(self._start)
        cancel = button("Cancel", "export_cancel")
        cancel.clicked.connect(self.reject)
        buttons = row(cancel, export)
        buttons.insertStretch(0)
        layout.addStretch()
        layout.addLayout(buttons)
        page.setLayout(layout)
        return page

    def _choice(self, form: Format) -> QVBoxLayout:
        choice = QRadioButton(form.title)
        choice.setObjectName(f"export_{form.id}")
        choice.setAccessibleDescription(form.text)
        choice.toggled.connect(lambda on: self._suggest() if on else None)
        self._choices[form.id] = choice
        text = label(form.text, "muted", wrap=True)
        text.setContentsMargins(26, 0, 0, 0)
        return column(choice, text, gap=2)

    def _busy_page(self) -> QWidget:
        page = QWidget()
        bar = QProgressBar()
        bar.setRange(0, 0)
        bar.setTextVisible(False)
        layout = column(
            label("Exporting", "heading"),
            label("The files are written, loaded again, and compared with the network before they count.", wrap=True),
            bar,
            margin=3 * GRID,
            gap=2 * GRID,
        )
        layout.addStretch()
        page.setLayout(layout)
        return page

    def _show_result(self, result: ExportResult) -> None:
        self.result = result
        mark = QLabel()
        mark.setPixmap(icons.icon("check-circle-fill", "success").pixmap(QSize(28, 28)))
        head = row(mark, label("Exported", "heading"), gap=GRID)
        head.addStretch()
        self._done.addLayout(head)
        proof = (
            f"Loaded again with {result.checked_with}: the largest difference from the network is "
            f"{result.max_difference:.1e}."
        )
        self._done.addWidget(label(proof, wrap=True))
        if result.fresh:
            self._done.addWidget(
                label("These weights are fresh: the network has not been trained.", "warning", wrap=True)
            )
        names = QWidget()
        lines = column(*(label(str(p), "mono", wrap=True, selectable=True) for p in result.paths), margin=12, gap=6)
        lines.addStretch()
        names.setLayout(lines)
        names.setObjectName("export_files")
        self._done.addWidget(scrolled(names), 1)
        folder = result.paths[0].parent if result.paths else Path.cwd()
        show = button("Open folder", "export_open_folder", icon="folder-open")
        show.clicked.connect(lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))))
        close = button("Done", "export_done", role="primary")
        close.clicked.connect(self.accept)
        buttons = row(show, close)
        buttons.insertStretch(0)
        self._done.addLayout(buttons)
        close.setDefault(True)
        close.setFocus()
        self._pages.setCurrentIndex(2)

    # -- what to export

    @property
    def format(self) -> Format:
        return next(form for form in FORMATS if self._choices[form.id].isChecked())

    def choose(self, id: str) -> None:
        """Choose a format by its id."""
        self._choices[id].setChecked(True)

    def _fill_weights(self) -> None:
        for folder, text in self._runs().items():
            self.weights.addItem(text, folder)
        self.weights.addItem("Fresh weights, not trained", "")
        self.weights.setCurrentIndex(0)

    def _runs(self) -> Mapping[str, str]:
        """Folders of runs whose weights can be taken, the latest first, with what to call them."""
        found: dict[str, str] = {}
        current = self._controller
        if current is not None and current.started is not None and current.started.run:
            what = "the training under way" if current.active else "the last training"
            found[current.started.run] = f"From {what} ({Path(current.started.run).name})"
        path = self._session.document.path
        if path is None or not self._session.ready:
            return found
        from deepgui.training.store import RunStore, default_root

        for info in RunStore(default_root(path)).list()[:MOST_RUNS]:
            if info.best_checkpoint or info.last_checkpoint:
                found.setdefault(str(info.folder), f"From the run {info.folder.name}")
        return found

    def _suggest(self) -> None:
        if self._own_path:
            return
        document = self._session.document
        folder = document.path.parent if document.path else Path.home()
        self.path.setText(str(folder / f"{identifier(document.project.name)}{self.format.suffix}"))

    def _note_own_path(self) -> None:
        self._own_path = True

    def _browse(self) -> None:
        suffix = self.format.suffix
        start = self.path.text()
        if suffix:
            chosen, _ = QFileDialog.getSaveFileName(self, "Export to", start, f"*{suffix};;All files (*)")
        else:
            chosen = QFileDialog.getExistingDirectory(self, "Export into a folder", str(Path(start).parent))
        if chosen:
            self._own_path = True
            self.path.setText(chosen)

    # -- doing it

    def _start(self) -> None:
        target = self.path.text().strip()
        if not target:
            self._complain("Say where to export to.")
            return
        if not self._session.ready:
            self._complain("PyTorch is still being loaded; this takes a few seconds.")
            return
        project, form, run = self._session.project, self.format.id, self.weights.currentData() or None
        out = Path(target).expanduser()

        def work() -> Any:
            from deepgui import api

            return api.export(project, form, out, run=run)

        self._complaint.hide()
        self._pages.setCurrentIndex(1)
        self._worker.submit("export", work, self._finish)

    def _finish(self, result: ExportResult | Broken) -> None:
        if isinstance(result, Broken):
            self._pages.setCurrentIndex(0)
            self._complain(" ".join(str(result.error).split()) or type(result.error).__name__)
        else:
            self._show_result(result)

    def _complain(self, sentence: str) -> None:
        style.set_role(self._complaint, "error")
        self._complaint.setText(sentence)
        self._complaint.show()

    def done(self, code: int) -> None:
        """Closing waits for files being written: half an export is not left behind."""
        self.setCursor(Qt.CursorShape.WaitCursor)
        self._worker.close(60.0)
        super().done(code)
