"""From an :class:`~deepgui.catalog.operation.Operation` to a declaration, and the ends of a network.

What an operation says about a function is checked against the function's real signature: Python's own
where it has one, else the schema that PyTorch keeps for its dispatcher. Types and defaults come from there, and the
help from the docstring.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import re
import typing
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

import torch

from deepgui.catalog import composed, docstrings
from deepgui.catalog.functions import FUNCTIONS
from deepgui.catalog.introspect import is_tensor, type_of
from deepgui.catalog.operation import TORCH, Operation
from deepgui.catalog.spec import LayerSpec, ParamSpec, PortSpec, SpecError, Value, freeze

DTYPES = ("float32", "int64", "bool", "float64", "float16", "bfloat16", "int32", "uint8", "complex64")

INPUT = LayerSpec(
    kind="Input",
    target="",
    form="input",
    category="Input and output",
    params=(
        ParamSpec(
            "shape",
            "ints",
            required=True,
            minimum=1,
            empty=True,
            doc="Shape of one example, without the batch dimension; () for a number.",
        ),
        ParamSpec("dtype", "choice", "float32", "float32", choices=DTYPES, doc="Element type of the examples."),
        ParamSpec(
            "per",
            "choice",
            "example",
            "example",
            choices=("example", "edge", "edge_index"),
            doc="For graphs: a row for each example or node (N×...), a row for each edge (E×...), or a column of node "
            "numbers for each edge (shape 2 gives 2×E).",
        ),
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

PARAMETER = LayerSpec(
    kind="Parameter",
    target="torch.nn.Parameter",
    form="parameter",
    category="Input and output",
    params=(
        ParamSpec(
            "shape", "ints", default=(1, 16), required=True, minimum=1, doc="The whole shape; there is no batch in it."
        ),
        ParamSpec(
            "init",
            "choice",
            "zeros",
            "zeros",
            choices=("zeros", "ones", "randn", "rand", "trunc_normal", "xavier_uniform"),
            doc="What it holds before training: torch's functions of these names, and those of torch.nn.init.",
        ),
        ParamSpec("scale", "float", 1.0, 1.0, doc="What the first values are multiplied by; 0.02 is usual with randn."),
    ),
    summary="A tensor that is learnt by itself: a class token, a position embedding, a scale.",
    doc="It belongs to no layer and has no input. Its shape is the whole shape, without a batch dimension; "
    "arithmetic stretches it over the batch, and expand_batch repeats it for every example.",
    aliases=("learnable", "weight", "class token", "position embedding", "query"),
)

CONSTANT = LayerSpec(
    kind="Constant",
    target="torch.nn.Buffer",
    form="constant",
    category="Input and output",
    params=(
        ParamSpec("value", "floats", default=0.0, required=True, doc="One number, or all values in order."),
        ParamSpec("shape", "ints", nullable=True, minimum=1, doc="The shape; as many as there are values if left out."),
        ParamSpec("dtype", "choice", "float32", "float32", choices=DTYPES, doc="Element type."),
    ),
    summary="Fixed numbers that are saved with the network and never learnt.",
    doc="A buffer of the module: means and deviations to normalise by, a kernel, a table.",
    aliases=("buffer", "number", "fixed", "value"),
)

_EMPTY = inspect.Parameter.empty
_COMPOSED = composed.__name__


def operations() -> tuple[LayerSpec, ...]:
    """Declarations of the tensor operations, each checked against the real signature."""
    return tuple(declare(op) for op in FUNCTIONS)


def declare(op: Operation) -> LayerSpec:
    """The declaration of one operation.

    Raises:
        SpecError: if it names an argument that the function does not have in the installed torch.
    """
    function = _resolve(op.target)
    kind = op.kind or op.target.rpartition(".")[2]
    doc = _doc(op, function)
    known = _signature(op, kind, function)
    helps = {**docstrings.arguments(doc), **op.helps}
    inputs = [known[name] for name in op.inputs] or [p for p in known.values() if _required_tensor(p)]
    params = [_param(op, known[name], helps) for name in op.settings]
    params += [_number(name, op, helps) for name in op.numbers if name not in op.settings]
    params += [_count(name, default) for name, default in op.counts.items()]
    return LayerSpec(
        kind=kind,
        target=op.target,
        form="function",
        category=op.category,
        inputs=tuple(_port(op, p, helps) for p in inputs),
        outputs=_outputs(op),
        params=tuple(params),
        summary=op.summary or docstrings.summary(doc),
        doc=doc,
        aliases=op.aliases,
        symbol=op.symbol,
        source=composed.source_of(function) if function.__module__ == _COMPOSED else "",
    )


def _doc(op: Operation, function: Callable[..., Any]) -> str:
    doc = docstrings.clean(_resolve(op.doc_of).__doc__ if op.doc_of else op.doc or function.__doc__)
    alias = re.match(r"Alias for :func:`~?([\w.]+)`", doc)
    return docstrings.clean(_resolve(alias[1]).__doc__) if alias else doc


def _resolve(target: str) -> Callable[..., Any]:
    first, *names = target.split(".")
    try:
        return functools.reduce(getattr, names, importlib.import_module(first))  # type: ignore[arg-type, return-value]
    except AttributeError:
        raise SpecError(f"{target} does not exist in torch {torch.__version__}") from None


# --- signatures ----------------------------------------------------------------------------------------


def _signature(op: Operation, kind: str, function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The arguments by name, of the overload that has all that the operation names."""
    named = {*op.inputs, *op.settings}
    closest: Collection[str] = ()
    for candidate in _overloads(function):
        if named <= candidate.keys() and all(_as_named(op, candidate[name]) for name in named):
            return candidate
        closest = closest or candidate.keys()
    missing = sorted(named - set(closest)) or sorted(named)
    raise SpecError(f"{kind}: {op.target} has no argument {', '.join(missing)} in torch {torch.__version__}")


