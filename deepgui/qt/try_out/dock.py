"""The dock in which a person tries the network on questions of their own, while it learns and afterwards."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QComboBox, QStackedLayout, QStackedWidget, QVBoxLayout, QWidget

from deepgui.project.values import Project
from deepgui.qt import theme
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.dashboard.sight import SeenPanel
from deepgui.qt.dashboard.worker import Broken
from deepgui.qt.session import Session
from deepgui.qt.theme import GRID
from deepgui.qt.try_out.answers import plain
from deepgui.qt.try_out.asker import Asker
from deepgui.qt.try_out.drawing import DrawPage
from deepgui.qt.try_out.files import FilePage
from deepgui.qt.try_out.making import MakePage
from deepgui.qt.try_out.page import Page
from deepgui.qt.try_out.table import TablePage
from deepgui.qt.try_out.text import TextPage, WritePage
from deepgui.qt.widgets import Note
from deepgui.use.trial import Trial, trial_of

LOOK_SECONDS = 0.2
"""While the network learns it is asked again so often."""
DEBOUNCE_MS = 150
_WHAT, _ANSWER = "trial", "trial_answer"
_PAGES: dict[str, type[Page]] = {
    "draw": DrawPage,
    "file": FilePage,
    "sound": FilePage,
    "series": FilePage,
    "text": TextPage,
    "fill": TextPage,
    "write": WritePage,
    "table": TablePage,
    "code": MakePage,
    "samples": MakePage,
}
_TITLES = {"code": "Make examples", "samples": "Make examples", "draw": "Draw", "table": "Edit a row"}
EMPTY = "Choose data and train: then draw, type or open something here, and see what the network says."


class TryDock(SeenPanel):
    """Shows the page that suits the data, and puts its questions while somebody sees it."""

    def __init__(self, session: Session, controller: RunController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("try_out")
        self.session, self.controller = session, controller
        self.asker = Asker(session, controller, self)
        self.trial: Trial | None = None
        self._made: dict[type[Page], Page] = {}
        self._asked_at = 0.0
        self._key: object = None
        self._stale = True
        self.way = QComboBox()
        self.way.setObjectName("try_way")
        self.way.setAccessibleName("What to try")
        self.way.activated.connect(lambda index: self._turn_to(self.way.currentData()))
        self.pages = QStackedWidget()
        self.note = Note("hand-pointing", "Try it", EMPTY)
        self.note.setObjectName("empty_state")
        self._lay_out()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(DEBOUNCE_MS)
        self._soon.timeout.connect(self._find_out)
        self.sight.changed.connect(self._on_sight)
        controller.register(self)
        controller.run_started.connect(lambda started: self._renew())
        controller.run_finished.connect(lambda finished: self._renew())
        controller.closing.connect(self._soon.stop)
        session.changed.connect(self._on_change)
        session.registry_ready.connect(self._renew)
        session.document_replaced.connect(self._forget)
        theme.current().changed.connect(self._redraw)

    def _redraw(self) -> None:
        if self.page is not None:
            self.page.redraw()

    def _lay_out(self) -> None:
        content = QWidget()
        inside = QVBoxLayout(content)
        inside.setContentsMargins(GRID, GRID, GRID, GRID)
        inside.setSpacing(GRID // 2)
        inside.addWidget(self.way, 0, Qt.AlignmentFlag.AlignLeft)
        inside.addWidget(self.pages, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.note)
        self._stack.addWidget(content)

    # -- what there is to try

    def _on_change(self, before: Project, after: Project) -> None:
        same = before.networks is after.networks and before.blocks is after.blocks and before.data is after.data
        if not same or before.training is not after.training:
            self._renew()

    def _forget(self) -> None:
        self.asker.forget()
        self.trial = None
        self._show_nothing(EMPTY)
        self._renew()

    def _on_sight(self, seen: bool) -> None:
        if seen and self._stale:
            self._soon.start()
        elif seen:
            self.ask()

    def _renew(self) -> None:
        """The network may be another one: find out what can be tried, once somebody looks."""
        self._stale = True
        if self.sight.seen:
            self._soon.start()

    def _find_out(self) -> None:
        if not self.session.project.data.source:
            self._show_nothing("Choose data first: then draw, type or open something here.")
            return
        self._stale = False
        self.asker.ask(_WHAT, trial_of, self._found_out)

    def _found_out(self, found: Any) -> None:
        if isinstance(found, Broken):
            self.trial = None
            self._show_nothing(plain(found.error))
            return
        if not found.ways:
            self.trial = None
            self._show_nothing(found.why)
            return
        key = found.key, self.session.project.data
        if self.trial is None or key != self._key:
            self.trial, self._key = found, key
            self._offer(found)
        self._stack.setCurrentIndex(1)
        self.ask()

    def _offer(self, trial: Trial) -> None:
        self.way.clear()
        for way in trial.ways:
            self.way.addItem(_TITLES.get(way, "Ask about an example"), way)
        self.way.setVisible(len(trial.ways) > 1)
        self._turn_to(trial.ways[0])

    def _turn_to(self, way: str) -> None:
        kind = _PAGES[way]
        if kind not in self._made:
            page = kind()
            page.changed.connect(partial(self._on_page, page))
            self._made[kind] = page
            self.pages.addWidget(page)
        page = self._made[kind]
        self.pages.setCurrentWidget(page)
        assert self.trial is not None
        if page.trial is not self.trial:
            page.prepare(self.trial)

    def _show_nothing(self, text: str) -> None:
        self.note.text.setText(text)
        self._stack.setCurrentIndex(0)

    # -- asking

    @property
    def page(self) -> Page | None:
        """The page in sight."""
        found = self.pages.currentWidget()
        return found if self.trial is not None and isinstance(found, Page) else None

    def _on_page(self, page: Page) -> None:
        if page is self.page:
            self.ask()

    def ask(self) -> None:
        """Put the question of the page in sight."""
        page = self.page
        question = page.question() if page is not None and self.sight.seen else None
        if page is not None and question is not None:
            self._asked_at = time.monotonic()
            self.asker.ask(_ANSWER, question, partial(self._answered, page))

    def _answered(self, page: Page, found: Any) -> None:
        if page is self.page:
            page.show_found(found)

    def refresh(self) -> None:
        """Called while training: ask again, since the network has learnt something."""
        page = self.page
        if not self.sight.seen or page is None or not page.lives or self.asker.busy(_ANSWER):
            return
        if self.controller.state == "running" and time.monotonic() - self._asked_at >= LOOK_SECONDS:
            self.ask()
