"""Curves of any length at the width of the screen."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def envelope(x: Floats, y: Floats, pixels: int) -> tuple[Floats, Floats]:
    """The same curve with at most two points a pixel column: the lowest and the highest value of each.

    ``x`` must be ascending; both have length n. What is returned draws the same pixels: every extreme is
    kept, in the order in which the two of a column occur. Values that are not finite are left out, so that a
    curve with NaN shows what it can. Short curves come back unchanged (copies of nothing).
    """
    finite = np.isfinite(y)
    if not finite.all():
        x, y = x[finite], y[finite]
    columns = max(1, pixels)
    if len(y) <= 2 * columns:
        return x, y
    starts = np.linspace(0, len(y), columns, endpoint=False).astype(np.intp)
    ends = np.append(starts[1:], len(y))
    width = int((ends - starts).max())
    padded = np.minimum(starts[:, None] + np.arange(width), (ends - 1)[:, None])
    values = y[padded]
    rows = np.arange(columns)
    low, high = padded[rows, values.argmin(axis=1)], padded[rows, values.argmax(axis=1)]
    kept = np.unique(np.concatenate([np.minimum(low, high), np.maximum(low, high), [0, len(y) - 1]]))
    return x[kept], y[kept]


class Smoother:
    """Exponential moving average of a growing column; each call costs only what was added since the last.

    The first values are corrected for the average's start (as Adam does), so that the curve does not begin at zero.
    """

    def __init__(self, weight: float = 0.0) -> None:
        self.weight = weight
        self._seen = 0
        self._state = 0.0
        self._count = 0
        self._out: Floats = np.empty(0)

    def __call__(self, values: Floats) -> Floats:
        """The smoothed column, of the same length. ``weight`` 0 gives ``values`` itself."""
        if self.weight <= 0:
            return values
        if len(values) < self._seen:
            self._seen, self._state, self._count = 0, 0.0, 0
        if len(values) > self._seen:
            self._extend(values[self._seen :])
        return self._out[: self._seen]

    def _extend(self, new: Floats) -> None:
        end = self._seen + len(new)
        if end > len(self._out):
            grown = np.empty(max(256, end * 2))
            grown[: self._seen] = self._out[: self._seen]
            self._out = grown
        finite = np.isfinite(new)
        result = np.full(len(new), np.nan)
        clean = new[finite]
        if len(clean):
            raw = _average(clean, self.weight, self._state)
            self._state = float(raw[-1])
            powers = self._count + 1 + np.arange(len(clean))
            result[finite] = raw / (1 - self.weight**powers)
            self._count += len(clean)
        self._out[self._seen : end] = result
        self._seen = end


def _average(values: Floats, weight: float, state: float) -> Floats:
    """``s = weight · s + (1 - weight) · v`` over all values, in pieces so short that no power of ``weight`` is 0."""
    piece = max(1, int(200 / -math.log10(weight)))
    out = np.empty(len(values))
    for start in range(0, len(values), piece):
        part = values[start : start + piece]
        powers = weight ** np.arange(1, len(part) + 1)
        out[start : start + piece] = powers * (state + (1 - weight) * np.cumsum(part / powers))
        state = float(out[start + len(part) - 1])
    return out


def nice_ceiling(value: float) -> float:
    """The next number of 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten: axes that grow in steps."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    for factor in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8):
        if value <= factor * power * (1 + 1e-9):
            return factor * power
    return 10 * power
