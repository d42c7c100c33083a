"""Arithmetic, functions of each element, reductions and comparisons as nodes."""

from __future__ import annotations

from typing import Any

from deepgui.catalog.operation import (
    AT,
    COMPARISON,
    COMPOSED,
    MATH,
    REDUCTION,
    TORCH,
    Operation,
    words,
)

_TWO = ("input", "other")
_BOTH: dict[str, Any] = {"inputs": _TWO, "numbers": _TWO}
_OTHER: dict[str, Any] = {"inputs": _TWO, "numbers": ("other",)}


def _plain(category: str, **aliases: str) -> tuple[Operation, ...]:
    """Functions of one tensor without settings, each with its aliases."""
    return tuple(Operation(f"torch.{name}", category, aliases=words(said)) for name, said in aliases.items())


def _reduce(name: str, aliases: str, *, target: str = "", **more: Any) -> Operation:
    settings = {"dim": -1, **more.pop("settings", {}), "keepdim": TORCH}
    helps = {
        "dim": "The dimension or dimensions to reduce; 0 is the batch.",
        "keepdim": "Whether the reduced dimensions stay, with size 1.",
    }
    return Operation(
        target or f"torch.{name}",
        REDUCTION,
        settings,
        words(aliases),
        must=("dim",),
        kind=name,
        helps=helps,
        **more,
    )


def _compare(name: str, symbol: str, said: str, aliases: str) -> Operation:
    summary = f"Where input {said} other, element by element."
    return Operation(f"torch.{name}", COMPARISON, symbol=symbol, aliases=words(aliases), summary=summary, **_OTHER)


ARITHMETIC = (
    Operation("torch.add", MATH, symbol="+", aliases=words("plus, residual, skip, sum"), **_BOTH),
    Operation("torch.sub", MATH, symbol="-", aliases=words("minus, subtract, one minus"), **_BOTH),
    Operation("torch.mul", MATH, symbol="*", aliases=words("times, multiply, gate, scale"), **_BOTH),
    Operation("torch.div", MATH, symbol="/", aliases=words("divide, scale"), **_BOTH),
    Operation("torch.floor_divide", MATH, symbol="//", aliases=words("whole division"), **_BOTH),
    Operation("torch.remainder", MATH, symbol="%", aliases=words("modulo"), **_OTHER),
    Operation(
        "torch.pow",
        MATH,
        {"exponent": 2.0},
        words("power, square"),
        inputs=("input", "exponent"),
        numbers=("exponent",),
        must=("exponent",),
        types={"exponent": "float"},
        helps={"exponent": "The power; none to wire it."},
    ),
    Operation("torch.matmul", MATH, symbol="@", aliases=words("matrix product, dot")),
    Operation("torch.bmm", MATH, aliases=words("batch matrix product")),
    Operation(
        f"{COMPOSED}.einsum",
        MATH,
        {"equation": "bij,bjk->bik"},
        words("einstein, contraction, product"),
        doc_of="torch.einsum",
        helps={"equation": "A letter for each dimension of each input, and those of the result behind the arrow."},
    ),
    Operation("torch.outer", MATH, aliases=words("outer product")),
    Operation("torch.cross", MATH, {"dim": -1}, words("cross product"), helps=AT),
    Operation("torch.cdist", MATH, {"p": TORCH}, words("distance matrix, pairwise"), inputs=("x1", "x2")),
    Operation("torch.lerp", MATH, {"weight": 0.5}, words("interpolate, mix, blend"), inputs=("input", "end")),
    Operation("torch.maximum", MATH, aliases=words("larger, elementwise max")),
    Operation("torch.minimum", MATH, aliases=words("smaller, elementwise min")),
    Operation(
        "torch.atan2",
        MATH,
        aliases=words("angle, arctangent"),
        summary="The angle of the point (other, input), element by element, in radians.",
    ),
    Operation(
        "torch.clamp",
        MATH,
        {"min": None, "max": None},
        words("clip, limit"),
        helps={"min": "Smallest value; none if left out.", "max": "Largest value; none if left out."},
    ),
    Operation("torch.nan_to_num", MATH, {"nan": TORCH, "posinf": TORCH, "neginf": TORCH}, words("replace nan")),
    Operation(
        "torch.nn.functional.normalize",
        MATH,
        {"p": TORCH, "dim": TORCH, "eps": TORCH},
        words("unit length, l2"),
        inputs=("input",),
        helps=AT,
    ),
    Operation("torch.softmax", MATH, {"dim": -1}, words("probabilities"), helps=AT),
    Operation(
        "torch.log_softmax",
        MATH,
        {"dim": -1},
        words("log probabilities"),
        doc_of="torch.nn.functional.log_softmax",
        helps=AT,
    ),
)

ELEMENTWISE = _plain(
    MATH,
    neg="negative, minus",
    abs="absolute, magnitude",
    exp="exponential",
    exp2="two to the power",
    expm1="exponential",
    log="logarithm",
    log1p="logarithm",
    log2="logarithm",
    log10="logarithm, decibel",
    sqrt="square root",
    rsqrt="inverse square root",
    square="power",
    reciprocal="inverse, one over",
    sin="sine, position encoding",
    cos="cosine, position encoding",
    tan="tangent",
    asin="arc sine",
    acos="arc cosine",
    atan="arc tangent",
    sinh="hyperbolic sine",
    cosh="hyperbolic cosine",
    erf="error function",
    floor="round down",
    ceil="round up",
    round="nearest",
    trunc="cut off",
    frac="fraction",
    sign="signum",
    angle="phase",
    real="complex",
    imag="complex, imaginary",
    conj="conjugate",
)

REDUCTIONS = (
    _reduce("mean", "average, global pooling"),
    _reduce("sum", "total"),
    _reduce("prod", "product"),
    _reduce("amax", "maximum"),
    _reduce("amin", "minimum"),
    _reduce("max", "maximum, values and indices", outputs=("values", "indices")),
    _reduce("min", "minimum, values and indices", outputs=("values", "indices")),
    _reduce("median", "middle", outputs=("values", "indices")),
    _reduce("argmax", "index of the largest, prediction"),
    _reduce("argmin", "index of the smallest, nearest"),
    _reduce("logsumexp", "soft maximum"),
    _reduce("var", "variance", settings={"correction": 1}),
    _reduce("std", "standard deviation", settings={"correction": 1}),
    _reduce("norm", "length, vector norm, l2", target="torch.linalg.vector_norm", settings={"ord": TORCH}),
    _reduce("any", "or"),
    _reduce("all", "and"),
    Operation("torch.cumsum", REDUCTION, {"dim": 1}, words("running total"), helps=AT),
    Operation("torch.cumprod", REDUCTION, {"dim": 1}, words("running product"), helps=AT),
)

COMPARISONS = (
    _compare("eq", "==", "equals", "equal, padding mask"),
    _compare("ne", "!=", "differs from", "not equal"),
    _compare("gt", ">", "is greater than", "threshold"),
    _compare("ge", ">=", "is greater than or equal to", "threshold"),
    _compare("lt", "<", "is less than", "threshold"),
    _compare("le", "<=", "is less than or equal to", "threshold"),
    Operation("torch.logical_and", COMPARISON, aliases=words("both, mask")),
    Operation("torch.logical_or", COMPARISON, aliases=words("either, mask")),
    Operation("torch.logical_not", COMPARISON, aliases=words("invert, mask")),
    Operation("torch.isnan", COMPARISON, aliases=words("not a number")),
    Operation("torch.isfinite", COMPARISON, aliases=words("infinite, nan")),
)
