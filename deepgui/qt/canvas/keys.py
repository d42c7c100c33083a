"""What the keys do while the canvas has the focus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from deepgui.qt.canvas.autolayout import GRID

if TYPE_CHECKING:
    from deepgui.qt.canvas.view import CanvasView

_PAN = 64
_ARROWS = {"Left": (-1, 0), "Right": (1, 0), "Up": (0, -1), "Down": (0, 1)}

KEYS: Mapping[str, Callable[[CanvasView], object]] = {
    "Tab": lambda view: view.open_search(),
    "Shift+A": lambda view: view.open_search(),
    "Del": lambda view: view.delete(),
    "Backspace": lambda view: view.delete(),
    "Ctrl+Del": lambda view: view.delete(heal=True),
    "Ctrl+Backspace": lambda view: view.delete(heal=True),
    "Ctrl+C": lambda view: view.copy(),
    "Ctrl+X": lambda view: view.cut(),
    "Ctrl+V": lambda view: view.paste(),
    "Ctrl+Shift+V": lambda view: view.paste(keep_inputs=True),
    "Ctrl+D": lambda view: view.duplicate(),
    "Ctrl+A": lambda view: view.select_all(),
    "Ctrl+Z": lambda view: view.session.document.undo(),
    "Ctrl+Y": lambda view: view.session.document.redo(),
    "Ctrl+Shift+Z": lambda view: view.session.document.redo(),
    "Ctrl+F": lambda view: view.find(),
    "F2": lambda view: view.rename(),
    "F": lambda view: view.fit_selection(),
    ".": lambda view: view.fit_selection(),
    "Home": lambda view: view.fit_all(),
    "L": lambda view: view.auto_layout(),
    "+": lambda view: view.zoom_by(1.25),
    "=": lambda view: view.zoom_by(1.25),
    "-": lambda view: view.zoom_by(0.8),
    "Ctrl++": lambda view: view.zoom_by(1.25),
    "Ctrl+=": lambda view: view.zoom_by(1.25),
    "Ctrl+-": lambda view: view.zoom_by(0.8),
    "Ctrl+0": lambda view: view.zoom_by(1 / view.zoom),
}


def press(view: CanvasView, event: QKeyEvent) -> bool:
    """Do what a key means; False if it means nothing."""
    name = _name(event)
    arrow = _ARROWS.get(name.removeprefix("Shift+"))
    if arrow is not None:
        _arrow(view, *arrow, fine=name.startswith("Shift+"))
        return True
    action = KEYS.get(name)
    if action is not None:
        view.hands.give_up()
        action(view)
    return action is not None


def _arrow(view: CanvasView, dx: int, dy: int, *, fine: bool) -> None:
    """Nudge the selection by a step of the grid (Shift: by one unit); without a selection pan."""
    if view.session.selection:
        step = 1.0 if fine else GRID
        view.act.nudge(dx * step, dy * step)
    else:
        view.scroll_by(dx * _PAN, dy * _PAN)


def _name(event: QKeyEvent) -> str:
    """``Ctrl+Shift+V``; the number pad counts like the rest of the keyboard."""
    held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    combined = QKeyCombination(held, Qt.Key(event.key()))
    return QKeySequence(combined).toString(QKeySequence.SequenceFormat.PortableText)
