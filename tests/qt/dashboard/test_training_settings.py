"""The settings of a training: what is set stands in the project, and the schedule is drawn as it will be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtWidgets import QAbstractSpinBox
from pytestqt.qtbot import QtBot
from qt.frame_helpers import session_of, small_cnn

from deepgui.data.dataset import prepare
from deepgui.project.values import DataConfig, TrainingConfig
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.dashboard.schedule_preview import course
from deepgui.qt.dashboard.settings import SettingsPane
from deepgui.qt.widgets import Switch


@pytest.fixture
def pane(qtbot: QtBot):
    training = TrainingConfig(epochs=4, batch_size=100)
    session = session_of(small_cnn(), data=DataConfig("digits"), training=training)
    prepare(session.project.data, training.objective)  # as the preflight does beside the window
    controller = RunController(session)
    made = SettingsPane(session, controller)
    qtbot.addWidget(made)
    made.show()
    qtbot.waitUntil(lambda: made.offers is not None and made.preview._course is not None, timeout=20_000)
    yield made
    controller.shutdown()


def drawn(pane: SettingsPane) -> np.ndarray:
    (line,) = pane.preview.chart._lines
    return line.y


def test_a_warm_up_and_a_schedule_are_drawn_as_soon_as_they_are_set(qtbot: QtBot, pane: SettingsPane) -> None:
    assert len(drawn(pane)) == 4 * 13, "four epochs of thirteen batches"
    assert set(drawn(pane)) == {1e-3}
    line = pane.findChild(QAbstractSpinBox, "warmup_steps_field").lineEdit()
    line.selectAll()
    qtbot.keyClicks(line, "13")
    assert pane.session.project.training.warmup_steps == 13
    qtbot.waitUntil(lambda: drawn(pane)[0] < 1e-4, timeout=20_000)
    assert drawn(pane)[12] == pytest.approx(1e-3)


def test_what_is_switched_stands_in_the_project(qtbot: QtBot, pane: SettingsPane) -> None:
    for name in ("compile", "deterministic"):
        pane.findChild(Switch, f"{name}_field").click()
    line = pane.findChild(QAbstractSpinBox, "ema_field").lineEdit()
    line.selectAll()
    qtbot.keyClicks(line, "0.99")
    training = pane.session.project.training
    assert (training.compile, training.deterministic, training.ema) == (True, True, 0.99)


def test_the_course_of_a_run_whose_data_is_not_there_is_drawn_all_the_same(pane: SettingsPane) -> None:
    project = replace(pane.session.project, data=DataConfig("csv", {"path": "/gone.csv"}))
    found = course(project)
    assert not found.known
    assert found.epochs[-1] == pytest.approx(3.99)
