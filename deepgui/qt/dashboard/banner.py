"""One sentence that needs an answer: what stands in the way of training, what ended it, or what can go on."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from deepgui.graph.problems import Problem
from deepgui.project.values import with_training
from deepgui.qt import icons, style
from deepgui.qt.session import Session
from deepgui.qt.theme import GRID
from deepgui.qt.widgets import button, label, row, tool_button


class Banner(QFrame):
    """Shows a sentence with, where there is one, a button that mends it and one that goes to the place.

    Signals:
        accepted: go on with the training that was offered.
        dismissed: do not, and say no more of it.
    """

    accepted = Signal()
    dismissed = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training_banner")
        self.setProperty("role", "banner")
        self._session = session
        self._problem: Problem | None = None
        self._mark = QLabel()
        self._mark.setFixedSize(18, 18)
        self.text = label(wrap=True, selectable=True)
        self.text.setObjectName("training_banner_text")
        self.fix = button("", "training_fix", role="fix")
        self.show_node = button("Show layer", "show_guilty_node", role="quiet")
        self.go_on = button("Go on", "resume_button", role="fix", tip="Go on with the last training")
        self.dismiss = button("Dismiss", "dismiss_resume", role="quiet")
        self.close_button = tool_button("x", "close_banner", "Close")
        line = row(
            self._mark, self.text, self.fix, self.show_node, self.go_on, self.dismiss, self.close_button, gap=GRID
        )
        line.setStretch(1, 1)
        line.setContentsMargins(GRID + 4, 4, GRID // 2, 4)
        self.setLayout(line)
        self.fix.clicked.connect(self._mend)
        self.show_node.clicked.connect(self._select)
        self.close_button.clicked.connect(self.hide)
        self.go_on.clicked.connect(self._accept)
        self.dismiss.clicked.connect(self._dismiss)
        self.hide()

    @property
    def complaining(self) -> bool:
        """Whether a problem is shown, which is more than an offer."""
        return not self.isHidden() and self._problem is not None

    def tell(self, problem: Problem) -> None:
        """Show a problem: its sentence, its reason, its fix."""
        self._problem = problem
        style.set_role(self, "banner-error" if problem.severity == "error" else "banner")
        self._mark.setPixmap(icons.icon("warning", "error").pixmap(QSize(18, 18)))
        self._mark.setVisible(problem.severity == "error")
        self.text.setText(f"{problem.message} {problem.reason}".strip())
        self.fix.setVisible(problem.fix is not None)
        self.fix.setText(problem.fix.label if problem.fix else "")
        self.show_node.setVisible(problem.node.partition(".")[0] in self._session.main.nodes)
        for part in (self.go_on, self.dismiss):
            part.hide()
        self.close_button.show()
        self.show()

    def offer(self, sentence: str, *, ready: bool) -> None:
        """Say what became of the last training; with ``ready`` it can go on."""
        self._problem = None
        style.set_role(self, "banner")
        self._mark.hide()
        self.text.setText(sentence)
        for part in (self.fix, self.show_node, self.close_button):
            part.hide()
        self.go_on.setVisible(ready)
        self.dismiss.show()
        self.show()

    def _accept(self) -> None:
        self.hide()
        self.accepted.emit()

    def _dismiss(self) -> None:
        self.hide()
        self.dismissed.emit()

    def _mend(self) -> None:
        problem = self._problem
        self.hide()
        if problem is not None and problem.fix is not None:
            fix = problem.fix
            if fix.training:
                self._session.edit_project(fix.label, lambda project: with_training(project, fix.training))
                return
            self._session.leave(0)
            self._session.edit(fix.label, fix.apply)

    def _select(self) -> None:
        if self._problem is not None:
            self._session.show(self._problem.node)
