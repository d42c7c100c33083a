"""Which classes are taken for which: the confusion matrix of the validation split."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from deepgui.probes.pictures import Confusion, Watch
from deepgui.qt import style
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.probes.dock import ProbeDock
from deepgui.qt.probes.surface import Surface
from deepgui.qt.session import Session
from deepgui.qt.theme import GRID, theme
from deepgui.qt.widgets import Elided, row

WATCH = Watch(view="confusion")
LEAST_CELL_FOR_TEXT = 10
LARGEST = 20.0
"""A cell so large gets the largest letters."""
AXIS = 16
"""Pixels for the words along an axis."""


class Matrix(Surface):
    """Paints a matrix: rows are true classes, columns predicted ones, and a last column the share of right answers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data: Confusion | None = None
        self._hover: tuple[int, int] | None = None

    def show_matrix(self, picture: Confusion) -> None:
        self._data = picture
        self.update()

    def _geometry(self) -> tuple[QRectF, float]:
        """The square of cells, and the side of one."""
        assert self._data is not None
        metrics, count = QFontMetrics(self._font(LARGEST)), len(self._data.classes)
        left = self._beside() + AXIS
        share = metrics.horizontalAdvance("100 %") + 12
        above = AXIS + QFontMetrics(self._font(20)).height() + 2
        room = min(self.width() - left - share, self.height() - above - 2)
        cell = max(2.0, room / count)
        cell = float(int(cell)) if cell > 6 else cell
        offset = max(0.0, (self.width() - left - share - cell * count) / 2)
        return QRectF(left + offset, above, cell * count, cell * count), cell

    def _font(self, cell: float) -> QFont:
        """One that fits into a cell."""
        return style.font(int(min(13, max(8, cell * 0.72))))

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._data is None:
            return
        painter = QPainter(self)
        frame, cell = self._geometry()
        painter.setFont(self._font(cell))
        self._paint_cells(painter, frame, cell)
        self._paint_axes(painter, frame)
        if cell >= LEAST_CELL_FOR_TEXT:
            self._paint_names(painter, frame, cell)
        if self._hover is not None:
            painter.setPen(QPen(theme().color("text"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self._cell(frame, cell, *self._hover))

    def _paint_axes(self, painter: QPainter, frame: QRectF) -> None:
        """What rows and columns are."""
        painter.save()
        painter.setFont(style.font(11))
        painter.setPen(theme().color("muted"))
        middle = Qt.AlignmentFlag.AlignCenter
        painter.drawText(QRectF(frame.left() - 40, 0, frame.width() + 80, AXIS), middle, "predicted")
        painter.translate(max(0.0, frame.left() - self._beside()) - AXIS, frame.center().y())
        painter.rotate(-90)
        painter.drawText(QRectF(-40, 0, 80, AXIS), middle, "true")
        painter.restore()

    def _beside(self) -> float:
        """Pixels for the names of the classes left of the cells."""
        assert self._data is not None
        metrics = QFontMetrics(self._font(LARGEST))  # the size of the cells is not known yet
        return float(min(max(metrics.horizontalAdvance(n) for n in self._data.classes) + 12, self.width() * 0.3))

    def _cell(self, frame: QRectF, cell: float, true: int, said: int) -> QRectF:
        return QRectF(frame.left() + said * cell, frame.top() + true * cell, cell, cell).adjusted(0.5, 0.5, -0.5, -0.5)

    def _paint_cells(self, painter: QPainter, frame: QRectF, cell: float) -> None:
        assert self._data is not None
        tokens, matrix = theme(), self._data.matrix
        shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        base = tokens.color("raised")
        right, wrong = tokens.color("train"), tokens.color("validation")
        texts = cell >= LEAST_CELL_FOR_TEXT
        for true in range(len(matrix)):
            for said in range(len(matrix)):
                share = float(shares[true, said])
                color = _mixed(base, right if true == said else wrong, share**0.6 if share else 0.0)
                rect = self._cell(frame, cell, true, said)
                painter.fillRect(rect, color)
                if texts and matrix[true, said]:
                    painter.setPen(_readable(color))
                    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, str(matrix[true, said]))

    def _paint_names(self, painter: QPainter, frame: QRectF, cell: float) -> None:
        assert self._data is not None
        tokens, metrics = theme(), painter.fontMetrics()
        painter.setPen(tokens.color("muted"))
        for index, name in enumerate(self._data.classes):
            top = frame.top() + index * cell
            text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(self._beside() - 6))
            beside = QRectF(frame.left() - self._beside(), top, self._beside() - 6, cell)
            painter.drawText(beside, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
            text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(cell))
            above = QRectF(frame.left() + index * cell, AXIS, cell, frame.top() - AXIS - 2)
            painter.drawText(above, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom, text)
            share = self._data.recall[index]
            if np.isfinite(share):
                after = QRectF(frame.right() + 6, top, self.width() - frame.right() - 6, cell)
                painter.drawText(after, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, f"{share:.0%}")

    def cell_at(self, place: QPointF) -> tuple[int, int] | None:
        """True and predicted class under a point."""
        if self._data is None:
            return None
        frame, cell = self._geometry()
        if not frame.contains(place):
            return None
        count = len(self._data.classes)
        true, said = int((place.y() - frame.top()) / cell), int((place.x() - frame.left()) / cell)
        return (true, said) if true < count and said < count else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self.cell_at(event.position())
        if found != self._hover:
            self._hover = found
            self.update()
            self.hovered.emit(self.words(*found) if found else "")

    def words(self, true: int, said: int) -> str:
        """What a cell means, as a sentence."""
        assert self._data is not None
        count, whole = int(self._data.matrix[true, said]), int(self._data.matrix[true].sum())
        a, b = self._data.classes[true], self._data.classes[said]
        how = "are recognised" if true == said else f"are taken for {b}"
        return f"{count} of {whole} examples of {a} {how} ({count / max(1, whole):.0%})"

    def forget_hover(self) -> None:
        self._hover = None


