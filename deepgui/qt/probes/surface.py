"""What all widgets that paint a picture share: they take the room there is and say what is under the pointer."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QWidget


class Surface(QWidget):
    """A widget to paint on. ``hovered(text)`` says what is under the pointer; an empty text: nothing."""

    hovered = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setMinimumSize(80, 60)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def leaveEvent(self, event: object) -> None:
        self.forget_hover()
        self.hovered.emit("")
        self.update()

    def forget_hover(self) -> None:
        """The pointer is gone: nothing is stressed any more."""
