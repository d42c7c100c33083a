"""The whole drawing in a corner, with the part in view; click or drag in it to go there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPixmap, QTransform
from PySide6.QtWidgets import QWidget

from deepgui.qt.canvas.style import style

if TYPE_CHECKING:
    from deepgui.qt.canvas.view import CanvasView

SIZE = QSize(176, 112)
_EDGE = 8.0
_ROOM = QSize(520, 320)
"""A smaller view has no room for a map."""


class Minimap(QWidget):
    """Its picture of the nodes is kept until they change; only the frame of the view moves over it."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__(view)
        self._view = view
        self._picture: QPixmap | None = None
        self._bounds = view.mirror.bounds()
        self._held = False
        self.setObjectName("minimap")
        self.setAccessibleName("Map of the network")
        self.setFixedSize(SIZE)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def place(self) -> None:
        """Sit in the view's lower right corner, if there is room and something that is not in view anyway."""
        room = self._view.viewport().geometry()
        self.move(room.right() - self.width() - 11, room.bottom() - self.height() - 11)
        fits = room.width() >= _ROOM.width() and room.height() >= _ROOM.height()
        self.setVisible(self._held or (fits and not self._view.visible_rect().contains(self._bounds)))

    def covered(self) -> QRect:
        """The part of the view that it hides, in pixels; empty while it is not shown."""
        return self.geometry() if self.isVisible() else QRect()

    def forget(self) -> None:
        """The drawing changed."""
        self._picture = None
        self._bounds = self._view.mirror.bounds()
        self.update()

    def _map(self) -> QTransform:
        """From the scene to the widget."""
        bounds = self._bounds
        space = QRectF(self.rect()).adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)
        scale = min(space.width() / max(bounds.width(), 1.0), space.height() / max(bounds.height(), 1.0), 0.2)
        away = space.center() - bounds.center() * scale
        return QTransform(scale, 0, 0, scale, away.x(), away.y())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._picture is None:
            self._picture = self._drawn()
        painter.drawPixmap(0, 0, self._picture)
        self._paint_seen(painter)
        painter.end()

    def _paint_seen(self, painter: QPainter) -> None:
        """The part of the drawing that is in view."""
        seen = self._map().mapRect(self._view.visible_rect())
        tint = QColor(style().color("accent"))
        tint.setAlpha(28)
        painter.setPen(style().pen("accent", 1))
        painter.setBrush(tint)
        painter.drawRoundedRect(seen.intersected(QRectF(self.rect()).adjusted(2, 2, -2, -2)), 3, 3)

    def _drawn(self) -> QPixmap:
        colors = style()
        ratio = self.devicePixelRatioF()
        picture = QPixmap(self.size() * ratio)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        back = QColor(colors.color("panel"))
        back.setAlpha(230)
        painter.setPen(colors.pen("border", 1))
        painter.setBrush(back)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        painter.setTransform(self._map(), True)
        painter.setPen(Qt.PenStyle.NoPen)
        for token, rects in self._view.batch().rects.items():
            painter.setBrush(colors.color(token))
            painter.drawRects(rects)
        painter.end()
        return picture

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._held = True
        self._go(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held = False
        self.place()

    def _go(self, at: QPointF) -> None:
        back, possible = self._map().inverted()
        if possible:
            self._view.look_at(back.map(at))
