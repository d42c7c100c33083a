"""Offers to go on with a training that was left before its end: killed with the window, or stopped by the person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from deepgui.qt.dashboard.banner import Banner
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.session import Session

if TYPE_CHECKING:
    from deepgui.training.leftover import Leftover

_EARLIER = (
    "The last training was interrupted, and it belongs to an earlier drawing: "
    "undo what was changed since to go on with it, or train anew."
)


class GoingOn(QObject):
    """Looks for such a run whenever a project is opened or a run has ended, off the GUI thread."""

    def __init__(self, session: Session, controller: RunController, banner: Banner) -> None:
        super().__init__(banner)
        self._session, self._controller, self._banner = session, controller, banner
        self._found: Leftover | None = None
        banner.accepted.connect(self._go_on)
        banner.dismissed.connect(self._dismiss)
        session.document_replaced.connect(self.look)
        session.report_changed.connect(lambda report: self._compare())
        controller.run_finished.connect(lambda finished: self.look())
        self.look()

    def look(self) -> None:
        """Find the newest run of the open project and offer to go on with it, if it can."""
        self._forget()
        document = self._session.document
        project, path = document.project, document.path

        def job() -> tuple[Leftover | None, bool]:
            from deepgui.training.leftover import newest

            found = newest(path, project)
            return found, found is not None and found.fits(project)

        def then(result: Any) -> None:
            if document is self._session.document and isinstance(result, tuple):  # else: a folder nobody may read
                self._show(*result)

        self._controller.worker.submit("leftover", job, then)

    def _compare(self) -> None:
        """The drawing or a setting changed: what was offered may belong to an earlier drawing now, or fit again."""
        found, project = self._found, self._session.project
        if found is not None:
            self._controller.worker.submit(
                "leftover",
                lambda: found.fits(project),
                lambda fits: self._show(found, fits is True) if found is self._found else None,
            )

    def _show(self, found: Leftover | None, fits: bool) -> None:
        if self._controller.active or self._banner.complaining:
            return
        self._found = found
        if found is not None and fits:
            how = "failed" if found.status == "failed" else f"was {found.status}"
            where = f"epoch {found.epoch:,} of {self._session.project.training.epochs:,}, step {found.step:,}"
            self._banner.offer(f"The last training {how} and can go on from {where}.", ready=True)
        elif found is not None and found.status == "interrupted" and found.earlier != self._session.project:
            self._banner.offer(_EARLIER, ready=False)
        else:
            self._banner.hide()

    def _forget(self) -> None:
        self._found = None

    def _dismiss(self) -> None:
        if self._found is not None:
            self._found.dismiss()
        self._forget()

    def _go_on(self) -> None:
        found = self._found
        if found is not None:
            self._controller.start(resume=found.folder)
