"""What one training thread tells any number of readers: columns, slots and a queue. No reader ever waits."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from deepgui.training.events import Event, Scalars

Steps = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
_FIRST_CAPACITY = 1024


class _Filled(NamedTuple):
    steps: Steps
    values: Values
    size: int


class Column:
    """A curve that grows at its end. One thread writes; readers take views that never change under them.

    What has been written is never written again and growing copies to new arrays, so replacing one
    reference publishes the new length: no lock, no copy, no tearing.
    """

    def __init__(self) -> None:
        self._filled = _Filled(np.empty(0, np.int64), np.empty(0, np.float64), 0)

    def __len__(self) -> int:
        return self._filled.size

    def extend(self, steps: npt.ArrayLike, values: npt.ArrayLike) -> None:
        """Append points. Amortised constant time a point."""
        more_steps, more_values = np.asarray(steps, np.int64), np.asarray(values, np.float64)
        old_steps, old_values, count = self._filled
        end = count + len(more_steps)
        if end > len(old_steps):
            capacity = max(_FIRST_CAPACITY, 2 * len(old_steps), end)
            new_steps, new_values = np.empty(capacity, np.int64), np.empty(capacity, np.float64)
            new_steps[:count], new_values[:count] = old_steps[:count], old_values[:count]
            old_steps, old_values = new_steps, new_values
        old_steps[count:end], old_values[count:end] = more_steps, more_values
        self._filled = _Filled(old_steps, old_values, end)

    def view(self) -> tuple[Steps, Values]:
        """Read-only views of all points so far: steps (int64) and values (float64), of equal length."""
        steps, values, count = self._filled
        seen = steps[:count], values[:count]
        for array in seen:
            array.flags.writeable = False
        return seen


_NOTHING = (np.empty(0, np.int64), np.empty(0, np.float64))


class Feed:
    """Three lanes: ``column`` loses nothing, ``latest`` keeps the newest only, ``drain`` gives every state event."""

    def __init__(self) -> None:
        self._columns: dict[str, Column] = {}
        self._slots: dict[str, Any] = {}
        self._queue: deque[Event] = deque()
        self._lock = threading.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns there are so far, in order of appearance."""
        with self._lock:
            return tuple(self._columns)

    def column(self, name: str) -> tuple[Steps, Values]:
        """A curve as ``(steps, values)``, views without a copy; empty arrays if there is none of that name."""
        column = self._columns.get(name)
        return column.view() if column else _NOTHING

    def latest(self, key: str) -> Any:
        """The newest thing put under ``key``, or None."""
        return self._slots.get(key)

    def drain(self) -> list[Event]:
        """Every event since the last call, in order. For one reader: each event is given out once."""
        with self._lock:
            events = list(self._queue)
            self._queue.clear()
            return events

    def put(self, key: str, value: Any) -> None:
        """Writer: replace what ``latest(key)`` gives."""
        self._slots[key] = value

    def post(self, event: Event) -> None:
        """Writer: scalars go to their columns, all other events to the queue."""
        if not isinstance(event, Scalars):
            with self._lock:
                self._queue.append(event)
            return
        for name, values in event.columns.items():
            self._column(name).extend(event.steps, values)

    def extend(self, name: str, steps: npt.ArrayLike, values: npt.ArrayLike) -> None:
        """Writer: append points to one column, e.g. the history of a run that is resumed."""
        self._column(name).extend(steps, values)

    def _column(self, name: str) -> Column:
        column = self._columns.get(name)
        if column is None:
            column = Column()
            with self._lock:
                self._columns[name] = column
        return column
