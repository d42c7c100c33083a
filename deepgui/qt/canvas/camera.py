"""Zoom and place of the view over the scene."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QGraphicsView

SMALLEST, LARGEST = 0.04, 3.0
_FIT_AT_MOST = 1.6
_USUAL_WIDTH = 1100.0
"""A wider view may show a small network larger than life."""
_MARGIN = 48.0
_PER_DEGREE = 1.0018
"""One notch of a mouse wheel (120 eighths of a degree) zooms by a quarter."""


class Camera:
    """Moves a view whose scene is large enough never to end; calls ``moved`` whenever it has."""

    def __init__(self, view: QGraphicsView, moved: Callable[[], None]) -> None:
        self._view = view
        self._moved = moved

    @property
    def zoom(self) -> float:
        return self._view.transform().m11()

    def scroll_by(self, dx: int, dy: int) -> None:
        """Move the view by pixels."""
        self._scroll(dx, dy)
        self._moved()

    def _scroll(self, dx: int, dy: int) -> None:
        across, down = self._view.horizontalScrollBar(), self._view.verticalScrollBar()
        across.setValue(across.value() + dx)
        down.setValue(down.value() + dy)

    def zoom_by(self, factor: float, anchor: QPoint | None = None) -> None:
        """Zoom so that the scene point under ``anchor`` (a place in the view; else its middle) stays there."""
        anchor = self._view.viewport().rect().center() if anchor is None else anchor
        new = min(max(self.zoom * factor, SMALLEST), LARGEST)
        if new == self.zoom:
            return
        held = self._view.mapToScene(anchor)
        self._view.scale(new / self.zoom, new / self.zoom)
        drift = self._view.mapFromScene(held) - anchor
        self._scroll(drift.x(), drift.y())
        self._moved()

    def zoom_to(self, zoom: float) -> None:
        """Zoom to a scale (1.0 is one pixel a unit), keeping the middle."""
        self.zoom_by(zoom / self.zoom)

    def fit(self, rect: QRectF, floating: QRect) -> None:
        """Show a rectangle of the scene, in a view of usual width never larger than life.

        Args:
            floating: what lies on the view at its bottom, in pixels; the rectangle ends above it if it would be hidden.
        """
        space = self._view.viewport().size()
        if rect.isNull():
            self._view.resetTransform()
            self._view.centerOn(QPointF(0, 0))
        else:
            self._fit(rect, space)
            if self._view.mapFromScene(rect).boundingRect().intersects(floating):
                self._fit(rect, QSize(space.width(), floating.top()))
                self._scroll(0, (space.height() - floating.top()) // 2)
        self._moved()

    def _fit(self, rect: QRectF, space: QSize) -> None:
        wide, high = rect.width() + 2 * _MARGIN, rect.height() + 2 * _MARGIN
        most = min(max(space.width() / _USUAL_WIDTH, 1.0), _FIT_AT_MOST)
        zoom = min(space.width() / wide, space.height() / high, most)
        self._view.resetTransform()
        self._view.scale(max(zoom, SMALLEST), max(zoom, SMALLEST))
        self._view.centerOn(rect.center())

    def wheel(self, event: QWheelEvent, *, zooming: bool) -> None:
        """A mouse wheel zooms at the cursor; two fingers on a touchpad scroll, unless ``zooming`` is wished."""
        fine = event.pixelDelta()
        if not fine.isNull() and not zooming:
            self.scroll_by(-fine.x(), -fine.y())
            return
        turn = event.angleDelta().y() or event.angleDelta().x()
        if turn:
            self.zoom_by(_PER_DEGREE**turn, event.position().toPoint())
