"""How likely each class is, as bars that move to where they belong."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEasingCurve, QRectF, Qt, QVariantAnimation
from PySide6.QtGui import QFontMetrics, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from deepgui.qt import style
from deepgui.qt.probes.surface import Surface
from deepgui.qt.theme import theme

ROW, TALLEST, GAP = 20, 34, 4
MOVE_MS = 140


class ChanceBars(Surface):
    """A row a class: its name, a bar, and the share in percent. Of more than fit, the likeliest, the best first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("try_bars")
        self.setAccessibleName("How likely each class is")
        self.names: tuple[str, ...] = ()
        self.chances: tuple[float, ...] = ()
        self.ranked = False
        self._from: dict[str, float] = {}
        self._now: dict[str, float] = {}
        self._hover = -1
        self._motion = QVariantAnimation(self)
        self._motion.setDuration(MOVE_MS)
        self._motion.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._motion.setStartValue(0.0)
        self._motion.setEndValue(1.0)
        self._motion.valueChanged.connect(self._move)

    def show_chances(self, names: Sequence[str], chances: Sequence[float], *, ranked: bool = False) -> None:
        """``ranked``: the order is that of the chances, and names come and go."""
        self.ranked = ranked
        changed = tuple(names) != self.names
        self.names, self.chances = tuple(names), tuple(chances)
        wanted = dict(zip(self.names, self.chances, strict=True))
        if changed or not self.isVisible():
            self._motion.stop()
            self._now = wanted
            self.update()
        elif wanted != self._now:
            self._from = dict(self._now)
            self._motion.stop()
            self._motion.start()

    def _move(self, share: float) -> None:
        wanted = dict(zip(self.names, self.chances, strict=True))
        self._now = {n: self._from.get(n, 0.0) + (v - self._from.get(n, 0.0)) * share for n, v in wanted.items()}
        self.update()

    def shown(self) -> list[int]:
        """The numbers of the classes that there is room for, from above."""
        room = max(1, (self.height() - 2) // ROW)
        every = range(len(self.names))
        if len(self.names) <= room and not self.ranked:
            return list(every)
        return sorted(every, key=lambda k: -self.chances[k])[:room]

    def _geometry(self) -> tuple[float, float, float]:
        """The height of a row, and the widths of the names and of the percentages."""
        rows = self.shown()
        metrics = QFontMetrics(style.font(12, bold=True))
        wide = max((metrics.horizontalAdvance(self._word(k)) for k in rows), default=0) + 10
        high = min(TALLEST, max(ROW, (self.height() - 2) / max(1, len(rows))))
        return high, min(wide, self.width() * 0.4), metrics.horizontalAdvance("100.0 %") + 8

    def _word(self, k: int) -> str:
        name = self.names[k]
        return ("space" if name == " " else repr(name)[1:-1]) if self.ranked else name

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.names:
            return
        painter, colors = QPainter(self), theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        high, left, right = self._geometry()
        best = max(range(len(self.chances)), key=self.chances.__getitem__)
        for place, k in enumerate(self.shown()):
            top, chance = 1 + place * high, self._now.get(self.names[k], 0.0)
            painter.setFont(style.font(12, bold=k == best))
            painter.setPen(colors.color("text" if k == best else "muted"))
            word = painter.fontMetrics().elidedText(self._word(k), Qt.TextElideMode.ElideRight, int(left) - 8)
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, top, left - 8, high), Qt.AlignmentFlag.AlignRight | middle, word)
            groove = QRectF(left, top + GAP, max(1.0, self.width() - left - right), high - 2 * GAP)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colors.color("hover" if k == self._hover else "raised"))
            painter.drawRoundedRect(groove, 3, 3)
            painter.setBrush(colors.color("accent" if k == best else "train"))
            painter.setOpacity(1.0 if k == best else 0.55)
            painter.drawRoundedRect(QRectF(groove.left(), groove.top(), groove.width() * chance, groove.height()), 3, 3)
            painter.setOpacity(1.0)
            painter.setPen(colors.color("text" if k == best else "muted"))
            said = QRectF(groove.right() + 6, top, right - 6, high)
            painter.drawText(said, Qt.AlignmentFlag.AlignLeft | middle, f"{chance:.1%}")

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place, rows = int((event.position().y() - 1) / self._geometry()[0]), self.shown()
        found = rows[place] if 0 <= place < len(rows) else -1
        if found != self._hover:
            self._hover = found
            self.hovered.emit(f"{self._word(found)}: {self.chances[found]:.3%}" if found >= 0 else "")
            self.update()

    def forget_hover(self) -> None:
        self._hover = -1
