"""Icons: glyphs of the Phosphor font that QtAwesome ships, painted in the colour the theme has right now.

Only the one font file is read. Importing QtAwesome itself loads a dozen fonts, a quarter of a second that
the first paint cannot spare. Because the colour is looked up when a glyph is painted, a theme switch
needs no new icons.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QIconEngine, QPainter, QPixmap

from deepgui.qt.theme import theme

FAMILIES: Mapping[str, str] = {
    "Input and output": "arrows-left-right",
    "Linear": "intersect",
    "Convolution": "grid-four",
    "Pooling": "funnel",
    "Padding": "frame-corners",
    "Normalization": "sliders",
    "Activation": "lightning",
    "Dropout": "drop-half",
    "Recurrent": "repeat",
    "Attention": "target",
    "Shape": "cube",
    "Math": "math-operations",
    "Reduction": "arrows-in-line-vertical",
    "Selection": "crosshair",
    "Comparison": "equals",
    "Creation": "dice-five",
    "Signal": "waves",
    "Embedding": "text-aa",
    "Loss": "chart-line",
    "Blocks of this project": "stack",
    "Layers of your own": "code",
}


def glyph(category: str) -> str:
    """The name of a palette category's icon; the shelves of the block library (``Attention blocks``) share one."""
    return FAMILIES.get(category) or ("stack" if category.endswith(" blocks") else "squares-four")


def _fonts() -> Path | None:
    found = importlib.util.find_spec("qtawesome")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(found.submodule_search_locations[0]) / "fonts"


@cache
def _charmap() -> dict[str, str]:
    folder = _fonts()
    maps = sorted(folder.glob("phosphor-charmap-*.json")) if folder else []
    if not maps:
        return {}
    return {name: chr(int(code, 16)) for name, code in json.loads(maps[-1].read_text("utf-8")).items()}


@cache
def _family() -> str:
    folder = _fonts()
    fonts = sorted(folder.glob("phosphor-*.ttf")) if folder else []
    number = QFontDatabase.addApplicationFont(str(fonts[-1])) if fonts else -1
    return QFontDatabase.applicationFontFamilies(number)[0] if number >= 0 else ""


def exists(name: str) -> bool:
    """Whether the icon font has a glyph of this name."""
    return name in _charmap()


def paint(painter: QPainter, rect: QRect | QRectF, name: str, color: QColor) -> None:
    """Paint a glyph into the largest square in the middle of ``rect``; nothing if the font is not installed."""
    glyph = _charmap().get(name)
    if glyph is None or not _family():
        return
    font = QFont(_family())
    font.setPixelSize(max(1, round(min(rect.width(), rect.height()))))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
    painter.setFont(font)
    painter.setPen(color)
    painter.drawText(QRectF(rect), int(Qt.AlignmentFlag.AlignCenter), glyph)
    painter.restore()


class _Engine(QIconEngine):
    """Paints a glyph; the disabled mode and the checked state have colours of their own."""

    def __init__(self, name: str, token: str, checked_token: str) -> None:
        super().__init__()
        self._name, self._token, self._checked = name, token, checked_token

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        token = self._checked if state == QIcon.State.On and self._checked else self._token
        token = "disabled" if mode == QIcon.Mode.Disabled else token
        color = QColor(token) if token.startswith("#") else theme().color(token)
        paint(painter, rect, self._name, color)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _Engine(self._name, self._token, self._checked)


def icon(name: str, token: str = "muted", checked: str = "") -> QIcon:
    """The icon ``name`` (Phosphor's names: ``play``, ``caret-down``) in the colour of a theme token.

    ``token`` may also be a colour such as ``#ff0000``; ``checked`` is the token used while a button is on.
    """
    return QIcon(_Engine(name, token, checked))


def family_icon(category: str) -> QIcon:
    """The icon of a palette category in its family's colour."""
    return icon(glyph(category), theme().family_token(category))
