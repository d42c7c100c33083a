"""Bars for classes and histograms for columns, painted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from deepgui.qt import style
from deepgui.qt.theme import GRID, theme

if TYPE_CHECKING:
    from deepgui.data.preview import SplitFacts
    from deepgui.data.preview_columns import ColumnFacts

SPLIT_COLORS = {"train": "train", "validation": "validation", "test": "test"}
_LINE = 30
_NAME, _COUNT = 168, 76


class ClassBars(QWidget):
    """How often each class occurs: a row a class, a bar a split, all bars on one scale."""

    def __init__(self, splits: Sequence[SplitFacts]) -> None:
        super().__init__()
        self._splits = [s for s in splits if s.classes and any(s.classes.values())]
        self._names = list(self._splits[0].classes) if self._splits else []
        self._name_width = 0
        self._most = max((max(s.classes.values()) for s in self._splits), default=1) or 1
        self.setMinimumHeight(_LINE * (len(self._names) + 1))
        self.setMinimumWidth(_NAME + _COUNT * len(self._splits) + 120)
        words = ", ".join(f"{name} {self._splits[0].classes[name]:,}" for name in self._names[:20])
        self.setAccessibleName(f"Classes in {self._splits[0].name}: {words}" if self._splits else "")

    def sizeHint(self) -> QSize:
        return QSize(640, _LINE * (len(self._names) + 1))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._head(painter)
        painter.setFont(style.font(12))
        widest = max((painter.fontMetrics().horizontalAdvance(name) for name in self._names), default=0)
        self._name_width = min(_NAME, widest + 2 * GRID)
        first = max(0, event.rect().top() // _LINE - 1)
        for index in range(first, min(len(self._names), event.rect().bottom() // _LINE + 1)):
            self._row(painter, (index + 1) * _LINE, self._names[index])

    def _columns(self) -> int:
        """Where the numbers begin."""
        return self.width() - _COUNT * len(self._splits)

    def _head(self, painter: QPainter) -> None:
        painter.setFont(style.font(11, bold=True))
        for i, split in enumerate(self._splits):
            place = QRect(self._columns() + i * _COUNT, 0, _COUNT - GRID, _LINE)
            painter.setPen(theme().color(SPLIT_COLORS.get(split.name, "muted")))
            painter.drawText(place, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), split.name)

    def _row(self, painter: QPainter, top: int, name: str) -> None:
        painter.setPen(theme().color("text"))
        painter.setFont(style.font(12))
        shown = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, self._name_width - GRID)
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(QRect(0, top, self._name_width, _LINE), middle, shown)
        room = self._columns() - self._name_width - GRID
        thick = (_LINE - 9) / max(1, len(self._splits))
        for i, split in enumerate(self._splits):
            count = split.classes.get(name, 0)
            long = room * count / self._most
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme().color(SPLIT_COLORS.get(split.name, "muted")))
            bar = QRectF(self._name_width, top + 5 + i * thick, max(long, 1.5 if count else 0), thick - 1)
            painter.drawRoundedRect(bar, 2, 2)
            painter.setFont(style.mono())
            painter.setPen(theme().color("text" if count else "error"))
            place = QRect(self._columns() + i * _COUNT, top, _COUNT - GRID, _LINE)
            painter.drawText(place, int(Qt.AlignmentFlag.AlignRight) | middle, f"{count:,}")


class BalanceStrip(QWidget):
    """The classes of the training examples as one thin bar in pieces."""

    def __init__(self) -> None:
        super().__init__()
        self._classes: list[tuple[str, int]] = []
        self.setFixedHeight(GRID)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_classes(self, classes: Mapping[str, int]) -> None:
        self._classes = [(name, count) for name, count in classes.items() if count]
        self.setVisible(len(self._classes) > 1)
        self.setAccessibleName("Class balance: " + ", ".join(f"{n} {c:,}" for n, c in self._classes[:20]))
        self.update()

    def _pieces(self) -> list[tuple[QRectF, str, int]]:
        total, left, found = sum(c for _, c in self._classes) or 1, 0.0, []
        for name, count in self._classes:
            wide = self.width() * count / total
            found.append((QRectF(left, 0, max(wide - 1, 1), self.height()), name, count))
            left += wide
        return found

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        for index, (place, _, _) in enumerate(self._pieces()):
            color = theme().color("train")
            color.setAlphaF(1.0 if index % 2 == 0 else 0.62)
            painter.setBrush(color)
            painter.drawRoundedRect(place, 2, 2)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            found = next((p for p in self._pieces() if p[0].contains(event.pos().toPointF())), None)
            QToolTip.showText(event.globalPos(), f"{found[1]}: {found[2]:,}" if found else "", self)
            return True
        return super().event(event)


class Histogram(QWidget):
    """The distribution of a column: bars for numbers, the most frequent categories for others."""

    def __init__(self, column: ColumnFacts, height: int = 26, *, numbered: bool = False) -> None:
        super().__init__()
        self._column = column
        self._below = 20 if numbered and column.kind == "number" else 0  # room for the ends of the range
        self.setMinimumSize(96, height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(height)
        self.setToolTip(_words(column))
        self.setAccessibleName(_words(column).replace("\n", ", "))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().color("train"))
        category = self._column.kind == "category"
        counts = [count for _, count in self._column.frequent] if category else list(self._column.counts)
        if not counts or not max(counts):
            return
        wide, floor = self.width() / max(len(counts), 6 if category else 1), self.height() - self._below
        for index, count in enumerate(counts):
            tall = (floor - 2) * count / max(counts)
            tall = max(tall, 1.0) if count else 0.0
            gap = 2.0 if category else 1.0
            painter.drawRect(QRectF(index * wide, floor - tall, max(1.0, wide - gap), tall))
        painter.setBrush(theme().color("border"))
        painter.drawRect(QRectF(0, floor - 1, self.width(), 1))
        if self._below:
            self._numbers(painter, QRect(0, floor, self.width(), self._below))

    def _numbers(self, painter: QPainter, place: QRect) -> None:
        painter.setPen(theme().color("muted"))
        painter.setFont(style.font(11))
        column = self._column
        ends = {Qt.AlignmentFlag.AlignLeft: column.low, Qt.AlignmentFlag.AlignRight: column.high}
        for side, value in {**ends, Qt.AlignmentFlag.AlignHCenter: (column.low + column.high) / 2}.items():
            painter.drawText(place, int(side | Qt.AlignmentFlag.AlignVCenter), f"{value:.4g}")


def _words(column: ColumnFacts) -> str:
    if column.kind == "category":
        return "\n".join(f"{name}: {count:,}" for name, count in column.frequent)
    return f"from {column.low:.6g} to {column.high:.6g}\nmean {column.mean:.6g}, deviation {column.deviation:.6g}"
