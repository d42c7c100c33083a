"""The look: one style sheet and one palette made of theme tokens, on an 8 px grid.

Type scale: 11 (captions), 12 (secondary), 13 (body), 16 (headings), 22 (page titles), in logical pixels.
Widgets choose a role through the dynamic properties ``role`` (``title``, ``heading``, ``caption``, ``muted``,
``error``, ``primary``, ``quiet``, ``chip``, ``card``, ``mono``) rather than through style sheets of their own.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from string import Template

from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory, QWidget

from deepgui.paths import resources
from deepgui.qt import theme

BODY = 13
_SANS = ("Inter", "Segoe UI Variable Text", "Segoe UI", "SF Pro Text", "Noto Sans", "Cantarell", "DejaVu Sans")
_MONO = ("JetBrains Mono", "Cascadia Code", "SF Mono", "Noto Sans Mono", "DejaVu Sans Mono", "Consolas", "Menlo")


@cache
def _installed(wanted: tuple[str, ...], fallback: QFontDatabase.SystemFont) -> str:
    families = set(QFontDatabase.families())
    return next((name for name in wanted if name in families), QFontDatabase.systemFont(fallback).family())


def font(size: int = BODY, *, bold: bool = False) -> QFont:
    """The interface font at a size in logical pixels."""
    made = QFont(_installed(_SANS, QFontDatabase.SystemFont.GeneralFont))
    made.setPixelSize(size)
    made.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    return made


def mono(size: int = 12) -> QFont:
    """The fixed-width font for code and shapes."""
    made = QFont(_installed(_MONO, QFontDatabase.SystemFont.FixedFont))
    made.setPixelSize(size)
    made.setStyleHint(QFont.StyleHint.Monospace)
    return made


def set_role(widget: QWidget, role: str) -> None:
    """Give a widget a role of the style sheet, now."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        repolish(widget)


def set_flag(widget: QWidget, flag: str, on: bool) -> None:
    """Set a boolean property that the style sheet asks for (``invalid``, ``inferred``, ``changed``)."""
    if widget.property(flag) != on:
        widget.setProperty(flag, on)
        repolish(widget)


def repolish(widget: QWidget) -> None:
    """Make the style sheet look at a widget's properties again."""
    style = widget.style()
    style.unpolish(widget)
    style.polish(widget)
    widget.update()


def apply(app: QApplication) -> None:
    """Dress the application in the theme in force, now and after every switch. Doing it twice does no harm."""
    if app.property("dressed"):
        return
    app.setProperty("dressed", True)
    app.setStyle(QStyleFactory.create("Fusion"))
    app.setFont(font())
    _dress(app)
    theme.current().changed.connect(lambda: _dress(app))


def _dress(app: QApplication) -> None:
    app.setPalette(palette(theme.theme()))
    app.setStyleSheet(sheet(theme.theme()))


def palette(colors: theme.Theme) -> QPalette:
    """What Qt paints without asking the style sheet: menus' icons, selections, placeholders."""
    made = QPalette()
    roles = {
        QPalette.ColorRole.Window: "window",
        QPalette.ColorRole.WindowText: "text",
        QPalette.ColorRole.Base: "field",
        QPalette.ColorRole.AlternateBase: "panel",
        QPalette.ColorRole.Text: "text",
        QPalette.ColorRole.Button: "raised",
        QPalette.ColorRole.ButtonText: "text",
        QPalette.ColorRole.BrightText: "error",
        QPalette.ColorRole.Highlight: "accent",
        QPalette.ColorRole.HighlightedText: "on_accent",
        QPalette.ColorRole.Link: "accent",
        QPalette.ColorRole.ToolTipBase: "raised",
        QPalette.ColorRole.ToolTipText: "text",
        QPalette.ColorRole.PlaceholderText: "muted",
        QPalette.ColorRole.Mid: "border",
        QPalette.ColorRole.Dark: "border",
        QPalette.ColorRole.Shadow: "window",
    }
    for role, token in roles.items():
        made.setColor(role, colors.color(token))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, colors.color("disabled"))
    return made


def sheet(colors: theme.Theme) -> str:
    """The style sheet of a theme."""
    icons = (resources() / "icons").as_posix()
    return Template(_template()).substitute(
        colors.tokens,
        icons=icons,
        theme=colors.name,
        sans=font().family(),
        mono=mono().family(),
        scroll=QColor(colors.tokens["border"]).name(),
    )


@cache
def _template() -> str:
    return Path(resources() / "themes" / "style.qss").read_text(encoding="utf-8")
