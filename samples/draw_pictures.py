"""Draws what a sample learns, for the start page: regions of the plane, digits with answers, or its curves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter, QPainterPath, QPen, QPixmap, QPolygonF, QRegion
from PySide6.QtWidgets import QWidget

from deepgui.probes.board import Board
from deepgui.probes.observe import preview
from deepgui.probes.pictures import Boundary, Watch
from deepgui.project.values import Project
from deepgui.qt import style, theme
from deepgui.qt.app import application
from deepgui.qt.probes import colors
from deepgui.qt.results import images, points
from deepgui.qt.results.lines import LinesView
from deepgui.qt.results.texts import TextsView
from deepgui.training.objectives import previews
from deepgui.training.objectives.classification import Classification
from deepgui.training.trainer import RunSpec, Trainer

SIZE = (840, 492)
"""Pixels: three times the place that the start page has for it."""
EDGE = 54.0
TILES = (6, 3)


def draw(project: Project, path: Path) -> None:
    """Train a project and draw, as PNG, what became of it."""
    theme.use("dark")
    style.apply(application())
    trainer = Trainer(RunSpec(project))
    curves: dict[str, list[tuple[int, float]]] = {"train_loss_epoch": [], "val_loss": []}
    for event in trainer:
        columns = getattr(event, "columns", None)
        for name in curves if columns else ():
            curves[name] += zip(event.steps, columns.get(name, ()), strict=False)
    image = QImage(*SIZE, QImage.Format.Format_RGB32)
    image.fill(theme.theme().color("canvas"))
    painter = QPainter(image)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
    field = trainer.dataset.field(trainer.dataset.inputs[0])
    answers = isinstance(trainer.objective, Classification)
    if answers and field.shape == (2,):
        plane(painter, trainer)
    elif answers and field.kind == "image":
        tiles(painter, trainer)
    elif trainer.objective.previews and field.kind != "vector":
        shown(painter, trainer)
    else:
        falling(painter, curves)
    painter.end()
    image.save(str(path))


def shown(painter: QPainter, trainer: Trainer) -> None:
    """The first thing that the objective shows of what it has learnt."""
    found = preview(trainer.objective, trainer.networks, next(iter(trainer.objective.previews)))
    view, margin = view_of(found), round(EDGE / 2)
    view.resize(SIZE[0] - 2 * margin, SIZE[1] - 2 * margin)
    if isinstance(view, TextsView):
        view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    picture = QPixmap(view.size())
    picture.fill(theme.theme().color("canvas"))
    view.render(picture, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
    painter.drawPixmap(margin, margin, picture)


def view_of(found: object) -> QWidget:
    """The application's own view of a preview."""
    match found:
        case previews.Images():
            view: Any = images.ImageWall()
            view.show_wall(images.wall_of_images(found))
        case previews.Masks():
            view = images.ImageWall()
            view.show_wall(images.wall_of_masks(found))
        case previews.Boxes():
            view = images.ImageWall()
            view.show_wall(images.wall_of_boxes(found))
        case previews.Scatter():
            view = points.PointsView()
            view.show_cloud(points.cloud_of_scatter(found))
        case previews.GraphDrawing():
            view = points.PointsView()
            view.show_cloud(points.cloud_of_graph(found))
        case previews.Lines():
            view = LinesView()
            view.show_lines(found)
        case previews.Texts():
            view = TextsView()
            view.show_texts(found)
            view.setFont(style.mono(19))
        case _:
            raise TypeError(type(found).__name__)
    return view  # type: ignore[no-any-return]


