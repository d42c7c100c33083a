"""Which values an axis spans: all of them, unless a few are so large that nothing else could be read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepgui.qt.dashboard.decimate import Floats, nice_ceiling

RISEN, FALLEN = 12.0, 50.0
"""So many times the usual span may the whole one be, after a rise (an exploding loss) or a fall from the start."""

LARGE = 5.0
"""A value is not enormous before it is so many times the usual ones, however little those differ."""


@dataclass(frozen=True)
class Extent:
    """The span of an axis; ``beyond`` is the largest value that it leaves out, None if it leaves out none."""

    bottom: float
    top: float
    beyond: float | None = None


def log_extent(values: Sequence[Floats]) -> Extent:
    """The span of exponents of ten that holds all values, in quarters of a decade. ``values`` are not empty."""
    low, high = _range(values)
    return Extent(math.floor(low * 4) / 4 - 0.05, math.ceil(high * 4) / 4 + 0.05)


def value_extent(
    curves: Sequence[Floats], noise: Sequence[Floats] = (), old: tuple[float, float] | None = None
) -> Extent:
    """The span of an axis for ``curves``, not empty, with room for the ``noise`` behind them where that is cheap.

    Args:
        old: the span at the moment, kept while it still suits.
    """
    low, high = _range(curves)
    usual = _usual_top(curves, low, high)
    beyond = high if usual < high else None
    high = min(high, usual)
    if noise:
        least, most = _range(noise)
        low, high = max(least, low - 0.5 * (high - low)), min(max(most, high), high + 0.5 * (high - low))
        low = min(low, _range(curves)[0])
    if old and old[0] <= low and high <= old[1] and (high - low) > 0.6 * (old[1] - old[0]):
        return Extent(*old, beyond)
    return Extent(*_rounded(low, high), beyond)


def _range(values: Sequence[Floats]) -> tuple[float, float]:
    return min(float(v.min()) for v in values), max(float(v.max()) for v in values)


def _usual_top(curves: Sequence[Floats], low: float, high: float) -> float:
    """Where nearly all values end; ``high`` itself unless the axis would be flattened by going there."""
    every = np.concatenate(curves)
    few, most = np.percentile(every, (10, 90))
    top = float(most + 1.5 * (most - few))
    first = max(float(c[0]) for c in curves)
    top = max(top, min(first, 20 * top))
    limit = RISEN if high > 2 * abs(first) else FALLEN
    enormous = high > LARGE * abs(top) and high - low > limit * (top - low) > 0
    return top if len(every) >= 20 and enormous else high


def _rounded(low: float, high: float) -> tuple[float, float]:
    if high - low < 1e-6 * max(abs(high), 1e-12):
        spread = abs(high) or 1.0
        return (0.0, 1.25 * high) if high > 0 else (low - spread, high + spread)
    if 0 <= low < 0.5 * high:
        return 0.0, nice_ceiling(high * 1.04)
    span = nice_ceiling((high - low) * 1.04) / 4
    return math.floor(low / span) * span, math.ceil((high + 0.02 * (high - low)) / span) * span
