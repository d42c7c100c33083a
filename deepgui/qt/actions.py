"""Everything the menus offer: one table of words, icons and shortcuts. What each does is connected elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence

from deepgui.qt import icons
from deepgui.qt.settings import Settings


@dataclass(frozen=True)
class Entry:
    """One action. ``keys`` are its shortcuts, the first one shown; ``where`` is its menu.

    A ``canvas`` action works only while the canvas has the focus, where the canvas reads the keys itself, from
    :meth:`Actions.bound`: its shortcut is not registered with Qt, so that typing into a field never triggers it.
    """

    id: str
    where: str
    text: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    canvas: bool = False


ENTRIES = (
    Entry("new", "File", "&New", ("Ctrl+N",), "file-plus", "Start with an empty network"),
    Entry("open", "File", "&Open …", ("Ctrl+O",), "folder-open", "Open a project"),
    Entry("save", "File", "&Save", ("Ctrl+S",), "floppy-disk", "Save the project"),
    Entry("save_as", "File", "Save &As …", ("Ctrl+Shift+S",), "", "Save the project under another name"),
    Entry("export", "File", "&Export …", ("Ctrl+E",), "export", "Take the PyTorch home: source, weights, ONNX"),
    Entry("start", "File", "S&tart page", ("Ctrl+Shift+H",), "house", "Samples and recent files"),
    Entry("quit", "File", "&Quit", ("Ctrl+Q",), "", "Close DeepGUI"),
    Entry("undo", "Edit", "&Undo", ("Ctrl+Z",), "arrow-u-up-left", "Undo"),
    Entry("redo", "Edit", "&Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "arrow-u-up-right", "Redo"),
    Entry("cut", "Edit", "Cu&t", ("Ctrl+X",), "scissors", "Cut the selected layers", canvas=True),
    Entry("copy", "Edit", "&Copy", ("Ctrl+C",), "copy", "Copy the selected layers", canvas=True),
    Entry("paste", "Edit", "&Paste", ("Ctrl+V",), "clipboard", "Paste layers", canvas=True),
    Entry("paste_wired", "Edit", "Paste with &inputs", ("Ctrl+Shift+V",), "", "Paste, keeping inputs", canvas=True),
    Entry(
        "duplicate", "Edit", "&Duplicate", ("Ctrl+D",), "", "Copy the selected layers beside themselves", canvas=True
    ),
    Entry("delete", "Edit", "De&lete", ("Del",), "trash", "Delete the selected layers", canvas=True),
    Entry("delete_heal", "Edit", "Delete and &heal", ("Ctrl+Del",), "", "Delete, joining what is left", canvas=True),
    Entry("select_all", "Edit", "Select &all", ("Ctrl+A",), "", "Select every layer", canvas=True),
    Entry("rename", "Edit", "Re&name", ("F2",), "", "Rename the selected layer", canvas=True),
    Entry("find", "Edit", "&Find layer …", ("Ctrl+F",), "magnifying-glass", "Find a layer in the network"),
    Entry("add", "Edit", "Add la&yer …", ("Shift+A", "Tab"), "plus", "Search for a layer and place it", canvas=True),
    Entry("group", "Block", "&Make a block", ("Ctrl+G",), "stack", "Make a block of the selected layers", canvas=True),
    Entry("ungroup", "Block", "&Take apart", ("Ctrl+Shift+G",), "", "Put what is in a block in its place", canvas=True),
    Entry("own_layer", "Block", "New layer in &Python …", (), "code", "Write a layer of your own"),
    Entry("enter", "Block", "Go &in", ("Return", "Enter"), "", "Look into the selected block", canvas=True),
    Entry("leave", "Block", "Go &out", (), "", "Leave the block in view; Esc does the same", canvas=True),
    Entry("next_in_row", "Block", "&Next of the row", ("PgDown",), "", "Look into the next of a row", canvas=True),
    Entry("previous_in_row", "Block", "&Previous of the row", ("PgUp",), "", "Look into the one before", canvas=True),
    Entry("repeat", "Block", "&Repeat …", ("R",), "", "Put several of the selected block in a row", canvas=True),
    Entry("unique", "Block", "Make &unique", ("U",), "", "Give this use a drawing of its own", canvas=True),
    Entry("bypass", "Block", "&Bypass", ("Ctrl+B",), "", "Hand the input on in place of the result", canvas=True),
    Entry("fit", "View", "&Fit network", ("Home",), "frame-corners", "Show the whole network", canvas=True),
    Entry("fit_selection", "View", "Fit &selection", ("F",), "", "Show the selected layers", canvas=True),
    Entry("layout", "View", "&Lay out", ("L",), "tree-structure", "Arrange the layers", canvas=True),
    Entry("zoom_in", "View", "Zoom &in", ("Ctrl++",), "", "Show the drawing larger", canvas=True),
    Entry("zoom_out", "View", "Zoom &out", ("Ctrl+-",), "", "Show the drawing smaller", canvas=True),
    Entry("zoom_reset", "View", "Zoom to &100 %", ("Ctrl+0",), "", "Show the drawing at its own size", canvas=True),
    Entry("theme", "View", "Light or dark &theme", ("Ctrl+Shift+L",), "sun", "Switch between light and dark"),
    Entry("reset_docks", "View", "&Reset panels", (), "", "Put all panels back where they were at first"),
    Entry("train", "Run", "&Train", ("Ctrl+Return", "Ctrl+Enter"), "play", "Train the network; goes on after a pause"),
    Entry("pause", "Run", "&Pause or go on", ("Ctrl+.",), "pause", "Pause training, or go on"),
    Entry("step", "Run", "&One step", ("Ctrl+Shift+.",), "skip-forward", "Train one step and stand still"),
    Entry("stop", "Run", "&Stop", ("Ctrl+Alt+Return", "Ctrl+Alt+Enter"), "stop", "Stop and keep a checkpoint"),
    Entry("shortcuts", "Help", "&Shortcuts", ("F1", "?"), "keyboard", "All gestures and shortcuts on one page"),
    Entry("about", "Help", "&About DeepGUI", (), "", "Version and licence"),
)
NO_KEY = "none"
MENUS = ("File", "Edit", "Block", "View", "Run", "Help")
WITHIN = {"Block": "Edit"}
"""Menus that are part of another."""
BREAKS = {"export", "start", "quit", "cut", "delete", "select_all", "find", "next_in_row", "repeat", "theme", "about"}
"""Actions before which a menu has a line."""


class Actions(QObject):
    """The actions by id, with the shortcuts a person has chosen for them (settings ``shortcuts/ID``).

    ``rebound`` fires when one has got other shortcuts.
    """

    rebound = Signal()

    def __init__(self, settings: Settings, parent: QObject) -> None:
        super().__init__(parent)
        self._settings = settings
        self._actions = {entry.id: self._make(entry) for entry in ENTRIES}

    def __getitem__(self, id: str) -> QAction:
        return self._actions[id]

    def _make(self, entry: Entry) -> QAction:
        action = QAction(entry.text, self)
        action.setObjectName(f"action_{entry.id}")
        action.setToolTip(entry.tip)
        action.setStatusTip(entry.tip)
        if entry.icon:
            action.setIcon(icons.icon(entry.icon))
        context = Qt.ShortcutContext.WidgetShortcut if entry.canvas else Qt.ShortcutContext.WindowShortcut
        action.setShortcutContext(context)
        self._bind(action, entry)
        return action

    def _bind(self, action: QAction, entry: Entry) -> None:
        action.setShortcuts(self.keys(entry))
        shown = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{entry.tip}  ({shown})" if shown else entry.tip)

    def keys(self, entry: Entry) -> list[QKeySequence]:
        """The shortcuts in force: the user's own if there are any."""
        own = self._settings.text(f"shortcuts/{entry.id}")
        if own == NO_KEY:
            return []
        return [QKeySequence(key) for key in ((own,) if own else entry.keys)]

    def rebind(self, id: str, key: QKeySequence | None) -> None:
        """Give an action another shortcut, kept for the next start; None goes back to the usual ones."""
        if key is None:
            self._settings.forget(f"shortcuts/{id}")
        else:
            self._settings.set(f"shortcuts/{id}", key.toString(QKeySequence.SequenceFormat.PortableText) or NO_KEY)
        self._bind(self._actions[id], next(entry for entry in ENTRIES if entry.id == id))
        self.rebound.emit()

    def bound(self) -> Mapping[str, tuple[str, ...]]:
        """The shortcuts in force by action, as portable text."""
        portable = QKeySequence.SequenceFormat.PortableText
        return {id: tuple(k.toString(portable) for k in action.shortcuts()) for id, action in self._actions.items()}

    def taken_by(self, key: QKeySequence, *, but: str) -> str:
        """The words of another action that has this shortcut, or an empty string."""
        for entry in ENTRIES:
            if entry.id != but and not key.isEmpty() and key in self._actions[entry.id].shortcuts():
                return entry.text.replace("&", "")
        return ""

    def connect(self, id: str, slot: Callable[[], object]) -> None:
        """What happens when an action is triggered."""
        self._actions[id].triggered.connect(lambda _checked=False: slot())

    def enable(self, ids: tuple[str, ...], on: bool) -> None:
        for id in ids:
            self._actions[id].setEnabled(on)
