"""Which things lie near a place: a hash of square cells. Knows no Qt."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in scene units."""

CELL = 512.0
_TOO_MANY = 256
"""What covers more cells than this (a wire across the whole drawing) is near everything."""


class Cells(Generic[K]):
    """Boxes by key. ``near`` may return a little too much, never too little."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], set[K]] = {}
        self._spans: dict[K, tuple[int, int, int, int]] = {}
        self._everywhere: set[K] = set()

    def __len__(self) -> int:
        return len(self._spans)

    def put(self, key: K, box: Box) -> None:
        """Add a box, or move it."""
        span = _span(box)
        if self._spans.get(key) == span:
            return
        self.remove(key)
        self._spans[key] = span
        if _count(span) > _TOO_MANY:
            self._everywhere.add(key)
            return
        for cell in _within(span):
            self._cells.setdefault(cell, set()).add(key)

    def remove(self, key: K) -> None:
        """Forget a box; no harm if it is not there."""
        span = self._spans.pop(key, None)
        if span is None:
            return
        self._everywhere.discard(key)
        if _count(span) > _TOO_MANY:
            return
        for cell in _within(span):
            keys = self._cells[cell]
            keys.discard(key)
            if not keys:
                del self._cells[cell]

    def clear(self) -> None:
        self._cells.clear()
        self._spans.clear()
        self._everywhere.clear()

    def near(self, box: Box) -> set[K]:
        """Everything whose cells the box touches."""
        span = _span(box)
        if _count(span) > len(self._cells):
            return set(self._spans)
        found = set(self._everywhere)
        for cell in _within(span):
            if keys := self._cells.get(cell):
                found |= keys
        return found


def _span(box: Box) -> tuple[int, int, int, int]:
    left, top, right, bottom = box
    return int(left // CELL), int(top // CELL), int(right // CELL), int(bottom // CELL)


def _count(span: tuple[int, int, int, int]) -> int:
    return (span[2] - span[0] + 1) * (span[3] - span[1] + 1)


def _within(span: tuple[int, int, int, int]) -> Iterator[tuple[int, int]]:
    for x in range(span[0], span[2] + 1):
        for y in range(span[1], span[3] + 1):
            yield x, y
