"""Everything about one run, and room for a note on it."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QWidget

from deepgui.qt import theme
from deepgui.qt.runs.model import STATES, how_long, short_name, when
from deepgui.qt.theme import GRID
from deepgui.qt.widgets import column, label, scrolled
from deepgui.training.store import RunInfo

NONE = "Choose one run in the table to read and write about it."
_SHOWN = ("optimizer", "batch_size", "epochs", "seed")


class Note(QPlainTextEdit):
    """A few lines of text, written for good when the focus leaves."""

    written = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("runs_note")
        self.setAccessibleName("Note on the run")
        self.setProperty("role", "field")
        self.setPlaceholderText("What was tried here, and what came of it …")
        self.setTabChangesFocus(True)
        self._kept = ""

    def sizeHint(self) -> QSize:
        return QSize(200, 64)

    def show_note(self, text: str) -> None:
        """Show what is written, unless somebody is just writing."""
        if text != self._kept or not self.hasFocus():
            self._kept = text
            if text != self.toPlainText():
                self.setPlainText(text)

    def keep(self) -> None:
        """Hand on what was written."""
        if self.toPlainText().strip() != self._kept.strip():
            self._kept = self.toPlainText()
            self.written.emit(self._kept)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.keep()


class AboutPage(QWidget):
    """Facts above, the note below.

    Signals:
        noted(folder, text): somebody wrote a note.
    """

    noted = Signal(object, str)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("runs_about")
        self._run: RunInfo | None = None
        self.facts = QLabel()
        self.facts.setObjectName("runs_facts")
        self.facts.setTextFormat(Qt.TextFormat.RichText)
        self.facts.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.facts.setWordWrap(True)
        self.facts.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.note = Note()
        self.note.setMinimumHeight(56)
        self.note.written.connect(self._write)
        self._note_title = label("Note", "section")
        inside = QWidget()
        inside.setProperty("role", "panel")
        inside.setLayout(column(self.facts, self._note_title, self.note, margin=GRID, gap=GRID // 2))
        inside.layout().setStretch(2, 1)
        self.setLayout(column(scrolled(inside)))
        theme.current().changed.connect(self._paint)
        self._paint()

    def show_run(self, run: RunInfo | None) -> None:
        """Show a run, or that one has to be chosen."""
        if self._run is not None and (run is None or run.folder != self._run.folder):
            self.note.keep()
        self._run = run
        self.note.show_note(run.remarks.note if run is not None else "")
        self._paint()

    def _write(self, text: str) -> None:
        if self._run is not None:
            self.noted.emit(self._run.folder, text)

    def _paint(self) -> None:
        run, colors = self._run, theme.theme().tokens
        for part in (self.note, self._note_title):
            part.setVisible(run is not None)
        if run is None:
            self.facts.setText(f'<span style="color:{colors["muted"]}">{NONE}</span>')
            return
        word, _, token = STATES.get(run.status, (run.status, "", "muted"))
        training = run.config.get("training", {})
        settings = ", ".join(f"{name.replace('_', ' ')} {training[name]}" for name in _SHOWN if name in training)
        lines = [
            f'<b>{escape(short_name(run))}</b> &nbsp;<span style="color:{colors[token]}">{word}</span>',
            f"{when(run.started)} · {run.steps:,} steps in {how_long(run.seconds)}"
            + (f" on {escape(run.device)}" if run.device else ""),
            escape(settings),
        ]
        if run.message:
            lines.insert(1, f'<span style="color:{colors["error"]}">{escape(run.message)}</span>')
        lines.append(f'<span style="color:{colors["muted"]}">{escape(str(run.folder))}</span>')
        self.facts.setText("<br>".join(line for line in lines if line))
