"""The curves of the chosen runs over each other, of the metric chosen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QSlider, QWidget

from deepgui.qt.dashboard.curves import Column, CurvePlot, Series
from deepgui.qt.runs.shelf import Shelf, Wish
from deepgui.qt.widgets import column, tool_button

PREFERRED = ("val_loss", "train_loss", "val_accuracy", "train_loss_epoch")
SMOOTHING = 85
HINT = "Choose runs in the table to see their curves; with Ctrl or Shift several, one over the other."


def smooths(name: str) -> bool:
    """Whether a curve has a value a step, and so some noise, rather than one an epoch."""
    return not name.startswith("val_") and not name.endswith("_epoch") and name != "lr"


class CurvesPage(QWidget):
    """One plot with a curve for each chosen run: raw values faint, smoothed ones over them."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__()
        self.setObjectName("runs_curves")
        self._shelf = shelf
        self._runs: tuple[tuple[Path, str, str], ...] = ()
        self._wanted = ""
        self.plot = CurvePlot("", "runs_plot", HINT)
        self._build_tools()
        self.setLayout(column(self.plot))
        self._smooth(SMOOTHING)
        shelf.drawn.connect(self.refresh)

    def _build_tools(self) -> None:
        self.choice = QComboBox()
        self.choice.setObjectName("runs_metric")
        self.choice.setAccessibleName("Metric of the curves")
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.choice.setMaximumWidth(150)
        self.choice.activated.connect(lambda _: self.choose(self.choice.currentData()))
        self.smoothing = QSlider(Qt.Orientation.Horizontal)
        self.smoothing.setObjectName("runs_smoothing")
        self.smoothing.setRange(0, 99)
        self.smoothing.setValue(SMOOTHING)
        self.smoothing.setFixedWidth(56)
        self.smoothing.setToolTip("Smoothing of curves with a value a step")
        self.smoothing.setAccessibleName("Smoothing")
        self.smoothing.valueChanged.connect(self._smooth)
        self.log = tool_button("chart-line", "runs_log_scale", "Logarithmic axis")
        self.log.setText("log")
        self.log.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.log.setCheckable(True)
        self.log.toggled.connect(self._log)
        self.plot.add_tool(self.choice, first=True)
        self.plot.add_tool(self.smoothing)
        self.plot.add_tool(self.log)

    # -- what is shown

    @property
    def metric(self) -> str:
        return self.choice.currentData() or ""

    def show_runs(self, runs: Sequence[tuple[Path, str, str]]) -> None:
        """Show the curves of these runs: (folder, name, token of the colour)."""
        self._runs = tuple(runs)
        self.fill()

    def fill(self) -> None:
        """Offer the metrics that the chosen runs have, and show the one wanted."""
        names = self._shelf.columns([folder for folder, _, _ in self._runs])
        if names and names != tuple(self.choice.itemData(i) for i in range(self.choice.count())):
            self.choice.clear()
            for name in names:
                self.choice.addItem(name.replace("_", " "), name)
        self.choice.setVisible(bool(names))
        order = (self._wanted, *PREFERRED, *names)
        self._show(next((name for name in order if name in names), ""))

    def choose(self, metric: str) -> None:
        """Show another metric, and stay with it for other runs."""
        self._wanted = metric
        self._show(metric)

    def _show(self, metric: str) -> None:
        self.choice.setCurrentIndex(self.choice.findData(metric))
        wishes = {Wish(folder, metric): (name, token) for folder, name, token in self._runs if metric}
        self.plot.set_series(
            tuple(Series(_key(wish), name, token, smooths(metric)) for wish, (name, token) in wishes.items())
        )
        self._wishes = {_key(wish): wish for wish in wishes}
        self._shelf.wish(frozenset(wishes))
        self.refresh()

    def refresh(self) -> None:
        """Draw what is known by now."""
        self.plot.refresh(self.source)
        self.plot.update_legend({})

    def source(self, key: str) -> Column:
        return self._shelf.curve(self._wishes[key])

    def curves(self) -> dict[str, Column]:
        """What is drawn, by the names of the runs; those that share one are numbered."""
        found: dict[str, Column] = {}
        for (_, name, _), key in zip(self._runs, self._wishes, strict=False):
            same = sum(1 for other in found if other == name or other.startswith(f"{name} ("))
            found[f"{name} ({same + 1})" if same else name] = self.source(key)
        return found

    def _smooth(self, value: int) -> None:
        self.plot.set_smoothing((value / 100) ** 0.5 if value else 0.0)
        self.refresh_all()

    def _log(self, on: bool) -> None:
        self.plot.set_log(on)
        self.refresh_all()

    def refresh_all(self) -> None:
        if self._runs:
            self.refresh()


def _key(wish: Wish) -> str:
    return f"{wish.folder}\n{wish.column}"
