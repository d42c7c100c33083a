"""Parameter and Constant: tensors that stand in the drawing themselves. Made, and written, from the same settings."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import nn

from deepgui.catalog.spec import LayerSpec, Value
from deepgui.compiler.facts import Facts
from deepgui.graph.shapes import Dim, TensorType

_FILLED = {"zeros": torch.zeros, "ones": torch.ones, "randn": torch.randn, "rand": torch.rand}


def is_tensor(spec: LayerSpec) -> bool:
    """Whether a kind is a tensor that the module holds, rather than something that computes."""
    return spec.form in ("parameter", "constant")


def make(spec: LayerSpec, params: Mapping[str, Value]) -> torch.Tensor:
    """An ``nn.Parameter`` with its first values, or the tensor of a Constant."""
    shape = _shape(spec, params)
    if spec.form == "constant":
        value, dtype = spec.value(params, "value"), getattr(torch, str(spec.value(params, "dtype")))
        if isinstance(value, tuple):
            return torch.tensor(value, dtype=dtype).reshape(shape or (len(value),))
        return torch.full(shape or (), value, dtype=dtype)  # type: ignore[arg-type]
    init, scale = str(spec.value(params, "init")), spec.value(params, "scale")
    assert shape is not None
    assert isinstance(scale, (int, float))
    if init == "trunc_normal":
        return nn.Parameter(nn.init.trunc_normal_(torch.empty(shape), std=scale))
    if init == "xavier_uniform":
        return nn.Parameter(nn.init.xavier_uniform_(torch.empty(shape), gain=scale))
    filled = _FILLED[init](shape)
    return nn.Parameter(filled if scale == 1 else scale * filled)


def text(spec: LayerSpec, said: Mapping[str, str]) -> str:
    """What :func:`make` does as Python. ``said`` has the texts of the settings; the others are at their defaults."""

    def setting(name: str) -> str:
        return said.get(name, repr(spec.value({}, name)))

    shape = setting("shape")
    if spec.form == "constant":
        value, dtype = setting("value"), f"torch.{_word(setting('dtype'))}"
        if value.startswith(("(", "[")):
            reshaped = "" if shape == "None" else f".reshape({_sizes(shape)})"
            return f"torch.tensor({value}, dtype={dtype}){reshaped}"
        return f"torch.full({'()' if shape == 'None' else shape}, {value}, dtype={dtype})"
    init, scale = _word(setting("init")), setting("scale")
    if init == "trunc_normal":
        return f"nn.init.trunc_normal_(torch.empty({_sizes(shape)}), std={scale})"
    if init == "xavier_uniform":
        return f"nn.init.xavier_uniform_(torch.empty({_sizes(shape)}), gain={scale})"
    filled = f"torch.{init}({_sizes(shape)})"
    return filled if scale in ("1", "1.0") else f"{scale} * {filled}"


def tensor_facts(spec: LayerSpec, params: Mapping[str, Value]) -> Facts:
    """Type and number of weights. A setting that the lint complains about gives no outputs."""
    if any(p.check(spec.value(params, p.name)) for p in spec.params):
        return Facts()
    in_force = {p.name: spec.value(params, p.name) for p in spec.params}
    shape, value = _shape(spec, params), in_force.get("value")
    if isinstance(value, tuple):
        shape = shape or (len(value),)
        if math.prod(shape) != len(value):
            return Facts(params=in_force, error=f"{len(value)} values do not fill a tensor of shape {shape}")
    dims = tuple(Dim(0, size) for size in shape or ())
    dtype = str(in_force.get("dtype", "float32"))
    weights = math.prod(shape or ()) if spec.form == "parameter" else 0
    return Facts({"output": TensorType(dims, dtype)}, in_force, parameters=weights)


def _shape(spec: LayerSpec, params: Mapping[str, Value]) -> tuple[int, ...] | None:
    shape = spec.value(params, "shape")
    if isinstance(shape, int):
        return (shape,)
    return tuple(s for s in shape if isinstance(s, int)) if isinstance(shape, tuple) else None


def _word(literal: str) -> str:
    return literal.strip("'\"")


def _sizes(shape: str) -> str:
    """``(1, 16)`` as arguments: ``1, 16``."""
    return shape[1:-1].rstrip(",") if shape.startswith("(") and shape.endswith(")") else shape
