"""Declarations of layers as plain data: ports, parameters, and the registry that holds them.

This module imports nothing but the standard library, so that the canvas, the file format and the
command line can speak about layers before (or without) torch being imported. A declaration is pure
data; the callable behind it is named by ``target`` and looked up by the compiler.
"""

from __future__ import annotations

import difflib
import keyword
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Union

from deepgui.catalog.expr import Expr

Value = Union[None, bool, int, float, str, Expr, tuple["Value", ...]]
"""What a parameter can hold: JSON's scalars, tuples of them, and expressions of a block's parameters.

Tuples, never lists: values are frozen."""

ParamType = Literal["int", "float", "bool", "str", "choice", "ints", "floats", "index", "literal"]
Form = Literal["module", "function", "block", "input", "output", "parameter", "constant"]


_MOST_PORTS = 256


class SpecError(ValueError):
    """A declaration that contradicts itself or the signature it declares."""


@dataclass(frozen=True, slots=True)
class Infer:
    """Where a parameter's value is read when the user leaves it out: a dimension of an incoming wire.

    ``Infer("input", 1)`` reads the channels of ``N C H W``; ``Infer("input", -1)`` the last dimension.
    """

    port: str
    dim: int


@dataclass(frozen=True, slots=True)
class PortSpec:
    """A named end of a layer.

    Attributes:
        name: the name of the argument of ``forward`` (inputs) or of the returned value (outputs).
        optional: may stay unconnected.
        variadic: takes any number of wires, in order (``torch.cat``).
        fallback: the input used when this one is unconnected (``key`` of attention falls back to ``query``).
        layouts: accepted layouts with the batch first, e.g. ``("N C H W",)``; ``*`` stands for any
            number of dimensions; empty means anything goes.
        dtypes: accepted element types; empty means anything goes.
        argument: the argument of ``forward`` that this input fills, if it is called otherwise; inputs that
            share one are passed as a tuple (``h_0`` and ``c_0`` of an LSTM are both in ``hx``).
        path: where an output sits in a nested result, e.g. ``(1, 0)`` for ``h_n`` of ``output, (h_n, c_n)``.
        when: the port exists only if this parameter has this value, e.g. ``("return_indices", True)``.
        repeat: an output of which there are several, called ``output_0``, ``output_1``, ...: as many as the first of
            these parameters that is a tuple has elements, else as many as the last one says.
        free: a dimension of an output whose size depends on the data, and what it counts, e.g. ``(0, "N")``, nodes; it
            is another size than that of what comes in, and in each use of the layer one of its own.
        doc: one sentence for the tooltip.
    """

    name: str
    optional: bool = False
    variadic: bool = False
    fallback: str = ""
    layouts: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    argument: str = ""
    path: tuple[int, ...] = ()
    when: tuple[str, Value] | None = None
    repeat: tuple[str, ...] = ()
    free: tuple[int, str] | None = None
    doc: str = ""


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """A constructor argument (module) or a non-tensor argument (function).

    Attributes:
        type: selects the editor and the check. ``ints`` is an int or a tuple of ints; ``index`` is what stands
            between the brackets of ``x[:, 0]``.
        default: the value in force if the user sets none. A required parameter has to be set; its default
            is only what the palette proposes (:meth:`LayerSpec.starters`).
        torch_default: what PyTorch would use; the source is silent about values equal to it.
        required: has no default in PyTorch.
        nullable: accepts ``None``.
        infer: where the value comes from if the user gives none.
        minimum: smallest number accepted (also for every element of ``ints``).
        length: number of elements a tuple must have; 0 means any.
        choices: the words accepted; for ``ints`` also beside the numbers (``padding="same"``).
        call: an argument of ``forward`` rather than of the constructor (``need_weights``).
        ports_only: says how many ports there are and is not passed on.
        tensor: numbers that are passed as a tensor (class weights).
        empty: accepts an empty tuple.
    """

    name: str
    type: ParamType
    default: Value = None
    torch_default: Value = None
    required: bool = False
    nullable: bool = False
    choices: tuple[str, ...] = ()
    infer: Infer | None = None
    minimum: float | None = None
    length: int = 0
    call: bool = False
    ports_only: bool = False
    tensor: bool = False
    empty: bool = False
    doc: str = ""

    def check(self, value: Value) -> str | None:
        """Return what is wrong with ``value`` in one sentence, or None if it is accepted."""
        if value is None:
            return None if self.nullable or self.infer else f"{self.name} needs a value"
        if isinstance(value, Expr):
            return f"{self.name}: the expression {value.text} has no value here"
        if not self.required and value == self.torch_default and type(value) is type(self.torch_default):
            return None  # whatever PyTorch itself puts there
        complaint = _TYPE_CHECKS[self.type](self, value)
        if complaint:
            return complaint
        numbers = value if isinstance(value, tuple) else (value,)
        if any(isinstance(n, int) and abs(n) > _LARGEST for n in numbers):
            return f"{self.name} is too large: PyTorch counts up to {_LARGEST:,}"
        if self.minimum is not None and any(isinstance(n, (int, float)) and n < self.minimum for n in numbers):
            return f"{self.name} must be at least {self.minimum:g}, not {show(value)}"
        return None


