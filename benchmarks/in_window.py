"""The application's main window for benchmarks: opened, fed with a project, trained, and taken down."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from types import TracebackType

from deepgui.data.dataset import Dataset
from deepgui.project.document import Document
from deepgui.project.values import Project

SIZE = (1440, 900)


class Window:
    """The main window with every panel, on a display or offscreen. Use it in a ``with`` statement."""

    def __init__(self, project: Project) -> None:
        os.environ.setdefault("DEEPGUI_HOME", tempfile.mkdtemp(prefix="deepgui-benchmark-"))
        from deepgui.qt.app import make_window

        self.window = make_window()
        self.window.resize(*SIZE)
        self.window.show()
        self.window.session.open(Document(project))
        self.window.show_workbench()
        self.window.finish_loading()
        self.window.workbench.reveal("training")
        self.session = self.window.session

    def __enter__(self) -> Window:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.document.saved = self.session.project
        self.window.shut_down()

    def process_events(self) -> None:
        from PySide6.QtWidgets import QApplication

        QApplication.processEvents()

    def repaint(self) -> None:
        """Paint the canvas now."""
        self.window.workbench.canvas.viewport().repaint()

    def settle(self, seconds: float = 2.0) -> None:
        """Let everything that was started by opening come to an end."""
        self.live(seconds, lambda: False)

    def live(self, seconds: float, until: Callable[[], bool]) -> None:
        """Let the event loop run as the application does."""
        from PySide6.QtCore import QEventLoop, QTimer

        loop, check = QEventLoop(), QTimer()
        check.timeout.connect(lambda: loop.quit() if until() else None)
        check.start(20)
        QTimer.singleShot(int(seconds * 1000), loop.quit)
        loop.exec()
        check.stop()


def train_in_window(project: Project, dataset: Dataset) -> tuple[int, float]:
    """Steps and seconds of a training in the open window with its plots live."""
    del dataset
    with Window(project) as window:
        window.settle()
        controller = window.window.controller
        controller.start()
        window.live(30, lambda: controller.state == "running")
        window.live(600, lambda: controller.state in ("finished", "failed"))
        finished = controller.finished
    if finished is None:
        raise SystemExit("the training in the window failed")
    return finished.steps, finished.seconds
