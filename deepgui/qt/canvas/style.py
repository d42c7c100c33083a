"""What painting costs, paid once: colours, pens, text laid out as glyph runs, and sprites of card bodies and ports.

In software rendering an antialiased rounded rectangle takes 20 µs and a blit 4, so the few shapes that a
frame is made of are drawn once per zoom and theme and then copied. Text is kept as glyph runs, which
unlike QStaticText need no new layout when the zoom changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QGlyphRun, QPainter, QPen, QPixmap, QTextLayout

from deepgui.qt import icons
from deepgui.qt.canvas.card import WIDTH
from deepgui.qt.style import font as interface_font
from deepgui.qt.theme import Theme, theme

PAD = 8.0
"""Room around a body sprite for its shadow and selection outline."""
RADIUS = 8.0
PORT = 5.0
TILE = QRectF(8, 8, 32, 32)
_MAX_SPRITES = 600


class Text(NamedTuple):
    """A laid-out line. ``paint`` puts its top left corner at a point."""

    runs: tuple[QGlyphRun, ...]
    width: float
    height: float

    def paint(self, painter: QPainter, x: float, y: float) -> None:
        for run in self.runs:
            painter.drawGlyphRun(QPointF(x, y), run)


def font(pixels: int, *, bold: bool = False) -> QFont:
    """The interface font at a size in scene units."""
    made = interface_font(pixels, bold=bold)
    made.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return made


@lru_cache(maxsize=8192)
def text(words: str, pixels: int, bold: bool = False, width: float = 0.0) -> Text:
    """Lay out one line; with a ``width`` it is shortened with an ellipsis to fit."""
    face = font(pixels, bold=bold)
    if width:
        words = QFontMetricsF(face).elidedText(words, Qt.TextElideMode.ElideRight, width)
    layout = QTextLayout(words, face)
    layout.beginLayout()
    line = layout.createLine()
    layout.endLayout()
    if not line.isValid():
        return Text((), 0.0, 0.0)
    return Text(tuple(layout.glyphRuns()), line.naturalTextWidth(), line.height())


class Style:
    """The theme in force, ready to paint with. Ask :func:`style` each time; it follows the theme."""

    def __init__(self, palette: Theme) -> None:
        self.theme = palette
        self._colors: dict[str, QColor] = {}
        self._pens: dict[tuple[str, float], QPen] = {}
        self._sprites: dict[tuple[object, ...], QPixmap] = {}
        self._resolution = (0.0, 0.0)

    def color(self, token: str) -> QColor:
        """A token's colour; tokens that a palette file lacks are painted like text."""
        found = self._colors.get(token)
        if found is None:
            found = self._colors[token] = self.theme.color(token if token in self.theme.tokens else "text")
        return found

    def family(self, category: str) -> str:
        """The token of a category's colour."""
        return self.theme.family_token(category)

    def pen(self, token: str, width: float) -> QPen:
        """A solid pen in scene units; width 0 is one device pixel at any zoom."""
        found = self._pens.get((token, width))
        if found is None:
            found = QPen(self.color(token), width)
            found.setCapStyle(Qt.PenCapStyle.RoundCap)
            self._pens[token, width] = found
        return found

    def resolution(self, scale: float, ratio: float) -> None:
        """Say at what zoom and device pixel ratio the next sprites are painted; others are forgotten."""
        if self._resolution != (scale, ratio) or len(self._sprites) > _MAX_SPRITES:
            self._resolution = (scale, ratio)
            self._sprites.clear()

    def body(self, height: float, state: str, known: bool) -> QPixmap:
        """A card without its words and icon. ``state`` is "", "hover" or "selected"."""
        size = QSizeF(WIDTH + 2 * PAD, height + 2 * PAD)
        return self._sprite(("body", height, state, known), size, lambda p: self._paint_body(p, height, state, known))

    def edges(self, height: float, count: int) -> QPixmap:
        """What looks out below the card of a block: one edge, or two for a row of them. Placed like the body."""
        size = QSizeF(WIDTH + 2 * PAD, height + 2 * PAD)
        return self._sprite(("edges", height, count), size, lambda p: self._paint_edges(p, height, count))

    def tile(self, category: str, known: bool) -> QPixmap:
        """The icon of a category on its tinted tile."""
        return self._sprite(("tile", category, known), TILE.size(), lambda p: self._paint_tile(p, category, known))

    def port(self, token: str, filled: bool, hot: bool) -> QPixmap:
        """A port's circle, centred in its sprite."""
        side = 4 * PORT
        key = ("port", token, filled, hot)
        return self._sprite(key, QSizeF(side, side), lambda p: self._paint_port(p, token, filled, hot))

    def dots(self, columns: int, step: float) -> QPixmap:
        """A row of the grid's dots, ``step`` scene units apart; the first is at pixel (1, 1)."""
        key = ("dots", columns, step)
        found = self._sprites.get(key)
        if found is None:
            found = self._sprites[key] = self._paint_dots(columns, step * self._resolution[0])
        return found

    def _paint_dots(self, columns: int, step: float) -> QPixmap:
        scale, ratio = self._resolution
        row = QPixmap(int((columns * step + 4) * ratio), max(3, math.ceil(3 * ratio)))
        row.setDevicePixelRatio(ratio)
        row.fill(Qt.GlobalColor.transparent)
        painter = QPainter(row)
        size = 2 if scale >= 1 else 1
        for column in range(columns):
            painter.fillRect(QRectF(round(column * step) + 1, 1, size, size), self.color("grid_major"))
        painter.end()
        return row

    def badge(self, severity: str) -> QPixmap:
        """The mark of a problem, centred in its sprite."""
        return self._sprite(("badge", severity), QSizeF(24, 24), lambda p: self._paint_badge(p, severity))

    def frost(self) -> QPixmap:
        """The mark of a frozen layer, centred in its sprite."""
        return self._sprite(("frost",), QSizeF(24, 24), self._paint_frost)

    def _sprite(self, key: tuple[object, ...], size: QSizeF, draw: Callable[[QPainter], None]) -> QPixmap:
        found = self._sprites.get(key)
        if found is not None:
            return found
        scale, ratio = self._resolution
        sharp = scale * ratio
        found = QPixmap(max(1, int(size.width() * sharp) + 2), max(1, int(size.height() * sharp) + 2))
        found.fill(Qt.GlobalColor.transparent)
        painter = QPainter(found)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(sharp, sharp)
        draw(painter)
        painter.end()
        found.setDevicePixelRatio(ratio)
        self._sprites[key] = found
        return found

    def _paint_body(self, painter: QPainter, height: float, state: str, known: bool) -> None:
        card = QRectF(PAD, PAD, WIDTH, height)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 26 if self.theme.name != "light" else 9))
        for spread in (1.0, 2.5, 4.0):
            grown = card.adjusted(-spread, -spread + 2, spread, spread + 2)
            painter.drawRoundedRect(grown, RADIUS + spread, RADIUS + spread)
        border = {"selected": "selection", "hover": "muted"}.get(state, "node_border" if known else "error")
        if state == "selected":
            halo = QColor(self.color("selection"))
            halo.setAlpha(60)
            painter.setBrush(halo)
            painter.drawRoundedRect(card.adjusted(-4, -4, 4, 4), RADIUS + 4, RADIUS + 4)
        painter.setBrush(self.color("node"))
        painter.setPen(QPen(self.color(border), 2.0 if state == "selected" else 1.0))
        painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)

    def _paint_edges(self, painter: QPainter, height: float, count: int) -> None:
        painter.setPen(QPen(self.color("family_block"), 1.0))
        painter.setBrush(self.color("node"))
        for place in range(count, 0, -1):
            inset = 5.0 * place
            edge = QRectF(PAD + inset, PAD + height / 2, WIDTH - 2 * inset, height / 2 + 3.5 * place)
            painter.drawRoundedRect(edge.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)

    def _paint_tile(self, painter: QPainter, category: str, known: bool) -> None:
        hue = QColor(self.color(self.family(category)) if known else self.color("disabled"))
        tile = QRectF(QPointF(0, 0), TILE.size())
        tint = QColor(hue)
        tint.setAlpha(46 if self.theme.name != "light" else 32)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tint)
        painter.drawRoundedRect(tile, 6, 6)
        glyph = icons.glyph(category) if known else "question"
        icons.paint(painter, tile.adjusted(7, 7, -7, -7), glyph, hue)

    def _paint_port(self, painter: QPainter, token: str, filled: bool, hot: bool) -> None:
        middle = QPointF(2 * PORT, 2 * PORT)
        color = self.color(token)
        if hot:
            halo = QColor(color)
            halo.setAlpha(70)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(halo)
            painter.drawEllipse(middle, 2 * PORT - 0.5, 2 * PORT - 0.5)
        painter.setPen(QPen(color, 1.6))
        painter.setBrush(color if filled else self.color("node"))
        painter.drawEllipse(middle, PORT - 0.8, PORT - 0.8)

    def _paint_badge(self, painter: QPainter, severity: str) -> None:
        painter.setPen(QPen(self.color("canvas"), 2))
        painter.setBrush(self.color(severity))
        painter.drawEllipse(QPointF(12, 12), 9, 9)
        painter.setPen(self.color("on_accent"))
        painter.setFont(font(13, bold=True))
        painter.drawText(QRectF(3, 3, 18, 18), int(Qt.AlignmentFlag.AlignCenter), "!")

    def _paint_frost(self, painter: QPainter) -> None:
        painter.setPen(QPen(self.color("canvas"), 2))
        painter.setBrush(self.color("inferred"))
        painter.drawEllipse(QPointF(12, 12), 9, 9)
        icons.paint(painter, QRectF(6, 6, 12, 12), "snowflake", self.color("on_accent"))


_styles: dict[int, Style] = {}


def style() -> Style:
    """The style of the theme in force."""
    now = theme()
    found = _styles.get(id(now))
    if found is None or found.theme is not now:
        found = _styles[id(now)] = Style(now)
    return found