_LARGEST = 2**63 - 1


def show(value: Value) -> str:
    """A value as a person would type it (Python literal; an expression with its ``=``)."""
    return str(value) if isinstance(value, Expr) else repr(value)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_int(p: ParamSpec, value: Value) -> str | None:
    return None if _is_int(value) else f"{p.name} must be a whole number, not {show(value)}"


def _check_float(p: ParamSpec, value: Value) -> str | None:
    ok = _is_int(value) or (isinstance(value, float) and value == value)
    return None if ok else f"{p.name} must be a number, not {show(value)}"


def _check_bool(p: ParamSpec, value: Value) -> str | None:
    return None if isinstance(value, bool) else f"{p.name} must be true or false, not {show(value)}"


def _check_str(p: ParamSpec, value: Value) -> str | None:
    return None if isinstance(value, str) else f"{p.name} must be text, not {show(value)}"


def _check_choice(p: ParamSpec, value: Value) -> str | None:
    if value in p.choices:
        return None
    return f"{p.name} must be one of {', '.join(p.choices)}, not {show(value)}"


def _check_numbers(p: ParamSpec, value: Value, kind: str) -> str | None:
    test = _is_int if kind == "whole numbers" else lambda v: isinstance(v, (int, float)) and not isinstance(v, bool)
    if p.choices and isinstance(value, str):
        return None if value in p.choices else f"{p.name} must be {kind} or {' or '.join(p.choices)}, not {show(value)}"
    items = value if isinstance(value, tuple) else (value,)
    if not items and p.empty:
        return None
    if not items or not all(test(item) or (item is None and p.nullable) for item in items):
        return f"{p.name} must be {kind}, not {show(value)}"
    if p.length and isinstance(value, tuple) and len(value) not in (1, p.length):
        return f"{p.name} must have {p.length} elements, not {len(value)}"
    return None


_TYPE_CHECKS: dict[str, Callable[[ParamSpec, Value], str | None]] = {
    "int": _check_int,
    "float": _check_float,
    "bool": _check_bool,
    "str": _check_str,
    "choice": _check_choice,
    "ints": lambda p, v: _check_numbers(p, v, "whole numbers"),
    "floats": lambda p, v: _check_numbers(p, v, "numbers"),
    "index": lambda p, v: _check_index(p, v),
    "literal": lambda p, v: None,
}

Index = Union[int, slice, None, "types.EllipsisType"]
_SLICE = re.compile(r"(-?\d+)?:(-?\d+)?(?::(\d+)?)?")


def parse_index(text: str) -> tuple[Index, ...]:
    """What stands between the brackets of ``x[:, 0]``, ``x[..., :-1]`` or ``x[:, None]``.

    Raises:
        ValueError: with a reason, for anything but whole numbers, slices, ``...`` and ``None``.
    """
    found: list[Index] = []
    for part in text.split(","):
        word = part.replace(" ", "")
        match = _SLICE.fullmatch(word)
        if match:
            found.append(slice(*(int(number) if number else None for number in match.groups())))
        elif word in ("...", "None"):
            found.append(... if word == "..." else None)
        elif re.fullmatch(r"-?\d+", word):
            found.append(int(word))
        else:
            raise ValueError(f"“{part.strip()}” is no whole number, slice, ... or None")
    if found.count(...) > 1:
        raise ValueError("... may stand there once only")
    return tuple(found)


def _check_index(p: ParamSpec, value: Value) -> str | None:
    if not isinstance(value, str):
        return f"{p.name} must be text such as “:, 0”, not {show(value)}"
    try:
        indices = parse_index(value)
    except ValueError as error:
        return f"{p.name} must be like “:, 0” or “..., :-1”, but {error}"
    if any(isinstance(i, slice) and i.step == 0 for i in indices):
        return f"{p.name}: the step of a slice must be at least 1"
    return None


