"""Curves of growing columns: which points are drawn, which part of the plane is shown, what the pointer reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from deepgui.qt import theme
from deepgui.qt.dashboard.chart import Chart, Line, View
from deepgui.qt.dashboard.decimate import Floats, Smoother, envelope, nice_ceiling
from deepgui.qt.dashboard.extent import Extent, log_extent, value_extent
from deepgui.qt.dashboard.legend import Legend
from deepgui.qt.widgets import label, row

Column = tuple[Floats, Floats]
Source = Callable[[str], Column]
FAINT = 70
NOT_DRAWN = (-1, -1, 0.0, False)
_NOTHING: Column = (np.empty(0), np.empty(0))


@dataclass(frozen=True)
class Series:
    """One curve: the column it draws, what it is called, the theme token of its colour."""

    column: str
    label: str
    token: str
    smooth: bool = False


class _Curve:
    """A series and what of it is drawn: the curve, the raw values behind a smoothed one, the last run's."""

    def __init__(self, series: Series, weight: float) -> None:
        self.series = series
        self.last_run = _NOTHING
        self.begin(weight)

    def begin(self, weight: float) -> None:
        """A new run: nothing of it is known yet."""
        self.smoother = Smoother(weight if self.series.smooth else 0.0)
        self.shown = self.line = self.raw = _NOTHING
        self.ghost = _NOTHING
        self.drawn = NOT_DRAWN

    def color(self, alpha: int = 255) -> QColor:
        made = theme.theme().color(self.series.token)
        made.setAlpha(alpha)
        return made

    def latest(self) -> float | None:
        ys = self.shown[1]
        return float(ys[-1]) if len(ys) else None


