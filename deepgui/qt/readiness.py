"""What stands against training, added to the problems of the drawing as soon as the data has been looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer

from deepgui.project.values import Project, main_key
from deepgui.qt.dashboard.worker import Broken, Worker
from deepgui.qt.session import Session

if TYPE_CHECKING:
    from deepgui.compiler.report import Report
    from deepgui.training.bindings import Offer

DELAY_MS = 250


class Readiness(QObject):
    """Runs the training's preflight off the GUI thread after each change, while the project has data.

    Opening data may take seconds, and shapes must not wait for it: the session's report comes first with the
    problems of the drawing alone, then once more with those of the training.
    """

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._worker = Worker(self)
        self._complete: Report | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self._look)
        session.report_changed.connect(self._on_report)

    def close(self) -> None:
        """Wait for a look under way; for closing the window."""
        self._timer.stop()
        self._worker.close()

    def _on_report(self, _view: Report) -> None:
        if self._session.whole is not self._complete and self._session.project.data.source:
            self._timer.start()

    def _look(self) -> None:
        session = self._session
        project, key, registry, report = session.project, session.key, session.registry, session.whole
        if report is None:
            return

        def look() -> Any:
            from deepgui.training.bindings import roles
            from deepgui.training.objectives import objectives
            from deepgui.training.preflight import preflight, with_shapes

            learns = project.training.objective in objectives() and key in roles(project).values()
            if not learns and key != main_key(project):
                return report.problems, None  # nobody trains it
            whole = report.ok
            found = preflight(project, key, registry, report) if whole else with_shapes(project, key, report.problems)
            return found, _offered(project, key)

        self._worker.submit("preflight", look, lambda found: self._tell(report, found))

    def _tell(self, report: Report, found: Any) -> None:
        if isinstance(found, Broken) or report is not self._session.whole:
            return
        problems, offer = found
        self._session.show_offer(offer)
        if problems != report.problems:
            self._complete = replace(report, problems=problems)
            self._session.amend(self._complete)


def _offered(project: Project, key: str) -> Offer | None:
    from deepgui.data.dataset import prepare
    from deepgui.data.errors import DataError
    from deepgui.training.bindings import offer
    from deepgui.training.objectives import ObjectiveError

    try:
        return offer(project, key, prepare(project.data, project.training.objective))
    except (DataError, ObjectiveError):
        return None
