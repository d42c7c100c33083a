"""Open a recording, a series or a large picture, and see what arrives at the network and what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedWidget

from deepgui.data.fields import Field
from deepgui.qt.dashboard.worker import Broken
from deepgui.qt.results.images import ImageWall, wall_of_images
from deepgui.qt.results.lines import LinesView
from deepgui.qt.theme import GRID
from deepgui.qt.try_out.asker import Question
from deepgui.qt.try_out.drawing import KINDS as PICTURES
from deepgui.qt.try_out.page import Drop, Examples, Page, choose_file, small_button
from deepgui.qt.widgets import Elided, column, label, row
from deepgui.training.objectives.previews import Images, Lines
from deepgui.use import asking, inputs
from deepgui.use.trial import Trial

_KINDS = {
    "sound": "Recordings (*.wav *.wave *.npy)",
    "series": "Series (*.csv *.tsv *.txt *.npy *.ts)",
    "file": PICTURES,
}
_ASKS = {
    "sound": "Open a recording (.wav), drop one here, or take an example of the data.",
    "series": "Open a series (.csv with a row a step, .npy, .ts), drop one here, or take an example of the data.",
    "file": "Open a picture, drop one here, or take an example of the data.",
}
MOST_LINES = 6


class FilePage(Page):
    """The input on the left as the network gets it, the answer on the right."""

    def __init__(self) -> None:
        super().__init__("file")
        self.examples = Examples()
        self._batch: dict[str, Any] | None = None
        self._pending: Path | None = None
        self._truth = ""
        self.name = Elided("", "strong")
        self.name.setObjectName("try_file_name")
        self.blank = label("", "muted", wrap=True)
        self.blank.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.wall, self.lines = ImageWall(), LinesView()
        self.views = QStackedWidget()
        for view in (self.blank, self.wall, self.lines):
            self.views.addWidget(view)
        opened = small_button("Open…", "try_open_file", "folder-open", "Open a file, or drop one here", self._choose)
        example = small_button("Example", "try_file_example", "shuffle", "The next real example", self._example)
        left = Drop()
        inside = column(row(opened, example, self.name, gap=GRID), self.views, gap=GRID)
        inside.itemAt(0).layout().setStretch(2, 1)
        inside.setStretch(1, 1)
        left.setLayout(inside)
        left.dropped.connect(self.open)
        layout = row(left, self.answer, gap=2 * GRID)
        layout.setStretch(0, 1)
        layout.setStretch(1, 1)
        self.setLayout(layout)

    def prepare(self, trial: Trial) -> None:
        super().prepare(trial)
        self._batch, self._pending, self._truth = None, None, ""
        self.examples.index = -1
        self.name.setText("")
        self.blank.setText(_ASKS[self._way])
        self.views.setCurrentWidget(self.blank)
        self.answer.clear()

    @property
    def _way(self) -> str:
        assert self.trial is not None
        return next(way for way in self.trial.ways if way in _KINDS)

    def _choose(self) -> None:
        if self.trial is not None and (path := choose_file(self, _KINDS[self._way])) is not None:
            self.open(path)

    def open(self, path: Path) -> None:
        """Ask about the first example in a file."""
        self._pending = path
        self.changed.emit()

    def _example(self) -> None:
        if self.trial is not None and (found := self.examples.next(self.trial)):
            self._take(found, f"example {self.examples.index + 1}", self.examples.truth(self.trial))

    def _take(self, batch: dict[str, Any], name: str, truth: str = "") -> None:
        assert self.trial is not None
        assert self.trial.fed is not None
        self._batch, self._truth = batch, truth
        self.name.setText(name)
        self._show(self.trial.fed, batch[self.trial.fed.name][0].numpy())
        self.changed.emit()

    def _show(self, field: Field, values: Any) -> None:
        if values.ndim == 3:
            picture = values[:, ::-1] if self._way == "sound" else values  # low tones are at the bottom
            self.wall.show_wall(wall_of_images(Images(images=picture[None].copy())))
            self.views.setCurrentWidget(self.wall)
        else:
            places = np.arange(len(values), dtype=np.float32)
            names = field.columns or tuple(f"channel {i + 1}" for i in range(values.shape[1]))
            shown = {name: (places, values[:, i]) for i, name in enumerate(names[:MOST_LINES])}
            self.lines.show_lines(Lines(lines=shown, axes=("step", "")))
            self.views.setCurrentWidget(self.lines)

    def redraw(self) -> None:
        if self._batch is not None and self.trial is not None and self.trial.fed is not None:
            self._show(self.trial.fed, self._batch[self.trial.fed.name][0].numpy())
        super().redraw()

    def question(self) -> Question | None:
        if self._pending is not None:
            path = self._pending
            return lambda model: (path, inputs.read_batch(path, model))
        batch = self._batch
        return None if batch is None else lambda model: asking.predict(model, batch)[0]

    def show_found(self, found: Any) -> None:
        if isinstance(found, tuple):
            path, batch = found
            if path == self._pending:
                self._pending = None
                self._take({name: values[:1] for name, values in batch.items()}, path.name)
            return
        if isinstance(found, Broken):
            self._pending = None
        super().show_found(found)

    def truth(self) -> str:
        return self._truth