class CurvePlot(QWidget):
    """Curves against the step, with a crosshair, a mark at the best epoch and where the learning rate changed.

    Axes grow in steps rather than with every point, so that most refreshes redraw curves only. Dragging or
    turning the wheel takes the axes over by hand; a double click gives them back.
    """

    def __init__(self, title: str, name: str, hint: str = "Curves appear here while the network trains.") -> None:
        super().__init__()
        self.setObjectName(name)
        self.title = title
        self.legend = Legend(self)
        self.chart = Chart(self)
        self._curves: dict[str, _Curve] = {}
        self._log = False
        self._smoothing = 0.0
        self._auto = True
        self._best: tuple[float, float] | None = None
        self._head = row(self.legend, gap=4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self._head)
        layout.addWidget(self.chart, 1)
        self._hint = label(hint, "caption", wrap=True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        QVBoxLayout(self.chart).addWidget(self._hint)
        self.chart.hovered.connect(self._read)
        self.chart.looked.connect(self._take_over)
        self.chart.given_back.connect(self._give_back)
        theme.current().changed.connect(self.repaint_theme)
        self.repaint_theme()

    def add_tool(self, widget: QWidget, *, first: bool = False) -> None:
        """Put a control at the right of the plot's head, or in front."""
        self._head.insertWidget(0 if first else self._head.count(), widget)

    # -- what is drawn

    @property
    def series(self) -> tuple[Series, ...]:
        """What is drawn."""
        return tuple(curve.series for curve in self._curves.values())

    def set_series(self, series: tuple[Series, ...]) -> None:
        """Draw these columns; those already drawn stay."""
        kept = {c.series: c for c in self._curves.values()}
        if tuple(kept) != series:
            self._curves = {s.column: kept.get(s) or _Curve(s, self._smoothing) for s in series}
            self._show()

    def set_smoothing(self, weight: float) -> None:
        """Weight of the exponential moving average, in [0, 1)."""
        self._smoothing = weight
        for curve in self._curves.values():
            curve.smoother = Smoother(weight if curve.series.smooth else 0.0)
            curve.drawn = NOT_DRAWN

    def set_log(self, on: bool) -> None:
        """A logarithmic value axis; values that are not positive are left out."""
        self._log, self._auto = on, True
        for curve in self._curves.values():
            self._draw(curve, *curve.shown)
        self._show()

    def remember(self) -> None:
        """A new run starts: what is drawn becomes the faint last run."""
        for curve in self._curves.values():
            if len(curve.shown[1]):
                x, y = curve.shown
                curve.last_run = envelope(x.copy(), curve.smoother(y).copy(), 600)
            curve.begin(self._smoothing)
        self.set_best(None)
        self.chart.set_marks(())
        self._auto = True

    def forget(self) -> None:
        """Another project: nothing is drawn."""
        self.remember()
        for curve in self._curves.values():
            curve.last_run = _NOTHING
        self._show()
        self.update_legend({})

    def set_best(self, place: tuple[float, float] | None) -> None:
        """Mark the best epoch at (step, value), or nothing."""
        self._best = place
        self._place_best()

    def _place_best(self) -> None:
        place = self._best
        y = float(self._scaled(np.array([place[1]]))[0]) if place is not None else np.nan
        self.chart.set_best((place[0], y) if place is not None and np.isfinite(y) else None)

    def set_marks(self, steps: tuple[float, ...]) -> None:
        """Dotted lines where a number was changed by hand."""
        self.chart.set_marks(steps)

    def refresh(self, source: Source) -> None:
        """Draw what the columns hold now: once, decimated to the width in pixels."""
        drawn = [self._draw(curve, *source(curve.series.column)) for curve in self._curves.values()]
        if any(drawn):
            self._show()

    def _draw(self, curve: _Curve, x: Floats, y: Floats) -> bool:
        """Work out the points of a curve; False if they are those that are drawn already."""
        width = max(50, int(self.chart.frame.width()))
        key = (len(y), width, self._smoothing, self._log)
        if curve.drawn == key and self._auto:
            return False
        if key[1:] != curve.drawn[1:]:
            curve.ghost = self._points(*curve.last_run, width)
        curve.drawn, curve.shown = key, (x, y)
        smooth = curve.smoother(y)
        curve.line = self._points(x, smooth, width // 2)
        curve.raw = self._points(x, y, width) if smooth is not y else _NOTHING
        return True

    def _points(self, x: Floats, y: Floats, width: int) -> Column:
        if not self._auto and len(x):
            a, b = np.searchsorted(x, (self.chart.view.left, self.chart.view.right))
            x, y = x[max(0, a - 1) : b + 1], y[max(0, a - 1) : b + 1]
        return envelope(x, self._scaled(y), width)

    def _scaled(self, y: Floats) -> Floats:
        if not self._log:
            return y
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log10(np.where(y > 0, y, np.nan))

    def _show(self) -> None:
        """Hand everything to the chart."""
        curves = self._curves.values()
        self._fit()
        raw = [Line(*c.raw, c.color(FAINT)) for c in curves]
        self.chart.show_lines(
            (*raw, *(Line(*c.line, c.color(), bold=True) for c in curves)),
            [Line(*c.ghost, c.color(FAINT * 3 // 2)) for c in curves if len(c.ghost[0])],
        )
        empty = not any(len(c.shown[1]) or len(c.last_run[1]) for c in curves)
        self._hint.setVisible(empty)
        self.chart.set_bare(empty)
        self._place_best()

    # -- axes

    def _fit(self) -> None:
        """Let the axes hold what is drawn, changing them only in steps."""
        curves, view = self._curves.values(), self.chart.view
        values = [y for c in curves for y in (c.line[1], c.ghost[1]) if len(y)]
        if not self._auto or not values:
            self.chart.look(view, log=self._log)
            return
        end = max(float(c[0][-1]) for one in curves for c in (one.line, one.ghost) if len(c[0]))
        old = (view.bottom, view.top) if self.chart.log == self._log else None
        extent = (
            log_extent(values) if self._log else value_extent(values, [c.raw[1] for c in curves if len(c.raw[1])], old)
        )
        self.chart.look(View(0.0, nice_ceiling(max(end, 10.0)), extent.bottom, extent.top), log=self._log)
        self.chart.set_note(_note(extent))

    def _take_over(self, view: View) -> None:
        self._auto = False
        self.chart.look(view, log=self._log)
        self.chart.set_note("")
        self._redraw()

    def _give_back(self) -> None:
        self._auto = True
        self._redraw()

    def _redraw(self) -> None:
        for curve in self._curves.values():
            curve.drawn = NOT_DRAWN
            self._draw(curve, *curve.shown)
        self._show()

    # -- reading values

    def _read(self, step: float | None) -> None:
        self.chart.show_cross(step if self._curves else None)
        self.update_legend({} if step is None else self.values_at(step), step)

    def values_at(self, step: float) -> dict[str, float]:
        """The value of every curve at the point nearest to a step."""
        found: dict[str, float] = {}
        for column, curve in self._curves.items():
            x, y = curve.shown
            if len(x):
                at = int(np.clip(np.searchsorted(x, step), 0, len(x) - 1))
                if at and abs(x[at - 1] - step) < abs(x[at] - step):
                    at -= 1
                found[column] = float(y[at])
        return found

    def update_legend(self, values: Mapping[str, float], step: float | None = None) -> None:
        """Show the values at the crosshair, or the latest ones."""
        hovering = step is not None
        if self.chart.cross is not None and not hovering:
            return
        entries = []
        for column, curve in self._curves.items():
            value = values.get(column) if hovering else curve.latest()
            if value is not None:
                entries.append((curve.series.token, curve.series.label, f"{value:.3g}"))
        title = f"Step {max(0, round(step))}" if hovering else self.title
        self.legend.show_values(title, tuple(entries))

    def repaint_theme(self) -> None:
        """Take the colours of the theme in force."""
        self.chart.redraw()
        self._show()
        self.legend.update()


def _note(extent: Extent) -> str:
    """What to know of values that the axis leaves out."""
    return f"outside: up to {extent.beyond:.3g}; log shows it" if extent.beyond is not None else ""
