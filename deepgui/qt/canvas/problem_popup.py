"""What is wrong with one node, and the button that mends it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QVBoxLayout, QWidget

from deepgui.graph.problems import Problem
from deepgui.qt.widgets import button, clear, label

_WIDTH = 320
_MOST = 4


class ProblemPopup(QFrame):
    """A card beside a node's badge. Esc or a click elsewhere closes it.

    Signals:
        mend(fix): the user chose a fix.
        go(problem): the user wants to see a problem that is inside a block.
    """

    mend = Signal(object)
    go = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("problem_popup")
        self.setProperty("role", "card")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(12, 10, 12, 12)
        self._column.setSpacing(6)
        self.hide()

    def show_for(self, problems: Sequence[Problem], at: QPoint) -> None:
        """Say what is wrong, near a place of the parent and inside it."""
        clear(self._column)
        for number, problem in enumerate(problems[:_MOST]):
            self._add(problem, number)
        if len(problems) > _MOST:
            self._put(label(f"and {len(problems) - _MOST} more in the problems list", "caption"))
        room = self.parentWidget().rect()
        self.setFixedWidth(max(120, min(_WIDTH, room.width() - 8)))
        self._column.activate()
        wrapped = self._column.totalHeightForWidth(self.width())
        self.resize(self.width(), wrapped if wrapped > 0 else self._column.totalSizeHint().height())
        x = max(4, min(at.x(), room.width() - self.width() - 4))
        y = max(4, min(at.y(), room.height() - self.height() - 4))
        self.move(x, y)
        self.show()
        self._column.activate()
        self.raise_()
        self.setFocus(Qt.FocusReason.PopupFocusReason)

    def _add(self, problem: Problem, number: int) -> None:
        self._put(label(problem.message, "error" if problem.severity == "error" else "warning", wrap=True))
        if problem.expected or problem.received:
            sizes = f"expected {problem.expected or '–'}, received {problem.received or '–'}"
            self._put(label(sizes, "mono-muted", wrap=True))
        if problem.reason:
            self._put(label(problem.reason, "muted", wrap=True))
        if problem.inside:
            going = button("Go inside", f"go_inside_{number}", role="fix", icon="sign-in")
            going.clicked.connect(lambda: self._go(problem))
            self._put(going, Qt.AlignmentFlag.AlignLeft)
        fix = problem.fix
        if fix is not None:
            mending = button(fix.label, "fix_button" if not number else f"fix_button_{number + 1}", role="fix")
            mending.clicked.connect(lambda: self._mend(fix))
            self._put(mending, Qt.AlignmentFlag.AlignLeft)

    def _put(self, widget: QWidget, align: Qt.AlignmentFlag = Qt.AlignmentFlag(0)) -> None:
        """Add a part that counts in the layout at once, not only when Qt comes round to showing it."""
        self._column.addWidget(widget, 0, align)
        widget.show()

    def _mend(self, fix: object) -> None:
        self.close_up()
        self.mend.emit(fix)

    def _go(self, problem: Problem) -> None:
        self.close_up()
        self.go.emit(problem)

    def close_up(self) -> None:
        """Hide and give the keyboard back to the canvas."""
        if not self.isHidden():
            self.hide()
            self.parentWidget().setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_up()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        now = QApplication.focusWidget()
        if now is None or not self.isAncestorOf(now):
            self.hide()
        super().focusOutEvent(event)
