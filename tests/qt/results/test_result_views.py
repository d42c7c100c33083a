"""Every kind of preview is painted, and says what is under the pointer."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QColor

from deepgui.qt.results import images, points
from deepgui.qt.results.lines import LinesView
from deepgui.qt.results.matrix import MatrixView
from deepgui.qt.results.texts import TextsView
from deepgui.training.objectives import previews

SIZE = (320, 240)


def shown(qtbot, widget):
    qtbot.addWidget(widget)
    widget.resize(*SIZE)
    widget.show()
    return widget.grab().toImage()


def colours(image):
    return {image.pixelColor(x, y).name() for x in range(0, image.width(), 3) for y in range(0, image.height(), 3)}


def test_rows_of_pictures_keep_their_order_and_titles(qtbot):
    wall = images.ImageWall()
    dark, light = np.zeros((3, 1, 8, 8), np.float32), np.ones((3, 1, 8, 8), np.float32)
    both = previews.Images(images=np.concatenate([dark, light]), columns=3, rows=("input", "reconstruction"))
    wall.show_wall(images.wall_of_images(both))
    image = shown(qtbot, wall)
    above, below = wall._frame(1).center().toPoint(), wall._frame(4).center().toPoint()
    assert image.pixelColor(above) == QColor("#000000")
    assert image.pixelColor(below) == QColor("#ffffff")


def test_a_caption_is_said_of_the_picture_under_the_pointer(qtbot):
    wall = images.ImageWall()
    grid = previews.Images(images=np.zeros((4, 1, 8, 8), np.float32), captions=("a", "b", "c", "d"))
    wall.show_wall(images.wall_of_images(grid))
    shown(qtbot, wall)
    said = []
    wall.hovered.connect(said.append)
    qtbot.mouseMove(wall, wall._frame(2).center().toPoint())
    qtbot.waitUntil(lambda: said == ["c"])


def test_masks_are_coloured_by_class_and_the_background_is_not():
    image = np.full((1, 3, 4, 4), 0.5, np.float32)
    true = np.zeros((1, 4, 4), np.int64)
    said = true.copy()
    said[0, 0, 0] = 1
    wall = images.wall_of_masks(previews.Masks(images=image, said=said, true=true, classes=("none", "circle")))
    plain, truth, answer = wall.pixels
    assert (truth == plain).all()
    assert answer[0, 0] != plain[0, 0]
    assert (answer.ravel()[1:] == plain.ravel()[1:]).all()
    assert wall.captions[0] == "93.8% of the pixels right"


def test_unsure_boxes_are_left_out_and_true_ones_are_dashed():
    rows = np.array([[1, 0.5, 0.5, 0.2, 0.4, 0.9], [0, 0.5, 0.5, 0.2, 0.2, 0.2]], np.float32)
    picture = np.zeros((1, 3, 8, 8), np.float32)
    boxes = previews.Boxes(images=picture, said=(rows,), true=(rows[:1],), classes=("a", "b"))
    (marks,) = images.wall_of_boxes(boxes).marks
    assert [(m.word, m.dashed) for m in marks] == [("", True), ("b 90%", False)]
    assert marks[1].frame == pytest.approx((0.4, 0.3, 0.2, 0.4))


def test_a_wrong_node_of_a_graph_has_a_ring_and_a_sentence(qtbot):
    view = points.PointsView()
    graph = previews.GraphDrawing(
        places=np.array([[0, 0], [1, 1]], np.float32),
        edges=np.array([[0], [1]]),
        said=np.array([0, 0]),
        true=np.array([0, 1]),
        classes=("left", "right"),
    )
    cloud = points.cloud_of_graph(graph)
    assert cloud.wrong.tolist() == [False, True]
    view.show_cloud(cloud)
    shown(qtbot, view)
    said = []
    view.hovered.connect(said.append)
    x, y = view._places()[1]
    qtbot.mouseMove(view, QPoint(round(x), round(y)))
    qtbot.waitUntil(lambda: said == ["node 1: said left, is right"])


def test_texts_are_shown_as_text_even_if_they_look_like_markup(qtbot):
    view = TextsView()
    view.show_texts(previews.Texts(items=(("<b>", "x < y"), ("2", "two")), truths=("x < y", "deux")))
    shown(qtbot, view)
    assert view.toPlainText() == "<b> → x < y\n2 → two  (deux)"


def test_a_matrix_of_one_value_and_lines_with_gaps_are_painted(qtbot):
    matrix, lines = MatrixView(), LinesView()
    matrix.show_matrix(previews.Matrix(values=np.ones((2, 3), np.float32), rows=("a", "b"), columns=("x", "y", "z")))
    x = np.arange(5, dtype=np.float32)
    y = np.array([0, 1, np.nan, 1, 2], np.float32)
    lines.show_lines(previews.Lines(lines={"truth": (x, y), "forecast": (x, y + 1)}))
    assert len(colours(shown(qtbot, matrix))) > 1
    assert len(colours(shown(qtbot, lines))) > 2
    assert lines.chart.view.top >= 3