def _as_named(op: Operation, p: inspect.Parameter) -> bool:
    """Whether an argument is a tensor where the operation has an input, and none where it has a setting."""
    return p.annotation is _EMPTY or is_tensor(p.annotation) == (p.name in op.inputs)


def _overloads(function: Callable[..., Any]) -> Iterator[dict[str, inspect.Parameter]]:
    if inspect.isfunction(function):
        yield dict(inspect.signature(function, eval_str=True).parameters)
        return
    # The functions are named after their place: torch.fft.rfft is fft_rfft.
    for schema in torch._C._jit_get_schemas_for_operator(f"aten::{function.__name__}"):
        if schema.arguments and str(schema.arguments[0].type) in _TYPES:
            yield dict(map(_argument, schema.arguments))


_TYPES: dict[str, Any] = {
    "Tensor": torch.Tensor,
    "List[Tensor]": list[torch.Tensor],
    "Optional[Tensor]": torch.Tensor | None,
    "number": float,
    "Optional[number]": float | None,
    "float": float,
    "Optional[float]": float | None,
    "int": int,
    "Optional[int]": int | None,
    "List[int]": list[int],
    "Optional[List[int]]": list[int] | None,
    "bool": bool,
    "Optional[bool]": bool | None,
    "str": str,
    "Optional[str]": str | None,
}
"""Python's types for those of PyTorch's schemas; other ones are of no use to an operation."""


def _argument(argument: Any) -> tuple[str, inspect.Parameter]:
    name = "input" if argument.name == "self" else argument.name
    default = argument.default_value if argument.has_default_value() else _EMPTY
    annotation = _TYPES.get(str(argument.type), _EMPTY)
    return name, inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


# --- ports and parameters --------------------------------------------------------------------------------


def _required_tensor(p: inspect.Parameter) -> bool:
    return p.default is _EMPTY and is_tensor(p.annotation)


def _port(op: Operation, p: inspect.Parameter, helps: dict[str, str]) -> PortSpec:
    variadic = typing.get_origin(p.annotation) is list
    return PortSpec(
        p.name,
        optional=p.default is not _EMPTY,
        variadic=variadic,
        dtypes=op.dtypes.get(p.name, ()),
        when=(p.name, None) if p.name in op.numbers else None,
        doc=helps.get(p.name, ""),
    )


def _outputs(op: Operation) -> tuple[PortSpec, ...]:
    if op.repeat:
        return (PortSpec("output", repeat=op.repeat),)
    if op.outputs:
        return tuple(PortSpec(name, path=(place,)) for place, name in enumerate(op.outputs))
    return (PortSpec("output"),)


def _param(op: Operation, p: inspect.Parameter, helps: dict[str, str]) -> ParamSpec:
    given = op.settings[p.name]
    required = p.default is _EMPTY or p.name in op.must
    torch_default = None if required else _literal(p.default)
    type_, nullable, length, words = type_of(p, torch_default)
    choices = op.choices.get(p.name, words)
    if p.name == "dtype":
        choices = DTYPES
    spec = ParamSpec(
        p.name,
        "choice" if choices else type_,
        default=torch_default if given is TORCH else given,
        torch_default=torch_default,
        required=required,
        nullable=nullable or p.name in op.numbers,
        choices=choices,
        length=length,
        doc=helps.get(p.name, ""),
    )
    changed = replace(spec, type=op.types.get(p.name, spec.type))
    if given is not TORCH and (complaint := changed.check(given)) and given is not None:
        raise SpecError(f"{op.target}: {complaint}")
    return changed


def _number(name: str, op: Operation, helps: dict[str, str]) -> ParamSpec:
    said = helps.get(name, "")
    doc = f"A number, if nothing is to be wired to {name}." + (f" {said}" if said else "")
    return ParamSpec(name, "float", nullable=True, doc=doc)


def _count(name: str, default: int) -> ParamSpec:
    return ParamSpec(
        name, "int", default, default, minimum=1, ports_only=True, doc="How many parts there are, each with an output."
    )


def _literal(value: Any) -> Value:
    try:
        return freeze(value)
    except TypeError:
        return None
