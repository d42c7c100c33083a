"""How a layer is called: which arguments of ``forward`` (or of a function) its wires and settings fill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import torch

from deepgui.catalog.spec import LayerSpec, ParamSpec, PortSpec, Value, parse_index

T = TypeVar("T")


def arguments(
    spec: LayerSpec, params: Mapping[str, Value], feeds: Mapping[str, Sequence[T]]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional arguments as long as no input is skipped, keywords from there on; settings by keyword.

    ``feeds`` has what arrives at each connected input: one value, or several at a variadic one.
    """
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    skipped = False
    active = spec.active_inputs(params)
    for argument, ports in _by_argument(spec.inputs).items():
        given = [feeds[p.name] for p in ports if p.name in feeds and p in active]
        if len(given) < len(ports):
            skipped = True
            continue
        value: Any = list(given[0]) if ports[0].variadic else given[0][0]
        if len(ports) > 1:
            value = tuple(g[0] for g in given)
        if skipped:
            kwargs[argument] = value
        else:
            args.append(value)
    settings = {name: _passed(spec.param(name), value) for name, value in call_settings(spec, params).items()}
    return tuple(args), {**kwargs, **settings}


def call_settings(spec: LayerSpec, params: Mapping[str, Value]) -> dict[str, Value]:
    """Settings passed with the call: all of a function's, and those of a module's ``forward``.

    A number that stands in for a tensor (``other`` of ``add``) is passed only if it is set.
    """
    found: dict[str, Value] = {}
    wired = {port.name for port in spec.active_inputs(params)}
    for param in spec.params:
        if (spec.form == "function" or param.call) and not param.ports_only and param.name not in wired:
            value = spec.value(params, param.name)
            if param.name in params or value != param.torch_default:
                found[param.name] = value
    return found


def _passed(param: ParamSpec, value: Value) -> Any:
    """What PyTorch is given for a value."""
    if param.type == "index" and isinstance(value, str):
        return parse_index(value)
    if param.name == "dtype" and isinstance(value, str):
        return getattr(torch, value)
    return value


def init_settings(spec: LayerSpec, params: Mapping[str, Value], inferred: Mapping[str, Value]) -> dict[str, Value]:
    """Keyword arguments for a module's constructor: what has to be said and what differs from PyTorch's default."""
    found: dict[str, Value] = {}
    for param in spec.params:
        if param.call:
            continue
        value = inferred[param.name] if param.name in inferred else spec.value(params, param.name)
        if param.required or value != param.torch_default or type(value) is not type(param.torch_default):
            found[param.name] = value
    return found


def constructor_arguments(
    spec: LayerSpec, params: Mapping[str, Value], inferred: Mapping[str, Value]
) -> dict[str, Any]:
    """:func:`init_settings` as the constructor takes them: numbers that make a tensor (class weights) are one."""
    settings = init_settings(spec, params, inferred)
    return {
        name: torch.tensor(value) if spec.param(name).tensor and value is not None else value
        for name, value in settings.items()
    }


def _by_argument(ports: tuple[PortSpec, ...]) -> dict[str, list[PortSpec]]:
    grouped: dict[str, list[PortSpec]] = {}
    for port in ports:
        grouped.setdefault(port.argument or port.name, []).append(port)
    return grouped
