"""A module that no drawing can say, as a layer in Python: its class with what that needs, or one made of its state.

The first way keeps the class as it was written; the constructor's arguments are read from attributes of the same
names. Where that does not give the same weights, the constructor is written anew from what the module has, and
the methods are taken over.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from deepgui.catalog.own.declared import OwnError, declare
from deepgui.catalog.own.loading import obstacle
from deepgui.catalog.spec import LayerSpec, Registry, Value
from deepgui.compiler.call import constructor_arguments, init_settings
from deepgui.compiler.lower import resolve
from deepgui.graph.edits import fresh_id
from deepgui.graph.values import Code
from deepgui.importers.calls_as_code import literal
from deepgui.importers.class_source import Gathered, constant, source_tree
from deepgui.importers.layers import Layers, settings_of
from deepgui.importers.report import Inexpressible

Run = Callable[[str], None]
"""Lets a source run: it is the code of a module that is running here already."""


@dataclass(frozen=True)
class AsCode:
    """A module as a layer in Python.

    Attributes:
        settings: what its constructor is given.
        state: its weights, under the names that the layer has.
    """

    code: Code
    spec: LayerSpec
    settings: Mapping[str, Value]
    state: Mapping[str, Tensor]


def as_code(module: nn.Module, layers: Layers, registry: Registry, run: Run) -> AsCode:
    """The layer in Python that does what a module does.

    Raises:
        Inexpressible: its source cannot be had, or needs more than torch.
    """
    if "forward" in vars(module) or module._forward_hooks or module._forward_pre_hooks:
        raise Inexpressible("its forward was changed after it was made")
    try:
        return _as_written(module, registry, run)
    except Inexpressible:
        return _from_state(module, layers, registry, run)


def _as_written(module: nn.Module, registry: Registry, run: Run) -> AsCode:
    text = Gathered()
    name = text.add(type(module))
    source = text.text()
    spec = _declared(source, name, registry)
    settings = settings_of(module, spec)
    run(source)
    state = module.state_dict()
    _same_weights(spec, settings, state)
    return AsCode(Code(source, name), spec, settings, state)


def _from_state(module: nn.Module, layers: Layers, registry: Registry, run: Run) -> AsCode:
    text = Gathered()
    writer = _State(text, layers, registry)
    name = writer.class_of(module)
    source = text.text()
    spec = _declared(source, name, registry)
    run(source)
    state = {**module.state_dict(), **writer.kept}
    _same_weights(spec, {}, state)
    return AsCode(Code(source, name), spec, {}, state)


def _declared(source: str, name: str, registry: Registry) -> LayerSpec:
    try:
        return declare(source, name, registry)
    except OwnError as error:
        raise Inexpressible(f"its class is no layer: {error}") from None


def _same_weights(spec: LayerSpec, settings: Mapping[str, Value], state: Mapping[str, Tensor]) -> None:
    """Raises Inexpressible if the layer, made with these settings, has other weights."""
    if why := obstacle(spec.target):
        raise Inexpressible(f"its class {why}")
    try:
        made = resolve(spec.target)(**constructor_arguments(spec, settings, {}))
    except Exception as error:  # a constructor raises whatever it likes
        raise Inexpressible(f"it cannot be made again ({type(error).__name__})") from None
    if {n: t.shape for n, t in made.state_dict().items()} != {n: t.shape for n, t in state.items()}:
        raise Inexpressible("made again, it has other weights")


class _State:
    """Writes constructors that make a module as it is now.

    Attributes:
        kept: tensors that were plain attributes and are buffers now.
    """

    def __init__(self, text: Gathered, layers: Layers, registry: Registry) -> None:
        self._text = text
        self._layers = layers
        self._registry = registry
        self._seen: set[int] = set()
        self._written: dict[str, str] = {}
        self.kept: dict[str, Tensor] = {}

    def class_of(self, module: nn.Module, path: str = "") -> str:
        """Take a module's class in, with a constructor of its state. Returns the class's name in the text."""
        cls = type(module)
        if cls.__bases__ != (nn.Module,):
            raise Inexpressible(f"{cls.__name__} inherits from more than nn.Module and cannot be made again")
        tree = source_tree(cls)
        assert isinstance(tree, ast.ClassDef)
        body = [s for s in tree.body if not (isinstance(s, ast.FunctionDef) and s.name == "__init__")]
        lines = ["super().__init__()", *self._lines(module, body, path)]
        try:
            init = ast.parse("def __init__(self):\n" + "\n".join(f"    {line}" for line in lines)).body
        except SyntaxError:  # a submodule called "0", a value that is not written as Python
            raise Inexpressible(f"the state of {cls.__name__} cannot be written out") from None
        first = 1 if ast.get_docstring(tree) is not None else 0
        tree.body = [*body[:first], *init, *body[first:]]
        meaning = ast.dump(tree)
        if meaning not in self._written:
            self._written[meaning] = fresh_id(self._written.values(), tree.name)
            self._text.add(cls, _called(tree, self._written[meaning]))
        return self._written[meaning]

    def _lines(self, module: nn.Module, body: list[ast.stmt], path: str) -> list[str]:
        lines: list[str] = []
        for name, weight in module._parameters.items():
            lines.append(f"self.{name} = {_weight(weight)}")
        for name, buffer in module._buffers.items():
            lines.append(self._buffer(name, buffer, path, name not in module._non_persistent_buffers_set))
        for name, child in module._modules.items():
            lines.append(self._child(name, child, f"{path}{name}."))
        read = {n.attr for part in body for n in ast.walk(part) if isinstance(n, ast.Attribute)}
        for name, value in vars(module).items():
            if name in _OF_EVERY_MODULE or name not in read:
                continue
            if isinstance(value, Tensor):
                lines.append(self._buffer(name, value, path, persistent=False))
            else:
                lines.append(f"self.{name} = {self._plain(value)}")
        return lines

    def _buffer(self, name: str, value: Tensor | None, path: str, persistent: bool) -> str:
        if value is None:
            return f'self.register_buffer("{name}", None)'
        if not persistent:
            self.kept[path + name] = value.detach()
        return f'self.register_buffer("{name}", torch.zeros({tuple(value.shape)}, dtype={value.dtype}))'

    def _child(self, name: str, child: nn.Module | None, path: str) -> str:
        place = f"self.{name}"
        return f"{place} = {self._made(child, path)}"

    def _made(self, module: nn.Module | None, path: str) -> str:
        """An expression that makes a module."""
        if module is None:
            return "None"
        if id(module) in self._seen:
            raise Inexpressible("it has the same module in several places")
        self._seen.add(id(module))
        known = self._layers(module)
        if known is not None:
            return constructor(*known)
        if type(module) in (nn.Sequential, nn.ModuleList):
            items = [self._made(m, f"{path}{n}.") for n, m in module._modules.items()]
            inside = ", ".join(items)
            return f"nn.Sequential({inside})" if type(module) is nn.Sequential else f"nn.ModuleList([{inside}])"
        if type(module) is nn.ModuleDict:
            pairs = (f"{n!r}: {self._made(m, f'{path}{n}.')}" for n, m in module._modules.items())
            return f"nn.ModuleDict({{{', '.join(pairs)}}})"
        return f"{self.class_of(module, path)}()"

    def _plain(self, value: Any) -> str:
        if isinstance(value, (torch.dtype, torch.device)):
            return literal(value)
        if callable(value):
            if not inspect.isfunction(value) and not inspect.isbuiltin(value) and not inspect.isclass(value):
                raise Inexpressible(f"it holds a {type(value).__name__}")
            self._text.provide(value.__name__, value)
            return str(value.__name__)
        return constant(value)


_OF_EVERY_MODULE = frozenset(vars(nn.Module()))


def _weight(weight: Tensor | None) -> str:
    """A parameter that training could begin with; the imported one takes its place."""
    if weight is None:
        return "None"
    made = f"0.02 * torch.randn({tuple(weight.shape)})" if weight.dim() > 1 else f"torch.ones({tuple(weight.shape)})"
    return f"nn.Parameter({made}{'' if weight.requires_grad else ', requires_grad=False'})"


def constructor(spec: LayerSpec, settings: Mapping[str, Value]) -> str:
    """A layer of the catalogue as it is written."""
    if not spec.target.startswith("torch.nn."):
        raise Inexpressible(f"it holds a {spec.kind}")
    said = init_settings(spec, settings, settings)
    written = ", ".join(f"{name}={constant(value)}" for name, value in said.items())
    return f"nn.{spec.target.rpartition('.')[2]}({written})"


def _called(tree: ast.ClassDef, name: str) -> ast.ClassDef:
    """The class under another name, by which it calls itself, too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == tree.name:
            node.id = name
    tree.name = name
    return tree
