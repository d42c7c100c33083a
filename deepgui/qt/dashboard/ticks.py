"""Where an axis has its numbers, and how they are written."""

from __future__ import annotations

import math

Ticks = list[tuple[float, str]]


def ticks(low: float, high: float, most: int) -> Ticks:
    """At most ``most`` round numbers (at least one) between ``low`` and ``high``, as (place, text)."""
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return []
    rough = span / max(1, most)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(f * power for f in (1, 2, 2.5, 5, 10) if f * power >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    places = [step * n for n in range(first, math.floor(high / step + 1e-9) + 1)]
    return [(place, written(place, step)) for place in places]


def log_ticks(low: float, high: float, most: int) -> Ticks:
    """Numbers of an axis of exponents of ten: powers of ten, with 2 and 5 between them if there is room."""
    span = high - low
    if not (math.isfinite(span) and span > 0):
        return []
    if span < 0.5:  # so short that it is nearly straight: round numbers between
        plain = ticks(10.0**low, 10.0**high, most)
        return [(math.log10(value), word) for value, word in plain if value > 0]
    every = max(1, math.ceil(span / max(1, most)))
    digits = (1, 2, 5) if every == 1 and 3 * span <= most else (1,)
    found = []
    for power in range(math.floor(low), math.ceil(high) + 1):
        for digit in digits if power % every == 0 else ():
            place = power + math.log10(digit)
            if low <= place <= high:
                found.append((place, f"{digit * 10.0**power:.3g}"))
    return found


def written(value: float, step: float) -> str:
    """A number as people write it, exact to the step: ``0.25``, ``1,500``, ``40k``, ``3e-05``."""
    if abs(value) < step / 1e6:
        return "0"
    size = max(abs(value), step)
    if size >= 1e7 or step < 1e-4:
        return f"{value:.3g}"
    if step >= 1000 and value % 1000 == 0 and size >= 10_000:
        return f"{value / 1000:,.0f}k"
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    text = f"{value:,.{decimals + 1}f}".rstrip("0").rstrip(".")
    return text
