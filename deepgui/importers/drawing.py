"""From a recorded graph to a drawing, call by call. What cannot be expressed is noted, and the rest goes on."""

from __future__ import annotations

import inspect
import operator
import re
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from torch import fx, nn

from deepgui.catalog.spec import LayerSpec, PortSpec, Registry
from deepgui.graph.shapes import Dim, TensorType
from deepgui.importers import arithmetic, shaping, weighted
from deepgui.importers.classes_as_code import constructor
from deepgui.importers.context import Context
from deepgui.importers.draft import Draft, Wired, name_from
from deepgui.importers.functions import TABLE, by_table, nested, plain
from deepgui.importers.handlers import HANDLERS
from deepgui.importers.layers import Layers
from deepgui.importers.recording import Recording, name_of
from deepgui.importers.report import Inexpressible, Note
from deepgui.importers.values import Fixed, Operand
from deepgui.importers.ways import Ways

_FILLED_BY = (arithmetic, shaping, weighted)
"""Importing them registers what they place."""

_SPOKEN_OTHERWISE = {"self": "input", "keepdims": "keepdim", "axis": "dim"}
"""Arguments that torch also takes under NumPy's names."""

_SPOKEN = re.compile(r"^__i?(.+?)__$")


def draw(
    recording: Recording, module: nn.Module, layers: Layers, registry: Registry, name: str, ways: Ways | None = None
) -> tuple[Draft, list[Note]]:
    """Place everything that leads to the outputs of a recording.

    Args:
        ways: given if what has no place in a drawing may be a layer in Python.

    Returns:
        The draft, and what there is to say about it; a note of severity ``error`` for each call that has no place
        in a drawing, in which case the draft lacks it.
    """
    work = _Drawing(module, layers, Draft(registry, name), ways)
    needed = _needed(recording.graph)
    for node in recording.graph.nodes:
        if node.op == "placeholder":
            work.input(node)
        elif node.op == "output":
            work.outputs(node, recording.outputs)
        elif node in needed:
            work.call(node)
    return work.draft, work.notes


def _needed(graph: fx.Graph) -> set[fx.Node]:
    """The nodes that lead to what is returned, through calls that depend on the inputs."""
    found: set[fx.Node] = set()
    waiting = [n for n in graph.nodes if n.op == "output"]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += node.all_input_nodes if node.op == "output" or node.meta["live"] else []
    return found