@dataclass(frozen=True)
class LayerSpec:
    """Everything DeepGUI knows about one kind of layer.

    Attributes:
        kind: stable id with PyTorch's name (``Conv2d``, ``add``).
        target: qualified name of the class or function (``torch.nn.Conv2d``, ``torch.cat``).
        form: ``module`` is constructed once and called; ``function`` is called with tensors and parameters;
            ``block`` is a drawing of its own (:mod:`deepgui.graph.blocks`); ``parameter`` and ``constant`` are tensors
            that the module holds.
        category: heading in the palette (``Convolution``).
        summary: one sentence; doc: the full help text (reStructuredText of the docstring).
        aliases: other words people search for.
        symbol: infix operator used in source (``+``), if any.
        source: how the call (of a module: the constructor) is written, as a Python expression over the names of inputs
            and parameters, where it is not a plain call of ``target`` (``input[index]``).
        is_loss: a loss function: offered to objectives, and placeable.
    """

    kind: str
    target: str
    form: Form
    category: str
    inputs: tuple[PortSpec, ...] = ()
    outputs: tuple[PortSpec, ...] = (PortSpec("output"),)
    params: tuple[ParamSpec, ...] = ()
    summary: str = ""
    doc: str = ""
    aliases: tuple[str, ...] = ()
    symbol: str = ""
    source: str = ""
    is_loss: bool = False
    _by_name: dict[str, ParamSpec] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.kind.isidentifier() or keyword.iskeyword(self.kind):
            raise SpecError(f"layer kind {self.kind!r} is not a valid name")
        self._refuse_doubles("input", [p.name for p in self.inputs])
        self._refuse_doubles("output", [(p.name, p.when) for p in self.outputs])
        self._refuse_doubles("parameter", [p.name for p in self.params])
        inputs = {p.name for p in self.inputs}
        for param in self.params:
            if param.infer and param.infer.port not in inputs:
                raise SpecError(f"{self.kind}: {param.name} is inferred from {param.infer.port!r}, which is no input")
        self._by_name.update({p.name: p for p in self.params})

    def _refuse_doubles(self, what: str, names: list[Any]) -> None:
        for name in names:
            if names.count(name) > 1:
                raise SpecError(f"{self.kind}: {what} {name!r} is declared twice")

    def param(self, name: str) -> ParamSpec:
        """The declaration of a parameter. Raises KeyError if there is none of that name."""
        return self._by_name[name]

    def has_param(self, name: str) -> bool:
        return name in self._by_name

    def value(self, params: Mapping[str, Value], name: str) -> Value:
        """The value in force: the node's own, else the default."""
        if name in params:
            return params[name]
        param = self._by_name[name]
        return None if param.required else param.default

    def starters(self) -> dict[str, Value]:
        """Parameters that a node placed from the palette starts with, so that it works at once."""
        return {p.name: p.default for p in self.params if p.required and not p.infer and p.default is not None}

    def active_inputs(self, params: Mapping[str, Value]) -> tuple[PortSpec, ...]:
        """The inputs that exist under these parameters, in order."""
        return tuple(p for p in self.inputs if self._active(p, params))

    def active_outputs(self, params: Mapping[str, Value]) -> tuple[PortSpec, ...]:
        """The outputs that exist under these parameters, in order."""
        return tuple(q for p in self.outputs if self._active(p, params) for q in self._repeated(p, params))

    def _repeated(self, port: PortSpec, params: Mapping[str, Value]) -> tuple[PortSpec, ...]:
        if not port.repeat:
            return (port,)
        said = [self.value(params, name) for name in port.repeat]
        last = said[-1] if isinstance(said[-1], int) else 1
        count = next((len(v) for v in said if isinstance(v, tuple)), last)
        return tuple(
            replace(port, name=f"{port.name}_{i}", path=(*port.path, i)) for i in range(min(max(count, 1), _MOST_PORTS))
        )

    def _active(self, port: PortSpec, params: Mapping[str, Value]) -> bool:
        return port.when is None or self.value(params, port.when[0]) == port.when[1]


class Registry(Mapping[str, LayerSpec]):
    """The layer kinds that can be placed, by kind."""

    def __init__(self, specs: Iterable[LayerSpec] = ()) -> None:
        self._specs: dict[str, LayerSpec] = {}
        for spec in specs:
            self.register(spec)

    def register(self, spec: LayerSpec) -> LayerSpec:
        """Add a kind. Raises :class:`SpecError` if the kind is taken by another declaration."""
        taken = self._specs.get(spec.kind)
        if taken is not None and taken != spec:
            raise SpecError(f"layer kind {spec.kind!r} is declared twice ({taken.target} and {spec.target})")
        self._specs[spec.kind] = spec
        return spec

    def __getitem__(self, kind: str) -> LayerSpec:
        return self._specs[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._specs)

    def __len__(self) -> int:
        return len(self._specs)

    def suggest(self, kind: str) -> str:
        """The nearest known kind to a misspelt one, or an empty string."""
        folded = {k.lower(): k for k in self._specs}
        near = difflib.get_close_matches(kind.lower(), folded, n=1, cutoff=0.6)
        return folded[near[0]] if near else ""


def freeze(value: Any) -> Value:
    """Turn lists into tuples, recursively. Raises TypeError for what a parameter cannot hold."""
    if value is None or isinstance(value, (bool, int, float, str, Expr)):
        return value
    if isinstance(value, (list, tuple)):
        return tuple(freeze(v) for v in value)
    raise TypeError(f"a parameter cannot hold {type(value).__name__}")
