"""ONNX's operators as calls of torch's functions, which the recording then sees.

Each function takes the :class:`~deepgui.importers.onnx_file.Operation` it is called for, whose ``settings`` are the
attributes, and the inputs; inputs that are left out are None.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepgui.importers.report import ImportFailed

if TYPE_CHECKING:
    from deepgui.importers.onnx_file import Operation

Function = Callable[..., Any]
OPERATIONS: dict[str, Function] = {}
"""By the operator's name; filled here and by the modules beside this one."""

PREPARED: dict[str, Function] = {}
"""What makes a layer of an operator's stored inputs, once, for operators that need one."""

WEIGHTS: dict[str, tuple[str, ...]] = {
    "Conv": ("", "weight", "bias"),
    "ConvTranspose": ("", "weight", "bias"),
    "Gemm": ("", "weight", "bias"),
    "MatMul": ("", "weight"),
    "BatchNormalization": ("", "weight", "bias", "running_mean", "running_var"),
    "InstanceNormalization": ("", "weight", "bias"),
    "LayerNormalization": ("", "weight", "bias"),
    "GroupNormalization": ("", "weight", "bias"),
    "RMSNormalization": ("", "weight"),
    "PRelu": ("", "weight"),
    "Gather": ("weight", "index"),
    "Add": ("weight", "weight"),
    "Mul": ("weight", "weight"),
}
"""What stored inputs are called, by place."""

SETTINGS = frozenset({"Clip", "Resize", "Pad", "Slice", "Range", "Upsample", "ConstantOfShape", "Trilu"})
"""Operators whose stored inputs are settings rather than weights, even where they have a fraction."""


def operator(*names: str) -> Callable[[Function], Function]:
    """Register the function that computes these operators."""

    def register(function: Function) -> Function:
        OPERATIONS.update(dict.fromkeys(names, function))
        return function

    return register


def _plain(function: Callable[..., Any], **settings: str) -> Function:
    """An operator that is a function of torch with attributes of other names: ``{attribute: (argument, default)}``."""

    def call(op: Operation, *inputs: Tensor) -> Any:
        return function(
            *inputs, **{ours: op.settings[theirs] for theirs, ours in settings.items() if theirs in op.settings}
        )

    return call


OPERATIONS |= {
    "Relu": _plain(F.relu), "Sigmoid": _plain(torch.sigmoid), "Tanh": _plain(torch.tanh), "Exp": _plain(torch.exp),
    "Log": _plain(torch.log), "Sqrt": _plain(torch.sqrt), "Abs": _plain(torch.abs), "Neg": _plain(torch.neg),
    "Reciprocal": _plain(torch.reciprocal), "Floor": _plain(torch.floor), "Ceil": _plain(torch.ceil),
    "Round": _plain(torch.round), "Sign": _plain(torch.sign), "Erf": _plain(torch.erf), "Sin": _plain(torch.sin),
    "Cos": _plain(torch.cos), "Not": _plain(torch.logical_not), "Softsign": _plain(F.softsign),
    "Softplus": _plain(F.softplus),
    "Identity": _plain(torch.Tensor.contiguous), "Mish": _plain(F.mish), "HardSwish": _plain(F.hardswish),
    "Elu": _plain(F.elu, alpha="alpha"), "Selu": _plain(F.selu), "Celu": _plain(F.celu, alpha="alpha"),
    "LeakyRelu": _plain(F.leaky_relu, alpha="negative_slope"), "Gelu": _plain(F.gelu, approximate="approximate"),
    "Add": _plain(torch.add), "Sub": _plain(torch.sub), "Mul": _plain(torch.mul), "Pow": _plain(torch.pow),
    "Equal": _plain(torch.eq), "Greater": _plain(torch.gt), "Less": _plain(torch.lt),
    "GreaterOrEqual": _plain(torch.ge), "LessOrEqual": _plain(torch.le), "And": _plain(torch.logical_and),
    "Or": _plain(torch.logical_or), "Xor": _plain(torch.logical_xor), "Where": _plain(torch.where),
    "IsNaN": _plain(torch.isnan),
}  # fmt: skip


def ints(value: Tensor | Sequence[int] | None) -> list[int]:
    """Whole numbers out of a tensor that is known when the graph is recorded."""
    if value is None:
        return []
    return [int(v) for v in (value.flatten().tolist() if isinstance(value, Tensor) else value)]


def refuse(op: Operation, reason: str) -> ImportFailed:
    return ImportFailed(f"The operator {op.kind} cannot be drawn: {reason}.")


# --- arithmetic ------------------------------------------------------------------------------------------------


@operator("Div")
def div(op: Operation, a: Tensor, b: Tensor) -> Tensor:
    whole = not a.is_floating_point() and not b.is_floating_point()
    return torch.div(a, b, rounding_mode="trunc") if whole else torch.div(a, b)


