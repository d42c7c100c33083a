"""A matrix of numbers with names: who looks at whom."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from deepgui.qt import style
from deepgui.qt.probes import colors
from deepgui.qt.probes.surface import Surface
from deepgui.qt.theme import theme
from deepgui.training.objectives.previews import Matrix

LEAST_FOR_NAMES = 9.0


class MatrixView(Surface):
    """Cells coloured from low to high, as large as the room allows."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: Matrix | None = None
        self._hover: tuple[int, int] | None = None

    def show_matrix(self, shown: Matrix) -> None:
        self._shown = shown
        low, high = float(np.nanmin(shown.values)), float(np.nanmax(shown.values))
        lut, low, high = colors.table_for(low, high)
        self._pixels = np.ascontiguousarray(colors.colored(shown.values, low, high, lut))
        self._image = colors.image_over(self._pixels)
        self.update()

    def _geometry(self) -> tuple[QRectF, float, float]:
        """The cells, and the width and height of one."""
        assert self._shown is not None
        rows, columns = self._shown.values.shape
        metrics = QFontMetrics(style.font(11))
        left = min(max((metrics.horizontalAdvance(n) for n in self._shown.rows), default=0) + 10, self.width() * 0.3)
        above = metrics.height() + 4 if self._shown.columns else 0
        side = max(1.0, min((self.width() - left - 2) / columns, (self.height() - above - 2) / rows))
        wide = min(side * 2.5, (self.width() - left - 2) / columns)
        return QRectF(left, above, wide * columns, side * rows), wide, side

    def paintEvent(self, event: QPaintEvent) -> None:
        shown = self._shown
        if shown is None:
            return
        painter = QPainter(self)
        frame, wide, high = self._geometry()
        painter.drawImage(frame, self._image)
        painter.setFont(style.font(11))
        painter.setPen(theme().color("muted"))
        if high >= LEAST_FOR_NAMES:
            for index, name in enumerate(shown.rows):
                place = QRectF(0, frame.top() + index * high, frame.left() - 6, high)
                painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, name)
        if wide >= LEAST_FOR_NAMES:
            for index, name in enumerate(shown.columns):
                words = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, int(wide))
                painter.drawText(
                    QRectF(frame.left() + index * wide, 0, wide, frame.top()), Qt.AlignmentFlag.AlignCenter, words
                )
        if self._hover is not None:
            row, column = self._hover
            painter.setPen(QPen(theme().color("accent"), 2))
            painter.drawRect(QRectF(frame.left() + column * wide, frame.top() + row * high, wide, high))

    def _cell_at(self, place: QPointF) -> tuple[int, int] | None:
        assert self._shown is not None
        frame, wide, high = self._geometry()
        if not frame.contains(place):
            return None
        row, column = int((place.y() - frame.top()) / high), int((place.x() - frame.left()) / wide)
        rows, columns = self._shown.values.shape
        return (row, column) if row < rows and column < columns else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._shown is None:
            return
        found = self._cell_at(event.position())
        if found != self._hover:
            self._hover = found
            self.update()
            self.hovered.emit(self._words(*found) if found else "")

    def _words(self, row: int, column: int) -> str:
        assert self._shown is not None
        a = self._shown.rows[row] if row < len(self._shown.rows) else str(row)
        b = self._shown.columns[column] if column < len(self._shown.columns) else str(column)
        return f"{a!r} to {b!r}: {self._shown.values[row, column]:.3g}"

    def forget_hover(self) -> None:
        self._hover = None