def plane(painter: QPainter, trainer: Trainer) -> None:
    """The regions that a network cuts the plane into, with the points that it learned from."""
    board, watch = Board(), Watch(view="boundary")
    board.watch(watch)
    board.observe_module(trainer.module, trainer.dataset, trainer.objective.inputs)
    picture = board.latest(watch)
    assert isinstance(picture, Boundary)
    mixed = np.tensordot(np.nan_to_num(picture.values), colors.class_rgb(len(picture.values)), axes=(0, 0))
    ground = np.array(theme.theme().color("canvas").getRgb()[:3], np.float32)
    pixels = np.ascontiguousarray(colors.rgb_pixels(ground + (mixed - ground) * 0.62)[::-1])
    wide, high = SIZE
    frame = QRectF(0, 0, wide, high)
    painter.drawImage(frame, colors.image_over(pixels))
    x0, x1, y0, y1 = picture.extent
    painter.setPen(QPen(theme.theme().color("canvas"), 2.5))
    for (x, y), label in zip(picture.points.tolist(), picture.labels.tolist(), strict=True):
        painter.setBrush(colors.class_color(int(label)).lighter(125))
        at = QPointF((x - x0) / (x1 - x0) * wide, high - (y - y0) / (y1 - y0) * high)
        painter.drawEllipse(at, 9, 9)


def tiles(painter: QPainter, trainer: Trainer) -> None:
    """Pictures that the network has not seen in training, each with its answer."""
    across, down = TILES
    names, count = trainer.dataset.target.classes, across * down
    positions = np.arange(count)
    import torch

    batch = torch.from_numpy(positions)
    raw = trainer.dataset.test.raw(batch)[trainer.dataset.inputs[0]].numpy()
    with torch.no_grad():
        said = trainer.module(trainer.dataset.test.get(batch)[trainer.dataset.inputs[0]]).argmax(1).tolist()
    wide, high = SIZE[0] / across, SIZE[1] / down
    painter.setFont(style.font(40, bold=True))
    for place in positions.tolist():
        cell = QRectF(place % across * wide, place // across * high, wide, high).adjusted(9, 9, -9, -9)
        painter.fillRect(cell, theme.theme().color("raised"))
        side = min(cell.width(), cell.height())
        square = QRectF(cell.center().x() - side / 2, cell.center().y() - side / 2, side, side)
        painter.drawImage(square, _tinted(raw[place]))
        spot = QRectF(cell.right() - 56, cell.bottom() - 56, 56, 56)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors.class_color(said[place]).darker(115))
        painter.drawRoundedRect(spot, 12, 12)
        painter.setPen(QColor("#ffffff"))
        painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, str(names[said[place]])[:2])


def _tinted(picture: Any) -> QImage:
    """A grey picture in the colours of the theme, its pixels as sharp squares; one in colour as it is."""
    values = np.moveaxis(picture, 0, -1).astype(np.float32)
    values = (values - values.min()) / max(float(values.max() - values.min()), 1e-9)
    if values.shape[-1] == 1:
        dark, light = (np.array(theme.theme().color(t).getRgb()[:3], np.float32) for t in ("raised", "train"))
        values = dark + (light - dark) * values
    else:
        values = values * 255
    large = np.kron(values, np.ones((16, 16, 1), np.float32))
    return colors.image_over(np.ascontiguousarray(colors.rgb_pixels(large))).copy()


def falling(painter: QPainter, curves: dict[str, list[tuple[int, float]]]) -> None:
    """Training and validation loss, large, with a light below them."""
    values = [v for points in curves.values() for _, v in points]
    last = max(s for points in curves.values() for s, _ in points)
    high, low = max(values), min(values)
    wide, tall = SIZE[0], SIZE[1] - 2 * EDGE
    grid = QPen(theme.theme().color("grid_major"), 2)
    painter.setPen(grid)
    for line in range(1, 5):
        painter.drawLine(QPointF(0, line * SIZE[1] / 5), QPointF(wide, line * SIZE[1] / 5))
    for name, token in (("val_loss", "validation"), ("train_loss_epoch", "train")):
        points = [QPointF(s / last * wide, EDGE + (high - v) / (high - low) * tall) for s, v in curves[name]]
        path = QPainterPath(points[0])
        path.addPolygon(QPolygonF(points))
        below = QPainterPath(path)
        below.lineTo(points[-1].x(), SIZE[1])
        below.lineTo(points[0].x(), SIZE[1])
        color = theme.theme().color(token)
        light = QLinearGradient(0, EDGE, 0, SIZE[1])
        for place, alpha in ((0.0, 90), (1.0, 0)):
            color.setAlpha(alpha)
            light.setColorAt(place, color)
        painter.fillPath(below, light)
        color.setAlpha(255)
        painter.setPen(QPen(color, 8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.drawPath(path)
