"""``deepgui demo``: the digits sample trained in the real window, on a display or without one."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QSize, QTimer
from PySide6.QtWidgets import QApplication
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from deepgui import paths

if TYPE_CHECKING:
    from deepgui.qt.dashboard.controller import RunController
    from deepgui.qt.main_window import MainWindow
    from deepgui.training.events import Finished

SAMPLE = "digits_cnn"
WATCHED = "conv1"
"""The layer whose feature maps the picture shows."""
SIZE = QSize(1680, 1050)
_TICK_MS = 100
_SETTLE_MS = 400  # for plots to draw the last points before the picture is taken


def run(out: Path, *, offscreen: bool) -> int:
    """Show the demo. Returns the exit status.

    Args:
        out: offscreen, the folder for the exported model and the picture of the window.
        offscreen: train in a window that no display shows, with a progress bar in the terminal.
    """
    if not offscreen:
        from deepgui.qt import app

        return app.run(demo=True)
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with _own_home():
        return _offscreen(out, Console(stderr=True), Console(highlight=False))


@contextmanager
def _own_home() -> Iterator[None]:
    """Settings, runs and recent files of the demo go to a place that is removed afterwards."""
    before = os.environ.get("DEEPGUI_HOME")
    with tempfile.TemporaryDirectory(prefix="deepgui-demo-", ignore_cleanup_errors=True) as home:
        os.environ["DEEPGUI_HOME"] = home
        try:
            yield
        finally:
            os.environ.pop("DEEPGUI_HOME")
            if before is not None:
                os.environ["DEEPGUI_HOME"] = before


def _offscreen(out: Path, progress: Console, results: Console) -> int:
    from deepgui.qt import app

    out.mkdir(parents=True, exist_ok=True)
    window = app.make_window()
    try:
        with progress.status("loading PyTorch"):
            _open(window)
        finished = _train(window, progress)
        if finished is None:
            return 1
        picture = out / "window.png"
        _wait(_SETTLE_MS)
        window.grab().save(str(picture))
        with progress.status("exporting, and comparing each export with the network"):
            written = _export(Path(finished.run), out)
    finally:
        window.shut_down()
        window.deleteLater()
    accuracy = finished.metrics.get("test_accuracy", 0.0)
    results.print(f"{accuracy:.1%} of the test digits are read right, after {finished.seconds:.1f} s of training.")
    for path in (*written, picture):
        results.print(f"  {path}", soft_wrap=True)
    return 0


def _open(window: MainWindow) -> None:
    """The sample in the window, with every panel there."""
    window.resize(SIZE)
    window.show()
    window.files.open_copy(paths.samples() / f"{SAMPLE}.deepgui")
    window.finish_loading()
    window.workbench.arrange(SIZE.width())
    window.workbench.reveal("training")
    network = window.session.network
    window.session.select(n.id for n in network.nodes.values() if n.label == WATCHED)
    _wait(_TICK_MS)
    window.workbench.canvas.fit_all()


def _train(window: MainWindow, console: Console) -> Finished | None:
    """Train to the end, showing how far it is. None if it failed or was interrupted, which is said."""
    controller = window.controller
    assert controller is not None
    loop = QEventLoop()
    said: list[str] = []
    controller.run_finished.connect(loop.quit)
    controller.failed.connect(lambda sentence, node: said.append(sentence))
    controller.refused.connect(lambda problem: said.append(problem.message))
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[loss]}"))
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(TextColumn("training"), *columns, *times, console=console) as bar:
        task = bar.add_task("training", total=None, loss="")
        timer = QTimer()
        timer.timeout.connect(lambda: bar.update(task, **_news(controller)))
        timer.start(_TICK_MS)
        before = signal.signal(signal.SIGINT, lambda number, frame: (said.append("interrupted."), controller.stop()))
        try:
            if controller.start():
                loop.exec()
        finally:
            signal.signal(signal.SIGINT, before)
            timer.stop()
        bar.update(task, **_news(controller))
    if said or controller.finished is None:
        console.print(f"deepgui: {said[0] if said else 'the training ended without a result.'}", markup=False)
        return None
    return controller.finished


def _news(controller: RunController) -> dict[str, object]:
    progress = controller.progress
    loss = ""
    if controller.run is not None:
        _, values = controller.run.feed.column("train_loss")
        loss = f"loss {values[-1]:.4f}" if len(values) else ""
    return {"total": progress.total_steps or None, "completed": progress.step, "loss": loss}


def _export(run: Path, out: Path) -> tuple[Path, ...]:
    from deepgui import api
    from deepgui.exporters.export import export
    from deepgui.training.store import run_project

    subject = api.exportable(run_project(run), run)
    found: list[Path] = []
    found += export(subject, "onnx", out / f"{SAMPLE}.onnx").paths
    found += export(subject, "python", out / f"{SAMPLE}.py").paths
    found += export(subject, "weights", out / f"{SAMPLE}.safetensors").paths
    return tuple(found)


def _wait(milliseconds: int) -> None:
    """Let the window live for a moment."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()
    QApplication.processEvents()
