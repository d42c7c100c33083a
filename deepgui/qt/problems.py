"""The problems of the network in view: what, where, why, and the button that mends it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QLabel, QStackedLayout, QVBoxLayout, QWidget

from deepgui.graph.problems import Fix, Problem
from deepgui.qt import icons
from deepgui.qt.session import Session
from deepgui.qt.theme import GRID
from deepgui.qt.widgets import Note, button, clear, column, label, row, scrolled

MOST = 100
TOP = 5
"""Pixels over the first line: beside a button, and where there is none."""
_ICONS = {"error": ("x-circle", "error"), "warning": ("warning", "warning")}


class ProblemRow(QFrame):
    """One problem. A click, Enter or Space shows its node."""

    chosen = Signal(object)
    mend = Signal(object)

    def __init__(self, number: int, problem: Problem) -> None:
        super().__init__()
        self.problem = problem
        self.setObjectName(f"problem_{number}")
        self.setAccessibleName(f"{problem.severity}: {problem.message}")
        self.setProperty("role", "problem")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        if problem.node:
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        line = row(self._mark(), self._texts(), gap=GRID + 4)
        line.setContentsMargins(12, 4, 12, 4)
        line.setStretch(1, 1)
        if problem.fix is not None:
            mend = button(problem.fix.label, f"fix_{number}", role="fix", icon="wrench")
            mend.setIconSize(QSize(14, 14))
            mend.clicked.connect(lambda: self.mend.emit(self.problem.fix))
            line.addWidget(mend, 0, Qt.AlignmentFlag.AlignTop)
        self.setLayout(line)

    def _mark(self) -> QWidget:
        name, token = _ICONS[self.problem.severity]
        mark = QLabel()
        mark.setFixedSize(18, 18)
        mark.setPixmap(icons.icon(name, token).pixmap(QSize(16, 16)))
        holder = column(mark, gap=0)
        holder.setContentsMargins(0, TOP, 0, 0)
        holder.addStretch()
        box = QWidget()
        box.setLayout(holder)
        return box

    def _texts(self) -> QVBoxLayout:
        problem = self.problem
        texts = column(label(problem.message, wrap=True, selectable=False), gap=2)
        if problem.expected or problem.received:
            parts = [f"expected {problem.expected}"] if problem.expected else []
            parts += [f"received {problem.received}"] if problem.received else []
            texts.addWidget(label(",  ".join(parts), "mono-muted", wrap=True))
        if problem.reason:
            texts.addWidget(label(problem.reason, "muted", wrap=True))
        texts.setContentsMargins(0, TOP, 0, TOP)
        texts.addStretch()
        return texts

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.chosen.emit(self.problem)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(self.problem)
        else:
            super().keyPressEvent(event)


class Problems(QWidget):
    """The list.

    Signals:
        node_chosen(id): show this node.
        counted(errors, warnings): for the dock's title.

    Args:
        mend: applies a fix as one undo step; by default an edit of the session.
    """

    node_chosen = Signal(str)
    counted = Signal(int, int)

    def __init__(self, session: Session, mend: Callable[[Fix], None] | None = None) -> None:
        super().__init__()
        self.setObjectName("problems")
        self.setAccessibleName("Problems")
        self.setProperty("role", "panel")
        self._session = session
        self.mend = mend or (lambda fix: session.edit(fix.label, fix.apply))
        self._shown: tuple[Problem, ...] | None = None
        self._rows = QVBoxLayout()
        self._rows.setContentsMargins(8, 8, 8, 8)
        self._rows.setSpacing(4)
        content = QWidget()
        content.setProperty("role", "panel")
        content.setLayout(self._rows)
        self._list = scrolled(content)
        self._none = Note("check-circle", "No problems", "The network can be built and trained.")
        self._waiting = Note("hourglass", "Getting PyTorch ready", "Problems show here as soon as shapes are known.")
        self._pages = QStackedLayout(self)
        for page in (self._waiting, self._none, self._list):
            self._pages.addWidget(page)
        session.report_changed.connect(lambda report: self.refresh())
        session.document_replaced.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the problems of the moment."""
        report = self._session.report
        problems = report.problems if report else None
        if problems is None:
            self._pages.setCurrentWidget(self._waiting)
            return
        if problems != self._shown:
            self._shown = problems
            self._fill(problems)
        self._pages.setCurrentWidget(self._list if problems else self._none)

    def _fill(self, problems: tuple[Problem, ...]) -> None:
        clear(self._rows)
        for number, problem in enumerate(problems[:MOST]):
            line = ProblemRow(number, problem)
            line.chosen.connect(self._choose)
            line.mend.connect(self._mend)
            self._rows.addWidget(line)
        if len(problems) > MOST:
            self._rows.addWidget(label(f"and {len(problems) - MOST:,} more", "muted"))
        self._rows.addStretch()
        errors = sum(p.severity == "error" for p in problems)
        self.counted.emit(errors, len(problems) - errors)

    def _choose(self, problem: Problem) -> None:
        if problem.inside:
            self._session.show(problem.path, here=True)
        elif problem.node:
            self._session.select((problem.node,))
        for node in self._session.selection if problem.node else ():
            self.node_chosen.emit(node)

    def _mend(self, fix: Fix) -> None:
        self.mend(fix)
