"""A small editor of Python: colours, spaces for tabs, and a new line that begins where the last one did."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QKeyEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit

from deepgui.qt import style, theme
from deepgui.qt.code_pane import PythonHighlighter

_INDENT = 4


class _Highlighter(PythonHighlighter):
    """Knows docstrings of several lines, which generated code does not have."""

    def highlightBlock(self, text: str) -> None:
        inside = self.previousBlockState() == 1
        odd = text.count('"""') % 2 == 1
        self.setCurrentBlockState(int(inside != odd))
        super().highlightBlock(text)
        start, end = text.find('"""'), len(text)
        if inside:
            start, end = 0, text.find('"""') + 3 if odd else end
        if inside or odd:
            self.setFormat(start, end - start, theme.theme().color("code_string"))


class PythonEdit(QPlainTextEdit):
    """Python source that can be edited."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("own_source")
        self.setAccessibleName("Python source of the layer")
        self.setProperty("role", "code")
        self.setFont(style.mono(13))
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTabStopDistance(_INDENT * self.fontMetrics().horizontalAdvance(" "))
        self._colors = _Highlighter(self.document())
        theme.current().changed.connect(self._colors.rehighlight)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.isReadOnly() or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().keyPressEvent(event)
        elif event.key() == Qt.Key.Key_Tab and not self.textCursor().hasSelection():
            self.insertPlainText(" " * (_INDENT - self.textCursor().positionInBlock() % _INDENT))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            line = self.textCursor().block().text()[: self.textCursor().positionInBlock()]
            deeper = _INDENT if line.rstrip().endswith(":") else 0
            self.insertPlainText("\n" + " " * (len(line) - len(line.lstrip()) + deeper))
        else:
            super().keyPressEvent(event)

    def mark(self, line: int) -> None:
        """Mark a line, counted from 1, as the one that is wrong; 0 marks none."""
        if not line:
            self.setExtraSelections([])
            return
        mark = QTextEdit.ExtraSelection()
        mark.format.setBackground(QColor(theme.theme().color("code_line")))
        mark.format.setProperty(QTextCharFormat.Property.FullWidthSelection, True)
        mark.cursor = QTextCursor(self.document().findBlockByNumber(line - 1))
        self.setExtraSelections([mark])
