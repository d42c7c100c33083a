"""The cheat sheet: every gesture and shortcut on one page, and the shortcuts of one's own."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QKeySequenceEdit, QMessageBox, QVBoxLayout, QWidget

import deepgui
from deepgui.qt.actions import ENTRIES, MENUS, Actions, Entry
from deepgui.qt.theme import GRID
from deepgui.qt.widgets import button, column, label, row, scrolled, tool_button

GESTURES = (
    ("Add a layer", "Tab, Shift+A, double-click, or drag from the palette"),
    ("Wire two layers", "Drag from either port to the other"),
    ("List what fits", "Drop a wire on empty space"),
    ("Insert into a wire", "Drop a layer on the wire"),
    ("Cut all wires of a port", "Alt+click the port"),
    ("Look into a block", "Double-click it; Esc or the way above the canvas leads out"),
    ("Compute a parameter", "In a block, type =4 * width into its field"),
    ("Zoom", "Wheel"),
    ("Move around", "Drag with the middle button, or hold Space"),
    ("Select several", "Drag over empty space; Shift+click adds"),
)


class ShortcutsDialog(QDialog):
    """Gestures on the left, shortcuts on the right, where each can be changed."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("shortcuts_dialog")
        self.setWindowTitle("Shortcuts")
        self.resize(880, 600)
        self._actions = actions
        self.editors: dict[str, QKeySequenceEdit] = {}
        content = QWidget()
        content.setLayout(self._columns())
        close = button("Done", "shortcuts_done", role="primary")
        close.clicked.connect(self.accept)
        close.setDefault(True)
        reset = button("Reset all", "shortcuts_reset")
        reset.clicked.connect(self._reset_all)
        buttons = row(reset, close)
        buttons.insertStretch(1)
        self._complaint = label("", "error", wrap=True)
        self._complaint.hide()
        self.setLayout(column(scrolled(content, "page"), self._complaint, buttons, margin=2 * GRID, gap=2 * GRID))
        close.setFocus()

    def _columns(self) -> QHBoxLayout:
        left = column(label("On the canvas", "heading"), gap=GRID)
        for what, how in GESTURES:
            left.addLayout(column(label(what), label(how, "muted", wrap=True), gap=0))
        left.addStretch()
        right = QVBoxLayout()
        right.setSpacing(GRID)
        for menu in MENUS:
            right.addWidget(label(menu, "heading"))
            right.addLayout(self._grid([entry for entry in ENTRIES if entry.where == menu]))
        right.addStretch()
        both = row(gap=5 * GRID)
        both.addLayout(left, 2)
        both.addLayout(right, 3)
        return both

    def _grid(self, entries: list[Entry]) -> QGridLayout:
        grid = QGridLayout()
        grid.setColumnStretch(0, 1)
        grid.setHorizontalSpacing(GRID)
        grid.setVerticalSpacing(4)
        for line, entry in enumerate(entries):
            words = entry.text.replace("&", "").replace(" …", "")
            grid.addWidget(label(words), line, 0)
            editor = QKeySequenceEdit(self._actions[entry.id].shortcut())
            editor.setMaximumSequenceLength(1)
            editor.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # whatever is pressed in it becomes a shortcut
            editor.installEventFilter(self)
            editor.setObjectName(f"shortcut_{entry.id}")
            editor.setAccessibleName(f"Shortcut of {words}")
            editor.editingFinished.connect(lambda e=entry: self._rebind(e))
            back = tool_button("arrow-counter-clockwise", f"shortcut_reset_{entry.id}", "Back to the usual shortcut")
            back.clicked.connect(lambda _=False, e=entry: self._reset(e))
            self.editors[entry.id] = editor
            grid.addWidget(editor, line, 1)
            grid.addWidget(back, line, 2)
        return grid

    def _rebind(self, entry: Entry) -> None:
        wanted, present = self.editors[entry.id].keySequence(), self._actions[entry.id].shortcut()
        if wanted == present:  # the field was only visited: further shortcuts of the action stay
            return
        refusal = self._refusal(wanted, entry)
        self._say(refusal)
        if refusal:
            self.editors[entry.id].setKeySequence(present)
        else:
            self._actions.rebind(entry.id, wanted)

    def _refusal(self, wanted: QKeySequence, entry: Entry) -> str:
        """Why an action cannot have this shortcut, or an empty string."""
        shown = wanted.toString(QKeySequence.SequenceFormat.NativeText)
        alone = entry.canvas or any(_is_bare(QKeySequence(key)) for key in entry.keys)  # no field loses a letter to it
        if _is_bare(wanted) and (_is_escape(wanted) or not alone):
            return f"{shown} alone cannot be a shortcut here: hold Ctrl or Alt with it."
        taken = self._actions.taken_by(wanted, but=entry.id)
        return f"{shown} belongs to “{taken}” already." if taken else ""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Escape leaves the page, also from a field that takes every other key as a shortcut."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
            self.reject()
            return True
        return super().eventFilter(watched, event)

    def _reset(self, entry: Entry) -> None:
        self._actions.rebind(entry.id, None)
        self.editors[entry.id].setKeySequence(self._actions[entry.id].shortcut())

    def _reset_all(self) -> None:
        for entry in ENTRIES:
            if entry.id in self.editors:
                self._reset(entry)

    def _say(self, sentence: str) -> None:
        self._complaint.setText(sentence)
        self._complaint.setVisible(bool(sentence))


def _is_bare(key: QKeySequence) -> bool:
    if key.isEmpty():
        return False
    ignored = Qt.KeyboardModifier.KeypadModifier
    return key[0].keyboardModifiers() & ~ignored == Qt.KeyboardModifier.NoModifier


def _is_escape(key: QKeySequence) -> bool:
    return key[0].key() == Qt.Key.Key_Escape


def show_about(parent: QWidget) -> None:
    """Version and licence."""
    QMessageBox.about(
        parent,
        "About DeepGUI",
        f"DeepGUI {deepgui.__version__}, MIT licence\n\nDraw a neural network, watch it learn, take the PyTorch home.",
    )
