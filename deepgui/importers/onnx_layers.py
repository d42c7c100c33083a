"""ONNX's operators that have weights or windows: convolution, pooling, normalisation, recurrence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from deepgui.importers.onnx_ops import PREPARED, operator, refuse

if TYPE_CHECKING:
    from deepgui.importers.onnx_file import Operation


def _padding(op: Operation, x: Tensor, window: Sequence[int]) -> tuple[list[int], list[int]]:
    """Padding before and after each spatial dimension."""
    spatial = len(window)
    strides = op.settings.get("strides", [1] * spatial)
    dilations = op.settings.get("dilations", [1] * spatial)
    mode = op.settings.get("auto_pad", "NOTSET")
    if mode in ("NOTSET", "VALID"):
        pads = op.settings.get("pads", [0] * 2 * spatial) if mode == "NOTSET" else [0] * 2 * spatial
        return list(pads[:spatial]), list(pads[spatial:])
    before, after = [], []
    for size, kernel, stride, dilation in zip(x.shape[2:], window, strides, dilations, strict=True):
        total = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
        small, large = total // 2, total - total // 2
        before.append(small if mode == "SAME_UPPER" else large)
        after.append(large if mode == "SAME_UPPER" else small)
    return before, after


def _even(x: Tensor, before: list[int], after: list[int], value: float = 0.0) -> tuple[Tensor, tuple[int, ...]]:
    """Uneven padding as a step of its own; what is even is left to the layer."""
    if before == after:
        return x, tuple(before)
    pairs = [n for pair in reversed(list(zip(before, after, strict=True))) for n in pair]
    return F.pad(x, pairs, value=value), (0,) * len(before)


@operator("Conv")
def conv(op: Operation, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    spatial = weight.dim() - 2
    before, after = _padding(op, x, weight.shape[2:])
    x, padding = _even(x, before, after)
    function = (F.conv1d, F.conv2d, F.conv3d)[spatial - 1]
    return function(
        x,
        weight,
        bias,
        stride=tuple(op.settings.get("strides", [1] * spatial)),
        padding=padding,
        dilation=tuple(op.settings.get("dilations", [1] * spatial)),
        groups=op.settings.get("group", 1),
    )


@operator("ConvTranspose")
def conv_transpose(op: Operation, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    spatial = weight.dim() - 2
    pads = op.settings.get("pads", [0] * 2 * spatial)
    if (
        op.settings.get("auto_pad", "NOTSET") != "NOTSET"
        or pads[:spatial] != pads[spatial:]
        or "output_shape" in op.settings
    ):
        raise refuse(op, "its padding is uneven")
    function = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[spatial - 1]
    return function(
        x,
        weight,
        bias,
        stride=tuple(op.settings.get("strides", [1] * spatial)),
        padding=tuple(pads[:spatial]),
        output_padding=tuple(op.settings.get("output_padding", [0] * spatial)),
        groups=op.settings.get("group", 1),
        dilation=tuple(op.settings.get("dilations", [1] * spatial)),
    )


@operator("MaxPool", "AveragePool")
def pool(op: Operation, x: Tensor) -> Tensor:
    window = op.settings["kernel_shape"]
    spatial, largest = len(window), op.kind == "MaxPool"
    if op.outputs > 1:
        raise refuse(op, "the places of the largest numbers are used")
    before, after = _padding(op, x, window)
    x, padding = _even(x, before, after, -math.inf if largest else 0.0)
    common: dict[str, Any] = {
        "kernel_size": tuple(window),
        "stride": tuple(op.settings.get("strides", [1] * spatial)),
        "padding": padding,
        "ceil_mode": bool(op.settings.get("ceil_mode", 0)),
    }
    if largest:
        dilation = tuple(op.settings.get("dilations", [1] * spatial))
        largest_in: Any = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[spatial - 1]
        return largest_in(x, **common, dilation=dilation)  # type: ignore[no-any-return]
    counted = bool(op.settings.get("count_include_pad", 0))
    if before != after and not counted:
        raise refuse(op, "its padding is uneven and not counted")
    counted = counted or not any(padding)
    mean_in: Any = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[spatial - 1]
    return mean_in(x, **common, count_include_pad=counted)  # type: ignore[no-any-return]


@operator("GlobalAveragePool", "GlobalMaxPool")
def global_pool(op: Operation, x: Tensor) -> Tensor:
    average = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)
    largest = (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)
    return (average if op.kind == "GlobalAveragePool" else largest)[x.dim() - 3](x, 1)


@operator("BatchNormalization")
def batch_norm(op: Operation, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, var: Tensor) -> Tensor:
    return F.batch_norm(x, mean, var, weight, bias, eps=op.settings.get("epsilon", 1e-5))


@operator("InstanceNormalization")
def instance_norm(op: Operation, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return F.instance_norm(x, None, None, weight, bias, eps=op.settings.get("epsilon", 1e-5))


@operator("LayerNormalization")
def layer_norm(op: Operation, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    shape = tuple(x.shape[op.settings.get("axis", -1) % x.dim() :])
    return F.layer_norm(x, shape, weight, bias, op.settings.get("epsilon", 1e-5))


@operator("RMSNormalization")
def rms_norm(op: Operation, x: Tensor, weight: Tensor) -> Tensor:
    shape = tuple(x.shape[op.settings.get("axis", -1) % x.dim() :])
    return F.rms_norm(x, shape, weight, op.settings.get("epsilon", 1e-5))


@operator("GroupNormalization")
def group_norm(op: Operation, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    if op.version < 21:
        each = x.shape[1] // len(weight)
        weight, bias = weight.repeat_interleave(each), bias.repeat_interleave(each)
    return F.group_norm(x, op.settings["num_groups"], weight, bias, op.settings.get("epsilon", 1e-5))


@operator("LRN")
def lrn(op: Operation, x: Tensor) -> Tensor:
    said = op.settings
    return F.local_response_norm(
        x, said["size"], said.get("alpha", 1e-4), said.get("beta", 0.75), said.get("bias", 1.0)
    )


@operator("Dropout")
def dropout(op: Operation, x: Tensor, ratio: Tensor | None = None, training: Tensor | None = None) -> Tensor:
    return F.dropout(x, float(ratio) if ratio is not None else op.settings.get("ratio", 0.5), training=False)


# --- recurrent ---------------------------------------------------------------------------------------------------


_GATES = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2), "RNN": (0,)}
"""Torch's order of gates, as places in ONNX's."""


@operator("LSTM", "GRU", "RNN")
def recurrent(op: Operation, x: Tensor, *rest: Tensor | None) -> tuple[Tensor, ...]:
    given: list[Tensor | None] = [*rest, *[None] * 6]
    if op.settings.get("layout", 0):
        raise refuse(op, "its layout is batch first, which no exporter writes")
    h, c = (None if state is None or not state.any() else state for state in given[4:6])  # they start at zero anyway
    state = (h, c) if op.kind == "LSTM" and h is not None and c is not None else h
    assert op.layer is not None
    output, last = op.layer(x) if h is None else op.layer(x, state)
    length, batch = x.shape[:2]
    directions = 2 if op.settings.get("direction", "forward") == "bidirectional" else 1
    output = output.view(length, batch, directions, -1).permute(0, 2, 1, 3) if directions > 1 else output.unsqueeze(1)
    return (output, *last) if op.kind == "LSTM" else (output, last)


def _prepare(op: Operation, tensors: Sequence[Tensor | None]) -> nn.Module:
    """The layer with the operator's weights."""
    weight, recurrence = tensors[1], tensors[2]
    bias = tensors[3] if len(tensors) > 3 else None
    direction = op.settings.get("direction", "forward")
    default = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}[op.kind]
    acts = op.settings.get("activations", default * 2)
    acts = [a.decode() if isinstance(a, bytes) else a for a in acts]
    plain = acts[: len(default)] == default or op.kind == "RNN"
    if weight is None or recurrence is None or direction == "reverse" or not plain or "clip" in op.settings:
        raise refuse(op, "it is reversed, clipped, has other activations, or its weights are computed")
    if op.kind == "GRU" and not op.settings.get("linear_before_reset", 0):
        raise refuse(op, "PyTorch's GRU has linear_before_reset = 1")
    if len(tensors) > 4 and tensors[4] is not None:
        raise refuse(op, "it has sequence lengths")
    hidden, both = op.settings["hidden_size"], direction == "bidirectional"
    more = {"nonlinearity": acts[0].lower()} if op.kind == "RNN" else {}
    layer: nn.Module = getattr(nn, op.kind)(weight.shape[-1], hidden, bias=bias is not None, bidirectional=both, **more)

    def turned(t: Tensor) -> Tensor:
        return torch.cat([t.chunk(len(_GATES[op.kind]))[g] for g in _GATES[op.kind]])

    with torch.no_grad():
        for d, suffix in enumerate(("", "_reverse")[: 1 + both]):
            layer.get_parameter(f"weight_ih_l0{suffix}").copy_(turned(weight[d]))
            layer.get_parameter(f"weight_hh_l0{suffix}").copy_(turned(recurrence[d]))
            for half, name in enumerate(("bias_ih_l0", "bias_hh_l0") if bias is not None else ()):
                assert bias is not None
                layer.get_parameter(name + suffix).copy_(turned(bias[d].chunk(2)[half]))
    return layer


PREPARED.update(dict.fromkeys(_GATES, _prepare))
