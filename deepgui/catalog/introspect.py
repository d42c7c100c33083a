"""A layer's declaration, read from the class itself.

Ports come from the signature of ``forward``, parameters from the signature of ``__init__``, help from
the docstring; :mod:`deepgui.catalog.corrections` adds what those do not say. Every correction is
checked against the real signature, so that a new torch version fails loudly instead of drifting.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Literal, cast

import torch
from torch import nn

from deepgui.catalog import composed, docstrings
from deepgui.catalog import corrections as fix
from deepgui.catalog.spec import Infer, LayerSpec, ParamSpec, ParamType, PortSpec, SpecError, Value, freeze

_EMPTY = inspect.Parameter.empty

_FACTORIES: dict[str, Callable[..., nn.Module]] = {
    "TransformerEncoder": composed.TransformerEncoder,
    "TransformerDecoder": composed.TransformerDecoder,
}
"""Layers that take a layer, and what makes both from plain settings."""


def layer_names() -> tuple[str, ...]:
    """The names in torch.nn that are layers or losses to place, in PyTorch's own order of modules."""
    found = []
    for name in nn.modules.__all__:
        cls = getattr(nn, name, None)
        if not (inspect.isclass(cls) and issubclass(cls, nn.Module)) or name in fix.LEFT_OUT:
            continue
        if issubclass(cls, nn.modules.lazy.LazyModuleMixin):
            continue
        found.append(name)
    return tuple(found)


def module_spec(cls: type[nn.Module], target: str = "", category: str = "") -> LayerSpec:
    """Declare a module class.

    Args:
        cls: the class; its ``forward`` gives the inputs, its ``__init__`` the parameters.
        target: qualified name under which generated source imports it; torch.nn's by default.
        category: palette heading; by default by the module of torch.nn it lives in.

    Raises:
        SpecError: if a correction names an argument that the class does not have.
    """
    kind = cls.__name__
    doc = docstrings.clean(cls.__doc__) or fix.DOCS.get(kind, "")
    helps = docstrings.arguments(doc)
    forward = _parameters(cls.forward)
    inputs = _inputs(kind, cls, forward)
    factory = _FACTORIES.get(kind) if not target else None
    if factory:
        helps = {**docstrings.arguments(docstrings.clean(getattr(nn, f"{kind}Layer").__doc__)), **helps}
    params = [*_init_params(kind, factory or cls, inputs, helps), *_call_params(kind, forward, helps)]
    home = cls.__module__.rsplit(".", 1)[-1]
    spec = LayerSpec(
        kind=kind,
        target=target or (f"{factory.__module__}.{kind}" if factory else f"torch.nn.{kind}"),
        form="module",
        category=category or fix.CATEGORY_OF.get(kind) or fix.CATEGORIES.get(home, "Other"),
        inputs=inputs,
        outputs=_outputs(kind, params),
        params=tuple(params),
        summary=docstrings.summary(doc),
        doc=doc,
        aliases=fix.ALIASES.get(kind, ()),
        source=composed.source_of(factory) if factory else "",
        is_loss=home == "loss",
    )
    _check_corrections(spec, {p.name for p in forward} | _names(params))
    return spec


def spectral_conv() -> LayerSpec:
    """Declare a Conv2d whose weight is divided by its largest singular value: a layer and a parametrisation of it."""
    conv = module_spec(nn.Conv2d)
    iterations = ParamSpec(
        "n_power_iterations", "int", 1, 1, minimum=1, doc="How often the estimate is refined at every step."
    )
    kind = composed.SpectralNormConv2d.__name__
    return replace(
        conv,
        kind=kind,
        target=f"{composed.__name__}.{kind}",
        params=(*conv.params, iterations),
        summary="A Conv2d whose weight is divided by its largest singular value, so that it stretches nothing.",
        doc=docstrings.clean(nn.utils.parametrizations.spectral_norm.__doc__),
        aliases=("spectral normalisation", "lipschitz", "discriminator"),
        source=composed.source_of(composed.SpectralNormConv2d),
        _by_name={},
    )


def _names(params: Iterable[ParamSpec]) -> set[str]:
    return {p.name for p in params}


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Named parameters without ``self``; annotations resolved where they can be."""
    try:
        signature = inspect.signature(function, eval_str=True)
    except (NameError, TypeError):
        signature = inspect.signature(function)
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p for p in signature.parameters.values() if p.name != "self" and p.kind not in variable]


def _init_parameters(maker: Callable[..., nn.Module]) -> list[inspect.Parameter]:
    """``__init__``'s parameters; those of the longest-winded overload where ``__init__`` says only ``*args``."""
    init = cast("Callable[..., Any]", maker.__init__) if inspect.isclass(maker) else maker  # type: ignore[misc]
    overloads = typing.get_overloads(init)
    if overloads:
        candidates = [_parameters(o) for o in overloads]
        return max(candidates, key=lambda ps: sum(p.default is not _EMPTY for p in ps))
    return _parameters(init)


def is_tensor(annotation: Any) -> bool:
    """Whether an argument takes a tensor, or several, or perhaps one."""
    return annotation is torch.Tensor or torch.Tensor in typing.get_args(annotation)


def _inputs(kind: str, cls: type[nn.Module], forward: list[inspect.Parameter]) -> tuple[PortSpec, ...]:
    ports: list[PortSpec] = []
    for p in forward:
        if (kind, p.name) in fix.PORTS:
            ports += fix.PORTS[kind, p.name]
        elif p.name in fix.HIDDEN_INPUTS or _is_plain(p):
            continue
        else:
            layouts = () if ports else _layouts(kind, cls)
            ports.append(PortSpec(p.name, optional=p.default is not _EMPTY, layouts=layouts))
    return tuple(ports)


