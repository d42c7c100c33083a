"""The decision boundary over a plane, painted live; and what single neurons make of the plane."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QWidget

from deepgui.graph.values import Node
from deepgui.probes.pictures import Boundary, Watch, finite_range
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.probes import colors
from deepgui.qt.probes.dock import ProbeDock
from deepgui.qt.probes.mosaic import Mosaic
from deepgui.qt.probes.surface import Surface
from deepgui.qt.session import Session
from deepgui.qt.theme import GRID, theme
from deepgui.qt.widgets import Elided, label, row

WATCH = Watch(view="boundary")
POINT = 3.2


class PlaneView(Surface):
    """Paints the regions with the data points over them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._data: Boundary | None = None
        self._pixels: colors.Pixels = np.zeros((1, 1), np.uint32)
        self._image: QImage | None = None
        self._points: QPixmap | None = None
        self._points_of: tuple[object, ...] = ()

    def show_plane(self, picture: Boundary) -> None:
        self._data = picture
        self._pixels = np.ascontiguousarray(self._regions(picture)[::-1])
        self._image = colors.image_over(self._pixels)
        self.update()

    def _regions(self, picture: Boundary) -> colors.Pixels:
        if picture.kind == "number":
            low, high = finite_range(picture.labels)
            lut, low, high = colors.table_for(low, high)
            return colors.colored(picture.values[0], low, high, lut)
        values = np.nan_to_num(picture.values)
        mixed = np.tensordot(values, colors.class_rgb(len(values)), axes=(0, 0))
        best = values.argmax(axis=0)
        edge = np.zeros(best.shape, bool)
        edge[:, 1:] |= best[:, 1:] != best[:, :-1]
        edge[1:] |= best[1:] != best[:-1]
        base = np.array(theme().color("plot").getRgb()[:3], np.float32)
        mixed = base + (mixed - base) * 0.62
        mixed[edge] = mixed[edge] * 0.45 + np.array(theme().color("text").getRgb()[:3], np.float32) * 0.55
        return colors.rgb_pixels(mixed)

    def _frame(self) -> QRectF:
        side = min(self.width(), self.height()) - 2
        return QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image is None or self._data is None:
            return
        painter, frame = QPainter(self), self._frame()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(frame, self._image)
        painter.drawPixmap(QPointF(0, 0), self._drawn_points(frame))
        painter.setPen(QPen(theme().color("border"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame)

    def _drawn_points(self, frame: QRectF) -> QPixmap:
        """The points as a picture of their own: they change only with the data, the size or the theme."""
        assert self._data is not None
        key = (id(self._data.points), self.size().toTuple(), theme().name)
        if self._points is None or key != self._points_of:
            ratio = self.devicePixelRatioF()
            self._points = QPixmap(self.size() * ratio)
            self._points.setDevicePixelRatio(ratio)
            self._points.fill(Qt.GlobalColor.transparent)
            painter = QPainter(self._points)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setClipRect(frame)
            self._paint_points(painter, frame)
            painter.end()
            self._points_of = key
        return self._points

    def _paint_points(self, painter: QPainter, frame: QRectF) -> None:
        assert self._data is not None
        data = self._data
        x0, x1, y0, y1 = data.extent
        xs = frame.left() + (data.points[:, 0] - x0) / (x1 - x0) * frame.width()
        ys = frame.bottom() - (data.points[:, 1] - y0) / (y1 - y0) * frame.height()
        fills = self._point_colors(data)
        inside, outside = QPen(theme().color("plot"), 1), QPen(theme().color("text"), 1.2)
        for x, y, fill, held in zip(xs.tolist(), ys.tolist(), fills, data.held_out.tolist(), strict=True):
            painter.setPen(outside if held else inside)
            painter.setBrush(fill)
            painter.drawEllipse(QPointF(x, y), POINT, POINT)

    def _point_colors(self, data: Boundary) -> list[QColor]:
        if data.kind == "classes":
            return [colors.class_color(int(c)) for c in data.labels]
        lut, low, high = colors.table_for(*finite_range(data.labels))
        return [QColor.fromRgb(int(v)) for v in colors.colored(data.labels, low, high, lut)]

    def words_at(self, place: QPointF) -> str:
        """What the network says at a point, as a sentence; empty outside."""
        frame, data = self._frame(), self._data
        if data is None or not frame.contains(place):
            return ""
        u, v = (place.x() - frame.left()) / frame.width(), (frame.bottom() - place.y()) / frame.height()
        side = data.values.shape[1]
        values = data.values[:, min(side - 1, int(v * side)), min(side - 1, int(u * side))]
        x0, x1, y0, y1 = data.extent
        where = f"{data.axes[0]} {x0 + u * (x1 - x0):.3g}, {data.axes[1]} {y0 + v * (y1 - y0):.3g}"
        if data.kind == "number":
            return f"{where}: {values[0]:.4g}"
        best = int(values.argmax())
        name = data.classes[best] if best < len(data.classes) else str(best)
        return f"{where}: {name} ({values[best]:.0%})"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.hovered.emit(self.words_at(event.position()))


class BoundaryDock(ProbeDock):
    """The regions of the whole network and, beside them, the neurons of a hidden layer that is selected."""

    title = "Decision boundary"
    icon = "circle-half"
    empty_text = "Data with two numbers an example (moons, spirals) shows its decision boundary here."

    def __init__(self, session: Session, controller: RunController, parent: QWidget | None = None) -> None:
        self._node = ""
        self._drawn: tuple[object, object] = (None, None)
        super().__init__(session, controller, parent)
        self.setObjectName("decision_boundary")
        self.head = Elided("", "strong")
        self.plane, self.neurons = PlaneView(), Mosaic()
        self.neurons.word, self.neurons.flip = "neuron", True
        self.hint = label(
            "Select a hidden layer to see what each of its neurons makes of the plane.", "caption", wrap=True
        )
        views = row(self.plane, self.neurons, gap=GRID)
        views.setStretch(0, 1)
        views.setStretch(1, 1)
        self.body.addWidget(self.head)
        self.body.addLayout(views, 1)
        self.body.addWidget(self.hint)
        self.plane.hovered.connect(self._hover)
        self.neurons.hovered.connect(self._hover)
        self.neurons.hide()

    def _on_selection(self) -> None:
        node = self.selected()
        if node is not None:
            self._node = node.id if node.kind not in ("Input", "Output") else ""
        super()._on_selection()

    def hidden(self) -> Node | None:
        """The hidden layer that is looked at, if any."""
        return self.session.network.nodes.get(self._node)

    def _inner(self) -> Watch | None:
        node = self.hidden()
        if node is None:
            return None
        spec = self.session.registry.get(node.kind)
        ports = spec.active_outputs(node.params) if spec is not None else ()
        return Watch(node.id, ports[0].name if ports else "output", "boundary")

    def wanted(self) -> Collection[Watch]:
        inner = self._inner()
        return (WATCH, inner) if inner is not None else (WATCH,)

    def forget_drawn(self) -> None:
        self._drawn = (None, None)

    def draw(self) -> bool:
        whole, watch = self.board.latest(WATCH), self._inner()
        inner = self.board.latest(watch) if watch is not None else None
        if not isinstance(whole, Boundary):
            return False
        if (whole, inner) != self._drawn:
            self._drawn = (whole, inner)
            self.plane.show_plane(whole)
            self._show_neurons(inner)
            self._hover("")
        return True

    def _show_neurons(self, picture: object) -> None:
        node = self.hidden()
        usable = isinstance(picture, Boundary) and picture.kind == "neurons" and node is not None
        self.neurons.setVisible(usable)
        self.hint.setVisible(node is None)
        self.head.setText("What the network answers")
        if usable:
            assert isinstance(picture, Boundary)
            assert node is not None
            self.head.setText(f"What the network answers, and the {len(picture.values)} neurons of {node.label}")
            self.neurons.show_values(picture.values, *finite_range(picture.values))

    def _hover(self, text: str) -> None:
        whole = self._drawn[0]
        if isinstance(whole, Boundary):
            self.caption.setText(text or f"Ringed points are validation examples · step {whole.step:,}")
