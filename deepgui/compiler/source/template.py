"""Calls that are written otherwise than ``target(arguments)``: ``x[:, 0]``, ``x.expand(-1, 4)``.

Their declaration gives the Python expression (:attr:`LayerSpec.source`) over the names of inputs and
parameters; here the texts of the arguments take the places of the names. A keyword whose parameter is
not said (its default is meant) is left out.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from deepgui.catalog.spec import LayerSpec
from deepgui.graph.problems import NetworkError, Problem

Text = str | Sequence[str]
"""An argument as Python; several at an input that takes any number of wires."""


def written(spec: LayerSpec, arguments: Mapping[str, Text]) -> list[str]:
    """A callee with its arguments, or one expression. ``arguments`` by name of input or parameter."""
    known = {name: _as_python(spec, name, text) for name, text in arguments.items()}
    defaults = {p.name: repr(p.default) for p in spec.params if p.name not in known}
    tree = _Filled(known, defaults).visit(ast.parse(spec.source, mode="eval").body)
    if isinstance(tree, ast.Call) and (tree.args or tree.keywords):
        keywords = [f"{k.arg}={_text(k.value)}" for k in tree.keywords]
        return [_text(tree.func), *map(_text, tree.args), *keywords]
    return [_text(tree)]


def by_name(spec: LayerSpec, spoken: Sequence[str]) -> dict[str, str]:
    """Constructor arguments as they would be written (``["8", "kernel_size=3"]``), by name."""
    names = [p.name for p in spec.params if not p.call]
    found = {}
    for place, argument in enumerate(spoken):
        name, is_named, text = argument.partition("=")
        found.update({name: text} if is_named and name in names else {names[place]: argument})
    return found


def _as_python(spec: LayerSpec, name: str, text: Text) -> Text:
    """The text of an argument where it is not the value's own: ``:, 0`` and ``torch.float32``."""
    if not isinstance(text, str) or not spec.has_param(name):
        return text
    if spec.param(name).type == "index":
        return str(_literal(spec, name, text))
    if name == "dtype":
        return f"torch.{_literal(spec, name, text)}"
    return text


def _literal(spec: LayerSpec, name: str, text: str) -> object:
    """What becomes syntax must be written where it is used. Raises NetworkError for an expression."""
    try:
        return ast.literal_eval(text)
    except ValueError:
        said = f"{spec.kind}: {name} is an expression of the block's parameters, which Python source cannot say there"
        raise NetworkError((Problem("expression-as-syntax", f"{said}: write the {name} itself."),)) from None


class _Filled(ast.NodeTransformer):
    """Names replaced by texts. A slice is no expression of its own, so it goes in as a name and out as it is."""

    def __init__(self, known: Mapping[str, Text], defaults: Mapping[str, str]) -> None:
        self.known = known
        self.defaults = defaults

    def visit_Name(self, node: ast.Name) -> ast.expr:
        text = self.known.get(node.id, self.defaults.get(node.id))
        if text is None:
            return node
        if not isinstance(text, str):
            return ast.List([_parsed(t) for t in text], ast.Load())
        return _parsed(text)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if isinstance(node.slice, ast.Name) and isinstance(text := self.known.get(node.slice.id), str):
            inner = ast.parse(f"_[{text}]", mode="eval").body
            assert isinstance(inner, ast.Subscript)
            return ast.Subscript(self.visit(node.value), inner.slice, ast.Load())
        return self.generic_visit(node)  # type: ignore[return-value]

    def visit_Call(self, node: ast.Call) -> ast.expr:
        node.keywords = [k for k in node.keywords if not isinstance(k.value, ast.Name) or k.value.id in self.known]
        self.generic_visit(node)
        node.args = [part for arg in node.args for part in _unpacked(arg)]
        if len(node.args) == 1 and isinstance(node.args[0], ast.Tuple) and _is_method(node):
            node.args = node.args[0].elts  # x.expand(-1, 4), as everybody writes it
        return node


def _is_method(call: ast.Call) -> bool:
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(owner, ast.Name) and owner.id != "torch"


def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _unpacked(argument: ast.expr) -> list[ast.expr]:
    """``*[a, b]`` and ``*(1, 2)`` as their elements."""
    if isinstance(argument, ast.Starred) and isinstance(argument.value, (ast.List, ast.Tuple)):
        return argument.value.elts
    return [argument]


def _text(tree: ast.expr) -> str:
    return ast.unparse(ast.fix_missing_locations(tree)).replace("torch.nn.", "nn.")
