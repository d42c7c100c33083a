"""Mathematics: operators with numbers and tensors in either place, reductions, and what is composed of others."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch

from deepgui.importers.context import Context
from deepgui.importers.draft import Wired
from deepgui.importers.functions import placed, plain
from deepgui.importers.handlers import HANDLERS, Handler, handles
from deepgui.importers.report import Inexpressible
from deepgui.importers.values import Fixed, Operand, rank

_COMMUTATIVE = frozenset({"add", "mul", "eq", "ne", "maximum", "minimum", "logical_and", "logical_or", "logical_xor"})
_MIRRORED = {"gt": "lt", "lt": "gt", "ge": "le", "le": "ge"}


def number_in(value: Any) -> Any:
    """A number, if the operand is one."""
    if isinstance(value, Fixed):
        return value.number
    return value if isinstance(value, (int, float, bool)) else None


def binary(ctx: Context, kind: str, a: Any, b: Any) -> Wired:
    """An operator of two operands, each a tensor or a number."""
    if any(type(v).__name__ in ("Dim", "Varying") for v in (a, b)):
        raise Inexpressible("a number in it depends on the batch size")
    left, right = number_in(a), number_in(b)
    if left is not None and right is None:
        if kind in _COMMUTATIVE or kind in _MIRRORED:
            return binary(ctx, _MIRRORED.get(kind, kind), b, a)
        if kind == "sub" and "input" in ctx.parameters("sub"):
            return next(iter(ctx.place("sub", {"other": b}, {"input": left}).values()))
        if kind == "div" and "input" in ctx.parameters("div"):
            return next(iter(ctx.place("div", {"other": b}, {"input": left}).values()))
        if kind == "div":
            inverse = unary(ctx, "reciprocal", b)
            return inverse if left == 1 else binary(ctx, "mul", inverse, left)
        a = ctx.number(left)
    if right is not None:
        second = [p.name for p in ctx.spec(kind).inputs][1:] or ["other"]
        name = next((n for n in (*second, "other", "exponent") if n in ctx.parameters(kind)), None)
        if name is not None:
            return ctx.one(kind, a, **{name: right})
        b = ctx.number(right)
    return ctx.one(kind, _typed(a, b), _typed(b, a))


def _typed(value: Operand, other: Operand) -> Operand:
    """A constant number in the element type of what it meets, as PyTorch would have it."""
    if isinstance(value, Fixed) and value.number is not None and not value.trained and not value.type.dims:
        kinds = (value.value.dtype, getattr(torch, other.type.dtype))
        return Fixed(value.value.to(torch.result_type(torch.empty(1, dtype=kinds[1]), value.value)), value.type)
    return value


@handles("add", "__radd__")
def add(ctx: Context, input: Any, other: Any, *, alpha: float = 1) -> Wired:
    return binary(ctx, "add", input, other if alpha == 1 else binary(ctx, "mul", other, alpha))


@handles("sub", "subtract")
def sub(ctx: Context, input: Any, other: Any, *, alpha: float = 1) -> Wired:
    return binary(ctx, "sub", input, other if alpha == 1 else binary(ctx, "mul", other, alpha))


@handles("rsub")
def rsub(ctx: Context, input: Any, other: Any, alpha: float = 1) -> Wired:
    return sub(ctx, other, input, alpha=alpha)  # type: ignore[no-any-return]


@handles("div", "true_divide", "divide", "truediv")
def div(ctx: Context, input: Any, other: Any, *, rounding_mode: str | None = None) -> Wired:
    if rounding_mode == "floor":
        return binary(ctx, "floor_divide", input, other)
    result = binary(ctx, "div", input, other)
    return unary(ctx, "trunc", result) if rounding_mode == "trunc" else result


def _simple(kind: str) -> Handler:
    return lambda ctx, a, b: binary(ctx, kind, a, b)


def _reversed(kind: str) -> Handler:
    return lambda ctx, a, b: binary(ctx, kind, b, a)


for _name, _kind in {
    "mul": "mul", "multiply": "mul", "floor_divide": "floor_divide", "floordiv": "floor_divide", "mod": "remainder",
    "remainder": "remainder", "gt": "gt", "lt": "lt", "ge": "ge", "le": "le", "eq": "eq", "ne": "ne",
    "greater": "gt", "less": "lt", "maximum": "maximum", "minimum": "minimum", "matmul": "matmul",
    "logical_and": "logical_and", "logical_or": "logical_or", "logical_xor": "logical_xor",
}.items():  # fmt: skip
    HANDLERS[_name] = _simple(_kind)
for _name, _kind in {"rdiv": "div", "rtruediv": "div", "rmatmul": "matmul", "rfloordiv": "floor_divide"}.items():
    HANDLERS[_name] = _reversed(_kind)


def _logical(kind: str) -> Handler:
    def handler(ctx: Context, input: Any, other: Any) -> Wired:
        if any(
            not isinstance(v, bool) and getattr(getattr(v, "type", None), "dtype", "bool") != "bool"
            for v in (input, other)
        ):
            raise Inexpressible("it works on the bits of whole numbers")
        return binary(ctx, kind, input, other)

    return handler


for _name in ("and", "or", "xor"):
    HANDLERS[_name] = HANDLERS[f"r{_name}"] = HANDLERS[f"bitwise_{_name}"] = _logical(f"logical_{_name}")


_COMPOSED: dict[str, tuple[str, Any]] = {
    "neg": ("mul", -1),
    "rsqrt": ("pow", -0.5),
    "reciprocal": ("pow", -1.0),
    "square": ("pow", 2.0),
}


def unary(ctx: Context, kind: str, input: Operand) -> Wired:
    """A function of one operand, composed of another where the catalogue lacks it."""
    if not ctx.has(kind) and kind in _COMPOSED:
        return binary(ctx, _COMPOSED[kind][0], input, _COMPOSED[kind][1])
    return ctx.one(kind, input)


def _unary(kind: str, ctx: Context, input: Operand) -> Wired:
    return unary(ctx, kind, input)


for _name in _COMPOSED:
    HANDLERS[_name] = partial(_unary, _name)
HANDLERS["negative"] = HANDLERS["neg"]


@handles("invert", "bitwise_not")
def invert(ctx: Context, input: Operand) -> Wired:
    if input.type.dtype != "bool":
        raise Inexpressible("it works on the bits of whole numbers")
    return ctx.one("logical_not", input)


@handles("pow", "float_power")
def power(ctx: Context, input: Any, exponent: Any) -> Wired:
    base, by = number_in(input), number_in(exponent)
    if base is not None and by is None:
        scaled = exponent if base == math.e else binary(ctx, "mul", exponent, math.log(base))
        return ctx.one("exp", scaled)
    return binary(ctx, "pow", input, exponent if by is None else by)


@handles("rpow")
def rpower(ctx: Context, input: Any, other: Any) -> Wired:
    return power(ctx, other, input)  # type: ignore[no-any-return]


@handles("clamp_min")
def clamp_min(ctx: Context, input: Operand, min: Any) -> Any:
    return placed(ctx, "clamp", {"input": input, "min": number_in(min)})


@handles("clamp_max")
def clamp_max(ctx: Context, input: Operand, max: Any) -> Any:
    return placed(ctx, "clamp", {"input": input, "max": number_in(max)})


@handles("masked_fill")
def masked_fill(ctx: Context, input: Operand, mask: Operand, value: Any) -> Wired:
    number = number_in(value)
    if number is None:
        return ctx.one("where", mask, value, input)
    return ctx.one("masked_fill", input, mask, value=number)


@handles("where")
def where(ctx: Context, condition: Operand, input: Any = None, other: Any = None) -> Wired:
    if input is None:
        raise Inexpressible("how many elements it finds depends on the values")
    number, replaced = number_in(other), number_in(input)
    if replaced is not None and number is None and ctx.has("masked_fill") and _covers(other, condition):
        return ctx.one("masked_fill", other, condition, value=replaced)
    operands = [v if isinstance(v, (Wired, Fixed)) else ctx.number(v) for v in (input, other)]
    return ctx.one("where", condition, _typed(operands[0], operands[1]), _typed(operands[1], operands[0]))


def _covers(value: Operand, mask: Operand) -> bool:
    return (
        "float" in value.type.dtype
        and rank(value) >= rank(mask)
        and (
            torch.broadcast_shapes(  # type: ignore[no-untyped-call]
                value.type.at(7), mask.type.at(7)
            )
            == value.type.at(7)
        )
    )


# --- reductions --------------------------------------------------------------------------------------------


def _dims(input: Operand, dim: Any) -> Any:
    """All dimensions where none is named."""
    if dim is None or dim == () or dim == []:
        return tuple(range(rank(input)))
    return plain(dim)


def _reduction(kind: str) -> Handler:
    def handler(
        ctx: Context, input: Operand, dim: Any = None, keepdim: bool = False, dtype: Any = None, axis: Any = None
    ) -> Any:
        found = _dims(input, axis if dim is None else dim)
        return ctx.one(
            kind, input, dim=found[0] if isinstance(found, tuple) and len(found) == 1 else found, keepdim=keepdim
        )

    return handler


for _name in ("mean", "sum", "amax", "amin", "logsumexp", "nanmean"):
    HANDLERS[_name] = _reduction(_name)


def _extreme(reduce: str, choose: str, pair: str) -> Handler:
    """``max`` and ``min``: of everything, along a dimension with the places, or of two tensors."""

    def handler(ctx: Context, input: Operand, dim: Any = None, keepdim: bool = False, **kwargs: Any) -> Any:
        dim = kwargs.get("other", dim)
        if isinstance(dim, (Wired, Fixed)):
            return binary(ctx, pair, input, dim)
        if dim is None:
            return ctx.one(reduce, input, dim=_dims(input, None))
        result: dict[int, Any] = {0: ctx.one(reduce, input, dim=dim, keepdim=keepdim)} if 0 in ctx.used else {}
        if 1 in ctx.used:
            result[1] = ctx.one(choose, input, dim=dim, keepdim=keepdim)
        return result

    return handler


HANDLERS["max"] = _extreme("amax", "argmax", "maximum")
HANDLERS["min"] = _extreme("amin", "argmin", "minimum")


def _spread(kind: str) -> Handler:
    def handler(
        ctx: Context,
        input: Operand,
        dim: Any = None,
        unbiased: bool = True,
        keepdim: bool = False,
        correction: Any = None,
    ) -> Any:
        dim, unbiased = (None, dim) if isinstance(dim, bool) else (dim, unbiased)
        correction = int(unbiased) if correction is None else correction
        if ctx.has(kind):
            return ctx.one(kind, input, dim=_dims(input, dim), correction=int(correction), keepdim=keepdim)
        found = _dims(input, dim)
        centred = binary(ctx, "sub", input, ctx.one("mean", input, dim=found, keepdim=True))
        result = ctx.one("mean", binary(ctx, "mul", centred, centred), dim=found, keepdim=keepdim)
        count = math.prod(input.type.dims[d].const for d in (found if isinstance(found, tuple) else (found,)))
        if correction:
            result = binary(ctx, "mul", result, count / (count - correction))
        return ctx.one("sqrt", result) if kind == "std" else result

    return handler


HANDLERS["var"], HANDLERS["std"] = _spread("var"), _spread("std")


@handles("norm", "linalg_vector_norm", "vector_norm")
def norm(
    ctx: Context, input: Operand, p: Any = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None, ord: Any = None
) -> Any:
    p = ord if ord is not None else {"fro": 2, None: 2}.get(p, p)
    found = _dims(input, dim)
    if p == 1:
        return ctx.one("sum", ctx.one("abs", input), dim=found, keepdim=keepdim)
    if p != 2:
        raise Inexpressible(f"its order is {p}")
    return ctx.one("sqrt", ctx.one("sum", binary(ctx, "mul", input, input), dim=found, keepdim=keepdim))


@handles("normalize")
def normalize(ctx: Context, input: Operand, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> Any:
    if ctx.has("normalize"):
        return ctx.one("normalize", input, p=float(p), dim=dim, eps=eps)
    length = ctx.one("clamp", norm(ctx, input, p, dim, keepdim=True), min=eps)
    return binary(ctx, "div", input, length)


def _implicit(dim: Any, input: Operand) -> int:
    """The dimension that torch chooses where none is named."""
    return dim if dim is not None else (0 if rank(input) in (0, 1, 3) else 1)


@handles("softmax", "_softmax", "safe_softmax", "_safe_softmax")
def softmax(ctx: Context, input: Operand, dim: Any = None, _stacklevel: Any = 3, dtype: Any = None) -> Any:
    return ctx.one("Softmax", input, dim=_implicit(dim, input))


@handles("log_softmax", "_log_softmax")
def log_softmax(ctx: Context, input: Operand, dim: Any = None, _stacklevel: Any = 3, dtype: Any = None) -> Any:
    return ctx.one("LogSoftmax", input, dim=_implicit(dim, input))


# --- products ----------------------------------------------------------------------------------------------


@handles("einsum")
def einsum(ctx: Context, equation: str, *operands: Any) -> Any:
    given = operands[0] if len(operands) == 1 and isinstance(operands[0], (list, tuple)) else operands
    port = ctx.spec("einsum").inputs[0].name
    return ctx.place("einsum", {port: tuple(given)}, {"equation": equation})["output"]


@handles("bmm", "mm")
def bmm(ctx: Context, input: Operand, mat2: Operand, **_: Any) -> Any:
    return binary(ctx, "matmul", input, mat2)


@handles("baddbmm", "addbmm")
def baddbmm(ctx: Context, input: Any, batch1: Operand, batch2: Operand, *, beta: float = 1, alpha: float = 1) -> Wired:
    product = binary(ctx, "matmul", batch1, batch2)
    product = product if alpha == 1 else binary(ctx, "mul", product, alpha)
    if beta == 0:
        return product
    return binary(ctx, "add", input if beta == 1 else binary(ctx, "mul", input, beta), product)


@handles("scaled_dot_product_attention")
def attention(
    ctx: Context,
    query: Operand,
    key: Operand,
    value: Operand,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    if enable_gqa:
        raise Inexpressible("key and value have fewer heads than query")
    inputs = {"query": query, "key": key, "value": value} | ({"attn_mask": attn_mask} if attn_mask is not None else {})
    params = {"dropout_p": float(dropout_p), "is_causal": is_causal}
    width = query.type.dims[-1].const
    if scale is not None and not math.isclose(scale, width**-0.5, rel_tol=1e-12):
        params["scale"] = scale
    if ctx.has("scaled_dot_product_attention"):
        return ctx.place("scaled_dot_product_attention", inputs, params)["output"]
    if is_causal:
        raise Inexpressible("the catalogue lacks it")
    turned = ctx.one("transpose", key, dim0=-2, dim1=-1)
    scores = binary(ctx, "mul", binary(ctx, "matmul", query, turned), scale if scale is not None else width**-0.5)
    if attn_mask is not None:
        scores = binary(ctx, "add", scores, attn_mask)
    return binary(ctx, "matmul", ctx.one("Softmax", scores, dim=-1), value)