def _mixed(a: QColor, b: QColor, share: float) -> QColor:
    mix = [x + (y - x) * share for x, y in zip(a.getRgb()[:3], b.getRgb()[:3], strict=True)]
    return QColor(*(round(v) for v in mix))


def _readable(background: QColor) -> QColor:
    r, g, b, _ = background.getRgbF()
    return QColor("#101318") if 0.299 * r + 0.587 * g + 0.114 * b > 0.5 else QColor("#f4f6fa")


class ConfusionDock(ProbeDock):
    """The matrix with its accuracy; counted at most once a second while training."""

    title = "Confusion matrix"
    icon = "grid-nine"
    empty_text = "Train a network that tells classes apart to see which ones it mixes up."

    def __init__(self, session: Session, controller: RunController, parent: QWidget | None = None) -> None:
        super().__init__(session, controller, parent)
        self.setObjectName("confusion_matrix")
        self._drawn: Confusion | None = None
        self.head = Elided("", "strong")
        self.matrix = Matrix()
        self.matrix.hovered.connect(self._hover)
        line = row(self.head, self.caption, gap=2 * GRID)  # beside each other: the matrix needs every pixel of height
        line.setStretch(0, 1)
        line.setStretch(1, 1)
        self.caption.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.body.addLayout(line)
        self.body.addWidget(self.matrix, 1)

    def wanted(self) -> Collection[Watch]:
        return (WATCH,)

    def forget_drawn(self) -> None:
        self._drawn = None

    def draw(self) -> bool:
        picture = self.board.latest(WATCH)
        if not isinstance(picture, Confusion):
            return False
        if picture is not self._drawn:
            self._drawn = picture
            part = "" if picture.examples == picture.total else f" of the first {picture.examples:,}"
            self.head.setText(f"{picture.accuracy:.1%} right{part}")
            self.matrix.show_matrix(picture)
            self._hover("")
        return True

    def _hover(self, text: str) -> None:
        if self._drawn is not None:
            self.caption.setText(text or f"{self._drawn.total:,} validation examples · step {self._drawn.step:,}")
