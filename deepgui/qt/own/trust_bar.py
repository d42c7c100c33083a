"""The question that a project with Python in it asks before that runs."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QWidget

from deepgui.project import own
from deepgui.project.atomic import reason
from deepgui.qt.session import Session
from deepgui.qt.theme import GRID
from deepgui.qt.widgets import button, column, label, row


class TrustBar(QFrame):
    """Stands above the drawing as long as a layer that is used is not trusted."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trust_bar")
        self.setProperty("role", "banner")
        self._session = session
        self._names: tuple[str, ...] = ()
        self.text = label(wrap=True)
        self.text.setObjectName("trust_text")
        self.look = button("Look at the code", "trust_look", role="quiet")
        self.agree = button("Trust and run", "trust_agree", role="fix", tip="Let this code run, now and later")
        line = row(self.text, self.look, self.agree, gap=GRID)
        line.setStretch(0, 1)
        line.setContentsMargins(GRID + 4, 4, GRID, 4)
        self.setLayout(line)
        self.look.clicked.connect(lambda: session.code_requested.emit(self._names[0]))
        self.agree.clicked.connect(self._trust)
        session.document_replaced.connect(self.refresh)
        session.changed.connect(lambda before, after: self.refresh())
        session.rechecked.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Ask for what is not trusted now."""
        self._names = own.untrusted(self._session.project)
        few = ", ".join(self._names[:3]) + (", …" if len(self._names) > 3 else "")
        one = len(self._names) == 1
        self.text.setText(
            f"{few} {'is' if one else 'are'} written in Python, which can do anything on this machine. "
            f"{'It runs' if one else 'They run'} once you agree."
        )
        self.setVisible(bool(self._names))

    def _trust(self) -> None:
        try:
            own.trust_all(self._session.project)
        except OSError as error:
            self.text.setText(f"This cannot be remembered: {reason(error)}.")
            return
        self._session.recheck()


def with_trust_bar(session: Session, place: QWidget) -> QWidget:
    """A widget with the question above it."""
    both = QWidget()
    both.setLayout(column(TrustBar(session), place, gap=0))
    both.layout().setStretch(1, 1)
    return both
