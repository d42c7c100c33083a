"""What the keys do while the canvas has the focus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QKeyCombination, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence

from deepgui.graph.layout import GRID
from deepgui.qt.actions import ENTRIES

if TYPE_CHECKING:
    from deepgui.qt.canvas.view import CanvasView

_PAN = 64
_ARROWS = {"Left": (-1, 0), "Right": (1, 0), "Up": (0, -1), "Down": (0, 1)}

COMMANDS: Mapping[str, Callable[[CanvasView], object]] = {
    "add": lambda view: view.open_search(),
    "delete": lambda view: view.delete(),
    "delete_heal": lambda view: view.delete(heal=True),
    "copy": lambda view: view.copy(),
    "cut": lambda view: view.cut(),
    "paste": lambda view: view.paste(),
    "paste_wired": lambda view: view.paste(keep_inputs=True),
    "duplicate": lambda view: view.duplicate(),
    "select_all": lambda view: view.select_all(),
    "undo": lambda view: view.session.document.undo(),
    "redo": lambda view: view.session.document.redo(),
    "find": lambda view: view.find(),
    "rename": lambda view: view.rename(),
    "fit_selection": lambda view: view.fit_selection(),
    "fit": lambda view: view.fit_all(),
    "layout": lambda view: view.auto_layout(),
    "group": lambda view: view.blocks.group(),
    "ungroup": lambda view: view.blocks.ungroup(),
    "enter": lambda view: view.blocks.enter(),
    "leave": lambda view: view.blocks.leave(),
    "unique": lambda view: view.blocks.make_unique(),
    "next_in_row": lambda view: view.blocks.step(1),
    "previous_in_row": lambda view: view.blocks.step(-1),
    "repeat": lambda view: view.blocks.ask_repeat(),
    "bypass": lambda view: view.blocks.bypass(),
    "zoom_in": lambda view: view.camera.zoom_by(1.25),
    "zoom_out": lambda view: view.camera.zoom_by(0.8),
    "zoom_reset": lambda view: view.camera.zoom_by(1 / view.zoom),
}
"""What keys can mean here, by the ids of the actions in the menus."""
_ALSO: Mapping[str, str] = {
    "Backspace": "delete",
    "Ctrl+Backspace": "delete_heal",
    ".": "fit_selection",
    "+": "zoom_in",
    "=": "zoom_in",
    "-": "zoom_out",
    "Ctrl+=": "zoom_in",
}
"""Keys without an entry in a menu; one that a person gives to an action is the action's."""


def table(bound: Mapping[str, Iterable[str]]) -> Mapping[str, str]:
    """Key → command, from the shortcuts of the actions by id (``{"copy": ["Ctrl+C"]}``)."""
    return {**_ALSO, **{key: id for id, keys in bound.items() if id in COMMANDS for key in keys}}


USUAL = table({entry.id: entry.keys for entry in ENTRIES})


def press(view: CanvasView, event: QKeyEvent) -> bool:
    """Do what a key means; False if it means nothing."""
    name = _name(event)
    arrow = _ARROWS.get(name.removeprefix("Shift+"))
    if arrow is not None:
        _arrow(view, *arrow, fine=name.startswith("Shift+"))
        return True
    action = COMMANDS.get(view.keys.get(name, ""))
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
        view.camera.scroll_by(dx * _PAN, dy * _PAN)


def _name(event: QKeyEvent) -> str:
    """``Ctrl+Shift+V``; the number pad counts like the rest of the keyboard."""
    held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    combined = QKeyCombination(held, Qt.Key(event.key()))
    return QKeySequence(combined).toString(QKeySequence.SequenceFormat.PortableText)