class _Drawing:
    def __init__(self, module: nn.Module, layers: Layers, draft: Draft, ways: Ways | None) -> None:
        self._module = module
        self._ways = ways
        self._layers = layers
        self.draft = draft
        self.notes: list[Note] = []
        self._values: dict[fx.Node, Any] = {}
        self._constants: dict[Any, Wired] = {}
        self._first_use: dict[int, str] = {}

    def input(self, node: fx.Node) -> None:
        """An Input; its first dimension must be the batch."""
        type_: TensorType = node.meta["type"]
        if not type_.batch_first:
            self._refuse(node, "Input", "its first dimension is not the batch's")
            self._values[node] = Wired("", "output", type_)
        else:
            self._values[node] = self.draft.input(str(node.target), type_)

    def outputs(self, node: fx.Node, names: tuple[str, ...]) -> None:
        """One Output for each tensor that is returned."""
        for value, name in zip(node.args[0], names, strict=True):  # type: ignore[arg-type]
            context = self._context(node, ())
            try:
                found = context.wire(self._value(value), full=True)
                self.draft.output(found, name_from(name))
            except Inexpressible as reason:
                self._refuse(node, "Output", str(reason))

    def call(self, node: fx.Node) -> None:
        """One call: a layer, a function, or a part of what an earlier one returned."""
        if not node.meta["live"]:
            if "value" in node.meta:
                self._values[node] = _fixed(node)
            return
        if node.meta.get("part"):
            self._values[node] = self._part(node)
            return
        before = self.draft.mark()
        try:
            context = self._context(node, _types(node))
            result = self._layer(node, context) if node.op == "call_module" else _function(node, context, self._value)
            self._values[node] = _checked(result, node)
        except Inexpressible as reason:
            self.draft.back_to(before)
            self._values[node] = self._otherwise(node, str(reason))
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            self.draft.back_to(before)
            self._values[node] = self._otherwise(node, f"it is called in a way that is not understood ({error})")

    def _otherwise(self, node: fx.Node, reason: str) -> Any:
        """What a call returns that has no place in a drawing: of a layer in Python, if that may be."""
        before = self.draft.mark()
        if self._ways is not None:
            try:
                result = self._ways.call(node, self._context(node, _types(node)), self._value, self._constructor(node))
                result = _checked(result, node)
            except Inexpressible as why:
                self.draft.back_to(before)
                reason = f"{reason}, and as code {why}"
            else:
                self.notes.append(Note("code", self._name(node), str(node.meta.get("path", "")), reason))
                return result
        self._refuse(node, self._name(node), reason)
        return self._stand_in(node)

    def _constructor(self, node: fx.Node) -> tuple[str, nn.Module] | None:
        """How the layer that is called is made, and the layer; None for a function."""
        if node.op != "call_module":
            return None
        module = self._module.get_submodule(str(node.target))
        known = self._layers(module)
        if known is None or id(module) in self._first_use:
            raise Inexpressible("the layer is used elsewhere, too")
        self._first_use[id(module)] = ""
        return constructor(*known), module

    def _name(self, node: fx.Node) -> str:
        if node.op == "call_module":
            return type(self._module.get_submodule(str(node.target))).__name__
        return name_of(node.target)  # type: ignore[arg-type]

    def _refuse(self, node: fx.Node, operation: str, reason: str) -> None:
        found = Note("error", operation, str(node.meta.get("path", "")), reason)
        if found not in self.notes:
            self.notes.append(found)

    def _stand_in(self, node: fx.Node) -> Any:
        """What a call returns that could not be placed: ends without a node, so that all else is still looked at."""
        if "type" in node.meta:
            return Wired("", "output", node.meta["type"])
        return {}

    def _part(self, node: fx.Node) -> Any:
        whole, step = self._values.get(node.all_input_nodes[0]), node.args[1]
        found = whole.get(step) if isinstance(whole, dict) else None
        return self._stand_in(node) if found is None else found

    def _value(self, node: Any) -> Operand:
        value = self._values.get(node)
        if not isinstance(value, (Wired, Fixed)):
            raise Inexpressible("it takes something that is no tensor")
        return value

    def _context(self, node: fx.Node, out: tuple[TensorType, ...]) -> Context:
        used = frozenset(u.args[1] for u in node.users if u.target is operator.getitem and isinstance(u.args[1], int))
        path = str(node.meta.get("path", ""))
        return Context(self.draft, path, out, used or frozenset({0}), self.notes, self._constants)

    # --- layers ---------------------------------------------------------------------------------------------

    def _layer(self, node: fx.Node, context: Context) -> Any:
        path = str(node.target)
        module = self._module.get_submodule(path)
        known = self._layers(module)
        assert known is not None
        spec, settings = known
        state = module.state_dict()
        if self._ways is not None and (held := self._ways.modules.get(id(module))) is not None:
            spec, state = self._ways.define(self.draft, held), dict(held.state)
        arguments = inspect.signature(module.forward).bind(*node.args, **node.kwargs).arguments
        inputs, params = self._arguments(spec, arguments, inspect.signature(module.forward))
        for param in spec.params:
            if (param.name == "dim" and settings.get("dim", 0) is None) or (
                param.name == "dim" and "dim" not in settings
            ):
                settings = {**settings, "dim": _implicit_dim(spec, inputs)}
        first = self._first_use.get(id(module), "")
        placed = context.place(
            _by_rank(spec.kind, inputs),
            inputs,
            {**settings, **params},
            weights=None if first else state,
            name=name_from(path),
            shares=first,
        )
        if state and not first:
            self._first_use[id(module)] = next(iter(placed.values())).node
        return nested(spec.active_outputs({**settings, **params}), placed)

    def _arguments(
        self, spec: LayerSpec, given: Mapping[str, Any], signature: inspect.Signature
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Arguments of ``forward``: what goes to ports, and settings."""
        inputs: dict[str, Any] = {}
        params: dict[str, Any] = {}
        for name, value in given.items():
            ports = [p for p in spec.inputs if (p.argument or p.name) == name]
            if value is None or signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
                continue
            if ports:
                parts = value if isinstance(value, (tuple, list)) else (value,)
                self._feed(inputs, ports, [self._value(v) for v in parts])
            elif spec.has_param(name):
                params[name] = plain(value)
            elif value != signature.parameters[name].default:
                raise Inexpressible(f"{name} is set")
        return inputs, params

    def _feed(self, inputs: dict[str, Any], ports: list[PortSpec], values: list[Operand]) -> None:
        for port, value in zip(ports, values, strict=True):
            before = inputs.get(port.fallback, inputs.get("query"))
            if port.fallback and isinstance(value, Wired) and value == before:
                continue  # what is not wired falls back to it anyway
            if (
                port.optional
                and port.argument
                and isinstance(value, Fixed)
                and not value.value.any()
                and not value.trained
            ):
                continue  # states start at zero anyway
            inputs[port.name] = value


def _fixed(node: fx.Node) -> Fixed:
    """What does not depend on the inputs, as the tensor that it was."""
    meta = node.meta
    return Fixed(meta["value"], meta["type"], meta["trained"], meta["path"], computed=node.op != "get_attr")


def _by_rank(kind: str, inputs: Mapping[str, Any]) -> str:
    """``Dropout3d`` of a picture does what ``Dropout2d`` does, and that is what a person would place."""
    rank = len(inputs["input"].type.dims) if "input" in inputs else 0
    if kind in ("Dropout1d", "Dropout2d", "Dropout3d") and 3 <= rank <= 5:
        return f"Dropout{rank - 2}d"
    return kind


def _implicit_dim(spec: LayerSpec, inputs: Mapping[str, Any]) -> Any:
    first = next(iter(inputs.values()))
    if spec.kind in ("Softmax", "LogSoftmax", "Softmin"):
        return 0 if len(first.type.dims) in (0, 1, 3) else 1
    return None


def _types(node: fx.Node) -> tuple[TensorType, ...]:
    if "type" in node.meta:
        return (node.meta["type"],)
    return tuple(u.meta["type"] for u in node.users if u.target is operator.getitem and "type" in u.meta)


def _function(node: fx.Node, context: Context, value: Callable[[Any], Operand]) -> Any:
    name = name_of(node.target)  # type: ignore[arg-type]
    plain_name = _plain_name(name)
    args, kwargs = (_operands(v, value) for v in (node.args, node.kwargs))
    handler = None if isinstance(node.target, FunctionType) else HANDLERS.get(f"aten:{plain_name}")
    handler = handler or HANDLERS.get(name) or HANDLERS.get(plain_name)
    kwargs = {_SPOKEN_OTHERWISE.get(n, n): v for n, v in kwargs.items() if n not in ("inplace", "out")}
    if handler is not None:
        return handler(context, *args, **kwargs)
    if plain_name in TABLE:
        return by_table(context, plain_name, args, kwargs)
    raise Inexpressible("the catalogue has no such operation")


def _plain_name(name: str) -> str:
    """``add`` for ``add_``, ``__add__`` and ``__iadd__``; ``radd`` stays, since its operands change places."""
    match = _SPOKEN.match(name)
    if match:
        return match[1]
    return name[:-1] if name.endswith("_") and len(name) > 1 else name


def _operands(argument: Any, value: Callable[[Any], Operand]) -> Any:
    """Arguments with wires and known tensors in place of fx nodes."""
    if isinstance(argument, fx.Node):
        return value(argument)
    if isinstance(argument, Mapping):
        return {name: _operands(item, value) for name, item in argument.items()}
    if isinstance(argument, Dim):
        return argument
    if isinstance(argument, (tuple, list)):
        return type(argument)(_operands(item, value) for item in argument)
    if isinstance(argument, slice):
        return slice(*(_operands(v, value) for v in (argument.start, argument.stop, argument.step)))
    return argument


def _checked(result: Any, node: fx.Node) -> Any:
    """The result, if the drawing gives what the original gave, and each part of it likewise."""
    pairs = [(result, node)]
    if isinstance(result, dict):
        parts = [u for u in node.users if u.meta.get("part")]
        pairs = [(result.get(u.args[1]), u) for u in parts]
    for found, given in pairs:
        if isinstance(found, Wired) and "type" in given.meta and found.type != given.meta["type"]:
            raise Inexpressible(f"it gave {given.meta['type']}, but the drawing would give {found.type}")
    return result
