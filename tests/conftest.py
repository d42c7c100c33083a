"""What every test gets: no screen, a home of its own, one torch thread, and a check that it tidied up."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

REAL_WINDOW = os.environ.get("DEEPGUI_REAL_WINDOW") == "1"
if not REAL_WINDOW:
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
_HOME = tempfile.mkdtemp(prefix="deepgui-tests-")
os.environ["DEEPGUI_HOME"] = _HOME
for _threads in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):  # read when torch is first imported
    os.environ[_threads] = "1"

# ``ci`` gives the same examples on every machine; HYPOTHESIS_PROFILE=explore looks further, at random.
_SLOW = [HealthCheck.too_slow, HealthCheck.filter_too_much]
settings.register_profile("ci", derandomize=True, max_examples=60, deadline=None, suppress_health_check=_SLOW)
settings.register_profile("explore", max_examples=2000, deadline=None, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

GRACE_SECONDS = 2.0
LIBRARY_THREADS = ("ThreadPoolExecutor", "tqdm", "TMonitor", "pytest_timeout", "QueueFeederThread", "pydevd", "asyncio")


def pytest_unconfigure() -> None:
    shutil.rmtree(_HOME, ignore_errors=True)


class _Noted:
    """Remembers the things that a function was called on during a test, and from where."""

    def __init__(self) -> None:
        self._where: dict[int, tuple[weakref.ref[Any], traceback.StackSummary]] = {}

    def watching(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """``function`` with a note of its caller."""

        def noted(thing: Any, *args: Any, **kwargs: Any) -> Any:
            stack = traceback.StackSummary.extract(traceback.walk_stack(sys._getframe(1)), limit=12, lookup_lines=False)
            self._where[id(thing)] = (weakref.ref(thing), stack)
            return function(thing, *args, **kwargs)

        return noted

    def running(self, is_running: Callable[[Any], bool]) -> list[tuple[Any, str]]:
        """What still runs, with the place of the call."""
        things = [(ref(), stack) for ref, stack in self._where.values()]
        return [(t, _readable(stack)) for t, stack in things if t is not None and is_running(t)]


def _readable(stack: traceback.StackSummary) -> str:
    """The stack without pytest's own frames, innermost call last."""
    own = [f for f in stack if not any(part in f.filename for part in ("_pytest", "pluggy", "pytestqt"))]
    return "".join(traceback.StackSummary.from_list(reversed(own)).format())


def _thread_runs(thread: threading.Thread) -> bool:
    return thread.is_alive() and not thread.name.startswith(LIBRARY_THREADS)


def _settled(started: _Noted, is_running: Callable[[Any], bool]) -> list[tuple[Any, str]]:
    """What is left running after things had a moment to end by themselves."""
    give_up = time.monotonic() + GRACE_SECONDS
    while (left := started.running(is_running)) and time.monotonic() < give_up:
        time.sleep(0.02)
    return left


@pytest.fixture(autouse=True)
def no_threads_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test that leaves a thread running fails and is told where the thread was started."""
    started = _Noted()
    monkeypatch.setattr(threading.Thread, "start", started.watching(threading.Thread.start))
    yield
    left = _settled(started, _thread_runs)
    if left:
        pytest.fail(
            "\n".join(f"the thread {t.name} still runs; it was started at\n{where}" for t, where in left), pytrace=False
        )


@pytest.fixture(autouse=True)
def no_timers_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test that leaves a QTimer or QThread active fails and is told where it was made."""
    core = sys.modules.get("PySide6.QtCore")
    if core is None:
        yield
        return
    import shiboken6

    timers, threads = _Noted(), _Noted()
    # The constructors, not ``start``: signals are connected to ``start`` as Qt's own slot.
    monkeypatch.setattr(core.QTimer, "__init__", timers.watching(core.QTimer.__init__))
    monkeypatch.setattr(core.QThread, "__init__", threads.watching(core.QThread.__init__))
    yield
    if core.QCoreApplication.instance() is not None:
        core.QCoreApplication.sendPostedEvents(None, core.QEvent.Type.DeferredDelete)

    def active(timer: Any) -> bool:
        return bool(shiboken6.isValid(timer) and timer.isActive())

    def running(thread: Any) -> bool:
        return bool(shiboken6.isValid(thread) and thread.isRunning())

    if timers.running(active):
        gc.collect()  # a timer in a cycle of garbage is nobody's
    ticking = timers.running(active)
    for timer, _ in ticking:
        timer.stop()  # the tests that follow are not to blame
    left = ticking + _settled(threads, running)
    if left:
        pytest.fail(
            "\n".join(f"{type(t).__name__} {t.objectName()!r} is still active; it was made at\n{w}" for t, w in left),
            pytrace=False,
        )
