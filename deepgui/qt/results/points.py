"""Points in the plane, coloured by class; with lines between them they are a graph."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from deepgui.qt import style
from deepgui.qt.probes import colors
from deepgui.qt.probes.surface import Surface
from deepgui.qt.theme import GRID, theme
from deepgui.training.objectives.previews import GraphDrawing, Scatter

MARGIN = 14
REACH = 8.0


@dataclass(frozen=True)
class Cloud:
    """Points N×2 with a class each (-1 for none), a ring where ``wrong``, and lines between pairs of them."""

    points: NDArray[np.float32]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    edges: NDArray[np.int64]
    wrong: NDArray[np.bool_]
    words: tuple[str, ...] = ()


class PointsView(Surface):
    """Points over the whole room, their classes named in a corner."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._cloud: Cloud | None = None
        self._hover = -1

    def show_cloud(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.update()

    def _places(self) -> NDArray[np.float64]:
        """Where the points are in the widget, N×2."""
        assert self._cloud is not None
        points = np.nan_to_num(self._cloud.points.astype(np.float64))
        low, high = points.min(0), points.max(0)
        span = np.maximum(high - low, 1e-9)
        room = np.array([max(1, self.width() - 2 * MARGIN), max(1, self.height() - 2 * MARGIN)])
        shares = (points - low) / span
        shares[:, 1] = 1 - shares[:, 1]
        return MARGIN + shares * room

    def paintEvent(self, event: QPaintEvent) -> None:
        cloud = self._cloud
        if cloud is None or not len(cloud.points):
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), theme().color("plot"))
        places = self._places()
        self._paint_edges(painter, places)
        radius = 5.0 if len(cloud.edges) else 3.2 if len(places) < 1000 else 2.2
        for index, (x, y) in enumerate(places):
            kind = int(cloud.labels[index])
            fill = colors.class_color(kind) if kind >= 0 else theme().color("muted")
            painter.setBrush(fill)
            painter.setPen(QPen(theme().color("error"), 2) if cloud.wrong[index] else Qt.PenStyle.NoPen)
            grown = radius + 2 if index == self._hover else radius
            painter.drawEllipse(QPointF(x, y), grown, grown)
        self._paint_legend(painter)

    def _paint_edges(self, painter: QPainter, places: NDArray[np.float64]) -> None:
        assert self._cloud is not None
        color = QColor(theme().color("muted"))
        color.setAlphaF(0.35)
        painter.setPen(QPen(color, 1))
        for a, b in self._cloud.edges.T:
            painter.drawLine(QPointF(*places[a]), QPointF(*places[b]))

    def _paint_legend(self, painter: QPainter) -> None:
        assert self._cloud is not None
        font = style.font(11)
        painter.setFont(font)
        metrics = QFontMetrics(font)
        for kind, name in enumerate(self._cloud.classes[:12]):
            top = GRID + kind * (metrics.height() + 2)
            if top + metrics.height() > self.height():
                break
            wide = metrics.horizontalAdvance(name)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colors.class_color(kind))
            painter.drawEllipse(QPointF(self.width() - GRID - 4, top + metrics.height() / 2), 4, 4)
            painter.setPen(theme().color("muted"))
            place = QRectF(self.width() - GRID - 14 - wide, top, wide, metrics.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, name)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        cloud = self._cloud
        if cloud is None or not len(cloud.points):
            return
        at = event.position()
        away = np.hypot(*(self._places() - [at.x(), at.y()]).T)
        found = int(away.argmin()) if away.min() <= REACH else -1
        if found != self._hover:
            self._hover = found
            self.update()
            self.hovered.emit(self._words(found) if found >= 0 else "")

    def _words(self, index: int) -> str:
        assert self._cloud is not None
        if index < len(self._cloud.words):
            return self._cloud.words[index]
        kind = int(self._cloud.labels[index])
        return self._cloud.classes[kind] if 0 <= kind < len(self._cloud.classes) else ""

    def forget_hover(self) -> None:
        self._hover = -1


def cloud_of_scatter(shown: Scatter) -> Cloud:
    none = np.zeros(len(shown.points), bool)
    return Cloud(shown.points, shown.labels, shown.classes, np.zeros((2, 0), np.int64), none)


def cloud_of_graph(shown: GraphDrawing) -> Cloud:
    """Nodes in the colour of the answer, with a ring where it is not the truth."""
    wrong = (shown.true >= 0) & (shown.said != shown.true)

    def name(kind: int) -> str:
        return shown.classes[kind] if 0 <= kind < len(shown.classes) else "unknown"

    pairs = zip(shown.said.tolist(), shown.true.tolist(), strict=True)
    words = tuple(f"node {i}: said {name(a)}, is {name(b)}" for i, (a, b) in enumerate(pairs))
    return Cloud(shown.places, shown.said, shown.classes, shown.edges, wrong, words)
