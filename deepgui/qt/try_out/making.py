"""New examples: turn the numbers that one is made of, or draw some by chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QStackedWidget, QWidget

from deepgui.qt.dashboard.worker import Broken
from deepgui.qt.results import images, points
from deepgui.qt.results.lines import LinesView
from deepgui.qt.theme import GRID
from deepgui.qt.try_out.answers import plain
from deepgui.qt.try_out.asker import Question
from deepgui.qt.try_out.page import SIDE, Knob, Page, small_button
from deepgui.qt.widgets import column, label, row, scrolled
from deepgui.training.objectives.previews import Images, Lines, Scatter
from deepgui.use import making
from deepgui.use.trial import Trial

MOST_KNOBS = 10
REACH = 3.0
AT_ONCE = 16


class MakePage(Page):
    """Sliders for the first numbers of the code and the example they make; or a wall of samples."""

    def __init__(self) -> None:
        super().__init__("make")
        self.knobs: list[Knob] = []
        self._code = np.zeros(0, np.float32)
        self._seed = 0
        self._random = np.random.default_rng(0)
        self._rows = QWidget()
        self._rows.setLayout(column(gap=4))
        self.about = label("", "caption", wrap=True)
        self.about.setAlignment(Qt.AlignmentFlag.AlignTop)
        sample = small_button("Sample", "try_sample", "dice-five", "Draw by chance", self._sample)
        self.middle = small_button("Middle", "try_middle", "crosshair-simple", "All numbers 0", self._to_middle)
        self.wall, self.cloud, self.lines = images.ImageWall(), points.PointsView(), LinesView()
        self.wall.setObjectName("try_made")
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setProperty("role", "error")
        self.problem.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.views = QStackedWidget()
        for view in (self.wall, self.cloud, self.lines, self.problem):
            self.views.addWidget(view)
        self._sliders = scrolled(self._rows)
        buttons = row(sample, self.middle, gap=GRID)
        buttons.addStretch()
        left = column(buttons, self._sliders, self.about, gap=GRID)
        left.setStretch(1, 1)
        holder = QWidget()
        holder.setLayout(left)
        holder.setMinimumWidth(SIDE + 120)
        layout = row(holder, self.views, gap=2 * GRID)
        layout.setStretch(0, 2)
        layout.setStretch(1, 3)
        self.setLayout(layout)

    def prepare(self, trial: Trial) -> None:
        super().prepare(trial)
        for knob in self.knobs:
            knob.setParent(None)
            knob.deleteLater()
        self.knobs = []
        self._code = np.zeros(trial.code, np.float32)
        for place in range(min(trial.code, MOST_KNOBS)):
            knob = Knob(f"{place + 1}", f"try_code_{place + 1}", -REACH, REACH, 0.0, "{:+.2f}")
            knob.title.setFixedWidth(20)
            knob.moved.connect(lambda value, place=place: self._turn(place, value))
            self._rows.layout().addWidget(knob)
            self.knobs.append(knob)
        self._rows.layout().addStretch()
        self._sliders.setVisible(bool(self.knobs))
        self.middle.setVisible(bool(self.knobs))
        more = trial.code - len(self.knobs)
        self.about.setText(self._words(trial, more))
        self._sample() if trial.code else self.changed.emit()

    def _words(self, trial: Trial, more: int) -> str:
        if not trial.code:
            return "Sample makes new examples of fresh noise, in many small steps."
        others = f" {more} more numbers change with Sample only." if more else ""
        return f"An example is made of {trial.code} numbers.{others}"

    def _turn(self, place: int, value: float) -> None:
        self._code[place] = value
        self.changed.emit()

    def _sample(self) -> None:
        self._seed += 1
        self._put(self._random.standard_normal(len(self._code)).astype(np.float32).clip(-REACH, REACH))

    def _to_middle(self) -> None:
        self._put(np.zeros_like(self._code))

    def _put(self, code: Any) -> None:
        self._code = code
        for knob, value in zip(self.knobs, code, strict=False):
            knob.set_value(float(value))
        self.changed.emit()

    @property
    def lives(self) -> bool:  # type: ignore[override]
        """Samples of many steps take too long to be made again and again."""
        return self.trial is not None and bool(self.trial.code)

    def question(self) -> Question | None:
        if self.trial is None:
            return None
        seed = self._seed
        if not self.trial.code:
            return lambda model: making.samples(model, AT_ONCE, seed).numpy()
        codes = torch.from_numpy(self._code.copy())[None]
        return lambda model: making.from_code(model, codes).numpy()

    def show_found(self, found: Any) -> None:
        assert self.trial is not None
        if isinstance(found, Broken):
            self.problem.setText(plain(found.error))
            self.views.setCurrentWidget(self.problem)
            return
        field = self.trial.answer
        if field.kind == "image":
            self.wall.show_wall(images.wall_of_images(Images(images=found.clip(0, 1))))
            self.views.setCurrentWidget(self.wall)
        elif found.shape[1:] == (2,):
            self.cloud.show_cloud(self._beside_real(found))
            self.views.setCurrentWidget(self.cloud)
        else:
            flat = found[0].reshape(len(found[0]), -1)[:, 0]
            places = np.arange(len(flat), dtype=np.float32)
            self.lines.show_lines(Lines(lines={"made": (places, flat)}))
            self.views.setCurrentWidget(self.lines)

    def _beside_real(self, made: Any) -> points.Cloud:
        assert self.trial is not None
        real = self.trial.examples.get(self.trial.answer.name)
        parts = [made] if real is None else [real.numpy(), made]
        labels = np.repeat(np.arange(len(parts)) + (2 - len(parts)), [len(p) for p in parts]).astype(np.int64)
        return points.cloud_of_scatter(
            Scatter(points=np.concatenate(parts).astype(np.float32), labels=labels, classes=("real", "made"))
        )
