"""Tensor operations as nodes, and the ends of a network.

A torch function has no signature that Python could read, so each operation says which arguments are
tensors and which are settings; :func:`operations` checks that against the signature that torch keeps
for its own overrides, and the help comes from the docstring.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.overrides import get_testing_overrides

from deepgui.catalog import docstrings
from deepgui.catalog.spec import LayerSpec, ParamSpec, PortSpec, SpecError

DTYPES = ("float32", "int64", "bool", "float64", "float16", "bfloat16", "int32", "uint8", "complex64")

INPUT = LayerSpec(
    kind="Input",
    target="",
    form="input",
    category="Input and output",
    params=(
        ParamSpec("shape", "ints", required=True, minimum=1, doc="Shape of one example, without the batch dimension."),
        ParamSpec("dtype", "choice", "float32", "float32", choices=DTYPES, doc="Element type of the examples."),
    ),
    summary="Where examples enter the network.",
    doc="The shape is that of one example; the batch dimension N comes in front of it.",
    aliases=("placeholder", "data", "source", "x"),
)

OUTPUT = LayerSpec(
    kind="Output",
    target="",
    form="output",
    category="Input and output",
    inputs=(PortSpec("input"),),
    outputs=(),
    summary="What the network returns.",
    doc="A network with several outputs returns them as a tuple, in the order in which they were placed.",
    aliases=("result", "return", "y"),
)

_DIM = ParamSpec("dim", "int", default=1, torch_default=0, doc="The dimension; 0 is the batch.")
_DIMS = ParamSpec(
    "dim", "ints", default=-1, required=True, doc="The dimension or dimensions to reduce; 0 is the batch."
)
_KEEPDIM = ParamSpec("keepdim", "bool", False, False, doc="Whether the reduced dimensions stay, with size 1.")
_SHAPE = ParamSpec("shape", "ints", required=True, doc="The new shape, batch first; one size may be -1.")
_ORDER = ParamSpec("dims", "ints", required=True, doc="The dimensions in their new order; 0 is the batch.")
_DIM0 = ParamSpec("dim0", "int", default=1, required=True, doc="The first dimension to swap.")
_DIM1 = ParamSpec("dim1", "int", default=2, required=True, doc="The second dimension to swap.")
_AT = ParamSpec("dim", "int", default=1, required=True, doc="Where the dimension of size 1 is.")
_LOW = ParamSpec("min", "float", nullable=True, doc="Smallest value; none if left out.")
_HIGH = ParamSpec("max", "float", nullable=True, doc="Largest value; none if left out.")
_EXPONENT = ParamSpec("exponent", "float", default=2.0, required=True, doc="The power.")


@dataclass(frozen=True)
class _Operation:
    function: Callable[..., Any]
    category: str
    inputs: tuple[str, ...] = ("input",)
    params: tuple[ParamSpec, ...] = ()
    symbol: str = ""
    aliases: tuple[str, ...] = ()
    variadic: bool = False


_TWO = ("input", "other")
_LIST = ("tensors",)

OPERATIONS = (
    _Operation(torch.add, "Math", _TWO, symbol="+", aliases=("plus", "residual", "skip", "sum")),
    _Operation(torch.sub, "Math", _TWO, symbol="-", aliases=("minus", "subtract")),
    _Operation(torch.mul, "Math", _TWO, symbol="*", aliases=("times", "multiply", "gate")),
    _Operation(torch.div, "Math", _TWO, symbol="/", aliases=("divide",)),
    _Operation(torch.matmul, "Math", _TWO, symbol="@", aliases=("matrix product",)),
    _Operation(torch.mean, "Math", params=(_DIMS, _KEEPDIM), aliases=("average", "global pooling")),
    _Operation(torch.sum, "Math", params=(_DIMS, _KEEPDIM), aliases=("total",)),
    _Operation(torch.amax, "Math", params=(_DIMS, _KEEPDIM), aliases=("maximum", "max")),
    _Operation(torch.abs, "Math", aliases=("absolute",)),
    _Operation(torch.exp, "Math", aliases=("exponential",)),
    _Operation(torch.log, "Math", aliases=("logarithm",)),
    _Operation(torch.sqrt, "Math", aliases=("square root",)),
    _Operation(torch.pow, "Math", params=(_EXPONENT,), aliases=("power", "square")),
    _Operation(torch.clamp, "Math", params=(_LOW, _HIGH), aliases=("clip", "limit")),
    _Operation(torch.cat, "Shape", _LIST, (_DIM,), aliases=("concatenate", "join"), variadic=True),
    _Operation(torch.stack, "Shape", _LIST, (_DIM,), aliases=("join",), variadic=True),
    _Operation(torch.reshape, "Shape", params=(_SHAPE,), aliases=("view",)),
    _Operation(torch.permute, "Shape", params=(_ORDER,), aliases=("reorder", "transpose")),
    _Operation(torch.transpose, "Shape", params=(_DIM0, _DIM1), aliases=("swap",)),
    _Operation(torch.squeeze, "Shape", params=(_AT,), aliases=("remove dimension",)),
    _Operation(torch.unsqueeze, "Shape", params=(_AT,), aliases=("add dimension", "expand")),
)

# Names that torch's overrides table spells otherwise than the documentation.
_DOCUMENTED = {"permute": {"self": "input", "dim": "dims"}, "reshape": {}, "mean": {}, "unsqueeze": {}}
_UNLISTED = {"keepdim", "min", "max"}


def operations() -> tuple[LayerSpec, ...]:
    """Declarations of the tensor operations, each checked against torch's own table of signatures."""
    return tuple(_spec(op) for op in OPERATIONS)


def _spec(op: _Operation) -> LayerSpec:
    name = op.function.__name__
    _check(name, op)
    doc = docstrings.clean(op.function.__doc__)
    helps = docstrings.arguments(doc)
    return LayerSpec(
        kind=name,
        target=f"torch.{name}",
        form="function",
        category=op.category,
        inputs=tuple(PortSpec(i, variadic=op.variadic) for i in op.inputs),
        params=tuple(p if p.doc else replace(p, doc=helps.get(p.name, "")) for p in op.params),
        summary=docstrings.summary(doc),
        doc=doc,
        aliases=op.aliases,
        symbol=op.symbol,
    )


def _check(name: str, op: _Operation) -> None:
    listed = inspect.signature(get_testing_overrides()[op.function]).parameters
    renamed = _DOCUMENTED.get(name, {})
    known = {renamed.get(p, p) for p in listed} | _UNLISTED
    for argument in (*op.inputs, *(p.name for p in op.params)):
        if argument not in known:
            raise SpecError(f"{name}: torch.{name} has no argument {argument} in torch {torch.__version__}")
