"""How late the GUI's event loop is while a network trains at full speed before the eyes.

    QT_QPA_PLATFORM=offscreen python benchmarks/responsiveness.py [--sample digits_cnn] [--seconds 8] [--json]

Opens the real window on a sample, shows the training dock and the probe docks, trains, and measures how much
later than asked a 5 ms timer fires in the GUI thread. The promise: 99 % of the times at most 16 ms late.
``own`` is the processor time that the GUI thread itself used meanwhile: what is left of the delay is waiting
for a core (other programs) or for the interpreter's lock (the training).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import replace

INTERVAL_MS = 5
PROMISE_MS = 16.0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", default="digits_cnn")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--idle", action="store_true", help="measure without training, for comparison")
    parser.add_argument("--switch-interval", type=float, default=None, help="of the interpreter, in seconds")
    parser.add_argument("--picture", default="", help="leave a picture of the window here")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def open_window(sample: str):
    """The window as the application makes it, on an endless version of a sample, with every panel shown."""
    from deepgui import paths
    from deepgui.qt.app import make_window

    window = make_window()
    window.files.open_copy(paths.samples() / f"{sample}.deepgui")
    window.resize(1280, 720)
    window.show()
    window.finish_loading()
    endless = replace(window.session.project.training, epochs=100_000, max_steps=None, early_stopping=None)
    window.session.edit_project("endless", lambda project: replace(project, training=endless))
    window.workbench.reveal("training")
    return window


def pump(app, seconds: float, until=lambda: False) -> None:
    """Let the event loop run as ``exec`` would."""
    from PySide6.QtCore import QEventLoop, QTimer

    loop = QEventLoop()
    check = QTimer()
    check.timeout.connect(lambda: loop.quit() if until() else None)
    check.start(50)
    QTimer.singleShot(int(seconds * 1000), loop.quit)
    loop.exec()
    check.stop()


class Lateness:
    """Notes how much later than asked a timer fires, in milliseconds."""

    def __init__(self) -> None:
        from PySide6.QtCore import Qt, QTimer

        self.late: list[float] = []
        self.own: list[float] = []
        self._due = self._used = 0.0
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self._fired)

    def begin(self) -> None:
        self.late.clear()
        self.own.clear()
        self._arm()

    def end(self) -> None:
        self._timer.stop()

    def _arm(self) -> None:
        self._due = time.perf_counter() + INTERVAL_MS / 1000
        self._used = time.thread_time()
        self._timer.start()

    def _fired(self) -> None:
        self.late.append(max(0.0, (time.perf_counter() - self._due) * 1000))
        self.own.append((time.thread_time() - self._used) * 1000)
        self._arm()


def summary(lateness: Lateness) -> dict[str, float]:
    import numpy as np

    p50, p95, p99 = np.percentile(lateness.late, (50, 95, 99))
    named = {"p50_ms": p50, "p95_ms": p95, "p99_ms": p99, "max_ms": max(lateness.late)}
    named |= {"own_p99_ms": np.percentile(lateness.own, 99), "own_max_ms": max(lateness.own)}
    return {name: round(float(value), 2) for name, value in named.items()} | {"samples": len(lateness.late)}


def main() -> int:
    args = parse()
    os.environ.setdefault("DEEPGUI_HOME", tempfile.mkdtemp(prefix="deepgui-benchmark-"))
    window = open_window(args.sample)
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance()
    controller = window.controller
    pump(app, 3.0)
    if not args.idle:
        controller.start()
        pump(app, 60, lambda: controller.state == "running")
        if args.switch_interval is not None:
            sys.setswitchinterval(args.switch_interval)
        pump(app, 2.0)
    lateness = Lateness()
    before = controller.progress.step
    began = time.perf_counter()
    lateness.begin()
    pump(app, args.seconds)
    lateness.end()
    result = summary(lateness)
    result["steps_per_second"] = round((controller.progress.step - before) / (time.perf_counter() - began), 1)
    result = {"sample": args.sample, "state": controller.state, **result, "switch_interval": sys.getswitchinterval()}
    if args.picture:
        window.grab().save(args.picture)
    controller.stop()
    pump(app, 10, lambda: not controller.active)
    window.session.document.saved = window.session.project
    window.shut_down()
    print(json.dumps(result) if args.json else "\n".join(f"{name:>18}: {value}" for name, value in result.items()))
    return 0 if result["p99_ms"] <= PROMISE_MS else 1


if __name__ == "__main__":
    sys.exit(main())
