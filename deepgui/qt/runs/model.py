"""Runs as the rows of a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QIcon, QPainter, QPixmap

from deepgui.qt import icons, style
from deepgui.qt.theme import theme
from deepgui.training import ranking
from deepgui.training.compare import metric_names
from deepgui.training.store import RunInfo

COLORS = (
    "train",
    "validation",
    "test",
    "lr",
    "family_activation",
    "family_recurrent",
    "family_block",
    "family_attention",
)
"""Tokens of the curves' colours, in turn."""
STATES = {
    "running": ("under way", "play-circle", "accent"),
    "completed": ("completed", "check-circle", "success"),
    "early_stopping": ("stopped early", "check-circle", "success"),
    "max_steps": ("step limit", "check-circle", "success"),
    "stopped": ("stopped", "stop-circle", "muted"),
    "pruned": ("cut short", "scissors", "muted"),
    "interrupted": ("interrupted", "warning", "warning"),
    "failed": ("failed", "x-circle", "error"),
}
"""Words, icon and colour of each status."""

Cell = Callable[[RunInfo], Any]


@dataclass(frozen=True)
class Heading:
    """A column: what it sorts by, what it shows, and the remark that a person can edit in it."""

    name: str
    title: str
    value: Cell
    text: Callable[[Any], str]
    number: bool = False
    remark: str = ""


def short_name(info: RunInfo) -> str:
    """What to call a run: its title, else the project's name with the run's own four letters."""
    return info.remarks.title or f"{info.name} {info.folder.name.rpartition('-')[2]}"


def when(seconds: float) -> str:
    """A time of day for today, else the date."""
    moment, now = datetime.fromtimestamp(seconds), datetime.now()
    if moment.date() == now.date():
        return moment.strftime("%H:%M")
    return moment.strftime("%d %b %H:%M" if moment.year == now.year else "%d %b %Y")


