"""Draw a small picture, or take one from the data or a file, and see what the network makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from PySide6.QtCore import QSize, QTimer
from PySide6.QtWidgets import QCheckBox

from deepgui.qt.dashboard.worker import Broken
from deepgui.qt.results.images import ImageWall, wall_of_images
from deepgui.qt.theme import GRID
from deepgui.qt.try_out.asker import Question
from deepgui.qt.try_out.pad import Pad
from deepgui.qt.try_out.page import SIDE, Drop, Examples, Knob, Page, choose_file, small_button
from deepgui.qt.widgets import column, label, row
from deepgui.training.objectives.previews import Images
from deepgui.use import asking, inputs
from deepgui.use.answers import Answer
from deepgui.use.trial import Trial

KINDS = "Images (*.png *.jpg *.jpeg *.bmp *.ppm *.pgm *.tif *.tiff *.webp *.npy)"
LOOK_MS = 30
"""Strokes within this time are looked at together."""


class DrawPage(Page):
    """A pad on the left; beside it what arrives at the network, and the brush."""

    def __init__(self) -> None:
        super().__init__("draw")
        self.pad, self.seen, self.examples = Pad(), ImageWall(), Examples()
        self.seen.setObjectName("try_seen")
        self.seen.setMinimumSize(QSize(56, 56))
        self.brush = Knob("Brush", "try_brush", 0.5, 6.0, 2.0, "{:.1f}")
        self.brush.setToolTip("Width of the brush in the network's pixels; the right button wipes")
        self.brush.moved.connect(self._set_brush)
        self.fit = QCheckBox("Fit like the data")
        self.fit.setObjectName("try_fit")
        self.fit.setToolTip("Bring what you draw to the size and place that drawings have in the data")
        self.fit.setChecked(True)
        self.fit.toggled.connect(self._set_fit)
        self._truth, self._pending = "", None
        self._pixels = self.pad.read()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(LOOK_MS)
        self._soon.timeout.connect(self._look)
        clear = small_button("Clear", "try_clear", "eraser", "Begin with a blank sheet", self._clear)
        example = small_button("Example", "try_example", "image", "The next real example", self._example)
        opened = small_button("Open…", "try_open", "folder-open", "Open a picture, or drop one here", self._choose)
        side = Drop()
        side.setFixedWidth(SIDE + 2 * GRID)
        side.setLayout(
            column(label("The network sees", "section"), self.seen, self.brush, self.fit, clear, example, opened, gap=4)
        )
        side.layout().setStretch(1, 1)
        side.dropped.connect(self.open)
        layout = row(self.pad, side, self.answer, gap=2 * GRID)
        layout.setStretch(0, 2)
        layout.setStretch(2, 3)
        self.setLayout(layout)
        self.setAcceptDrops(True)
        self.dragEnterEvent, self.dropEvent = side.dragEnterEvent, side.dropEvent
        self.pad.drawn.connect(self._drawn)

    def prepare(self, trial: Trial) -> None:
        super().prepare(trial)
        assert trial.fed is not None
        self.pad.prepare(trial.fed.shape, trial.ink)
        self.brush.set_value(self.pad.brush)
        self.fit.setVisible(trial.ink.share > 0)
        self.examples.index = -1
        self._look()
        if not trial.ink.share:  # nothing that people draw
            self._example()

    def _set_brush(self, value: float) -> None:
        self.pad.brush = value

    def _set_fit(self, on: bool) -> None:
        self.pad.fits = on
        self._drawn()

    def _clear(self) -> None:
        self.pad.clear()

    def _drawn(self) -> None:
        self._truth, self._pending = "", None
        if not self._soon.isActive():
            self._soon.start()

    def _look(self) -> None:
        self._pixels = self.pad.read()
        self.seen.show_wall(wall_of_images(Images(images=self._pixels[None])))
        if self.pad.empty:
            self.answer.clear("Draw with the mouse: the answer moves with every stroke.")
        self.changed.emit()

    def _example(self) -> None:
        if self.trial is not None and (found := self.examples.next(self.trial)):
            assert self.trial.fed is not None
            self._put(found[self.trial.fed.name][0])
            self._truth = self.examples.truth(self.trial)

    def _put(self, picture: Any) -> None:
        self.pad.blockSignals(True)
        self.pad.put(picture.numpy())
        self.pad.blockSignals(False)
        self._truth = ""
        self._look()

    def _choose(self) -> None:
        if (path := choose_file(self, KINDS)) is not None:
            self.open(path)

    def open(self, path: Path) -> None:
        """Put the picture of a file onto the sheet."""
        self._pending = path
        self.changed.emit()

    def question(self) -> Question | None:
        if self.trial is None or self.trial.fed is None:
            return None
        name = self.trial.fed.name
        if self._pending is not None:
            path = self._pending
            return lambda model: (path, inputs.read_batch(path, model)[name])
        if self.pad.empty:
            return None
        batch = {name: torch.from_numpy(self._pixels)[None]}
        return lambda model: asking.predict(model, batch)[0]

    def show_found(self, found: Any) -> None:
        if isinstance(found, tuple):
            path, pictures = found
            if path == self._pending:
                self._pending = None
                self._put(pictures[0])
            return
        if isinstance(found, Broken):
            self._pending = None
        if not (self.pad.empty and isinstance(found, Answer)):
            super().show_found(found)

    def truth(self) -> str:
        return self._truth
