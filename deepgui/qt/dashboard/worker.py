"""Jobs off the GUI thread, one after the other; their results come back as calls in the GUI thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

from deepgui.data.progress import GivenUp, Progress, listening

Job = Callable[[], Any]
Then = Callable[[Any], None]


@dataclass(frozen=True)
class Broken:
    """What a job gives that raised."""

    error: Exception

    @property
    def given_up(self) -> bool:
        """Whether nobody wanted it any more."""
        return isinstance(self.error, GivenUp)


@dataclass(frozen=True)
class _Order:
    slot: str
    job: Job
    then: Then


class Worker(QObject):
    """One thread that lives while there is work. A new job of a slot replaces one that still waits.

    Because jobs never overlap, whatever touches PyTorch's global random state here cannot disturb another.

    Attributes:
        progress: how far the job that runs says it is (:mod:`deepgui.data.progress`), or None.
    """

    _came = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._orders: list[_Order] = []
        self._thread: threading.Thread | None = None
        self._closed = False
        self._slot = ""
        self._given_up = False
        self.progress: Progress | None = None
        self._came.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether anything runs or waits."""
        with self._lock:
            return self._thread is not None or bool(self._orders)

    def submit(self, slot: str, job: Job, then: Then) -> None:
        """Run ``job()`` soon, then ``then(result)`` in the GUI thread; :class:`Broken` if it raised."""
        with self._lock:
            if self._closed:
                return
            self._orders = [o for o in self._orders if o.slot != slot]
            self._orders.append(_Order(slot, job, then))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="deepgui-worker", daemon=True)
                self._thread.start()

    def cancel(self, slot: str) -> None:
        """Drop a job of this slot that has not begun."""
        with self._lock:
            self._orders = [o for o in self._orders if o.slot != slot]

    def give_up(self, slot: str) -> None:
        """Drop a job of this slot; one that runs ends as soon as it says how far it is."""
        with self._lock:
            self._orders = [o for o in self._orders if o.slot != slot]
            self._given_up = self._given_up or self._slot == slot

    def close(self, timeout: float = 5.0) -> bool:
        """Take no more jobs, deliver no more results, wait for the one that runs. False if it still runs."""
        with self._lock:
            self._closed = self._given_up = True
            self._orders.clear()
            thread = self._thread
        if thread is not None:
            thread.join(timeout)
        return thread is None or not thread.is_alive()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._orders:
                    self._thread = None
                    return
                order = self._orders.pop(0)
                self._slot, self._given_up = order.slot, self._closed
            try:
                with listening(self._heed):
                    result: Any = order.job()
            except Exception as error:
                result = Broken(error)
            with self._lock:
                self._slot, self.progress = "", None
                if self._closed:
                    continue
            self._came.emit(order.then, result)

    def _heed(self, progress: Progress) -> None:
        if self._given_up:
            raise GivenUp
        self.progress = progress

    def _deliver(self, then: Then, result: Any) -> None:
        if not self._closed:
            then(result)
