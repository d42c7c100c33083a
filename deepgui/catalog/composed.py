"""Operations that PyTorch writes otherwise than ``torch.name(tensors, settings)``: methods, slices, and a few
that ask a tensor for its size. Each is one ``return`` of a Python expression, and that expression is also what
stands in generated source: :func:`source_of` reads it.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor


def source_of(function: Callable[..., Any]) -> str:
    """The expression that a function of this module returns."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    last = tree.body[-1]
    assert isinstance(last, ast.Return)
    assert last.value is not None
    return ast.unparse(last.value)


# --- shape ---------------------------------------------------------------------------------------------


def expand(input: Tensor, size: tuple[int, ...]) -> Tensor:
    return input.expand(size)


def expand_as(input: Tensor, other: Tensor) -> Tensor:
    return input.expand_as(other)


def expand_batch(input: Tensor, like: Tensor) -> Tensor:
    return input.expand(like.size(0), *input.shape[1:])


def repeat(input: Tensor, repeats: tuple[int, ...]) -> Tensor:
    return input.repeat(repeats)


def tile(input: Tensor, dims: tuple[int, ...]) -> Tensor:
    return input.tile(dims)


def flip(input: Tensor, dims: tuple[int, ...]) -> Tensor:
    return input.flip(dims)


def unfold(input: Tensor, dimension: int, size: int, step: int) -> Tensor:
    return input.unfold(dimension, size, step)


def view(input: Tensor, shape: tuple[int, ...]) -> Tensor:
    return input.view(shape)


def reshape_as(input: Tensor, other: Tensor) -> Tensor:
    return input.reshape_as(other)


def contiguous(input: Tensor) -> Tensor:
    return input.contiguous()


def detach(input: Tensor) -> Tensor:
    return input.detach()


def to(input: Tensor, dtype: torch.dtype) -> Tensor:
    return input.to(dtype)


# --- selection -------------------------------------------------------------------------------------------


def slice(input: Tensor, index: str) -> Tensor:  # type: ignore[valid-type]
    return input[index]  # type: ignore[index]


def index(input: Tensor, indices: Tensor) -> Tensor:
    return input[indices]


def gather(input: Tensor, index: Tensor, dim: int) -> Tensor:
    return torch.gather(input, dim, index)


def index_select(input: Tensor, index: Tensor, dim: int) -> Tensor:
    return torch.index_select(input, dim, index)


def index_add(input: Tensor, index: Tensor, source: Tensor, dim: int) -> Tensor:
    return torch.index_add(input, dim, index, source)


def scatter_add(input: Tensor, index: Tensor, src: Tensor, dim: int) -> Tensor:
    return torch.scatter_add(input, dim, index, src)


# --- made from another tensor's size -----------------------------------------------------------------------


def arange(input: Tensor, dim: int = 1) -> Tensor:
    return torch.arange(input.size(dim), device=input.device)


def causal_mask(input: Tensor, dim: int = 1) -> Tensor:
    return torch.nn.Transformer.generate_square_subsequent_mask(input.size(dim), device=input.device)


def affine_grid(theta: Tensor, input: Tensor, align_corners: bool | None = None) -> Tensor:
    return torch.nn.functional.affine_grid(theta, input.size(), align_corners=align_corners)  # type: ignore[arg-type]


# --- mathematics --------------------------------------------------------------------------------------------


def einsum(operands: list[Tensor], equation: str) -> Tensor:
    return torch.einsum(equation, *operands)


def stft(input: Tensor, n_fft: int, hop_length: int | None = None, center: bool = True) -> Tensor:
    return torch.stft(
        input,
        n_fft,
        hop_length=hop_length,
        window=torch.hann_window(n_fft, device=input.device),
        center=center,
        return_complex=True,
    )


def istft(
    input: Tensor, n_fft: int, hop_length: int | None = None, center: bool = True, length: int | None = None
) -> Tensor:
    return torch.istft(
        input,
        n_fft,
        hop_length=hop_length,
        window=torch.hann_window(n_fft, device=input.device),
        center=center,
        length=length,
    )


# --- layers that take a layer --------------------------------------------------------------------------------


def TransformerEncoder(
    d_model: int,
    nhead: int,
    num_layers: int,
    dim_feedforward: int = 2048,
    dropout: float = 0.1,
    activation: Literal["relu", "gelu"] = "relu",
    layer_norm_eps: float = 1e-5,
    batch_first: bool = False,
    norm_first: bool = False,
    bias: bool = True,
    enable_nested_tensor: bool = True,
) -> torch.nn.TransformerEncoder:
    return torch.nn.TransformerEncoder(
        torch.nn.TransformerEncoderLayer(
            d_model,
            nhead,
            dim_feedforward=dim_feedforward,
            dropout=dropout,
            activation=activation,
            layer_norm_eps=layer_norm_eps,
            batch_first=batch_first,
            norm_first=norm_first,
            bias=bias,
        ),
        num_layers=num_layers,
        enable_nested_tensor=enable_nested_tensor,
    )


def TransformerDecoder(
    d_model: int,
    nhead: int,
    num_layers: int,
    dim_feedforward: int = 2048,
    dropout: float = 0.1,
    activation: Literal["relu", "gelu"] = "relu",
    layer_norm_eps: float = 1e-5,
    batch_first: bool = False,
    norm_first: bool = False,
    bias: bool = True,
) -> torch.nn.TransformerDecoder:
    return torch.nn.TransformerDecoder(
        torch.nn.TransformerDecoderLayer(
            d_model,
            nhead,
            dim_feedforward=dim_feedforward,
            dropout=dropout,
            activation=activation,
            layer_norm_eps=layer_norm_eps,
            batch_first=batch_first,
            norm_first=norm_first,
            bias=bias,
        ),
        num_layers=num_layers,
    )


def SpectralNormConv2d(
    in_channels: int,
    out_channels: int,
    kernel_size: int | tuple[int, int],
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] | str = 0,
    dilation: int | tuple[int, int] = 1,
    groups: int = 1,
    bias: bool = True,
    padding_mode: Literal["zeros", "reflect", "replicate", "circular"] = "zeros",
    n_power_iterations: int = 1,
) -> torch.nn.Module:
    return torch.nn.utils.parametrizations.spectral_norm(
        torch.nn.Conv2d(
            in_channels,
            out_channels,
            kernel_size=kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
            padding_mode=padding_mode,
        ),
        n_power_iterations=n_power_iterations,
    )
