"""Shapes: what was computed from the batch's size when it ran becomes independent of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from deepgui.graph.shapes import Dim
from deepgui.importers.context import Context
from deepgui.importers.draft import Wired
from deepgui.importers.functions import plain
from deepgui.importers.handlers import HANDLERS, handles
from deepgui.importers.report import Inexpressible
from deepgui.importers.values import Fixed, Operand, place_of, rank, sizes


def _spread(first: Any, rest: Sequence[Any]) -> tuple[Any, ...]:
    """``x.view(2, 3)`` and ``x.view((2, 3))`` alike."""
    if isinstance(first, (list, tuple)):
        return tuple(first)
    return (first, *rest) if first is not None else tuple(rest)


@handles("view", "reshape", "unflatten", "view_as", "reshape_as", "_unsafe_view", "flatten", "ravel", "_reshape_alias")
def reshape(ctx: Context, input: Operand, *_: Any, **__: Any) -> Any:
    """To the shape that came out when it was recorded."""
    out, dims = ctx.out[0], input.type.dims
    if isinstance(_[0] if _ else None, torch.dtype):
        raise Inexpressible("it reads the memory of a tensor as another type")
    if out.dims == dims:
        return input
    first = dims[:1] == out.dims[:1]
    if first and len(out.dims) == 2 and len(dims) > 2 and dims[0].batch:
        return ctx.one("Flatten", input)
    return ctx.one("reshape", input, shape=sizes(out.dims))


@handles("permute")
def permute(ctx: Context, input: Operand, dims: Any = None, *rest: Any) -> Any:
    order = tuple(place_of(d, rank(input)) for d in _spread(dims, rest))
    if order == tuple(range(rank(input))):
        return input
    return ctx.one("permute", input, dims=order)


@handles("transpose", "swapaxes", "swapdims")
def transpose(ctx: Context, input: Operand, dim0: int, dim1: int) -> Any:
    return ctx.one("transpose", input, dim0=dim0, dim1=dim1)


@handles("t", "T")
def turn(ctx: Context, input: Operand) -> Any:
    return input if rank(input) < 2 else ctx.one("permute", input, dims=tuple(reversed(range(rank(input)))))


@handles("mT", "adjoint")
def turn_last(ctx: Context, input: Operand) -> Any:
    return ctx.one("transpose", input, dim0=-2, dim1=-1)


@handles("movedim", "moveaxis")
def movedim(ctx: Context, input: Operand, source: Any, destination: Any) -> Any:
    order = torch.empty((0,) * rank(input)).movedim(source, destination)
    names = torch.empty(tuple(range(2, 2 + rank(input))), device="meta").movedim(source, destination).shape
    assert order.dim() == len(names)
    return permute(ctx, input, tuple(n - 2 for n in names))


@handles("squeeze")
def squeeze(ctx: Context, input: Operand, dim: Any = None) -> Any:
    out = ctx.out[0]
    if out.dims == input.type.dims:
        return input
    if isinstance(dim, int):
        return ctx.one("squeeze", input, dim=dim)
    return ctx.one("reshape", input, shape=sizes(out.dims))


@handles("unsqueeze")
def unsqueeze(ctx: Context, input: Operand, dim: int) -> Any:
    return ctx.one("unsqueeze", input, dim=dim)


@handles("expand", "expand_as", "broadcast_to")
def expand(ctx: Context, input: Operand, *_: Any, **__: Any) -> Any:
    out, dims = ctx.out[0], input.type.dims
    if out.dims == dims:
        return input
    missing = len(out.dims) - len(dims)
    if missing:
        input = ctx.one("reshape", input, shape=sizes((Dim(0, 1),) * missing + tuple(dims)))
        dims = (Dim(0, 1),) * missing + tuple(dims)
    wanted = tuple(-1 if a == b else b.const for a, b in zip(dims, out.dims, strict=True))
    if any(a != b and b.batch for a, b in zip(dims, out.dims, strict=True)):
        raise Inexpressible("it repeats something to the size of the batch")
    return ctx.one("expand", input, size=wanted)


@handles("repeat", "tile")
def repeat(ctx: Context, input: Operand, first: Any = None, *rest: Any) -> Any:
    repeats = plain(_spread(first, rest))
    if all(r == 1 for r in repeats) and len(repeats) == rank(input):
        return input
    return ctx.one("repeat", input, repeats=repeats)


@handles("cat", "concat", "concatenate")
def cat(ctx: Context, tensors: Any, dim: int = 0, axis: int | None = None) -> Any:
    parts = [t for t in tensors if t.type.numel(3) or rank(t) > 1]  # torch skips empty tensors
    if len(parts) == 1:
        return parts[0]
    return ctx.place("cat", {"tensors": parts}, {"dim": dim if axis is None else axis})["output"]


# --- parts ------------------------------------------------------------------------------------------------


def cut(ctx: Context, input: Operand, index: Sequence[Any]) -> Any:
    """``input[index]`` with whole numbers, slices, ``None`` and ``...`` only."""
    words = [_word(i) for i in index]
    if all(w == ":" for w in words):
        return input
    return ctx.one("slice", input, index=", ".join(words))


def _word(index: Any) -> str:
    if index is None or isinstance(index, bool):
        if isinstance(index, bool):
            raise Inexpressible("it is indexed with true or false")
        return "None"
    if index is Ellipsis:
        return "..."
    if isinstance(index, slice):
        start, stop, step = (_bound(v) for v in (index.start, index.stop, index.step))
        return f"{start}:{stop}" + (f":{step}" if step not in ("", "1") else "")
    number = plain(index)
    if not isinstance(number, int):
        raise Inexpressible(f"it is indexed with {type(index).__name__}")
    return str(number)


def _bound(value: Any) -> str:
    if isinstance(value, Dim):
        if value == Dim(1, 0):
            return ""  # up to the size of the batch: all of it
        raise Inexpressible("a slice depends on the batch size")
    number = value.number if isinstance(value, Fixed) else value
    return "" if number is None or number >= 2**31 else str(int(number))


@handles("getitem", "__getitem__")
def getitem(ctx: Context, input: Operand, index: Any) -> Any:
    indices = index if isinstance(index, tuple) else (index,)
    indices = tuple(_as_number(i) for i in indices)
    tensors = [(place, i) for place, i in enumerate(indices) if isinstance(i, (Wired, Fixed, list))]
    if not tensors:
        dims = [i for i in indices if i is not None]
        return cut(ctx, input, _full_batch(input, indices) if Ellipsis not in dims else indices)
    if len(tensors) == 1 and isinstance(tensors[0][1], (Wired, Fixed)):
        return _pick(ctx, input, indices, tensors[0][0], tensors[0][1])
    raise Inexpressible("it is indexed with several tensors at once")


def _as_number(index: Any) -> Any:
    number = index.number if isinstance(index, Fixed) and not index.type.dims else None
    return index if number is None else number


def _full_batch(input: Operand, indices: Sequence[Any]) -> Sequence[Any]:
    """Slices that reach to the very end of a dimension without a number, so that the drawing reads well."""
    found, place = [], 0
    for index in indices:
        if isinstance(index, slice) and place < rank(input):
            dim = input.type.dims[place]
            whole = index.stop == dim or (type(index.stop) is int and not dim.batch and index.stop >= dim.const > 0)
            index = slice(index.start or None, None if whole else index.stop, index.step)
        found.append(index)
        place += index is not None
    return found


def _pick(ctx: Context, input: Operand, indices: Sequence[Any], place: int, index: Operand) -> Any:
    """One index is a tensor: ``x[:, idx]``."""
    if index.type.dtype == "bool":
        raise Inexpressible("how many elements a mask picks depends on the values")
    if any(i != slice(None) for p, i in enumerate(indices) if p != place):
        raise Inexpressible("it is indexed with a tensor and slices at once")
    if len(index.type.dims) == 1:
        return ctx.one("index_select", input, index, dim=place)
    if place == 0:
        return ctx.one("index", input, index)
    raise Inexpressible("it is indexed with a tensor of several dimensions")


@handles("__setitem__", "copy", "index_put", "setitem")
def setitem(ctx: Context, *_: Any, **__: Any) -> Any:
    raise Inexpressible("it writes into a part of a tensor; a drawing makes new tensors instead (cat, where, pad)")


@handles("select")
def select(ctx: Context, input: Operand, dim: int, index: int) -> Any:
    return cut(ctx, input, [slice(None)] * place_of(dim, rank(input)) + [index])


@handles("narrow")
def narrow(ctx: Context, input: Operand, dim: int, start: Any, length: int) -> Any:
    begin = _as_number(start)
    return slice_(ctx, input, dim, begin, begin + length)


@handles("slice")
def slice_(ctx: Context, input: Operand, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    place = place_of(dim, rank(input))
    found = _full_batch(input, [slice(None)] * place + [slice(start, end, None if step == 1 else step)])
    return cut(ctx, input, found)


def _parts(ctx: Context, input: Operand, dim: int, lengths: Sequence[int]) -> Any:
    """Slices along a dimension, only those that somebody uses."""
    place, start, found = place_of(dim, rank(input)), 0, {}
    for number, length in enumerate(lengths):
        if number in ctx.used:
            found[number] = slice_(ctx, input, place, start, start + length)
        start += length
    return found


def _fixed_size(input: Operand, dim: int) -> int:
    size = input.type.dims[dim]
    if size.batch:
        raise Inexpressible("it cuts the batch into parts")
    return size.const


@handles("chunk", "tensor_split")
def chunk(ctx: Context, input: Operand, chunks: int, dim: int = 0) -> Any:
    size = _fixed_size(input, dim)
    if ctx.has("chunk") and size % chunks == 0:
        found = ctx.place("chunk", {"input": input}, {"chunks": chunks, "dim": dim})
        return {place: found[f"output_{place}"] for place in range(chunks)}
    length = math.ceil(size / chunks)
    return _parts(ctx, input, dim, [min(length, size - at) for at in range(0, size, length)])


@handles("split", "split_with_sizes")
def split(
    ctx: Context, input: Operand, split_size_or_sections: Any = None, dim: int = 0, split_size: Any = None
) -> Any:
    given = plain(split_size_or_sections if split_size_or_sections is not None else split_size)
    size = _fixed_size(input, dim)
    lengths = given if isinstance(given, tuple) else tuple(min(given, size - at) for at in range(0, size, given))
    if ctx.has("split"):
        found = ctx.place("split", {"tensor": input}, {"split_size_or_sections": lengths, "dim": dim})
        return {place: found[f"output_{place}"] for place in range(len(lengths))}
    return _parts(ctx, input, dim, lengths)


@handles("unbind")
def unbind(ctx: Context, input: Operand, dim: int = 0) -> Any:
    place = place_of(dim, rank(input))
    return {n: select(ctx, input, place, n) for n in range(_fixed_size(input, place)) if n in ctx.used}


# --- the same numbers ---------------------------------------------------------------------------------------


@handles(
    "contiguous", "clone", "detach", "alias", "requires_grad_", "cpu", "lift_fresh", "data", "positive", "view_as_real",
    "lift_fresh_copy", "identity", "resolve_conj", "as_tensor", "_assert_tensor_metadata",
)  # fmt: skip
def same(ctx: Context, input: Operand, *_: Any, **__: Any) -> Any:
    if ctx.out and ctx.out[0] != input.type:
        raise Inexpressible("it changes the kind of number")
    return input


@handles("to", "type", "float", "double", "half", "bfloat16", "long", "int", "bool", "type_as", "_to_copy", "byte")
def cast(ctx: Context, input: Operand, *_: Any, **__: Any) -> Any:
    out = ctx.out[0]
    return input if out.dtype == input.type.dtype else ctx.one("to", input, dtype=out.dtype)


# --- padding and resizing -----------------------------------------------------------------------------------

_PADS = {
    "constant": "ConstantPad",
    "reflect": "ReflectionPad",
    "replicate": "ReplicationPad",
    "circular": "CircularPad",
}


@handles("pad", "constant_pad_nd")
def pad(ctx: Context, input: Operand, pad: Any, mode: Any = "constant", value: Any = None) -> Any:
    if not isinstance(mode, str):
        mode, value = "constant", mode
    amounts = plain(pad)
    if not any(amounts):
        return input
    spatial = max(rank(input) - 2, 1)
    if len(amounts) > 2 * spatial:
        return _pad_any(ctx, input, amounts, mode, value)
    amounts = (*amounts, *(0,) * (2 * spatial - len(amounts)))
    params: dict[str, Any] = {"padding": amounts[0] if len(set(amounts)) == 1 else amounts}
    kind = f"{_PADS[mode]}{spatial}d"
    if mode == "constant":
        params["value"] = float(value or 0.0)
        if not params["value"]:
            kind = f"ZeroPad{spatial}d"
    return ctx.one(kind, input, **params)


def _pad_any(ctx: Context, input: Operand, amounts: Sequence[int], mode: str, value: Any) -> Any:
    """Padding of the channels or the batch, which PyTorch has as a function only."""
    if mode != "constant" or not ctx.has("pad"):
        raise Inexpressible("it pads the channels")
    return ctx.one("pad", input, pad=tuple(amounts), mode=mode, value=float(value or 0.0))


INTERPOLATING = frozenset({"linear", "bilinear", "bicubic", "trilinear"})
"""Modes that have ``align_corners``."""


@handles("interpolate", "upsample")
def interpolate(
    ctx: Context,
    input: Operand,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: Any = None,
    recompute_scale_factor: Any = None,
    antialias: bool = False,
) -> Any:
    if mode == "area":
        wanted = tuple(d.const for d in ctx.out[0].dims[2:])
        return ctx.one(f"AdaptiveAvgPool{rank(input) - 2}d", input, output_size=wanted)
    if antialias:
        raise Inexpressible("it smooths (antialias)")
    align = align_corners if mode in INTERPOLATING else None
    params = {"mode": mode, "align_corners": align, "recompute_scale_factor": recompute_scale_factor}
    if size is not None:
        found = plain(tuple(_as_number(s) for s in size) if isinstance(size, (list, tuple)) else _as_number(size))
        params["size"] = found[0] if isinstance(found, tuple) and len(set(found)) == 1 else found
    else:
        params["scale_factor"] = plain(scale_factor)
    return ctx.one("Upsample", input, **params)


def _upsample(mode: str) -> Any:
    def handler(ctx: Context, input: Operand, output_size: Any = None, *rest: Any, **kwargs: Any) -> Any:
        names = (["align_corners"] if mode in INTERPOLATING else []) + ["scales"]
        given = {**dict(zip(names, rest, strict=False)), **kwargs}
        scales = given.get("scales", given.get("scale_factors"))
        align = given.get("align_corners") or None
        if isinstance(scales, (list, tuple)):
            return interpolate(ctx, input, None, plain(scales), mode, align)
        return interpolate(ctx, input, output_size, None, mode, align)

    return handler


for _mode, _names in {
    "nearest": ("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d"),
    "linear": ("upsample_linear1d",),
    "bilinear": ("upsample_bilinear2d",),
    "bicubic": ("upsample_bicubic2d",),
    "trilinear": ("upsample_trilinear3d",),
}.items():
    HANDLERS.update(dict.fromkeys(_names, _upsample(_mode)))
