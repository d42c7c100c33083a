"""Curves that belong together: a forecast and the truth."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from deepgui.qt.dashboard.chart import Chart, Line, View
from deepgui.qt.probes import colors
from deepgui.qt.theme import GRID, theme
from deepgui.qt.widgets import label
from deepgui.training.objectives.previews import Lines


class LinesView(QWidget):
    """A chart with the names of its lines above it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chart = Chart()
        self.names = label("", "muted")
        self.names.setObjectName("result_lines")
        self.names.setTextFormat(Qt.TextFormat.RichText)
        inside = QVBoxLayout(self)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(GRID // 2)
        inside.addWidget(self.names)
        inside.addWidget(self.chart, 1)

    def show_lines(self, shown: Lines) -> None:
        """All of them, on axes that hold them all; the first is the truth."""
        found, words = [], []
        for index, (name, (x, y)) in enumerate(shown.lines.items()):
            color = theme().color("muted") if index == 0 else colors.class_color(index - 1)
            found.append(Line(x.astype(np.float64), y.astype(np.float64), color, bold=index > 0))
            words.append(f'<span style="color:{color.name()}">●</span> {name}')
        self.names.setText("&nbsp;&nbsp;".join(words))
        xs = np.concatenate([line.x for line in found])
        ys = np.concatenate([line.y for line in found])
        ys = ys[np.isfinite(ys)]
        if len(xs) and len(ys):
            pad = max(float(ys.max() - ys.min()) * 0.06, 1e-9)
            view = View(
                float(xs.min()), float(max(xs.max(), xs.min() + 1e-9)), float(ys.min()) - pad, float(ys.max()) + pad
            )
            self.chart.look(view, log=False)
        self.chart.set_bare(False)
        self.chart.show_lines(found)