@operator("Mod")
def mod(op: Operation, a: Tensor, b: Tensor) -> Tensor:
    return torch.fmod(a, b) if op.settings.get("fmod") else torch.remainder(a, b)


@operator("Max", "Min", "Sum", "Mean")
def of_many(op: Operation, *inputs: Tensor) -> Tensor:
    join = {"Max": torch.maximum, "Min": torch.minimum}.get(op.kind, torch.add)
    result = inputs[0]
    for other in inputs[1:]:
        result = join(result, other)
    return result / len(inputs) if op.kind == "Mean" else result


@operator("Clip")
def clip(op: Operation, x: Tensor, low: Tensor | None = None, high: Tensor | None = None) -> Tensor:
    bounds = [None if b is None else float(b) for b in (low, high)]
    smallest = op.settings.get("min") if bounds[0] is None else bounds[0]
    largest = op.settings.get("max") if bounds[1] is None else bounds[1]
    if (smallest, largest) == (0.0, 6.0):
        return F.relu6(x)
    if smallest is None and largest is None:
        return x
    return torch.clamp(x, min=smallest, max=largest)


@operator("HardSigmoid")
def hard_sigmoid(op: Operation, x: Tensor) -> Tensor:
    slope, offset = op.settings.get("alpha", 0.2), op.settings.get("beta", 0.5)
    if math.isclose(slope, 1 / 6, rel_tol=1e-5) and offset == 0.5:
        return F.hardsigmoid(x)
    return torch.clamp(x * slope + offset, min=0.0, max=1.0)


@operator("Softmax", "LogSoftmax")
def softmax(op: Operation, x: Tensor) -> Tensor:
    function: Callable[..., Tensor] = F.softmax if op.kind == "Softmax" else F.log_softmax
    if op.version >= 13:
        return function(x, dim=op.settings.get("axis", -1))
    axis = op.settings.get("axis", 1) % x.dim()
    if axis == x.dim() - 1:
        return function(x, dim=-1)
    return function(x.flatten(axis), dim=-1).view(x.shape)


@operator("PRelu")
def prelu(op: Operation, x: Tensor, slope: Tensor) -> Tensor:
    return F.prelu(x, slope.flatten())


@operator("MatMul")
def matmul(op: Operation, a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    if isinstance(b, nn.Parameter) and b.dim() == 2:
        return F.linear(a, b.t(), bias)
    return torch.matmul(a, b)


@operator("Gemm")
def gemm(op: Operation, a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
    alpha, beta = op.settings.get("alpha", 1.0), op.settings.get("beta", 1.0)
    a = a.t() if op.settings.get("transA") else a
    weight = b if op.settings.get("transB") else b.t()
    if alpha == 1.0 and beta == 1.0 and (c is None or c.dim() == 1):
        return F.linear(a, weight, c)
    result = F.linear(a, weight) * alpha
    return result if c is None else torch.add(result, c * beta)


@operator("Einsum")
def einsum(op: Operation, *inputs: Tensor) -> Tensor:
    return torch.einsum(op.settings["equation"], *inputs)


def _reduction(function: Callable[..., Tensor]) -> Function:
    def call(op: Operation, x: Tensor, axes: Tensor | None = None) -> Tensor:
        dims = ints(axes) or ints(op.settings.get("axes"))
        if not dims and op.settings.get("noop_with_empty_axes"):
            return x
        return function(x, dim=tuple(dims) or tuple(range(x.dim())), keepdim=bool(op.settings.get("keepdims", 1)))

    return call


OPERATIONS |= {
    "ReduceMean": _reduction(torch.mean),
    "ReduceSum": _reduction(torch.sum),
    "ReduceMax": _reduction(torch.amax),
    "ReduceMin": _reduction(torch.amin),
    "ReduceLogSumExp": _reduction(torch.logsumexp),
    "ReduceL2": _reduction(lambda x, dim, keepdim: torch.sum(x * x, dim=dim, keepdim=keepdim).sqrt()),
    "ReduceL1": _reduction(lambda x, dim, keepdim: torch.sum(x.abs(), dim=dim, keepdim=keepdim)),
    "ReduceSumSquare": _reduction(lambda x, dim, keepdim: torch.sum(x * x, dim=dim, keepdim=keepdim)),
}


@operator("ArgMax", "ArgMin")
def arg(op: Operation, x: Tensor) -> Tensor:
    function: Callable[..., Tensor] = torch.argmax if op.kind == "ArgMax" else torch.argmin
    return function(x, op.settings.get("axis", 0), keepdim=bool(op.settings.get("keepdims", 1)))


@operator("CumSum")
def cumsum(op: Operation, x: Tensor, axis: Tensor) -> Tensor:
    if op.settings.get("exclusive") or op.settings.get("reverse"):
        raise refuse(op, "it is exclusive or reversed")
    return torch.cumsum(x, dim=ints(axis)[0])
