"""A line of text to edit where it stands on a node: its name, the block's, how often it is repeated."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget


class RenameEdit(QLineEdit):
    """A line over a node. Enter or leaving it keeps what was typed, Esc does not."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("rename_edit")
        self._done: Callable[[str, str], None] = lambda node, text: None
        self._node = ""
        self.installEventFilter(self)
        self.hide()

    def begin(self, node: str, text: str, at: QRect, hint: str, done: Callable[[str, str], None]) -> None:
        """Open over a rectangle of the parent with the text selected; ``done(node, text)`` is called at the end."""
        self._close(keep=True)
        self._node, self._done = node, done
        self.setAccessibleName(hint)
        self.setToolTip(hint)
        self.setText(text)
        room = self.parentWidget().rect()
        place = QRect(at.topLeft(), at.size().expandedTo(self.minimumSizeHint()))
        place.moveLeft(max(0, min(place.left(), room.width() - place.width())))
        place.moveTop(max(0, min(place.top(), room.height() - place.height())))
        self.setGeometry(place)
        self.show()
        self.raise_()
        self.selectAll()
        self.setFocus()

    def drop(self) -> None:
        """Close without keeping anything."""
        self._close(keep=False)

    def _close(self, *, keep: bool) -> None:
        node, self._node = self._node, ""
        if not node:
            return
        self.hide()
        self.parentWidget().setFocus()
        if keep:
            self._done(node, self.text())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut:
            self._close(keep=True)
        elif isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Escape:
                self._close(keep=False)
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._close(keep=True)
                return True
        return False
