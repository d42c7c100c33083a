"""What a setting or parameter may be while a search looks for the best: a range of numbers, or some values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deepgui.catalog.spec import Value


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included; whole ones if both ends are.

    Attributes:
        log: small numbers are tried as often as large ones (0.001 to 0.01 as often as 0.01 to 0.1).
        step: only ``low``, ``low + step``, ...; None for any number.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def complaint(self) -> str:
        """What is wrong with it, as the end of a sentence; empty if nothing is."""
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            return f"must go from a smaller to a larger number, not from {self.low:g} to {self.high:g}"
        if self.log and self.low <= 0:
            return f"is logarithmic and must begin above 0, not at {self.low:g}"
        if self.log and self.step is not None:
            return "cannot be logarithmic and have a step"
        if self.step is not None and not 0 < self.step <= self.high - self.low:
            return f"must have a step between 0 and {self.high - self.low:g}, not {self.step:g}"
        if self.step is not None and self.whole and not isinstance(self.step, int):
            return f"has whole numbers, so its step must be one, not {self.step:g}"
        return ""

    def holds(self, value: Value) -> bool:
        """Whether a value is one of these numbers."""
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not self.low <= value <= self.high:
            return False
        if self.whole and not isinstance(value, int):
            return False
        return self.step is None or math.isclose((value - self.low) / self.step % 1, 0, abs_tol=1e-9)

    def finite(self) -> tuple[Value, ...] | None:
        """All of its numbers, if they can be counted."""
        step = self.step if self.step is not None else 1 if self.whole and not self.log else None
        if step is None:
            return None
        count = int((self.high - self.low) / step + 1e-9) + 1
        return tuple(self.low + place * step for place in range(count))

    def __str__(self) -> str:
        step = f" in steps of {self.step:g}" if self.step is not None else ""
        return f"{self.low:g} to {self.high:g}{step}{', logarithmic' if self.log else ''}"


@dataclass(frozen=True)
class Choices:
    """One of these values: names of optimisers, on and off, sizes."""

    values: tuple[Value, ...]

    @property
    def complaint(self) -> str:
        """What is wrong with it, as the end of a sentence; empty if nothing is."""
        if len(self.values) < 2:
            return "must have at least two values to choose from"
        return "has a value twice" if len(set(map(repr, self.values))) < len(self.values) else ""

    def holds(self, value: Value) -> bool:
        """Whether a value is one of these."""
        return any(value == known and type(value) is type(known) for known in self.values)

    def finite(self) -> tuple[Value, ...]:
        """All of them."""
        return self.values

    def __str__(self) -> str:
        return "one of " + ", ".join(str(value) for value in self.values)


Space = Mapping[str, Range | Choices]
"""What may be varied, by path: ``training.batch_size``, ``training.optimizer_options.lr``, ``data.normalize``,
``KEY.NODE.PARAM`` and ``KEY.NODE.bypass`` for a network, ``block.NAME.PARAM`` for a block's own parameter,
``block.NAME.NODE.PARAM`` for a layer inside it."""


def size(space: Space) -> int | None:
    """How many combinations there are, if they can be counted."""
    count = 1
    for choice in space.values():
        values = choice.finite()
        if values is None:
            return None
        count *= len(values)
    return count


def plain(choice: Range | Choices, plain_value: Any) -> dict[str, Any]:
    """As it stands in a file; ``plain_value`` turns one value into JSON."""
    if isinstance(choice, Choices):
        return {"choices": [plain_value(value) for value in choice.values]}
    made: dict[str, Any] = {"low": choice.low, "high": choice.high}
    if choice.log:
        made["log"] = True
    if choice.step is not None:
        made["step"] = choice.step
    return made