def how_long(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3:05``, ``1:02:30``."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def number(value: float | None) -> str:
    """Four digits; a dash for nothing."""
    return "–" if value is None else f"{value:.4g}"


_FIRST = (
    Heading("run", "Run", short_name, str, remark="title"),
    Heading("state", "State", lambda run: STATES.get(run.status, (run.status,))[0], str),
)
_LAST = (
    Heading("started", "Started", lambda run: run.started, when),
    Heading("steps", "Steps", lambda run: run.steps, lambda steps: f"{steps:,}", number=True),
    Heading("time", "Time", lambda run: run.seconds, how_long, number=True),
    Heading("tags", "Tags", lambda run: ", ".join(run.remarks.tags), str, remark="tags"),
    Heading("note", "Note", lambda run: run.remarks.note.partition("\n")[0], str, remark="note"),
)


class RunsModel(QAbstractTableModel):
    """The table. Values of the best run of each metric stand out.

    Signals:
        remarked(folder, remark, text): somebody wrote a title, tags or a note.
    """

    remarked = Signal(object, str, str)

    def __init__(self) -> None:
        super().__init__()
        self.headings: tuple[Heading, ...] = (*_FIRST, *_LAST)
        self._runs: list[RunInfo] = []
        self._order = ("started", Qt.SortOrder.DescendingOrder)
        self._best: dict[str, frozenset[Path]] = {}
        self._colors: dict[Path, str] = {}

    # -- what is in it

    @property
    def runs(self) -> Sequence[RunInfo]:
        """In the order of the rows."""
        return tuple(self._runs)

    @property
    def order(self) -> tuple[int, Qt.SortOrder]:
        """The column that the rows are sorted by, and which way."""
        name, order = self._order
        return next((i for i, heading in enumerate(self.headings) if heading.name == name), -1), order

    def run_at(self, row: int) -> RunInfo:
        return self._runs[row]

    def row_of(self, folder: Path) -> int | None:
        """Where a run stands, or None."""
        return next((row for row, run in enumerate(self._runs) if run.folder == folder), None)

    def color(self, folder: Path) -> str:
        """The token of a run's colour; it keeps it as long as the window lives."""
        return self._colors.setdefault(folder, COLORS[len(self._colors) % len(COLORS)])

    def show(self, runs: Sequence[RunInfo]) -> bool:
        """Show these runs; False if rows and columns stayed as they are and only cells are others."""
        for run in sorted(runs, key=lambda run: run.started):
            self.color(run.folder)
        headings = (*_FIRST, *map(_metric, _shown_metrics(runs)), *_LAST)
        ordered = self._sorted(runs, headings)
        same = [r.folder for r in ordered] == [r.folder for r in self._runs]
        same = same and [h.name for h in headings] == [h.name for h in self.headings]
        if not same:
            self.beginResetModel()
        self.headings, self._runs = headings, ordered
        self._best = {h.name: _best(h.name, runs) for h in headings if h not in (*_FIRST, *_LAST)}
        if not same:
            self.endResetModel()
        elif ordered:
            self.dataChanged.emit(self.index(0, 0), self.index(len(ordered) - 1, len(headings) - 1))
        return not same

    def _sorted(self, runs: Sequence[RunInfo], headings: Sequence[Heading]) -> list[RunInfo]:
        """By the column that was clicked; what has no value comes last either way, and equals newest first."""
        name, order = self._order
        heading = next((h for h in headings if h.name == name), _LAST[0])
        newest = sorted(runs, key=lambda run: run.started, reverse=True)
        known = [run for run in newest if _known(heading.value(run))]
        down = order == Qt.SortOrder.DescendingOrder
        known.sort(key=lambda run: _key(heading.value(run)), reverse=down)
        return known + [run for run in newest if not _known(heading.value(run))]

    # -- for Qt

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._runs)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.headings)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation != Qt.Orientation.Horizontal or section >= len(self.headings):
            return None
        heading = self.headings[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return heading.title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if heading.number else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        flags, remark = super().flags(index), self.headings[index.column()].remark
        whole = remark != "note" or "\n" not in self._runs[index.row()].remarks.note  # a cell has room for one line
        return flags | Qt.ItemFlag.ItemIsEditable if remark and whole else flags

    def data(self, index: QModelIndex, role: int = 0) -> Any:
        run, heading = self._runs[index.row()], self.headings[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return heading.text(heading.value(run))
        if role == Qt.ItemDataRole.EditRole:
            return run.remarks.title if heading.remark == "title" else heading.text(heading.value(run))
        if role == Qt.ItemDataRole.DecorationRole:
            return self._decoration(run, heading)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if heading.number else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        best = run.folder in self._best.get(heading.name, ())
        if role == Qt.ItemDataRole.FontRole:
            return _bold() if best else None
        if role == Qt.ItemDataRole.ForegroundRole:
            return theme().color("success") if best else None
        if role == Qt.ItemDataRole.ToolTipRole:
            return _tip(run, heading)
        return None

    def setData(self, index: QModelIndex, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        heading = self.headings[index.column()]
        if role != Qt.ItemDataRole.EditRole or not heading.remark:
            return False
        if str(value) != self.data(index, role):
            self.remarked.emit(self._runs[index.row()].folder, heading.remark, str(value))
        return True

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        if 0 <= column < len(self.headings):
            self._order = (self.headings[column].name, order)
            self.show(self._runs)

    def _decoration(self, run: RunInfo, heading: Heading) -> Any:
        if heading.name == "run":
            return swatch(self.color(run.folder))
        if heading.name == "state":
            _, icon, token = STATES.get(run.status, ("", "circle", "muted"))
            return icons.icon(icon, token)
        return None


def _bold() -> QFont:
    return style.font(style.BODY, bold=True)


def _metric(name: str) -> Heading:
    return Heading(name, name.replace("_", " "), lambda run: run.metrics.get(name), number, number=True)


def _shown_metrics(runs: Sequence[RunInfo]) -> tuple[str, ...]:
    """What was measured on data that was not learnt from; else whatever there is."""
    names = metric_names(runs)
    return tuple(name for name in names if not name.startswith("train_")) or names


def _best(metric: str, runs: Sequence[RunInfo]) -> frozenset[Path]:
    """The runs with the best value; losses of different objectives cannot be compared."""
    if len({run.objective for run in runs}) > 1:
        return frozenset()
    places = ranking.best_of(metric, [run.metrics.get(metric) for run in runs])
    return frozenset(runs[place].folder for place in places)


def _known(value: Any) -> bool:
    return value is not None and value != "" and not (isinstance(value, float) and math.isnan(value))


def _key(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _tip(run: RunInfo, heading: Heading) -> str:
    if heading.name == "run":
        return f"{run.folder.name}\nDouble-click to give it a title"
    if heading.name == "state":
        return run.message or ""
    if heading.name == "started":
        return datetime.fromtimestamp(run.started).strftime("%A %d %B %Y, %H:%M:%S")
    if heading.remark == "note":
        return run.remarks.note
    return ""


def swatch(token: str, size: int = 14) -> QIcon:
    """A dot in a run's colour; the same where its row is chosen."""
    picture = QPixmap(QSize(size * 2, size * 2))
    picture.setDevicePixelRatio(2)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme().color(token))
    painter.drawEllipse(QRectF(2, 2, size - 4, size - 4))
    painter.end()
    made = QIcon(picture)
    made.addPixmap(picture, QIcon.Mode.Selected)
    return made
