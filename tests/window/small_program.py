"""A small program with a window, on which the hands of :class:`desktop.Desktop` are tried."""

from __future__ import annotations

import sys

from PySide6.QtCore import Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget


class Pad(QLabel):
    """Says where a drag began and ended, and which keys were held."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._start = event.position().toPoint()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        way = event.position().toPoint() - self._start
        ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        self.setText(f"{way.x()} {way.y()} {ctrl}")


def main() -> int:
    app = QApplication(sys.argv)
    window, column = QWidget(), QVBoxLayout()
    button, line, pad = QPushButton("0"), QLineEdit(), Pad("drag here")
    for name, widget in (("button", button), ("line", line), ("pad", pad)):
        widget.setObjectName(name)
        column.addWidget(widget)
    button.clicked.connect(lambda: button.setText(str(int(button.text()) + 1)))
    pad.setMinimumHeight(300)
    window.setLayout(column)
    window.resize(500, 450)
    window.show()
    return app.exec()
