"""One recorded call as a layer in Python: what the catalogue has no node for runs as it did, in a class of its own.

The class holds that one call and nothing else. Tensors are its inputs, all other arguments are written out, and it
needs torch alone, whatever package the call came from.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import torch
from torch import fx
from torch.overrides import resolve_name

from deepgui.compiler.names import class_name
from deepgui.graph.shapes import Dim, TensorType
from deepgui.importers.alignment import Varying
from deepgui.importers.recording import name_of
from deepgui.importers.report import Inexpressible

_CLASS = '''import torch
from torch import nn


class {name}(nn.Module):
    """``{spoken}`` as the imported module calls it."""

{init}    def forward(self, {inputs}):
{body}
'''


class CallText:
    """The source of a class for one call.

    Attributes:
        inputs: the recorded tensors that it takes, by the name of its input.
        parts: how many tensors it returns; 0 for one that is no tuple.
    """

    def __init__(self, node: fx.Node, layer: str = "", base: str = "") -> None:
        """Write it.

        Args:
            layer: the constructor of the layer that is called, if it is no function.
            base: what the class is called after; the function by default.

        Raises:
            Inexpressible: an argument cannot be written out, or what it returns is nested.
        """
        self.inputs: dict[str, fx.Node] = {}
        self.parts = _parts(node)
        self._node = node
        self._layer = layer
        self._names = _input_names(node)
        self.base = class_name(base or name_of(node.target))  # type: ignore[arg-type]
        self._spoken = base or _path_of(node.target)
        self._body = self._written()

    def source(self, name: str) -> str:
        """The text, for a class of that name."""
        init = ""
        if self._layer:
            init = f"    def __init__(self):\n        super().__init__()\n        self.layer = {self._layer}\n\n"
        body = "\n".join(f"        {line}" for line in self._body)
        return _CLASS.format(name=name, spoken=self._spoken, init=init, inputs=", ".join(self.inputs), body=body)

    # --- the body -------------------------------------------------------------------------------------------

    def _written(self) -> list[str]:
        node = self._node
        args = [self._text(a) for a in node.args]
        kwargs = {name: self._text(v) for name, v in node.kwargs.items() if name != "inplace"}
        if "out" in kwargs:
            raise Inexpressible("it writes into a tensor that it is given")
        for name in self._names.values():  # each input once, in the order of the call
            self.inputs.setdefault(name, next(n for n, known in self._names.items() if known == name))
        text = self._call(args, [*args[1:], *(f"{name}={value}" for name, value in kwargs.items())])
        if text[-1].startswith("return ") and self.parts:
            parts = ", ".join(f"result[{place}]" for place in range(self.parts))
            text = [*text[:-1], text[-1].replace("return ", "result = ", 1), f"return {parts}{',' * (self.parts == 1)}"]
        return text

    def _call(self, args: list[str], rest: list[str]) -> list[str]:
        """The statements; what is changed in place is a copy, as everything else may still read the original."""
        if self._layer:
            return [f"return self.layer({', '.join([*args[:1], *rest])})"]
        name, path = name_of(self._node.target), _path_of(self._node.target)  # type: ignore[arg-type]
        if name == "__getitem__":
            return [f"return {args[0]}[{_bare(args[1])}]"]
        if name == "__setitem__":
            copied = f"{args[0]} = {args[0]}.clone()"
            return [copied, f"{args[0]}[{_bare(args[1])}] = {args[2]}", f"return {args[0]}"]
        first = f"{args[0]}.clone()" if args and changes(name) else (args or [""])[0]
        if path.endswith(".__get__"):
            return [f"return {first}.{name}"]
        if path.startswith("torch.Tensor."):
            return [f"return {first}.{path.removeprefix('torch.Tensor.')}({', '.join(rest)})"]
        return [f"return {path}({', '.join([*([first] if args else []), *rest])})"]

    def _text(self, value: Any) -> str:
        """An argument as it is written."""
        if isinstance(value, fx.Node):
            return self._names[value]
        if isinstance(value, Dim):
            return self._size(value)
        if isinstance(value, slice):
            return f"slice({', '.join(self._text(v) for v in (value.start, value.stop, value.step))})"
        if isinstance(value, (tuple, list)):
            items = ", ".join(self._text(v) for v in value)
            return f"[{items}]" if isinstance(value, list) else f"({items}{',' * (len(value) == 1)})"
        if isinstance(value, Mapping):
            return "{" + ", ".join(f"{key!r}: {self._text(v)}" for key, v in value.items()) + "}"
        return literal(value)

    def _size(self, size: Dim) -> str:
        """A number that depends on the batch, read from what comes in."""
        for node, name in self._names.items():
            known: TensorType = node.meta["type"]
            for place, dim in enumerate(known.dims):
                if dim.batch and not dim.const:
                    count = f"{name}.shape[{place}]" + (f" // {dim.batch}" if dim.batch > 1 else "")
                    return f"({size.batch} * ({count}) + {size.const})" if size != dim else f"{name}.shape[{place}]"
        raise Inexpressible("a setting depends on the batch size")


def changes(name: str) -> bool:
    """Whether a function changes its first argument: ``add_``, ``__iadd__``."""
    if name.endswith("__"):
        return name.startswith("__i") and name not in ("__invert__", "__index__", "__int__")
    return name.endswith("_")


def _bare(index: str) -> str:
    """A tuple without its parentheses, as an index is written."""
    return index[1:-1] if index.startswith("(") else index


def literal(value: Any) -> str:
    """A plain value as Python text. Raises Inexpressible for anything else."""
    if value is None or value is Ellipsis or isinstance(value, (bool, int, str, bytes)):
        return "..." if value is Ellipsis else repr(value)
    if isinstance(value, float):
        return repr(value) if value - value == 0 else f'float("{value}")'
    if isinstance(value, complex):
        return repr(value)
    if isinstance(value, (torch.dtype, torch.layout, torch.memory_format)):
        return str(value)
    if isinstance(value, torch.device):
        return f'torch.device("{value}")'
    if isinstance(value, Varying):
        raise Inexpressible("a setting depends on the batch size")
    raise Inexpressible(f"it is called with a {type(value).__name__}")


def _input_names(node: fx.Node) -> dict[fx.Node, str]:
    """A name for each tensor that is given, in the order of the arguments."""
    given = list(dict.fromkeys(node.all_input_nodes))
    if any("type" not in n.meta for n in given):
        raise Inexpressible("it takes something that is no tensor")
    return {n: "x" if len(given) == 1 else f"x{place}" for place, n in enumerate(given, start=1)}


def _parts(node: fx.Node) -> int:
    if "type" in node.meta:
        return 0
    parts = [u for u in node.users if u.target is operator.getitem and u.meta.get("part")]
    places = [u.args[1] for u in parts]
    if not places or any(type(p) is not int or "type" not in u.meta for p, u in zip(places, parts, strict=True)):
        raise Inexpressible("it returns tensors in a nested structure")
    if sorted(places) != list(range(len(places))):  # type: ignore[type-var]
        raise Inexpressible("it returns other things beside tensors")
    return len(places)


def _path_of(target: Any) -> str:
    """How a function is written: ``torch.special.bessel_j0``. Raises Inexpressible for one that is not torch's."""
    if isinstance(target, torch._ops.OpOverload):
        return f"torch.ops.{target}"
    path = resolve_name(target) or f"{getattr(target, '__module__', '')}.{getattr(target, '__qualname__', '')}"
    found: Any = torch
    for step in path.split(".")[1:]:
        found = getattr(found, step, None)
    if not path.startswith("torch.") or found is None or "<locals>" in path:
        raise Inexpressible("it is no function of torch")
    return path
