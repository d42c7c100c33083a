"""The learning rate over a run, drawn before it: schedule and warm-up as they will be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtWidgets import QWidget

from deepgui.project.values import Project, TrainingConfig
from deepgui.qt import theme
from deepgui.qt.dashboard.chart import Chart, Line, View
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.dashboard.decimate import Floats
from deepgui.qt.dashboard.worker import Broken
from deepgui.qt.session import Session
from deepgui.qt.theme import GRID
from deepgui.qt.widgets import column, label

HEIGHT = 104
MOST_STEPS = 20_000
"""Of a longer run the beginning is drawn."""
_STEPS_AN_EPOCH = 100
"""Where the data is not there yet."""


@dataclass(frozen=True)
class Course:
    """``rates[i]`` is in force at the epoch ``epochs[i]``; ``known``: whether the steps of an epoch were counted."""

    epochs: Floats
    rates: Floats
    known: bool


def course(project: Project) -> Course:
    """The learning rates of a run. Imports torch: call it off the GUI thread.

    Raises OptimError for settings that PyTorch refuses.
    """
    from deepgui.training.optim import preview_schedule

    config, count = project.training, _batches(project)
    each = -(-(count or _STEPS_AN_EPOCH) // max(1, config.accumulate))
    steps = min(each * config.epochs, config.max_steps or MOST_STEPS, MOST_STEPS)
    rates = np.array(preview_schedule(config, steps, each), dtype=np.float64)
    return Course(np.arange(len(rates), dtype=np.float64) / each, rates, count is not None)


def _batches(project: Project) -> int | None:
    """Batches an epoch; None while the data has not been read: a preview is no reason to."""
    from deepgui.data.dataset import ready

    dataset = ready(project.data, project.training.objective)
    return -(-len(dataset.train) // max(1, project.training.batch_size)) or None if dataset is not None else None


class SchedulePreview(QWidget):
    """Follows the project; drawn anew when something that the learning rate depends on has changed."""

    def __init__(self, session: Session, controller: RunController) -> None:
        super().__init__()
        self._session, self._controller = session, controller
        self._asked: tuple[Any, ...] = ()
        self._course: Course | None = None
        self.chart = Chart()
        self.chart.setObjectName("schedule_preview")
        self.chart.setAccessibleName("Learning rate over the run")
        self.chart.setFixedHeight(HEIGHT)
        self.chart.set_bare(False)
        self.note = label("", "muted", wrap=True)
        self.note.setObjectName("schedule_note")
        self.setLayout(column(self.chart, self.note, gap=GRID // 2))
        theme.current().changed.connect(self._draw)
        session.offer_changed.connect(self._once_read)

    def _once_read(self) -> None:
        """The data has been read: epochs can be counted now."""
        if self._course is not None and not self._course.known:
            self._asked = ()
            self.refresh()

    def refresh(self) -> None:
        """Ask for the course of the project as it is now, unless it is the one shown."""
        project = self._session.project
        wanted = (_meaning(project.training), project.data)
        if wanted != self._asked and self._session.ready:
            self._asked = wanted
            self._controller.worker.submit("schedule", lambda: course(project), self._show)

    def _show(self, found: Any) -> None:
        if isinstance(found, Broken):
            self._course = None
            self.chart.show_lines(())
            self.note.setText(str(found.error))
        else:
            self._course = found
            self.note.setText("" if found.known else "Epochs are drawn as 100 steps until the data has been read.")
        self.note.setVisible(bool(self.note.text()))
        self._draw()

    def _draw(self) -> None:
        if self._course is None or not len(self._course.rates):
            return
        epochs, rates = self._course.epochs, self._course.rates
        top = float(rates.max()) or 1.0
        self.chart.look(View(0.0, max(float(epochs[-1]), 1e-9), 0.0, 1.08 * top), log=False)
        self.chart.show_lines([Line(epochs, rates, theme.theme().color("lr"), bold=True)])
        self.chart.redraw()


def _meaning(config: TrainingConfig) -> tuple[Any, ...]:
    """What the learning rate depends on."""
    options = tuple(sorted(config.optimizer_options.items())), tuple(sorted(config.scheduler_options.items()))
    length = config.epochs, config.max_steps, config.batch_size, config.accumulate
    return config.optimizer, config.scheduler, *options, *length, config.warmup_steps
