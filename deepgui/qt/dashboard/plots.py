"""The curves of a run side by side: loss, a metric, the learning rate."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QSlider, QWidget

from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.dashboard.curves import Column, CurvePlot, Series
from deepgui.qt.theme import GRID
from deepgui.qt.widgets import row, tool_button

if TYPE_CHECKING:
    from deepgui.training.events import Started

LOSS = (Series("train_loss", "train", "train", smooth=True), Series("val_loss", "validation", "validation"))
RATE = (Series("lr", "lr", "lr"),)
PREFERRED = ("accuracy", "r2", "mae", "rmse")
WORDS = {
    "accuracy": "Accuracy",
    "r2": "R²",
    "mae": "Mean absolute error",
    "mse": "Mean squared error",
    "rmse": "Root mean squared error",
    "f1": "F1 score",
    "top5_accuracy": "Top-5 accuracy",
    "lr": "Learning rate",
}
ROOM_FOR_RATE = 900
"""Two plots look better than three slivers."""
CALLS_A_DRAW = 5
"""Of the calls that come thirty times a second, so many pass from one plot drawn to the next."""
SMOOTHING = 85
_NOTHING: Column = (np.empty(0), np.empty(0))


def metrics_in(names: Iterable[str]) -> tuple[str, ...]:
    """The metrics that columns hold (``val_accuracy`` → ``accuracy``), those most looked at first; no loss."""
    found = {n.partition("_")[2] for n in names if n.startswith(("train_", "val_"))} - {"loss", ""}
    rank = {name: place for place, name in enumerate(PREFERRED)}
    return tuple(sorted(found, key=lambda n: (rank.get(n, len(rank)), n)))


class Plots(QWidget):
    """Draws the feed of the controller's run when told to :meth:`refresh`; hidden plots are left alone."""

    def __init__(self, controller: RunController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.controller = controller
        self.loss_plot = CurvePlot("Loss", "loss_plot")
        self.metric_plot = CurvePlot("", "metric_plot")
        self.rate_plot = CurvePlot("Learning rate", "lr_plot")
        self._metrics: tuple[str, ...] = ()
        self._chosen = ""
        self._ticks = 0
        self._build_tools()
        line = row(self.loss_plot, self.metric_plot, self.rate_plot, gap=GRID)
        for place, stretch in enumerate((5, 5, 4)):
            line.setStretch(place, stretch)
        self.setLayout(line)
        self.rate_plot.set_series(RATE)
        self.loss_plot.set_series(LOSS)
        self._show_metrics(("accuracy",))
        self._smooth(SMOOTHING)
        controller.run_started.connect(self._on_started)
        controller.run_finished.connect(lambda _: self.refresh(final=True))
        controller.session.document_replaced.connect(self._forget)

    def _build_tools(self) -> None:
        self.smoothing = QSlider(Qt.Orientation.Horizontal)
        self.smoothing.setObjectName("smoothing")
        self.smoothing.setRange(0, 99)
        self.smoothing.setValue(SMOOTHING)
        self.smoothing.setFixedWidth(64)
        self.smoothing.setToolTip("Smoothing of the training curves")
        self.smoothing.setAccessibleName("Smoothing")
        self.smoothing.valueChanged.connect(self._smooth)
        self.log = tool_button("chart-line", "log_scale", "Logarithmic loss axis")
        self.log.setText("log")
        self.log.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.log.setCheckable(True)
        self.log.toggled.connect(self._log)
        self.choice = QComboBox()
        self.choice.setObjectName("metric_combo")
        self.choice.setAccessibleName("Metric")
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.choice.activated.connect(lambda _: self._choose(self.choice.currentData()))
        self.loss_plot.add_tool(self.smoothing)
        self.loss_plot.add_tool(self.log)
        self.metric_plot.add_tool(self.choice, first=True)

    def _smooth(self, value: int) -> None:
        for plot in (self.loss_plot, self.metric_plot):
            plot.set_smoothing((value / 100) ** 0.5 if value else 0.0)
        self.refresh(final=True)

    def _log(self, on: bool) -> None:
        self.loss_plot.set_log(on)
        self._mark_best()
        self.refresh(final=True)

    def _show_metrics(self, metrics: tuple[str, ...]) -> None:
        if metrics == self._metrics:
            return
        self._metrics = metrics
        self.choice.clear()
        for name in (*metrics, "lr"):
            self.choice.addItem(WORDS.get(name, name.replace("_", " ").capitalize()), name)
        self._choose(self._chosen if self._chosen in metrics else (metrics or ("lr",))[0])

    def _choose(self, name: str) -> None:
        self._chosen = name
        self.choice.setCurrentIndex(max(0, self.choice.findData(name)))
        if name == "lr":
            self.metric_plot.set_series(RATE)
        else:
            self.metric_plot.set_series(
                (
                    Series(f"train_{name}", "train", "train", smooth=True),
                    Series(f"val_{name}", "validation", "validation"),
                )
            )
        self.refresh(final=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.rate_plot.setVisible(self.width() >= ROOM_FOR_RATE)

    def _on_started(self, started: Started) -> None:
        if started.resumed_from is not None:  # what is drawn is its own beginning, which is about to come back
            self._forget()
            return
        for plot in (self.loss_plot, self.metric_plot, self.rate_plot):
            plot.remember()

    def _forget(self) -> None:
        for plot in (self.loss_plot, self.metric_plot, self.rate_plot):
            plot.forget()

    def _column(self, name: str) -> Column:
        feed = self.controller.feed
        return feed.column(name) if feed is not None else _NOTHING

    def refresh(self, final: bool = False) -> None:
        """Draw the visible plots in turn, one every :data:`CALLS_A_DRAW` calls (``final``: all of them).

        A call must stay short, and what the plots take, the training lacks: a curve that grows twice a
        second still reads as motion.
        """
        feed = self.controller.feed
        if feed is not None and (metrics := metrics_in(feed.names)):
            self._show_metrics(metrics)
        visible = [plot for plot in (self.loss_plot, self.metric_plot, self.rate_plot) if plot.isVisible()]
        if not visible:
            return
        self._ticks += 1
        if not final and self._ticks % CALLS_A_DRAW:
            return
        turn = self._ticks // CALLS_A_DRAW
        for plot in visible if final else [visible[turn % len(visible)]]:
            plot.refresh(self._column)
            if final or turn // len(visible) % 2 == 0:
                plot.update_legend({})
        if final or turn % 4 == 0:
            self._mark_best()

    def _best_step(self) -> float | None:
        """Where the best epoch ended. Of what came before a run went on, its curve of the validation loss tells."""
        best = self.controller.best
        if best is not None:
            return best[1]
        steps, losses = self._column("val_loss")
        known = len(losses) > 0 and np.isfinite(losses).any()
        return float(steps[np.nanargmin(losses)]) if known else None

    def _mark_best(self) -> None:
        best = self._best_step()
        steps = tuple(float(m.step) for m in self.controller.marks if m.name == "lr")
        for plot, column in ((self.loss_plot, "val_loss"), (self.metric_plot, f"val_{self._chosen}")):
            x, y = self._column(column)
            at = int(np.searchsorted(x, best)) if best is not None and len(x) else -1
            plot.set_best((float(x[at]), float(y[at])) if 0 <= at < len(x) else None)
            plot.set_marks(steps)
        self.rate_plot.set_marks(steps)
