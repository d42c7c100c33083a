"""Both themes are complete and readable."""

from __future__ import annotations

import json

import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from deepgui.paths import resources
from deepgui.qt import icons, style, theme
from deepgui.qt.actions import ENTRIES

WORDS = ("text", "muted", "disabled", "accent", "error", "warning", "success", "inferred")
GROUNDS = ("window", "panel", "raised", "field")


def luminance(color: QColor) -> float:
    parts = [color.redF(), color.greenF(), color.blueF()]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: QColor, b: QColor) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", theme.THEMES)
def test_words_can_be_read_on_every_ground(name: str) -> None:
    colors = theme.load(name)
    code = [token for token in colors.tokens if token.startswith("code_") and token != "code_line"]
    pairs = [(word, ground) for word in WORDS for ground in GROUNDS]
    pairs += [(token, ground) for token in code for ground in ("field", "code_line")]
    pairs += [("on_accent", "accent"), ("on_accent", "accent_hover"), ("text", "accent_soft"), ("text", "hover")]
    poor = {p: round(contrast(colors.color(p[0]), colors.color(p[1])), 2) for p in pairs}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}


def test_both_themes_name_the_same_colours() -> None:
    tokens = [json.loads((resources() / "themes" / f"{name}.json").read_text()).keys() for name in theme.THEMES]
    assert tokens[0] == tokens[1]


@pytest.mark.parametrize("name", theme.THEMES)
def test_the_style_sheet_is_filled_in_and_its_pictures_exist(name: str, qtbot: QtBot) -> None:
    import re

    sheet = style.sheet(theme.load(name))
    assert "$" not in sheet
    pictures = re.findall(r'url\("([^"]+)"\)', sheet)
    assert pictures
    assert all((resources() / "icons" / picture.rsplit("/", 1)[1]).is_file() for picture in pictures)


def test_every_icon_exists_and_paints(qtbot: QtBot) -> None:
    names = {*icons.FAMILIES.values(), *(entry.icon for entry in ENTRIES if entry.icon), "wrench", "x-circle"}
    assert [name for name in names if not icons.exists(name)] == []
    picture = icons.icon("play", "accent").pixmap(32, 32).toImage()
    assert any(picture.pixelColor(x, 16).alpha() for x in range(32))


def test_no_two_actions_share_a_shortcut() -> None:
    keys = [key for entry in ENTRIES for key in entry.keys]
    assert len(keys) == len(set(keys))
