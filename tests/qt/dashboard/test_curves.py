"""What a plot shows of a run: all of it while that can be read, its usual part if a few values are enormous."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent

from deepgui.qt.dashboard.curves import CurvePlot, Series
from deepgui.qt.dashboard.extent import value_extent
from deepgui.qt.dashboard.ticks import log_ticks, ticks

STEPS = np.arange(1.0, 401.0)
FALLING = 0.05 + 2.2 * np.exp(-STEPS / 60)
EXPLODED = np.concatenate([FALLING[:385], np.geomspace(1e3, 1e8, 15)])


@pytest.fixture
def plot(qtbot):
    made = CurvePlot("Loss", "loss_plot")
    qtbot.addWidget(made)
    made.set_series((Series("train_loss", "train", "train", smooth=True),))
    made.set_smoothing(0.9)
    made.resize(420, 220)
    made.show()
    return made


def show(plot: CurvePlot, values: np.ndarray) -> None:
    plot.refresh(lambda column: (STEPS[: len(values)], values))


def painted(plot: CurvePlot) -> list:
    image = plot.chart.grab().toImage()
    return [image.pixel(x, y) for y in range(image.height()) for x in range(image.width())]


def test_an_exploding_loss_does_not_flatten_what_came_before(plot):
    show(plot, EXPLODED)
    assert 2 < plot.chart.view.top < 10
    assert "e+0" in plot.chart.note, "what lies outside is said"
    outside = painted(plot)
    plot.set_log(True)
    assert plot.chart.view.top > 7
    assert plot.chart.note == ""
    assert painted(plot) != outside


def test_a_loss_that_falls_is_shown_from_its_start(plot):
    show(plot, FALLING)
    assert plot.chart.view.top >= FALLING[0] * 0.95
    assert (plot.chart.view.bottom, plot.chart.note) == (0.0, "")


def test_a_flat_curve_after_a_harmless_beginning_is_shown_whole():
    flat = np.concatenate([[6.5, 4.0, 3.0], np.full(300, 2.33)])
    extent = value_extent([flat])
    assert (extent.beyond, extent.bottom) == (None, 0.0)
    assert extent.top >= 6.5


@pytest.mark.parametrize("values", [[0.0] * 50, [1e-7] * 50, [-3.0] * 50, [float(v) for v in range(-20, 30)], [5.0]])
def test_an_axis_holds_all_ordinary_values(values):
    extent = value_extent([np.array(values)])
    assert extent.bottom <= min(values) <= max(values) <= extent.top
    assert extent.bottom < extent.top
    assert extent.beyond is None


def test_wheel_and_drag_take_the_axes_over_and_a_double_click_gives_them_back(plot, qtbot):
    show(plot, FALLING[:390])
    whole, middle = plot.chart.view, plot.chart.rect().center()
    turn = QWheelEvent(
        QPointF(middle),
        QPointF(plot.chart.mapToGlobal(middle)),
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    plot.chart.wheelEvent(turn)
    near = plot.chart.view
    assert whole.left < near.left < near.right < whole.right
    qtbot.mousePress(plot.chart, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(plot.chart, middle + QPoint(30, 0))
    qtbot.mouseRelease(plot.chart, Qt.MouseButton.LeftButton, pos=middle)
    assert plot.chart.view.left < near.left
    taken = plot.chart.view
    show(plot, FALLING)
    assert plot.chart.view == taken, "new points do not take a place back that somebody looks at"
    qtbot.mouseDClick(plot.chart, Qt.MouseButton.LeftButton, pos=middle)
    assert plot.chart.view == whole


def test_the_pointer_reads_the_values_of_its_step(plot, qtbot):
    show(plot, FALLING)
    qtbot.mouseMove(plot.chart, plot.chart.rect().center())
    assert plot.legend.accessibleName().startswith("Step ")
    plot.chart.hovered.emit(None)
    assert plot.legend.accessibleName() == f"Loss: train {FALLING[-1]:.3g}"


def test_a_new_run_leaves_the_last_one_as_a_shadow_until_the_project_goes(plot):
    show(plot, FALLING)
    plot.remember()
    show(plot, FALLING[:2])
    assert plot.chart.view.right >= 400
    plot.forget()
    show(plot, FALLING[:12])
    assert plot.chart.view.right < 30


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 1500), (3e-6, 8e-6), (-2, 7), (0, 123456)])
@pytest.mark.parametrize("most", [1, 2, 5, 9])
def test_ticks_are_round_few_and_different(low, high, most):
    found = ticks(low, high, most)
    assert 1 <= len(found) <= most + 1
    assert all(low <= place <= high for place, _ in found)
    assert len({word for _, word in found}) == len(found)


def test_a_logarithmic_axis_has_powers_of_ten():
    assert [word for _, word in log_ticks(-3.1, 1.1, 5)] == ["0.001", "0.01", "0.1", "1", "10"]
    assert len(log_ticks(-12, 8, 4)) <= 5
