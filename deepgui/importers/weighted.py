"""Functions called with weights of their own (``F.conv2d(x, self.weight)``) become the layers they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from deepgui.importers.arithmetic import baddbmm, binary, number_in
from deepgui.importers.context import Context
from deepgui.importers.draft import Wired, name_from
from deepgui.importers.functions import placed, plain
from deepgui.importers.handlers import handles
from deepgui.importers.report import Inexpressible
from deepgui.importers.values import Fixed, Operand, fixed, rank


def layer(
    ctx: Context, kind: str, input: Operand, params: Mapping[str, Any], weights: Mapping[str, Any], operation: str = ""
) -> Wired:
    """A layer with weights that are known. Raises Inexpressible if one of them is computed from the inputs."""
    state: dict[str, Tensor] = {}
    for name, value in weights.items():
        if isinstance(value, Wired):
            raise Inexpressible(f"its {name} is computed from the inputs")
        if value is not None:
            state[name] = value.value
            if value.trained and value.computed:
                ctx.note(kind, f"its {name} is computed from other parameters; it was taken over as it is now")
    main = next((v for v in weights.values() if isinstance(v, Fixed)), None)
    port = ctx.spec(kind).inputs[0].name
    return next(iter(ctx.place(kind, {port: input}, params, weights=state, name=_name(main)).values()))


def _name(weight: Fixed | None) -> str:
    return name_from(weight.path.rpartition(".")[0]) if weight is not None else ""


@handles("linear")
def linear(ctx: Context, input: Operand, weight: Operand, bias: Operand | None = None) -> Any:
    if isinstance(weight, Wired) or isinstance(bias, Wired):
        turned = ctx.one("transpose", weight, dim0=-2, dim1=-1)
        result = binary(ctx, "matmul", input, turned)
        return result if bias is None else binary(ctx, "add", result, bias)
    params = {"in_features": weight.value.shape[1], "out_features": weight.value.shape[0], "bias": bias is not None}
    return layer(ctx, "Linear", input, params, {"weight": weight, "bias": bias})


@handles("addmm")
def addmm(ctx: Context, input: Operand, mat1: Operand, mat2: Operand, *, beta: float = 1, alpha: float = 1) -> Any:
    if isinstance(mat2, Fixed) and isinstance(input, Fixed) and rank(input) == 1 and beta == alpha == 1:
        weight = Fixed(mat2.value.t().contiguous(), mat2.type, mat2.trained, mat2.path)
        return linear(ctx, mat1, weight, input)
    return baddbmm(ctx, input, mat1, mat2, beta=beta, alpha=alpha)


@handles("conv1d", "conv2d", "conv3d")
def conv(
    ctx: Context,
    input: Operand,
    weight: Operand,
    bias: Operand | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    if isinstance(weight, Wired):
        raise Inexpressible("its weight is computed from the inputs")
    shape = weight.value.shape
    params = {
        "in_channels": shape[1] * groups,
        "out_channels": shape[0],
        "kernel_size": tuple(shape[2:]),
        **_window(len(shape) - 2, stride=stride, padding=padding, dilation=dilation),
        "groups": groups,
        "bias": bias is not None,
    }
    return layer(ctx, f"Conv{len(shape) - 2}d", input, params, {"weight": weight, "bias": bias})


def _window(dims: int, **settings: Any) -> dict[str, Any]:
    """Settings with one number a dimension; a list of one stands for all of them."""
    found = {name: plain(value) for name, value in settings.items()}
    return {n: v * dims if isinstance(v, tuple) and len(v) == 1 and dims > 1 else v for n, v in found.items()}


@handles("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def conv_transpose(
    ctx: Context,
    input: Operand,
    weight: Operand,
    bias: Operand | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    if isinstance(weight, Wired):
        raise Inexpressible("its weight is computed from the inputs")
    shape = weight.value.shape
    params = {
        "in_channels": shape[0],
        "out_channels": shape[1] * groups,
        "kernel_size": tuple(shape[2:]),
        **_window(len(shape) - 2, stride=stride, padding=padding, output_padding=output_padding, dilation=dilation),
        "groups": groups,
        "bias": bias is not None,
    }
    return layer(ctx, f"ConvTranspose{len(shape) - 2}d", input, params, {"weight": weight, "bias": bias})


@handles("convolution")
def convolution(
    ctx: Context,
    input: Operand,
    weight: Operand,
    bias: Operand | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
) -> Any:
    if transposed:
        return conv_transpose(ctx, input, weight, bias, stride, padding, output_padding, groups, dilation)
    return conv(ctx, input, weight, bias, stride, padding, dilation, groups)


# --- normalisation ---------------------------------------------------------------------------------------------


@handles("batch_norm")
def batch_norm(
    ctx: Context,
    input: Operand,
    running_mean: Fixed | None,
    running_var: Fixed | None,
    weight: Fixed | None = None,
    bias: Fixed | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    tracked = running_mean is not None and not training
    channels = input.type.dims[1].const
    params = {
        "num_features": channels,
        "eps": eps,
        "momentum": momentum,
        "affine": weight is not None or bias is not None,
        "track_running_stats": tracked,
    }
    state: dict[str, Any] = {"weight": weight, "bias": bias}
    if tracked and running_mean is not None:
        counted = Fixed(torch.tensor(0), running_mean.type)
        state |= {"running_mean": running_mean, "running_var": running_var, "num_batches_tracked": counted}
    if params["affine"]:
        state |= _filled(weight, bias, channels)
    return layer(ctx, f"BatchNorm{max(rank(input) - 2, 1)}d", input, params, state)


def _filled(weight: Fixed | None, bias: Fixed | None, channels: int) -> dict[str, Any]:
    return {"weight": weight or fixed(torch.ones(channels)), "bias": bias or fixed(torch.zeros(channels))}


@handles("aten:batch_norm")
def aten_batch_norm(
    ctx: Context, input: Operand, weight: Any, bias: Any, mean: Any, var: Any, training: bool, momentum: float,
    eps: float, cudnn_enabled: bool = True,
) -> Any:  # fmt: skip
    return batch_norm(ctx, input, mean, var, weight, bias, training, momentum, eps)


@handles("_native_batch_norm_legit_no_training")
def aten_batch_norm_inference(
    ctx: Context, input: Operand, weight: Any, bias: Any, mean: Any, var: Any, momentum: float, eps: float
) -> Any:
    return {0: batch_norm(ctx, input, mean, var, weight, bias, False, momentum, eps)}


@handles("instance_norm")
def instance_norm(
    ctx: Context,
    input: Operand,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Fixed | None = None,
    bias: Fixed | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    if not use_input_stats:
        return batch_norm(ctx, input, running_mean, running_var, weight, bias, False, momentum, eps)
    channels = input.type.dims[1].const
    params = {"num_features": channels, "eps": eps, "affine": weight is not None or bias is not None}
    state = _filled(weight, bias, channels) if params["affine"] else {}
    return layer(ctx, f"InstanceNorm{max(rank(input) - 2, 1)}d", input, params, state)


@handles("aten:instance_norm")
def aten_instance_norm(
    ctx: Context, input: Operand, weight: Any, bias: Any, mean: Any, var: Any, use_input_stats: bool, momentum: float,
    eps: float, cudnn_enabled: bool = True,
) -> Any:  # fmt: skip
    return instance_norm(ctx, input, mean, var, weight, bias, use_input_stats, momentum, eps)


@handles("layer_norm")
def layer_norm(
    ctx: Context,
    input: Operand,
    normalized_shape: Any,
    weight: Fixed | None = None,
    bias: Fixed | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Any:
    shape = plain(normalized_shape)
    shape = shape if isinstance(shape, tuple) else (shape,)
    params = {
        "normalized_shape": shape,
        "eps": eps,
        "elementwise_affine": weight is not None or bias is not None,
        "bias": bias is not None or weight is None,
    }
    return layer(ctx, "LayerNorm", input, params, {"weight": weight, "bias": bias})


@handles("native_layer_norm")
def native_layer_norm(ctx: Context, input: Operand, shape: Any, weight: Any, bias: Any, eps: float) -> Any:
    return {0: layer_norm(ctx, input, shape, weight, bias, eps)}


@handles("rms_norm")
def rms_norm(ctx: Context, input: Operand, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    params = {"normalized_shape": plain(normalized_shape), "eps": eps, "elementwise_affine": weight is not None}
    return layer(ctx, "RMSNorm", input, params, {"weight": weight})


@handles("group_norm")
def group_norm(
    ctx: Context,
    input: Operand,
    num_groups: int,
    weight: Fixed | None = None,
    bias: Fixed | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Any:
    channels = input.type.dims[1].const
    params = {"num_groups": num_groups, "num_channels": channels, "eps": eps, "affine": weight is not None}
    return layer(ctx, "GroupNorm", input, params, {"weight": weight, "bias": bias})


# --- others ------------------------------------------------------------------------------------------------------


@handles("embedding")
def embedding(
    ctx: Context, input: Operand, weight: Operand, padding_idx: Any = None, max_norm: Any = None, *_: Any, **__: Any
) -> Any:
    return _embedding(ctx, input, weight, padding_idx, max_norm)


@handles("aten:embedding")
def aten_embedding(
    ctx: Context,
    weight: Operand,
    indices: Operand,
    padding_idx: int = -1,
    scale_grad: bool = False,
    sparse: bool = False,
) -> Any:
    return _embedding(ctx, indices, weight, padding_idx if padding_idx >= 0 else None, None)


def _embedding(ctx: Context, input: Operand, weight: Operand, padding_idx: Any, max_norm: Any) -> Any:
    if isinstance(weight, Wired):
        return ctx.one("index", weight, input)
    params = {
        "num_embeddings": weight.value.shape[0],
        "embedding_dim": weight.value.shape[1],
        "padding_idx": padding_idx,
        "max_norm": max_norm,
    }
    return layer(ctx, "Embedding", input, params, {"weight": weight})


@handles("prelu", "_prelu_kernel")
def prelu(ctx: Context, input: Operand, weight: Operand) -> Any:
    if isinstance(weight, Wired):
        raise Inexpressible("its weight is computed from the inputs")
    flat = Fixed(weight.value.reshape(-1), weight.type, weight.trained, weight.path)
    return layer(ctx, "PReLU", input, {"num_parameters": flat.value.numel()}, {"weight": flat})


@handles("unfold")
def unfold(ctx: Context, *args: Any, **kwargs: Any) -> Any:
    """``F.unfold`` (blocks of an image); the method of tensors of that name is another function."""
    names = ("input", "kernel_size", "dilation", "padding", "stride")
    return placed(ctx, "Unfold", {**dict(zip(names, args, strict=False)), **kwargs})


@handles("aten:unfold")
def tensor_unfold(ctx: Context, input: Operand, dimension: int, size: int, step: int) -> Any:
    return ctx.one("unfold", input, dimension=dimension, size=size, step=step)


@handles("dropout", "native_dropout")
def dropout(ctx: Context, input: Operand, p: Any = 0.5, *_: Any, **__: Any) -> Any:
    return ctx.one("Dropout", input, p=float(number_in(p)))
