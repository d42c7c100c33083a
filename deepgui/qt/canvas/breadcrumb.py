"""The way into the block in view, over the canvas: each step of it leads back there."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from deepgui.project.blocks import uses
from deepgui.project.values import named_main
from deepgui.qt.canvas.networks import NetworkBar
from deepgui.qt.canvas.view import CanvasView
from deepgui.qt.widgets import Elided, button, clear, column, label, row, tool_button

_LONGEST = 24


class Breadcrumb(QFrame):
    """``Network › stage (2 of 4) › conv``, and what an edit here changes. Hidden outside of blocks."""

    def __init__(self, view: CanvasView) -> None:
        super().__init__()
        self.setObjectName("breadcrumb")
        self.setAccessibleName("Where in the network")
        self.setProperty("role", "crumbs")
        self._view = view
        self._session = view.session
        self._shown: tuple[object, ...] = ()
        self.note = Elided("", "muted")
        self.note.setObjectName("breadcrumb_note")
        self.note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._unique = button("Make unique", "make_unique_button", role="fix", tip="Give this use a drawing of its own")
        self._unique.clicked.connect(lambda: view.blocks.make_unique())
        self._crumbs: QHBoxLayout = row(gap=2)
        line = row(self._crumbs, self.note, self._unique)
        line.setContentsMargins(8, 4, 8, 4)
        line.setStretch(1, 1)
        self.setLayout(line)
        for signal in (self._session.level_changed, self._session.document_replaced, self._session.report_changed):
            signal.connect(self.refresh)
        self._session.changed.connect(lambda _before, _after: self.refresh())
        self.refresh()

    def refresh(self) -> None:
        """Show the way of the moment."""
        levels = self._session.levels
        self.setVisible(bool(levels))
        if not levels:
            self._shown = ()
            return
        words = [self._words(depth) for depth in range(len(levels) + 1)]
        if (wanted := (tuple(words), levels)) != self._shown:
            self._shown = wanted
            self._fill(words)
        self._tell()

    def texts(self) -> list[str]:
        """The steps as they are shown, outermost first."""
        return [words for words in (self._words(d) for d in range(len(self._session.levels) + 1)) if words]

    def _words(self, depth: int) -> str:
        """What a step is called; 0 is the network."""
        session = self._session
        if depth == 0:
            first = session.main is session.project.main
            return named_main(session.project).name if first else session.key
        level = session.levels[depth - 1]
        if not level.node:
            return level.block
        around = session.project.blocks[session.levels[depth - 2].block].network if depth > 1 else session.main
        name = around.nodes[level.node].label
        count = session.in_row(depth - 1)
        return name if level.place is None or not count else f"{name} ({level.place + 1} of {count})"

    def _fill(self, words: list[str]) -> None:
        clear(self._crumbs)
        back = tool_button("arrow-left", "leave_block", "Leave the block (Esc)")
        back.clicked.connect(lambda: self._go(len(words) - 2))
        self._crumbs.addWidget(back)
        for depth, text in enumerate(words[:-1]):
            self._crumbs.addWidget(self._crumb(depth, text))
            self._crumbs.addWidget(label("›", "muted"))
        self._crumbs.addWidget(self._here(words[-1]))

    def _crumb(self, depth: int, text: str) -> QPushButton:
        made = button(_short(text), f"crumb_{depth}", role="quiet", tip=f"Go to {text}")
        made.clicked.connect(lambda: self._go(depth))
        return made

    def _here(self, text: str) -> QWidget:
        """The last step, with the way along its row."""
        name: QLabel = label(_short(text), "strong")
        name.setObjectName("crumb_here")
        name.setContentsMargins(6, 0, 6, 0)
        parts: list[QWidget] = [name]
        if self._session.levels[-1].place is not None:
            for by, icon, tip in ((-1, "caret-left", "Previous (Page Up)"), (1, "caret-right", "Next (Page Down)")):
                stepping = tool_button(icon, "crumb_previous" if by < 0 else "crumb_next", f"{tip} one of the row")
                stepping.clicked.connect(lambda _=False, by=by: self._view.blocks.step(by))
                parts.append(stepping)
        holder = QWidget()
        holder.setLayout(row(*parts, gap=0))
        return holder

    def _go(self, depth: int) -> None:
        self._view.blocks.leave(depth)
        self._view.setFocus()

    def _tell(self) -> None:
        """Say how far an edit reaches."""
        session, level = self._session, self._session.levels[-1]
        found, in_row = len(uses(session.project, level.block)), self._view.blocks.place()[1]
        if found == 0:
            reach = "nothing uses it yet"
        elif found > 1:
            reach = f"edits change all {found} uses"
        else:
            reach = f"edits change all {in_row} of the row" if in_row > 1 else "used once"
        self.note.setText(f"Block {level.block}: {reach}")
        self._unique.setVisible(found > 1 and bool(level.node))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def with_breadcrumb(view: CanvasView) -> QWidget:
    """The canvas with the project's networks and the way into blocks above it."""
    both = QWidget()
    both.setLayout(column(NetworkBar(view.session), Breadcrumb(view), view, gap=0))
    return both
