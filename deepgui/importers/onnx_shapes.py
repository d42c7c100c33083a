"""ONNX's operators that look at, change or pick from shapes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepgui.importers.onnx_ops import ints, operator, refuse

if TYPE_CHECKING:
    from deepgui.importers.onnx_file import Operation


@operator("Shape")
def shape(op: Operation, x: Tensor) -> Tensor:
    return torch.tensor(list(x.shape)[op.settings.get("start", 0) : op.settings.get("end")], dtype=torch.int64)


@operator("Size")
def size(op: Operation, x: Tensor) -> Tensor:
    return torch.tensor(x.numel())


@operator("Constant")
def constant(op: Operation) -> Tensor:
    for name in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        if name in op.settings:
            value = op.settings[name]
            return value if isinstance(value, Tensor) else torch.tensor(value)
    raise refuse(op, "it holds no numbers")


@operator("ConstantOfShape")
def constant_of_shape(op: Operation, shape: Tensor) -> Tensor:
    value = op.settings.get("value", torch.zeros(1))
    return torch.full(ints(shape), value.item(), dtype=value.dtype)


@operator("Range")
def range_(op: Operation, start: Tensor, limit: Tensor, delta: Tensor) -> Tensor:
    return torch.arange(start.item(), limit.item(), delta.item(), dtype=start.dtype)


@operator("Reshape")
def reshape(op: Operation, x: Tensor, shape: Tensor) -> Tensor:
    wanted = ints(shape)
    if not op.settings.get("allowzero"):
        wanted = [x.shape[place] if size == 0 else size for place, size in enumerate(wanted)]
    return x.reshape(_with_batch(wanted, x, *op.batches))


def _with_batch(wanted: list[int], x: Tensor, written: int, now: int) -> list[int]:
    """A shape with the batch size of this call in place of the one that is written into the file."""
    if not written or written == now:
        return wanted
    if -1 in wanted:
        return [now, *wanted[1:]] if wanted[0] == written and len(x) == now else wanted
    for place, size in enumerate(wanted):
        changed = [*wanted[:place], size // written * now, *wanted[place + 1 :]]
        if size % written == 0 and math.prod(changed) == x.numel():
            return changed
    return wanted


@operator("Flatten")
def flatten(op: Operation, x: Tensor) -> Tensor:
    axis = op.settings.get("axis", 1)
    return x.flatten(1) if axis == 1 else x.reshape(math.prod(x.shape[: axis % x.dim()]), -1)


@operator("Transpose")
def transpose(op: Operation, x: Tensor) -> Tensor:
    return x.permute(tuple(op.settings.get("perm", reversed(range(x.dim())))))


@operator("Concat")
def concat(op: Operation, *inputs: Tensor) -> Tensor:
    return torch.cat(inputs, dim=op.settings["axis"])


@operator("Split")
def split(op: Operation, x: Tensor, sizes: Tensor | None = None) -> tuple[Tensor, ...]:
    axis = op.settings.get("axis", 0)
    lengths = ints(sizes) or ints(op.settings.get("split"))
    if not lengths:
        each = -(-x.shape[axis] // op.outputs)
        lengths = [min(each, x.shape[axis] - at) for at in range(0, x.shape[axis], each)]
    return tuple(torch.split(x, lengths, dim=axis))


@operator("Slice")
def slice_(
    op: Operation,
    x: Tensor,
    starts: Tensor | None = None,
    ends: Tensor | None = None,
    axes: Tensor | None = None,
    steps: Tensor | None = None,
) -> Tensor:
    begin = ints(starts) or ints(op.settings.get("starts"))
    end = ints(ends) or ints(op.settings.get("ends"))
    dims = ints(axes) or ints(op.settings.get("axes")) or list(range(len(begin)))
    strides = ints(steps) or [1] * len(begin)
    index = [slice(None)] * x.dim()
    for dim, first, last, step in zip(dims, begin, end, strides, strict=True):
        if step < 0:
            raise refuse(op, "it goes backwards")
        index[dim] = slice(first, None if last >= x.shape[dim] else last, step)
    return x[tuple(index)]


@operator("Gather")
def gather(op: Operation, x: Tensor, indices: Tensor) -> Tensor:
    axis = op.settings.get("axis", 0) % x.dim()
    if isinstance(x, nn.Parameter) and x.dim() == 2 and axis == 0 and indices.dim():
        return F.embedding(indices, x)
    if not indices.dim():
        return x.select(axis, int(indices))
    if indices.dim() == 1:
        return torch.index_select(x, axis, torch.where(indices < 0, indices + x.shape[axis], indices))
    return x[(slice(None),) * axis + (indices,)]


@operator("GatherElements")
def gather_elements(op: Operation, x: Tensor, indices: Tensor) -> Tensor:
    return torch.gather(x, op.settings.get("axis", 0), indices)


@operator("Squeeze")
def squeeze(op: Operation, x: Tensor, axes: Tensor | None = None) -> Tensor:
    dims = ints(axes) or ints(op.settings.get("axes"))
    if not dims:
        return x.squeeze()
    for dim in sorted((d % x.dim() for d in dims), reverse=True):
        x = x.squeeze(dim)
    return x


@operator("Unsqueeze")
def unsqueeze(op: Operation, x: Tensor, axes: Tensor | None = None) -> Tensor:
    dims = ints(axes) or ints(op.settings.get("axes"))
    for dim in sorted(d % (x.dim() + len(dims)) for d in dims):
        x = x.unsqueeze(dim)
    return x


@operator("Expand")
def expand(op: Operation, x: Tensor, shape: Tensor) -> Tensor:
    return x.expand(torch.broadcast_shapes(x.shape, tuple(ints(shape))))  # type: ignore[no-untyped-call]


@operator("Tile")
def tile(op: Operation, x: Tensor, repeats: Tensor) -> Tensor:
    return x.repeat(ints(repeats))


@operator("Trilu")
def trilu(op: Operation, x: Tensor, k: Tensor | None = None) -> Tensor:
    return (torch.triu if op.settings.get("upper", 1) else torch.tril)(x, 0 if k is None else int(k))


@operator("Cast", "CastLike")
def cast(op: Operation, x: Tensor, like: Tensor | None = None) -> Tensor:
    if like is not None:
        return x.to(like.dtype)
    import onnx

    array = onnx.helper.tensor_dtype_to_np_dtype(op.settings["to"])
    return x.to(getattr(torch, str(array)))


@operator("Pad")
def pad(op: Operation, x: Tensor, pads: Tensor | None = None, value: Tensor | None = None, axes: Any = None) -> Tensor:
    given = ints(pads) or ints(op.settings.get("pads"))
    dims = [d % x.dim() for d in ints(axes)] or list(range(x.dim()))
    before, after = [0] * x.dim(), [0] * x.dim()
    for place, dim in enumerate(dims):
        before[dim], after[dim] = given[place], given[place + len(dims)]
    pairs = [n for dim in reversed(range(x.dim())) for n in (before[dim], after[dim])]
    while pairs and not any(pairs[-2:]):
        del pairs[-2:]
    mode = {"edge": "replicate", "wrap": "circular"}.get(
        op.settings.get("mode", "constant"), op.settings.get("mode", "constant")
    )
    if mode != "constant":
        return F.pad(x, pairs, mode=mode)
    return F.pad(x, pairs, value=float(value) if value is not None else op.settings.get("value", 0.0))


@operator("Resize", "Upsample")
def resize(op: Operation, x: Tensor, roi: Any = None, scales: Any = None, sizes: Any = None) -> Tensor:
    if op.kind == "Upsample" or op.version < 11:
        scales, roi = roi, None
    mode = op.settings.get("mode", "nearest")
    where = op.settings.get("coordinate_transformation_mode", "half_pixel" if op.version >= 11 else "asymmetric")
    spatial = x.dim() - 2
    kind = (
        mode
        if mode == "nearest"
        else {"linear": ("linear", "bilinear", "trilinear"), "cubic": ("", "bicubic", "")}[mode][spatial - 1]
    )
    align = None
    if kind == "nearest":
        if (
            where == "half_pixel"
            and op.settings.get("nearest_mode", "round_prefer_floor") != "floor"
            and not _whole(scales)
        ):
            raise refuse(op, "it rounds to the nearest pixel in a way that PyTorch does not")
    elif where not in ("half_pixel", "pytorch_half_pixel", "align_corners"):
        raise refuse(op, f"its coordinate_transformation_mode is {where}")
    else:
        align = where == "align_corners"
    if sizes is not None and sizes.numel():
        return F.interpolate(x, size=ints(sizes)[2:], mode=kind, align_corners=align)
    factors = tuple(float(s) for s in scales.tolist()[2:])
    return F.interpolate(x, scale_factor=factors, mode=kind, align_corners=align)


def _whole(scales: Tensor | None) -> bool:
    return scales is not None and all(float(s).is_integer() for s in scales.tolist())


@operator("DepthToSpace")
def depth_to_space(op: Operation, x: Tensor) -> Tensor:
    size = op.settings["blocksize"]
    if op.settings.get("mode", "DCR") == "CRD":
        return F.pixel_shuffle(x, size)
    n, c, h, w = x.shape
    x = x.reshape(n, size, size, c // size**2, h, w).permute(0, 3, 4, 1, 5, 2)
    return x.reshape(n, c // size**2, h * size, w * size)


@operator("TopK")
def topk(op: Operation, x: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
    found = torch.topk(x, ints(k)[0], dim=op.settings.get("axis", -1), largest=bool(op.settings.get("largest", 1)))
    return found.values, found.indices
