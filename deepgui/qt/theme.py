"""Colours and spacing of the whole application, from one palette file per theme."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QColor

from deepgui.paths import resources

THEMES = ("dark", "light")
GRID = 8
"""The spacing unit in pixels: margins and gaps are multiples of it."""

_FAMILIES = {
    "Input and output": "input",
    "Linear": "linear",
    "Convolution": "convolution",
    "Pooling": "pooling",
    "Padding": "shape",
    "Normalization": "normalization",
    "Activation": "activation",
    "Dropout": "dropout",
    "Recurrent": "recurrent",
    "Attention": "attention",
    "Shape": "shape",
    "Math": "math",
    "Reduction": "math",
    "Selection": "shape",
    "Comparison": "math",
    "Creation": "input",
    "Signal": "math",
    "Embedding": "embedding",
    "Loss": "loss",
    "Blocks of this project": "block",
}


class Theme:
    """Colours by token (``panel``, ``accent``, ``family_linear``, ...); see ``resources/themes``."""

    def __init__(self, name: str, tokens: Mapping[str, str]) -> None:
        self.name = name
        self.tokens = dict(tokens)

    def color(self, token: str) -> QColor:
        """The colour of a token. Raises KeyError for one that the palette file lacks."""
        return QColor(self.tokens[token])

    def family(self, category: str) -> QColor:
        """The colour of a palette category (``Convolution``)."""
        return self.color(self.family_token(category))

    def family_token(self, category: str) -> str:
        """The token of a palette category's colour (``family_convolution``)."""
        other = "block" if category.endswith(" blocks") else "other"
        return f"family_{_FAMILIES.get(category, other)}"


@cache
def load(name: str) -> Theme:
    """Read a palette file. Raises FileNotFoundError for an unknown theme."""
    text = (resources() / "themes" / f"{name}.json").read_text(encoding="utf-8")
    return Theme(name, json.loads(text))


class _Current(QObject):
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.theme = load("dark")


@cache
def current() -> _Current:
    """The holder of the theme in force; its ``changed`` signal fires after a switch."""
    return _Current()


def theme() -> Theme:
    """The theme in force. Ask each time you paint; keep no colours."""
    return current().theme


def use(name: str) -> None:
    """Switch the theme; every panel repaints on ``current().changed``."""
    if current().theme.name != name:
        current().theme = load(name)
        current().changed.emit()
