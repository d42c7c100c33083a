"""The head of a plot: what is drawn in which colour, and its latest values."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from deepgui.qt import theme


class Legend(QWidget):
    """The head of a plot: its title, and each curve's colour, name and latest value."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ""
        self._entries: tuple[tuple[str, str, str], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(120, self.fontMetrics().height() + 6)

    def minimumSizeHint(self) -> QSize:
        return QSize(56, self.sizeHint().height())

    def show_values(self, title: str, entries: tuple[tuple[str, str, str], ...]) -> None:
        """``entries``: (theme token, name, value as text)."""
        if (title, entries) != (self._title, self._entries):
            self._title, self._entries = title, entries
            self.setAccessibleName(title + ": " + ", ".join(f"{name} {value}" for _, name, value in entries))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors = QPainter(self), theme.theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        base, bold = painter.font(), painter.font()
        bold.setBold(True)
        wide, strong = QFontMetricsF(base).horizontalAdvance, QFontMetricsF(bold).horizontalAdvance
        x, middle = 2.0, self.height() / 2
        if self._title:
            x = self._text(painter, bold, colors.color("text"), x, self._title) + 12
        widths = [27 + strong(value) for _, _, value in self._entries]
        needed = sum(widths)
        named = x + needed + sum(5 + wide(name) for _, name, _ in self._entries) <= self.width() + 14
        for place, (token, name, value) in enumerate(self._entries):
            rest = f"+{len(self._entries) - place}"
            if x + sum(widths[place:]) > self.width() + 14 and x + widths[place] + wide(rest) > self.width():
                self._text(painter, base, colors.color("muted"), x, rest)
                break
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colors.color(token))
            painter.drawEllipse(QPointF(x + 4, middle), 4, 4)
            x += 13
            if named:
                x = self._text(painter, base, colors.color("muted"), x, name) + 5
            x = self._text(painter, bold, colors.color("text"), x, value) + 14

    def _text(self, painter: QPainter, font: QFont, color: QColor, x: float, text: str) -> float:
        painter.setFont(font)
        painter.setPen(color)
        width = QFontMetricsF(font).horizontalAdvance(text)
        align = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        painter.drawText(QRectF(x, 0, width + 4, self.height()), align, text)
        return x + width
