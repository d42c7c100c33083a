"""What all probe docks share: they watch only while they are seen, and say what to do when there is nothing to see."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from deepgui.graph.values import Node
from deepgui.probes.pictures import Watch
from deepgui.qt import theme
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.dashboard.sight import SeenPanel
from deepgui.qt.probes.idle import IdleProber
from deepgui.qt.session import Session
from deepgui.qt.theme import GRID
from deepgui.qt.widgets import Elided, Note


class ProbeDock(SeenPanel):
    """Content of a dock that shows pictures of the board.

    A subclass says what it wants in :meth:`wanted` and shows it in :meth:`draw`, which returns whether there was
    anything to show; its widgets go into ``body``, and ``caption`` is the line at the bottom.
    """

    title = ""
    icon = "eye"
    empty_text = ""

    def __init__(self, session: Session, controller: RunController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session, self.controller = session, controller
        self.board = controller.board
        self.prober = IdleProber.of(session, controller)
        self._watching: frozenset[Watch] = frozenset()
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(GRID // 2)
        self.caption = Elided("", "caption")
        self._empty = Note(self.icon, self.title, self.empty_text)
        self._empty.setObjectName("empty_state")
        self._lay_out()
        self.sight.changed.connect(self._on_sight)
        controller.register(self)
        self.prober.updated.connect(self._redraw)
        session.selection_changed.connect(self._on_selection)
        session.changed.connect(lambda before, after: self.rewatch())
        session.document_replaced.connect(self.rewatch)
        theme.current().changed.connect(self._redraw)

    def _lay_out(self) -> None:
        content = QWidget()
        inside = QVBoxLayout(content)
        inside.setContentsMargins(GRID, GRID // 2, GRID, GRID // 2)
        inside.setSpacing(GRID // 2)
        inside.addLayout(self.body, 1)
        inside.addWidget(self.caption)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(content)

    # -- for subclasses

    def wanted(self) -> Collection[Watch]:
        """What to watch now."""
        raise NotImplementedError

    def draw(self) -> bool:
        """Show the newest pictures; False if there is nothing to show."""
        raise NotImplementedError

    def selected(self) -> Node | None:
        """The one node that is selected, if it is one."""
        chosen = [self.session.network.nodes.get(i) for i in self.session.selection]
        return chosen[0] if len(chosen) == 1 else None

    # -- watching

    def _on_sight(self, seen: bool) -> None:
        self.rewatch()
        if seen:
            self._redraw()

    def _on_selection(self) -> None:
        self.rewatch()

    def rewatch(self) -> None:
        """Bring what is watched in line with what is seen; nothing while out of sight."""
        wanted = frozenset(self.wanted()) if self.sight.seen else frozenset()
        if wanted == self._watching:
            return
        new, gone = wanted - self._watching, self._watching - wanted
        self._watching = wanted
        for watch in new:
            self.board.watch(watch)
        for watch in gone:
            self.board.unwatch(watch)
        if new:
            self.prober.ask()
        self.refresh()

    def _redraw(self) -> None:
        self.forget_drawn()
        self.refresh()

    def forget_drawn(self) -> None:
        """Draw again even if the picture is the same (theme, size)."""

    def refresh(self) -> None:
        """Called by the controller while training, and after idle looks: draw if there is news."""
        if not self.sight.seen:
            return
        shown = self.draw()
        self._stack.setCurrentIndex(1 if shown else 0)
        if not shown:
            self._empty.text.setText(self._why_empty())

    def _why_empty(self) -> str:
        if not self.session.project.data.source:
            return "Choose data first: then every layer shows what it computes, even before training."
        problem = self.board.problem if self.controller.active else self.prober.problem
        return problem or self.empty_text
