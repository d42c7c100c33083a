"""The check that tests tidy up after themselves finds what is left, says where it came from, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

TESTS = """
import threading, time
from PySide6.QtCore import QThread, QTimer
from PySide6.QtWidgets import QWidget

KEPT = []
STOP = threading.Event()

def test_thread_left():
    threading.Thread(target=STOP.wait, args=(3.5,), name="forgotten").start()

def test_timer_left(qapp):
    KEPT.append(QTimer(objectName="forgotten"))
    KEPT[-1].start(1000)

def test_qthread_left(qapp):
    class Sleeper(QThread):
        def run(self):
            STOP.wait(3)
    KEPT.append(Sleeper())
    KEPT[-1].start()

def test_tidy(qtbot):
    threading.Thread(target=time.sleep, args=(0.05,)).start()
    window = QWidget()
    qtbot.addWidget(window)
    QTimer(window).start(1000)
    cycle = {"timer": QTimer()}
    cycle["self"] = cycle
    cycle["timer"].start(1000)
"""


def test_what_a_test_leaves_running_is_reported(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_untidy.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    said = done.stdout
    assert "4 passed, 3 errors" in said, said
    assert "the thread forgotten still runs" in said
    assert "QTimer 'forgotten' is still active" in said
    assert "Sleeper '' is still active" in said
    assert 'test_untidy.py", line 10, in test_thread_left' in said
