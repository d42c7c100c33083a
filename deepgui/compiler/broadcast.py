"""Why two tensors cannot be combined element by element: which of their dimensions do not go together."""

from __future__ import annotations

from collections.abc import Sequence

from deepgui.graph.shapes import Dim, TensorType

RULE = "Dimensions are compared from the right; each pair must be equal, or one of the two must be 1."


def reason(arriving: Sequence[TensorType]) -> str:
    """The dimensions that do not match, the rule, and what may have been meant."""
    for place, first in enumerate(arriving):
        for second in arriving[place + 1 :]:
            wrong = _mismatches(first, second)
            if wrong:
                pairs = " and ".join(f"{a} does not match {b} (dimension {dim})" for dim, a, b in wrong)
                return f"{pairs}. {RULE}{_hint(first, second)}"
    return RULE


def clashes(arriving: Sequence[TensorType]) -> bool:
    """Whether some two cannot be stretched to each other."""
    return any(_mismatches(a, b) for place, a in enumerate(arriving) for b in arriving[place + 1 :])


def _mismatches(first: TensorType, second: TensorType) -> list[tuple[int, Dim, Dim]]:
    """Dimension counted from the right (-1 is the last), with both sizes."""
    one = Dim(0, 1)
    pairs = zip(reversed(first.dims), reversed(second.dims), strict=False)
    return [(-place, a, b) for place, (a, b) in enumerate(pairs, 1) if a != b and one not in (a, b)]


def _hint(first: TensorType, second: TensorType) -> str:
    """The usual slip: a value per channel, ``N×C``, meets pictures, ``N×C×H×W``."""
    small, large = sorted((first, second), key=lambda t: len(t.dims))
    missing = len(large.dims) - len(small.dims)
    if missing and small.batch_first and large.batch_first and small.dims == large.dims[: len(small.dims)]:
        shape = ", ".join(["-1", *(str(d) for d in small.dims[1:]), *["1"] * missing])
        return f" To use it all over the other, reshape {small.shape} to {shape}."
    return ""
