"""What happened: events of runs and messages of DeepGUI's own log, with the time."""

from __future__ import annotations

import logging
import time
from typing import NamedTuple

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from deepgui.qt import style, theme
from deepgui.qt.widgets import button, column, label, row

MOST_LINES = 2000


class Line(NamedTuple):
    """One entry. ``severity``: ``info``, ``warning`` or ``error``; ``when`` in seconds since 1970."""

    when: float
    severity: str
    text: str


class _Bridge(QObject):
    """Brings log records from any thread into the GUI thread."""

    came = Signal(object)


class _Handler(logging.Handler):
    """Gives log records to a bridge."""

    def __init__(self, bridge: _Bridge) -> None:
        super().__init__(logging.INFO)
        self._bridge = bridge

    def emit(self, record: logging.LogRecord) -> None:
        severity = "error" if record.levelno >= logging.ERROR else "warning"
        severity = severity if record.levelno >= logging.WARNING else "info"
        try:
            self._bridge.came.emit(Line(record.created, severity, record.getMessage()))
        except RuntimeError:  # the window is gone, another thread still speaks
            return


class LogPanel(QWidget):
    """Read-only lines, the newest at the bottom."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("log")
        self.setAccessibleName("Log")
        self.setProperty("role", "panel")
        self._lines: list[Line] = []
        self.text = QPlainTextEdit()
        self.text.setObjectName("log_text")
        self.text.setAccessibleName("Log messages")
        self.text.setReadOnly(True)
        self.text.setProperty("role", "code")
        self.text.setFont(style.mono(12))
        self.text.setMaximumBlockCount(MOST_LINES)
        self.text.setPlaceholderText("What happens during training, and what goes wrong, is noted here.")
        clear = button("Clear", "clear_log", role="quiet", icon="trash")
        clear.clicked.connect(self.clear)
        bar = row(label("Events", "muted"), clear)
        bar.setStretch(0, 1)
        bar.setContentsMargins(12, 4, 8, 4)
        layout = column(gap=0)
        layout.addLayout(bar)
        layout.addWidget(self.text, 1)
        self.setLayout(layout)
        self._bridge = _Bridge(self)
        self._bridge.came.connect(self.add, Qt.ConnectionType.QueuedConnection)
        self._handler = _Handler(self._bridge)
        logging.getLogger("deepgui").addHandler(self._handler)
        theme.current().changed.connect(self._repaint)

    def note(self, severity: str, text: str, node: str = "") -> None:
        """An event of a run; ``node`` is the layer it speaks of."""
        self.add(Line(time.time(), severity, f"{text}  ({node})" if node else text))

    def add(self, line: Line) -> None:
        """Write a line."""
        self._lines = [*self._lines[-MOST_LINES + 1 :], line]
        self._write(line)

    def clear(self) -> None:
        self._lines = []
        self.text.clear()

    def detach(self) -> None:
        """Listen to the log no more; for closing the window."""
        logging.getLogger("deepgui").removeHandler(self._handler)

    def _write(self, line: Line) -> None:
        at_end = self.text.verticalScrollBar().value() >= self.text.verticalScrollBar().maximum() - 2
        cursor = QTextCursor(self.text.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        if not self.text.document().isEmpty():
            cursor.insertBlock()
        clock = time.strftime("%H:%M:%S", time.localtime(line.when))
        cursor.insertText(f"{clock}  ", _ink("muted"))
        cursor.insertText(line.text, _ink({"warning": "warning", "error": "error"}.get(line.severity, "text")))
        if at_end:
            self.text.verticalScrollBar().setValue(self.text.verticalScrollBar().maximum())

    def _repaint(self) -> None:
        self.text.clear()
        for line in self._lines:
            self._write(line)


def _ink(token: str) -> QTextCharFormat:
    made = QTextCharFormat()
    made.setForeground(theme.theme().color(token))
    return made
