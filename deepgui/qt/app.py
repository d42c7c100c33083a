"""Starting the application."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from deepgui import paths
from deepgui.qt import icons, style, theme
from deepgui.qt.main_window import MainWindow
from deepgui.qt.settings import Settings

log = logging.getLogger("deepgui")
DEMO = "digits_cnn.deepgui"


def application(arguments: list[str] | None = None) -> QApplication:
    """The one QApplication, dressed; makes it if there is none."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        QApplication.setHighDpiScaleFactorRoundingPolicy(Qt.HighDpiScaleFactorRoundingPolicy.PassThrough)
        app = QApplication(arguments if arguments is not None else sys.argv[:1])
    app.setApplicationName("DeepGUI")
    app.setDesktopFileName("deepgui")
    return app


def make_window(settings: Settings | None = None) -> MainWindow:
    """A window in the remembered theme, not yet shown. Needs :func:`application`."""
    settings = settings or Settings()
    theme.use(chosen if (chosen := settings.text("theme", "dark")) in theme.THEMES else "dark")
    app = application()
    style.apply(app)
    app.setWindowIcon(icons.icon("share-network-fill", "accent"))
    return MainWindow(settings)


def run(path: Path | None = None, *, demo: bool = False) -> int:
    """Open the application and stay until it is closed. Returns the exit status.

    Args:
        path: a project to open; what is wrong with it is said in the window.
        demo: open the digits sample and train it.
    """
    app = application()
    window = make_window()
    sys.excepthook = _hook(window)
    sample = paths.samples() / DEMO
    queued = Qt.ConnectionType.QueuedConnection
    if demo or path is not None:
        window.announce((sample if demo else path).stem)
        arrive = (lambda: window.open_sample(sample)) if demo else (lambda: window.open(path))
        window.painted.connect(arrive, queued)
    if demo:
        window.loader.loaded.connect(lambda: QTimer.singleShot(300, window, lambda: start_demo(window)))
    window.painted.connect(window.loader.start, queued)
    window.appear()
    return app.exec()


def start_demo(window: MainWindow) -> None:
    """Train before the eyes."""
    if window.controller is not None:
        window.workbench.reveal("training")
        window.controller.start()


def _hook(window: MainWindow) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """A mistake of ours is logged and said, and the application goes on: nobody loses work to it."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            window.files.keep()
            QApplication.exit(1)
            return
        log.error("unexpected error", exc_info=(kind, error, trace))
        window.files.keep()
        window.tell(f"Something went wrong inside DeepGUI ({kind.__name__}: {error}). Your work is kept.")

    return hook
