"""The PyTorch source of the drawing, which changes as one draws."""

from __future__ import annotations

import keyword
import re

from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QSyntaxHighlighter, QTextCharFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QApplication, QPlainTextEdit, QTextEdit, QWidget

from deepgui.graph.problems import NetworkError
from deepgui.project.values import named_main
from deepgui.qt import style, theme
from deepgui.qt.session import Session
from deepgui.qt.widgets import Elided, button, column, row

DELAY_MS = 120
_KEYWORDS = "|".join(keyword.kwlist)
_RULES = re.compile(
    r'(?P<string>"""(?:.|\n)*?"""|"[^"\n]*"|\'[^\'\n]*\')'
    r"|(?P<comment>#[^\n]*)"
    r"|(?P<self>\bself\b)"
    rf"|(?P<keyword>\b(?:{_KEYWORDS})\b)"
    r"|(?P<number>\b\d[\d_]*(?:\.\d*)?(?:[eE][+-]?\d+)?\b)"
    r"|(?P<name>(?<=\bclass )\w+|(?<=\bdef )\w+)"
)


class PythonHighlighter(QSyntaxHighlighter):
    """Colours Python by the theme's ``code_*`` tokens. One line at a time: generated docstrings have one line."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self.dimmed = False

    def highlightBlock(self, text: str) -> None:
        colors = theme.theme()
        if self.dimmed:
            self.setFormat(0, len(text), colors.color("disabled"))
            return
        for found in _RULES.finditer(text):
            form = QTextCharFormat()
            form.setForeground(colors.color(f"code_{found.lastgroup}"))
            self.setFormat(found.start(), found.end() - found.start(), form)


class CodePane(QWidget):
    """Read-only source with a copy button; the lines of the selected layers are marked.

    While the network has errors it shows the last code that was whole, dimmed, with the reason.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("code")
        self.setAccessibleName("PyTorch code")
        self.setProperty("role", "panel")
        self._session = session
        self._good = ""
        self._stale = True
        self.text = QPlainTextEdit()
        self.text.setObjectName("code_text")
        self.text.setAccessibleName("PyTorch source")
        self.text.setReadOnly(True)
        self.text.setProperty("role", "code")
        self.text.setFont(style.mono(12))
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setPlaceholderText("The PyTorch code of your network appears here.")
        self._colors = PythonHighlighter(self.text.document())
        self.status = Elided("", "muted")
        self.copy = button("Copy", "copy_code", role="quiet", icon="copy", tip="Copy the code to the clipboard")
        self.copy.clicked.connect(self._copy)
        bar = row(self.status, self.copy)
        bar.setContentsMargins(12, 4, 8, 4)
        bar.setStretch(0, 1)
        layout = column(gap=0)
        layout.addLayout(bar)
        layout.addWidget(self.text, 1)
        self.setLayout(layout)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self.refresh)
        session.report_changed.connect(lambda report: self._outdate())
        session.document_replaced.connect(self._forget)
        session.selection_changed.connect(self._mark_selection)
        theme.current().changed.connect(self._recolor)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)
        if self._stale:
            self._timer.start()

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def _outdate(self) -> None:
        """Code is written only while somebody looks, and not for every keystroke."""
        self._stale = True
        if self.isVisible():
            self._timer.start()

    def _forget(self) -> None:
        self._good = ""
        self._show("", "", dimmed=False)
        self._outdate()

    def refresh(self) -> None:
        """Write the code of the drawing as it is."""
        self._stale = False
        network, report = self._session.main, self._session.whole
        if report is None:
            self._show(self._good, "Getting PyTorch ready …", dimmed=True)
            return
        if not network.nodes:
            self._good = ""
            self._show("", "", dimmed=False)
            return
        from deepgui.compiler.source import to_python

        try:
            named = named_main(self._session.project) if network is self._session.project.main else network
            self._good = to_python(named, self._session.registry)
        except NetworkError as error:
            kept = "the last code that was whole" if self._good else "no code yet"
            self._show(self._good, f"{error}  ({kept})", dimmed=True)
            return
        lines = self._good.count("\n")
        self._show(self._good, f"{lines} lines of PyTorch, no DeepGUI inside", dimmed=False)

    def _show(self, code: str, status: str, *, dimmed: bool) -> None:
        self._colors.dimmed = dimmed
        self.status.setText(status)
        style.set_role(self.status, "warning" if dimmed and self._session.whole else "muted")
        self.copy.setEnabled(bool(code))
        if self.text.toPlainText() != code:
            across, down = self.text.horizontalScrollBar().value(), self.text.verticalScrollBar().value()
            self.text.setPlainText(code)
            self.text.horizontalScrollBar().setValue(across)
            self.text.verticalScrollBar().setValue(down)
        else:
            self._colors.rehighlight()
        self._mark_selection()

    def _recolor(self) -> None:
        self._colors.rehighlight()
        self._mark_selection()

    def _copy(self) -> None:
        QApplication.clipboard().setText(self.text.toPlainText())
        self.status.setText("Copied")

    def marked_lines(self) -> list[int]:
        """The numbers, from 0, of the lines that mention a selected layer."""
        network = self._session.network
        names = [re.escape(network.nodes[i].label) for i in self._session.selection if i in network.nodes]
        if not names:
            return []
        mention = re.compile(rf"\b(?:{'|'.join(names)})\b")
        return [n for n, line in enumerate(self.text.toPlainText().split("\n")) if mention.search(line)]

    def _mark_selection(self) -> None:
        marks, first = [], None
        for number in self.marked_lines():
            mark = QTextEdit.ExtraSelection()
            mark.format.setBackground(QColor(theme.theme().color("code_line")))
            mark.format.setProperty(QTextCharFormat.Property.FullWidthSelection, True)
            mark.cursor = QTextCursor(self.text.document().findBlockByNumber(number))
            first = first or QTextCursor(mark.cursor)
            marks.append(mark)
        self.text.setExtraSelections(marks)
        if first is not None and not self.text.hasFocus():
            self.text.setTextCursor(first)
