"""Offers to download a well-known set: what it is, how large, under which licence; progress, and giving up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QProgressBar

from deepgui.qt import style
from deepgui.qt.dashboard.worker import Broken, Worker
from deepgui.qt.widgets import button, column, label, row

if TYPE_CHECKING:
    from deepgui.data.known_sets import KnownSet

POLL_MS = 150


class DownloadBar(QFrame):
    """Signals:
    arrived: the set is on this machine now.
    """

    arrived = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "card")
        self._worker = Worker(self)
        self._known: KnownSet | None = None
        self._text = label("", "muted", wrap=True)
        self._text.setObjectName("data_download_text")
        self.bar = QProgressBar()
        self.bar.setObjectName("data_download_progress")
        self.bar.setAccessibleName("Download")
        self.bar.setTextVisible(False)
        self.start = button("Download", "data_download", role="primary", icon="download-simple")
        self.cancel = button("Cancel", "data_download_cancel")
        self.start.clicked.connect(self._begin)
        self.cancel.clicked.connect(self._give_up)
        buttons = row(self.start, self.cancel)
        buttons.addStretch()
        self.setLayout(column(self._text, self.bar, buttons, margin=12))
        self._poll = QTimer(self)
        self._poll.setInterval(POLL_MS)
        self._poll.timeout.connect(self._show_progress)
        self._show_busy(False)
        self.hide()

    def offer(self, known: KnownSet | None) -> None:
        """Offer a set, or none; a download under way goes on and stays in view."""
        if self._poll.isActive():
            self.setVisible(known is not None and known is self._known)
            return
        self._known = known
        self.setVisible(known is not None)
        if known is not None:
            self.start.setText(f"Download {known.size_text}")
            self._say(f"{known.title} is not on this machine yet. Licence: {known.licence}.")

    def close_worker(self) -> None:
        """Give up what is under way; for closing the window."""
        self._poll.stop()
        self._worker.close()

    def _begin(self) -> None:
        known = self._known
        if known is None:
            return

        def fetch() -> object:
            from deepgui.data.known_sets import download

            return download(known)

        self._show_busy(True)
        self._say(f"Connecting to fetch {known.title} …")
        self._worker.submit("download", fetch, self._ended)

    def _give_up(self) -> None:
        self.cancel.setEnabled(False)
        self._say("Stopping …")
        self._worker.give_up("download")

    def _ended(self, result: object) -> None:
        self._show_busy(False)
        if not isinstance(result, Broken):
            self.arrived.emit()
        elif result.given_up:
            self._say("Stopped. What came is kept; the next download goes on from there.")
        else:
            text = " ".join(str(result.error).split())
            self._say(f"{text}.", "error")

    def _show_busy(self, busy: bool) -> None:
        self.bar.setVisible(busy)
        self.cancel.setVisible(busy)
        self.cancel.setEnabled(busy)
        self.start.setVisible(not busy)
        self.bar.setRange(0, 0)
        if busy:
            self._poll.start()
        else:
            self._poll.stop()

    def _show_progress(self) -> None:
        progress = self._worker.progress
        if progress is not None and self.cancel.isEnabled():
            self.bar.setRange(0, progress.total)
            self.bar.setValue(progress.done)
            self._say(f"{progress}")

    def _say(self, text: str, role: str = "muted") -> None:
        style.set_role(self._text, role)
        self._text.setText(text)
