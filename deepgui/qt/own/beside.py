"""Follows the file of layers beside the project: an edit there shows here."""

from __future__ import annotations

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from deepgui.project import own
from deepgui.qt.session import Session

DELAY_MS = 100


class Beside(QObject):
    """Reads ``NAME_layers.py`` again when it changes.

    Signals:
        trouble(sentence): the file is no good; the project keeps the layers it has.
    """

    trouble = Signal(str)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._told = ""
        self._watcher = QFileSystemWatcher(self)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self.read)
        self._watcher.fileChanged.connect(lambda _: self._timer.start())
        self._watcher.directoryChanged.connect(lambda _: self._timer.start())
        session.document_replaced.connect(self.watch)
        self.watch()

    def watch(self) -> None:
        """Watch the place beside the document; called again when it was saved elsewhere."""
        if watched := [*self._watcher.files(), *self._watcher.directories()]:
            self._watcher.removePaths(watched)
        path = self._session.document.path
        if path is not None and path.parent.is_dir():
            file = own.file_beside(path)
            self._watcher.addPaths([str(path.parent), *([str(file)] if file.is_file() else [])])

    def read(self) -> None:
        """Take over what the file says now."""
        path = self._session.document.path
        if path is None:
            return
        self.watch()  # an editor that replaces the file leaves the watcher with the old one
        fresh, complaint = own.refreshed(self._session.project, path)
        self._session.edit_project(f"Read {own.file_beside(path).name}", lambda project: fresh)
        if complaint and complaint != self._told:
            self.trouble.emit(complaint)
        self._told = complaint

    def stop(self) -> None:
        """Watch no more."""
        self._timer.stop()
        if watched := [*self._watcher.files(), *self._watcher.directories()]:
            self._watcher.removePaths(watched)