def _is_plain(p: inspect.Parameter) -> bool:
    """Whether an argument of ``forward`` is a setting (``need_weights``) rather than a tensor."""
    return (
        p.annotation in (bool, int, float, str)
        or isinstance(p.default, (bool, int, float, str))
        or (p.annotation is not _EMPTY and bool in typing.get_args(p.annotation) and not is_tensor(p.annotation))
    )


def _layouts(kind: str, cls: type[nn.Module]) -> tuple[str, ...]:
    home = cls.__module__.rsplit(".", 1)[-1]
    suffix = re.search(r"([123]d)$", kind)
    if home in fix.SPATIAL_MODULES and suffix:
        return (f"N C {fix.SPATIAL[suffix[1]]}",)
    return ()


def _outputs(kind: str, params: list[ParamSpec]) -> tuple[PortSpec, ...]:
    if kind in fix.OUTPUTS:
        return fix.OUTPUTS[kind]
    if any(p.name == "return_indices" for p in params):
        return fix.WITH_INDICES
    return (PortSpec("output"),)


def _init_params(
    kind: str, maker: Callable[..., nn.Module], inputs: tuple[PortSpec, ...], helps: dict[str, str]
) -> list[ParamSpec]:
    found = []
    for p in _init_parameters(maker):
        if p.name in fix.HIDDEN or p.name.startswith("_"):
            continue
        if is_tensor(p.annotation) and p.name in fix.TENSORS:
            found.append(ParamSpec(p.name, "floats", nullable=True, tensor=True, doc=helps.get(p.name, "")))
            continue
        if is_tensor(p.annotation):
            continue
        found.append(_param(kind, p, inputs[0].name if inputs else "", helps))
    return found


def _call_params(kind: str, forward: list[inspect.Parameter], helps: dict[str, str]) -> list[ParamSpec]:
    """Settings among the arguments of ``forward``."""
    taken = {port.name for ports in fix.PORTS.values() for port in ports}
    plain = [p for p in forward if _is_plain(p) and p.name not in taken and p.name not in fix.HIDDEN]
    return [_param(kind, p, "", helps, call=True) for p in plain]


def _param(kind: str, p: inspect.Parameter, port: str, helps: dict[str, str], *, call: bool = False) -> ParamSpec:
    required = p.default is _EMPTY
    torch_default = None if required or callable(p.default) else _literal(p.default)
    choices = fix.CHOICES.get((kind, p.name)) or fix.CHOICES.get(("*", p.name), ())
    type_, nullable, length, words = type_of(p, torch_default)
    if choices and type_ != "ints":
        type_ = "choice"
    infer = fix.INFERRED_FROM.get((kind, p.name))
    if infer is None and required and port and p.name in fix.INFERRED:
        infer = Infer(port, fix.INFERRED[p.name])
    return ParamSpec(
        name=p.name,
        type=type_,
        default=_starter(kind, p.name) if required else fix.DEFAULTS.get((kind, p.name), torch_default),
        torch_default=torch_default,
        required=required,
        nullable=nullable or (not required and torch_default is None and (kind, p.name) not in fix.DEFAULTS),
        choices=choices or words,
        infer=infer,
        minimum=fix.MINIMUM.get(p.name),
        length=length,
        call=call,
        doc=helps.get(p.name, ""),
    )


def _starter(kind: str, name: str) -> Value:
    return fix.STARTERS_OF.get((kind, name), fix.STARTERS.get(name))


def _literal(value: Any) -> Value:
    try:
        return freeze(value)
    except TypeError:
        return None


def type_of(p: inspect.Parameter, default: Value) -> tuple[ParamType, bool, int, tuple[str, ...]]:
    """The editor type, whether None is accepted, the length of tuples, and the accepted words."""
    if p.name in fix.TYPES and (p.annotation not in (int, float)):
        return cast("ParamType", fix.TYPES[p.name]), default is None and p.default is not _EMPTY, 0, ()
    annotation = p.annotation
    if typing.get_origin(annotation) is Literal:
        return "choice", False, 0, typing.get_args(annotation)
    union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    members = typing.get_args(annotation) if union else (annotation,)
    nullable = type(None) in members
    for member in members:
        if typing.get_origin(member) in (tuple, list) or member is torch.Size:
            return _sequence(member, members, nullable)
    for scalar, name in ((bool, "bool"), (int, "int"), (float, "float"), (str, "str")):
        if scalar in members:
            return cast("ParamType", name), nullable, 0, ()
    for scalar, name in ((bool, "bool"), (int, "int"), (float, "float"), (str, "str")):
        if type(default) is scalar:
            return cast("ParamType", name), nullable, 0, ()
    return "literal", True, 0, ()


def _sequence(member: Any, members: tuple[Any, ...], nullable: bool) -> tuple[ParamType, bool, int, tuple[str, ...]]:
    elements = typing.get_args(member)
    numbers: ParamType = "floats" if float in elements else "ints"
    inner_none = any(type(None) in typing.get_args(e) for e in elements)
    length = 0 if Ellipsis in elements or typing.get_origin(member) is not tuple else len(elements)
    return numbers, nullable or inner_none, length, ()


def _check_corrections(spec: LayerSpec, known: set[str]) -> None:
    """Every correction must speak about something that the class has."""
    named = [
        name for table in (fix.DEFAULTS, fix.CHOICES, fix.INFERRED_FROM) for kind, name in table if kind == spec.kind
    ]
    named += [name for kind, name in fix.PORTS if kind == spec.kind]
    for name in named:
        if name not in known:
            raise SpecError(
                f"{spec.kind}: a correction names {name}, which is no argument of it in torch {torch.__version__}"
            )
