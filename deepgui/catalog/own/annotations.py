"""What an annotation in a source text says about an argument, found without running the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from deepgui.catalog.spec import ParamType, Value

_SCALARS: dict[str, ParamType] = {"int": "int", "float": "float", "bool": "bool", "str": "str"}
_SEQUENCES = frozenset({"tuple", "Tuple", "list", "List", "Sequence", "Iterable"})
_TENSORS = frozenset({"Tensor", "LongTensor", "FloatTensor"})


class Hint(NamedTuple):
    """The type of an argument.

    Attributes:
        type: as in :class:`~deepgui.catalog.spec.ParamSpec`; ``literal`` if nothing is known.
        nullable: whether None is accepted.
        length: how many elements a tuple has; 0 for any number.
        choices: the words of a ``Literal``.
        tensors: whether it is a list of tensors.
        known: whether the annotation said all this.
    """

    type: ParamType = "literal"
    nullable: bool = False
    length: int = 0
    choices: tuple[str, ...] = ()
    tensors: bool = False
    known: bool = False


def hint(annotation: ast.expr | None) -> Hint:
    """Read an annotation such as ``int | None``, ``tuple[int, int]`` or ``Literal["mean", "sum"]``."""
    if annotation is None:
        return Hint()
    members = list(_members(annotation))
    nullable = any(isinstance(m, ast.Constant) and m.value is None for m in members)
    for member in members:
        found = _member(member)
        if found.known:
            return found._replace(nullable=nullable)
    return Hint(nullable=nullable)


def hint_of(value: Value) -> Hint:
    """The type that a default value shows."""
    for kind, name in ((bool, "bool"), (int, "int"), (float, "float"), (str, "str")):
        if isinstance(value, kind):
            return Hint(_SCALARS[name], known=True)
    return Hint(nullable=True)


def is_tensors(annotation: ast.expr | None) -> int:
    """How many tensors a ``tuple[Tensor, Tensor]`` has; 0 for anything else."""
    for member in _members(annotation) if annotation is not None else ():
        if isinstance(member, ast.Subscript) and name(member.value) in ("tuple", "Tuple"):
            elements = _elements(member)
            if elements and all(name(e) in _TENSORS for e in elements):
                return len(elements)
    return 0


def name(tree: ast.expr) -> str:
    """The last part of a dotted name: ``torch.Tensor`` → ``Tensor``; empty for anything else."""
    if isinstance(tree, ast.Attribute):
        return tree.attr
    return tree.id if isinstance(tree, ast.Name) else ""


def _members(annotation: ast.expr) -> Iterator[ast.expr]:
    """The members of a union, however it is written; of anything else the thing itself."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            annotation = ast.parse(annotation.value, mode="eval").body
        except (SyntaxError, ValueError):
            return
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        yield from _members(annotation.left)
        yield from _members(annotation.right)
    elif isinstance(annotation, ast.Subscript) and name(annotation.value) in ("Optional", "Union"):
        for element in _elements(annotation):
            yield from _members(element)
        if name(annotation.value) == "Optional":
            yield ast.Constant(None)
    else:
        yield annotation


def _member(member: ast.expr) -> Hint:
    if name(member) in _SCALARS:
        return Hint(_SCALARS[name(member)], known=True)
    if not isinstance(member, ast.Subscript):
        return Hint()
    elements = _elements(member)
    if name(member.value) == "Literal":
        words = [e.value for e in elements if isinstance(e, ast.Constant)]
        if all(isinstance(w, str) for w in words) and len(words) == len(elements):
            return Hint("choice", choices=tuple(map(str, words)), known=True)
    if name(member.value) in _SEQUENCES:
        fixed = name(member.value) in ("tuple", "Tuple") and not any(_is_ellipsis(e) for e in elements)
        kinds = {name(e) for e in elements if not _is_ellipsis(e)}
        if kinds and kinds <= _TENSORS and not fixed:
            return Hint(tensors=True, known=True)
        if kinds and kinds <= {"int", "float"}:
            return Hint("floats" if "float" in kinds else "ints", length=len(elements) if fixed else 0, known=True)
    return Hint()


def _elements(subscript: ast.Subscript) -> list[ast.expr]:
    return subscript.slice.elts if isinstance(subscript.slice, ast.Tuple) else [subscript.slice]


def _is_ellipsis(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Constant) and tree.value is ...
