"""What differs between the chosen runs, as a page of text: metrics, settings, drawings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path

from PySide6.QtWidgets import QTextBrowser

from deepgui.qt import theme
from deepgui.qt.runs.model import how_long, number, short_name
from deepgui.training.compare import Change, Comparison, Row, say

FEW = "Choose two runs or more in the table to see what differs between them: settings, drawings and results."
_SIGNS = {"added": "success", "wired": "success", "removed": "error", "unwired": "error"}


class DifferencesPage(QTextBrowser):
    """The page. It can be scrolled, selected and copied."""

    def __init__(self, color: Callable[[Path], str]) -> None:
        super().__init__()
        self.setObjectName("runs_differences")
        self.setAccessibleName("What differs between the chosen runs")
        self.setOpenLinks(False)
        self._color = color
        self._found: Comparison | None = None
        self._text = FEW
        theme.current().changed.connect(self._paint)
        self._paint()

    def show_comparison(self, found: Comparison) -> None:
        if found != self._found:
            self._found = found
            self._paint()

    def say(self, text: str = FEW) -> None:
        """Show a sentence in place of a comparison."""
        self._found, self._text = None, text
        self._paint()

    def _paint(self) -> None:
        place = self.verticalScrollBar().value()
        muted = theme.theme().tokens["muted"]
        wraps = QTextBrowser.LineWrapMode
        self.setLineWrapMode(wraps.WidgetWidth if self._found is None else wraps.NoWrap)
        if self._found is None:
            self.setHtml(f'<p style="color:{muted}">{escape(self._text)}</p>')
        else:
            self.setHtml("".join(_page(self._found, self._color)))
        self.verticalScrollBar().setValue(place)


def _page(found: Comparison, color: Callable[[Path], str]) -> Iterator[str]:
    colors = theme.theme().tokens
    names = [short_name(run) for run in found.runs]
    dots = [f'<span style="color:{colors[color(run.folder)]}">●</span>&nbsp;' for run in found.runs]
    heads = [dot + escape(name).replace(" ", "&nbsp;") for dot, name in zip(dots, names, strict=True)]
    yield f'<table cellspacing="0" cellpadding="4" style="color:{colors["text"]}">'
    yield from _section("Settings", found.settings, heads, "The settings are the same.")
    yield from _section("Results", found.metrics, heads, "")
    yield "</table>"
    first = heads[0]
    for head, changes in zip(heads[1:], found.drawings, strict=True):
        yield f'<p style="color:{colors["muted"]}">Drawing of {head}, against {first}</p>'
        if not changes:
            yield f'<p style="color:{colors["text"]}">&nbsp;&nbsp;The drawings are the same.</p>'
        for change in changes:
            yield f'<p style="margin:2px 0 2px 12px; color:{colors["text"]}">{_said(change)}</p>'


def _section(title: str, rows: Sequence[Row], heads: Sequence[str], none: str) -> Iterator[str]:
    colors = theme.theme().tokens
    cells = "".join(f'<td align="right">&nbsp;&nbsp;{head}</td>' for head in heads) if rows else ""
    yield f'<tr><td style="color:{colors["muted"]}"><b>{title}</b></td>{cells}</tr>'
    if not rows and none:
        yield f'<tr><td colspan="{len(heads) + 1}">{none}</td></tr>'
    for row in rows:
        cells = "".join(_cell(row, place) for place in range(len(row.values)))
        label = escape(row.label.replace("_", " "))
        yield f'<tr><td style="color:{colors["muted"]}">{label}&nbsp;&nbsp;</td>{cells}</tr>'


def _cell(row: Row, place: int) -> str:
    value = row.values[place]
    if row.name == "seconds":
        text = how_long(value)
    elif isinstance(value, float) or value is None:
        text = number(value) if not row.name.startswith(("training.", "data.")) else say(value)
    else:
        text = say(value)
    text = escape(text)
    if place in row.best:
        text = f'<b><span style="color:{theme.theme().tokens["success"]}">{text}</span></b>'
    return f'<td align="right">{text}</td>'


def _said(change: Change) -> str:
    token = _SIGNS.get(change.what)
    text = escape(str(change))
    if token is None:
        return text
    sign = "+" if token == "success" else "−"
    return text.replace(sign, f'<b><span style="color:{theme.theme().tokens[token]}">{sign}</span></b>', 1)
