"""How a value is written inside a class: as a literal, as an argument, or as an expression of arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from deepgui.catalog.expr import Expr, ExprError, rename
from deepgui.catalog.spec import ParamSpec, Value
from deepgui.compiler.names import safe
from deepgui.compiler.source.drawings import Argument, Drawing, Instance
from deepgui.graph import blocks
from deepgui.graph.edits import fresh_id

_ANNOTATIONS = {"int": "int", "float": "float", "bool": "bool", "str": "str", "choice": "str"}
UNKNOWN: Any = object()
"""The value of something in an instance that does not have it; goes with every other value."""


class Scope:
    """The names that a class's constructor knows, found while it is being written.

    A value that is the same in every instance is a literal. One that differs is an argument: a parameter of
    the block, or a size that was read from the wires and therefore has to be given.
    """

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self.kept: dict[str, None] = {}
        self._own = {p.name: p for p in drawing.params}
        self._names = {p.name: safe(p.name) for p in drawing.params}
        self._used: set[str] = set()
        self._sizes: dict[str, list[Value]] = {}
        self._expressions = self._drawn_expressions()

    # -- writing values

    def written(self, value: Value) -> str:
        """What a person set: a literal, or an expression of the block's parameters."""
        if not isinstance(value, Expr):
            return repr(value)
        self._use(value)
        return rename(value.text, self._names)

    def in_forward(self, value: Value) -> str:
        """The same in ``forward``, where arguments are attributes that the constructor has kept."""
        if not isinstance(value, Expr):
            return repr(value)
        self._use(value)
        self.kept.update(dict.fromkeys(self._names[name] for name in sorted(value.names) if name in self._names))
        return rename(value.text, {name: f"self.{own}" for name, own in self._names.items()})

    def inferred(self, values: Sequence[Value], name: str) -> str:
        """A size that was read from the wires, one value per instance; ``name`` is what an argument is called."""
        known = self._known(values)
        if known:
            return known
        present = [v for v in values if v is not UNKNOWN]
        if all(_same(v, present[0]) for v in present):
            return repr(present[0])
        for size, vector in self._sizes.items():
            if _agree(values, vector):
                return size
        fresh = fresh_id(self._taken(), safe(name))
        self._sizes[fresh] = [present[0] if v is UNKNOWN else v for v in values]
        return fresh

    def _known(self, values: Sequence[Value]) -> str:
        """A parameter of the block, or an expression in it, with these values."""
        if not any(isinstance(v, int) and not isinstance(v, bool) and v > 1 for v in values):
            return ""
        for name, vector in self._expressions.items():
            if _agree(values, vector):
                return self.written(Expr(name))
        return ""

    # -- the signature

    def signature(self) -> list[Argument]:
        """Sizes that are read from wires first, as everybody has them, then the other parameters in their order."""
        instances = self.drawing.instances
        sizes = [Argument(n, dict(zip(instances, v, strict=True)), size=True) for n, v in self._sizes.items()]
        own = [self._argument(p) for p in self.drawing.params if p.name in self._used]
        read = [a for a in own if a.size]
        rest = [a for a in own if not a.size]
        return [*sizes, *read, *(a for a in rest if not a.default), *(a for a in rest if a.default)]

    def _argument(self, param: ParamSpec) -> Argument:
        size = param.infer is not None
        default = "" if size or param.required or param.default is None else repr(param.default)
        annotation = _ANNOTATIONS.get(param.type, "int | tuple[int, ...]" if param.type == "ints" else "object")
        values = {i: i.params.get(param.name) for i in self.drawing.instances}
        return Argument(self._names[param.name], values, annotation, default, size)

    # -- within

    def _use(self, expr: Expr) -> None:
        self._used |= expr.names & self._own.keys()

    def _taken(self) -> set[str]:
        return {*self._names.values(), *self._sizes, blocks.INDEX, "self", "nn", "torch"}

    def _drawn_expressions(self) -> dict[str, list[Any]]:
        """The expressions in the drawing with their values; the plain names of parameters first."""
        texts = dict.fromkeys(p.name for p in self.drawing.params)
        for node in self.drawing.network.nodes.values():
            texts.update(dict.fromkeys(e.text for _, e in blocks.expressions(node)))
        found: dict[str, list[Any]] = {}
        for text in texts:
            try:
                if blocks.INDEX not in Expr(text).names:
                    found[text] = [Expr(text).evaluate(i.params) for i in self.drawing.instances]
            except ExprError:
                continue
        return found


def _same(a: Any, b: Any) -> bool:
    return bool(type(a) is type(b) and a == b)


def _agree(values: Iterable[Any], vector: Iterable[Any]) -> bool:
    """Whether two have the same value in each instance that has one."""
    return all(v is UNKNOWN or _same(v, other) for v, other in zip(values, vector, strict=True))


def over(drawing: Drawing, found: Mapping[Instance, Value]) -> list[Value]:
    """One value per instance of a drawing."""
    return [found.get(instance, UNKNOWN) for instance in drawing.instances]
