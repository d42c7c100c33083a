"""Set the columns of a row by hand and see what the network says of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QDoubleSpinBox, QGridLayout, QSizePolicy, QSlider, QWidget

from deepgui.data.columns import Column
from deepgui.data.fields import Field
from deepgui.qt.theme import GRID
from deepgui.qt.try_out.asker import Question
from deepgui.qt.try_out.page import Examples, Page, small_button
from deepgui.qt.widgets import Elided, clear, column, label, row, scrolled
from deepgui.use import asking
from deepgui.use.trial import Trial

STEPS = 500


class Number(QWidget):
    """A number as a slider and a field."""

    changed = Signal()

    def __init__(self, name: str, low: float, high: float) -> None:
        super().__init__()
        self._low, self._span = low, max(high - low, 1e-9)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, STEPS)
        self.slider.setObjectName(f"try_slider_{name}")
        self.slider.setAccessibleName(name)
        self.slider.setMinimumWidth(60)
        self.box = QDoubleSpinBox()
        self.box.setObjectName(f"try_number_{name}")
        self.box.setAccessibleName(name)
        self.box.setRange(-1e9, 1e9)
        digits = next((d for d, least in enumerate((2000, 100, 1, 0.1)) if self._span >= least), 4)
        self.box.setDecimals(digits)
        self.box.setSingleStep(self._span / 50)
        self.box.setFixedWidth(92)
        self.box.setAlignment(Qt.AlignmentFlag.AlignRight)
        line = row(self.slider, self.box, gap=GRID)
        line.setStretch(0, 1)
        self.setLayout(line)
        self.slider.valueChanged.connect(self._slid)
        self.box.valueChanged.connect(self._typed)

    def values(self) -> list[float]:
        return [self.box.value()]

    def put(self, values: list[float]) -> None:
        """Show a value without a word; one that is missing as the middle."""
        value = values[0] if np.isfinite(values[0]) else self._low + self._span / 2
        for widget in (self.slider, self.box):
            widget.blockSignals(True)
        self.box.setValue(value)
        self.slider.setValue(self._place(value))
        for widget in (self.slider, self.box):
            widget.blockSignals(False)

    def _place(self, value: float) -> int:
        return round(min(1.0, max(0.0, (value - self._low) / self._span)) * STEPS)

    def _slid(self, place: int) -> None:
        self.box.blockSignals(True)
        self.box.setValue(self._low + self._span * place / STEPS)
        self.box.blockSignals(False)
        self.changed.emit()

    def _typed(self, value: float) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(self._place(value))
        self.slider.blockSignals(False)
        self.changed.emit()


class Category(QComboBox):
    """One of several texts."""

    changed = Signal()

    def __init__(self, of: Column) -> None:
        super().__init__()
        self._of = of
        self.setObjectName(f"try_choice_{of.name}")
        self.setAccessibleName(of.name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumContentsLength(6)
        self.addItems(of.categories)
        self.activated.connect(lambda index: self.changed.emit())

    def values(self) -> list[float]:
        chosen = self.currentIndex()
        own = [float(k == chosen) for k in range(len(self._of.categories))] if self._of.one_hot else [float(chosen)]
        return own + [0.0] * self._of.flagged

    def put(self, values: list[float]) -> None:
        """Show the category that elements stand for."""
        own = np.nan_to_num(np.array(values[: len(values) - self._of.flagged]))
        self.setCurrentIndex(int(own.argmax()) if self._of.one_hot else int(own[0]))


class TablePage(Page):
    """A field for each column, from a real row on."""

    def __init__(self) -> None:
        super().__init__("table")
        self.examples = Examples()
        self._truth = ""
        self.fields: list[tuple[Number | Category, slice]] = []
        example = small_button("Example", "try_row", "shuffle", "The next real row", self._example)
        self.which = label("", "caption")
        self._rows = QWidget()
        self._grid = QGridLayout(self._rows)
        self._grid.setContentsMargins(0, 0, GRID, 0)
        self._grid.setHorizontalSpacing(GRID)
        self._grid.setVerticalSpacing(4)
        top = row(example, self.which, gap=GRID)
        top.addStretch()
        left = column(top, scrolled(self._rows), gap=GRID)
        left.setStretch(1, 1)
        layout = row(left, self.answer, gap=2 * GRID)
        layout.setStretch(0, 3)
        layout.setStretch(1, 2)
        self.setLayout(layout)

    def prepare(self, trial: Trial) -> None:
        super().prepare(trial)
        assert trial.fed is not None
        self.examples.index = -1
        self.fields = []
        clear(self._grid)
        values = trial.examples[trial.fed.name].numpy() if trial.fed.name in trial.examples else None
        across = 2 if len(_columns(trial.fed)) > 4 else 1
        for place, (of, span) in enumerate(_columns(trial.fed)):
            low, high = _range(values, span)
            made = Category(of) if of.categories else Number(of.name, low, high)
            made.changed.connect(self._edited)
            name = Elided(of.name, "parameter")
            name.setMaximumWidth(150)
            line, side = place // across, 2 * (place % across)
            self._grid.addWidget(name, line, side)
            self._grid.addWidget(made, line, side + 1)
            self.fields.append((made, span))
        for side in range(across):
            self._grid.setColumnStretch(2 * side, 2)
            self._grid.setColumnStretch(2 * side + 1, 3)
        self._grid.setRowStretch(len(self.fields), 1)
        self._example()

    def _edited(self) -> None:
        self._truth = ""
        self.which.setText(f"example {self.examples.index + 1}, changed by hand")
        self.changed.emit()

    def _example(self) -> None:
        if self.trial is None or self.trial.fed is None or not (found := self.examples.next(self.trial)):
            return
        values = found[self.trial.fed.name][0].tolist()
        for made, span in self.fields:
            made.put(values[span])
        self._truth = self.examples.truth(self.trial)
        self.which.setText(f"example {self.examples.index + 1} of {len(self.trial.examples[self._name])}")
        self.changed.emit()

    @property
    def _name(self) -> str:
        assert self.trial is not None
        assert self.trial.fed is not None
        return self.trial.fed.name

    def question(self) -> Question | None:
        if self.trial is None or not self.fields:
            return None
        values = torch.zeros(1, *self.trial.fed.shape)  # type: ignore[union-attr]
        for made, span in self.fields:
            values[0, span] = torch.tensor(made.values())
        batch: dict[str, Any] = {self._name: values}
        return lambda model: asking.predict(model, batch)[0]

    def truth(self) -> str:
        return self._truth


def _columns(field: Field) -> list[tuple[Column, slice]]:
    """The columns of a row with their elements."""
    if field.form is not None:
        return list(field.form.spans())
    names = field.columns or tuple(f"{field.name} {i + 1}" for i in range(field.shape[0]))
    return [(Column(name, i), slice(i, i + 1)) for i, name in enumerate(names)]


def _range(values: Any, span: slice) -> tuple[float, float]:
    """Where the values of a column lie, a little further."""
    if values is None:
        return -1.0, 1.0
    own = values[:, span.start]
    own = own[np.isfinite(own)]
    if not len(own):
        return -1.0, 1.0
    low, high = float(own.min()), float(own.max())
    pad = 0.1 * (high - low) or max(1.0, abs(low))
    return low - pad, high + pad
