"""Rename a node where it stands."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget


class RenameEdit(QLineEdit):
    """A line over a node's name. Enter or leaving it renames, Esc does not."""

    def __init__(self, parent: QWidget, done: Callable[[str, str], None]) -> None:
        super().__init__(parent)
        self.setObjectName("rename_edit")
        self.setAccessibleName("Name of the layer")
        self._done = done
        self._node = ""
        self.installEventFilter(self)
        self.hide()

    def begin(self, node: str, name: str, at: QRect) -> None:
        """Open over a rectangle of the parent with the name selected."""
        self._node = node
        self.setText(name)
        room = self.parentWidget().rect()
        place = QRect(at.topLeft(), at.size().expandedTo(self.minimumSizeHint()))
        place.moveLeft(max(0, min(place.left(), room.width() - place.width())))
        place.moveTop(max(0, min(place.top(), room.height() - place.height())))
        self.setGeometry(place)
        self.show()
        self.raise_()
        self.selectAll()
        self.setFocus()

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
