"""Ctrl+C, twice."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol


class Stoppable(Protocol):
    """What can end in an orderly way."""

    @property
    def stopping(self) -> bool: ...
    def stop(self) -> None: ...


@contextmanager
def stopping_gently(work: Stoppable) -> Iterator[None]:
    """The first Ctrl+C (or SIGTERM) ends the work with what was reached kept; the second one ends the process."""

    def stop(number: int, frame: FrameType | None) -> None:
        if work.stopping:
            raise KeyboardInterrupt
        print("stopping after this step; Ctrl+C again gives up at once", file=sys.stderr)
        work.stop()

    try:
        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread, which alone may listen to signals
        before = {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
