"""A plot of growing columns that is cheap enough to be redrawn thirty times a second beside a training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from deepgui.qt import theme
from deepgui.qt.dashboard.decimate import Floats, Smoother, envelope, nice_ceiling
from deepgui.qt.dashboard.legend import Legend
from deepgui.qt.widgets import label, row

Column = tuple[Floats, Floats]
Source = Callable[[str], Column]
FAINT = 70


@dataclass(frozen=True)
class Series:
    """One curve: the column it draws, what it is called, the theme token of its colour."""

    column: str
    label: str
    token: str
    smooth: bool = False


class _ValueAxis(pg.AxisItem):
    """Numbers as people write them: 0.25, 3e-05."""

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        if self.logMode:
            return [f"{10.0**v:.3g}" for v in values]
        return [f"{v * scale:.6g}" for v in values]


class _Curve:
    """A series with its drawing items: the curve, the raw values behind a smoothed one, the last run's."""

    def __init__(self, series: Series, plot: pg.PlotItem) -> None:
        self.series = series
        self.line, self.ghost = (pg.PlotCurveItem(skipFiniteCheck=True, antialias=True) for _ in range(2))
        self.raw = pg.PlotCurveItem(skipFiniteCheck=True)
        self.ghost.setZValue(-3)
        self.raw.setZValue(-2)
        for item in (self.ghost, self.raw, self.line):
            plot.addItem(item, ignoreBounds=True)
        self.smoother = Smoother()
        self.shown: Column = (np.empty(0), np.empty(0))
        self.last_run: Column = (np.empty(0), np.empty(0))
        self.drawn = (-1, -1, 0.0, False)

    def repaint(self) -> None:
        color = theme.theme().color(self.series.token)
        faint, fainter = QColor(color), QColor(color)
        faint.setAlpha(FAINT)
        fainter.setAlpha(FAINT * 3 // 2)
        self.line.setPen(pg.mkPen(color, width=1.5))
        self.raw.setPen(pg.mkPen(faint, width=1))
        self.ghost.setPen(pg.mkPen(fainter, width=1))

    def latest(self) -> float | None:
        ys = self.shown[1]
        return float(ys[-1]) if len(ys) else None


class CurvePlot(QWidget):
    """Curves against the step, with a crosshair, a mark at the best epoch and where the learning rate changed.

    Axes grow in steps rather than with every point, so that most refreshes redraw curves only. Dragging or
    turning the wheel takes the axes over by hand; a double click gives them back.
    """

    hovered = Signal(float)

    def __init__(self, title: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.title = title
        self.legend = Legend(self)
        self.plot = pg.PlotWidget(parent=self, axisItems={"left": _ValueAxis("left")})
        self._curves: dict[str, _Curve] = {}
        self._log = False
        self._smoothing = 0.0
        self._auto = True
        self._range: tuple[float, float, float, float] | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._head = row(self.legend, gap=4)
        layout.addLayout(self._head)
        layout.addWidget(self.plot, 1)
        self._hinting = False
        self._hint = label("Curves appear here while the network trains.", "caption")
        self._hint.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        QVBoxLayout(self.plot).addWidget(self._hint, 0, Qt.AlignmentFlag.AlignCenter)
        self.plot.setMinimumSize(72, 48)
        self._build()
        self._show_hint(True)
        theme.current().changed.connect(self.repaint_theme)
        self.repaint_theme()

    def _build(self) -> None:
        item = self.plot.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        item.setClipToView(False)
        self.plot.setAntialiasing(False)
        self.plot.setFrameShape(self.plot.Shape.NoFrame)
        self._view = item.getViewBox()
        self._view.disableAutoRange()
        self._view.setDefaultPadding(0)
        self._view.sigRangeChangedManually.connect(self._taken_over)
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setStyle(tickLength=0, tickTextOffset=4, autoExpandTextSpace=False)
            axis.enableAutoSIPrefix(False)
            # Axes change seldom and their text is what costs most in a redraw: they are kept as pictures.
            axis.setCacheMode(axis.CacheMode.DeviceCoordinateCache)
        item.getAxis("left").setWidth(48)
        item.getAxis("bottom").setHeight(20)
        self._best = pg.ScatterPlotItem(size=9, pxMode=True)
        self._best.setZValue(5)
        self._best_at: tuple[float, float] | None = None
        item.addItem(self._best, ignoreBounds=True)
        self._marks: list[pg.InfiniteLine] = []
        self._cross = pg.InfiniteLine(angle=90, movable=False)
        self._cross.setVisible(False)
        item.addItem(self._cross, ignoreBounds=True)
        self.plot.scene().sigMouseMoved.connect(self._moved)
        self.plot.viewport().installEventFilter(self)

    def add_tool(self, widget: QWidget, *, first: bool = False) -> None:
        """Put a control at the right of the plot's head, or in front."""
        self._head.insertWidget(0 if first else self._head.count(), widget)

    def _show_hint(self, on: bool) -> None:
        """With nothing drawn the axes have nothing to say."""
        if on != self._hinting:
            self._hinting = on
            self._hint.setVisible(on)
            for side in ("left", "bottom"):
                self.plot.getPlotItem().getAxis(side).setStyle(showValues=not on)

    # -- what is drawn

    def set_series(self, series: tuple[Series, ...]) -> None:
        """Draw these columns; those already drawn stay."""
        wanted = {s.column: s for s in series}
        if {c.series for c in self._curves.values()} == set(series):
            return
        item = self.plot.getPlotItem()
        for column in [c for c, curve in self._curves.items() if wanted.get(c) != curve.series]:
            curve = self._curves.pop(column)
            for part in (curve.line, curve.raw, curve.ghost):
                item.removeItem(part)
        for one in series:
            if one.column not in self._curves:
                self._curves[one.column] = _Curve(one, item)
                self._curves[one.column].smoother.weight = self._smoothing if one.smooth else 0.0
        self._curves = {s.column: self._curves[s.column] for s in series}
        self.repaint_theme()

    def set_smoothing(self, weight: float) -> None:
        """Weight of the exponential moving average, in [0, 1)."""
        self._smoothing = weight
        for curve in self._curves.values():
            curve.smoother = Smoother(weight if curve.series.smooth else 0.0)
            curve.drawn = (-1, -1, 0.0, False)

    def set_log(self, on: bool) -> None:
        """A logarithmic value axis; values that are not positive are left out."""
        self._log, self._best_at = on, None
        self.plot.getPlotItem().getAxis("left").setLogMode(y=on)
        self._range = None
        for curve in self._curves.values():
            curve.drawn = (-1, -1, 0.0, False)

    def remember(self) -> None:
        """A new run starts: what is drawn becomes the faint last run."""
        for curve in self._curves.values():
            if len(curve.shown[1]):
                x, y = curve.shown
                curve.last_run = envelope(x.copy(), curve.smoother(y).copy(), 600)
            curve.shown = (np.empty(0), np.empty(0))
            curve.smoother = Smoother(self._smoothing if curve.series.smooth else 0.0)
            curve.drawn = (-1, -1, 0.0, False)
        self.set_best(None)
        self.set_marks(())
        self._auto, self._range = True, None

    def forget(self) -> None:
        """Another project: nothing is drawn."""
        self.remember()
        for curve in self._curves.values():
            curve.last_run = (np.empty(0), np.empty(0))
            for part in (curve.line, curve.raw, curve.ghost):
                part.setData([], [])
        self._show_hint(True)
        self.update_legend({})

    def set_best(self, place: tuple[float, float] | None) -> None:
        """Mark the best epoch at (step, value), or nothing."""
        self._best.setVisible(place is not None)
        if place is not None and place != self._best_at:
            self._best.setData([place[0]], [self._scaled(np.array([place[1]]))[0]])
        self._best_at = place

    def set_marks(self, steps: tuple[float, ...]) -> None:
        """Dotted lines where a number was changed by hand."""
        if steps == tuple(float(m.value()) for m in self._marks):
            return
        for mark in self._marks:
            self.plot.getPlotItem().removeItem(mark)
        self._marks = [pg.InfiniteLine(pos=s, angle=90, movable=False) for s in steps]
        for mark in self._marks:
            self.plot.getPlotItem().addItem(mark, ignoreBounds=True)
        self._paint_marks()

    def refresh(self, source: Source) -> None:
        """Draw what the columns hold now: once, decimated to the width in pixels."""
        changed = False
        for curve in self._curves.values():
            x, y = source(curve.series.column)
            changed |= self._draw(curve, x, y)
        if changed:
            self._show_hint(not any(len(c.shown[1]) or len(c.last_run[1]) for c in self._curves.values()))
            self._fit()

    def _draw(self, curve: _Curve, x: Floats, y: Floats) -> bool:
        width = max(50, int(self._view.width()))
        key = (len(y), width, self._smoothing, self._log)
        if curve.drawn == key and self._auto:
            return False
        curve.drawn = key
        curve.shown = (x, y)
        smooth = curve.smoother(y)
        self._set(curve.line, x, smooth, width)
        if smooth is not y:
            self._set(curve.raw, x, y, width)
        else:
            self._set(curve.raw, x[:0], y[:0], width)
        self._set(curve.ghost, *curve.last_run, width)
        return True

    def _set(self, item: pg.PlotCurveItem, x: Floats, y: Floats, width: int) -> None:
        if not self._auto and len(x):
            low, high = self._view.viewRange()[0]
            a, b = np.searchsorted(x, (low, high))
            x, y = x[max(0, a - 1) : b + 1], y[max(0, a - 1) : b + 1]
        x, y = envelope(x, self._scaled(y), width)
        item.setVisible(len(x) > 0)
        if len(x) or item.xData is None or len(item.xData):
            item.setData(x, y)

    def _scaled(self, y: Floats) -> Floats:
        if not self._log:
            return y
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log10(np.where(y > 0, y, np.nan))

    # -- axes

    def _fit(self) -> None:
        """Let the axes hold what is drawn, changing them only in steps."""
        if not self._auto:
            return
        xs = [c.line.xData for c in self._curves.values()] + [c.ghost.xData for c in self._curves.values()]
        ys = [a for c in self._curves.values() for a in (c.line.yData, c.raw.yData, c.ghost.yData)]
        end = max((float(x[-1]) for x in xs if x is not None and len(x)), default=0.0)
        ys = [y for y in ys if y is not None and len(y)]
        if not ys:
            return
        low, high = min(float(y.min()) for y in ys), max(float(y.max()) for y in ys)
        right = nice_ceiling(max(end, 10.0))
        bottom, top = self._value_range(low, high)
        if self._range != (0.0, right, bottom, top):
            self._range = (0.0, right, bottom, top)
            self._view.setRange(xRange=(0, right), yRange=(bottom, top), padding=0)

    def _value_range(self, low: float, high: float) -> tuple[float, float]:
        if self._log:
            return math.floor(low * 4) / 4 - 0.05, math.ceil(high * 4) / 4 + 0.05
        old = self._range
        if old and old[2] <= low and high <= old[3] and (high - low) > 0.6 * (old[3] - old[2]):
            return old[2], old[3]
        if high - low < 1e-6 * max(abs(high), 1e-12):
            spread = abs(high) or 1.0
            return (0.0, 1.25 * high) if high > 0 else (low - spread, high + spread)
        if 0 <= low < 0.5 * high:
            return 0.0, nice_ceiling(high * 1.04)
        span = nice_ceiling((high - low) * 1.04) / 4
        return math.floor(low / span) * span, math.ceil((high + 0.02 * (high - low)) / span) * span

    def _taken_over(self) -> None:
        self._auto = False
        for curve in self._curves.values():
            self._draw(curve, *curve.shown)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self._auto, self._range = True, None
            for curve in self._curves.values():
                self._draw(curve, *curve.shown)
            self._fit()
            return True
        if event.type() == QEvent.Type.Leave:
            self._cross.setVisible(False)
            self.update_legend({})
        return False

    # -- reading values

    def _moved(self, place: QPointF) -> None:
        inside = self.plot.getPlotItem().sceneBoundingRect().contains(place)
        self._cross.setVisible(inside and bool(self._curves))
        if inside:
            step = self._view.mapSceneToView(place).x()
            self._cross.setValue(step)
            self.update_legend(self.values_at(step), step)

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
        if self._cross.isVisible() and not hovering:
            return
        entries = []
        for column, curve in self._curves.items():
            value = values.get(column) if hovering else curve.latest()
            if value is not None:
                entries.append((curve.series.token, curve.series.label, f"{value:.3g}"))
        title = f"Step {max(0, round(step))}" if hovering else self.title
        self.legend.show_values(title, tuple(entries))

    # -- colours

    def repaint_theme(self) -> None:
        """Take the colours of the theme in force."""
        colors, item = theme.theme(), self.plot.getPlotItem()
        self.plot.setBackground(colors.color("plot"))
        grid = QColor(colors.color("plot_grid"))
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setPen(pg.mkPen(grid))
            axis.setTextPen(pg.mkPen(colors.color("muted")))
            axis.setGrid(70 if colors.name == "dark" else 110)
        for curve in self._curves.values():
            curve.repaint()
        self._cross.setPen(pg.mkPen(colors.color("muted"), width=1))
        self._best.setPen(pg.mkPen(colors.color("plot"), width=1.5))
        self._best.setBrush(pg.mkBrush(colors.color("success")))
        self._paint_marks()
        self.legend.update()

    def _paint_marks(self) -> None:
        pen = QPen(theme.theme().color("lr"))
        pen.setCosmetic(True)
        pen.setStyle(Qt.PenStyle.DotLine)
        for mark in self._marks:
            mark.setPen(pen)
