"""Where the window and layers of one's own meet: the editor is opened here, and the file beside is followed."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from deepgui.qt.canvas import CanvasView
from deepgui.qt.own.beside import Beside
from deepgui.qt.own.editor import Editor
from deepgui.qt.session import Session


class Desk(QObject):
    """Opens an editor when somebody asks for the code of a layer; a new layer is placed once it is written."""

    def __init__(self, session: Session, canvas: CanvasView, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._canvas, self._window = session, canvas, window
        self.editor: Editor | None = None
        self.beside = Beside(session, self)
        session.code_requested.connect(self.open)
        session.document_replaced.connect(self.close)

    def open(self, kind: str = "") -> Editor:
        """Edit a layer; without a kind a new one."""
        self.close()
        self.editor = Editor(self._session, kind, self._window)
        self.editor.saved.connect(self._saved)
        self.editor.open()
        return self.editor

    def close(self) -> None:
        """Close the editor without saving."""
        if self.editor is not None:
            self.editor.reject()
            self.editor.deleteLater()
            self.editor = None

    def _saved(self, kind: str, new: bool) -> None:
        if new:
            self._canvas.place(kind)

    def shut_down(self) -> None:
        """End what watches files."""
        self.close()
        self.beside.stop()
