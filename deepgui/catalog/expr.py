"""Expressions of a block's own parameters: ``4 * width``, ``2 if index == 0 else 1``.

They are text that a person writes in a parameter's field. Nothing is ever executed: the text is parsed
and walked here, and only numbers, the parameters' names, arithmetic, comparisons, choices and a few
functions are understood. What is understood is also valid Python, so it can stand in generated source.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

MAX_LENGTH = 500
_LARGEST = 10**18
_LONGEST = 10_000

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
}
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "round": round,
    "int": int,
    "float": float,
    "len": len,
    "sum": sum,
}


def rename(text: str, names: Mapping[str, str]) -> str:
    """The expression with other names: ``heads * 2`` → ``self.heads * 2``. Raises ExprError if it is none."""

    class Rename(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.expr:
            node.args = [self.visit(a) for a in node.args]
            return node

        def visit_Name(self, node: ast.Name) -> ast.expr:
            return ast.parse(names.get(node.id, node.id), mode="eval").body

    parse(text)
    return ast.unparse(Rename().visit(ast.parse(text.strip(), mode="eval")))


class ExprError(ValueError):
    """An expression that cannot be understood or has no value; the message is one plain sentence part."""


@dataclass(frozen=True, slots=True)
class Expr:
    """An expression as the value of a parameter. ``text`` is what the user wrote, without the ``=`` in front."""

    text: str

    def __str__(self) -> str:
        return f"={self.text}"

    @property
    def names(self) -> frozenset[str]:
        """The parameters it reads. Raises ExprError if the text is no expression."""
        return _names(self.text)

    def evaluate(self, env: Mapping[str, Any]) -> Any:
        """Its value, given those of the names; tuples, numbers, truth values and texts.

        Raises:
            ExprError: for an unknown name, a division by zero, or what is no expression.
        """
        return _value(parse(self.text), env)


def parse(text: str) -> ast.expr:
    """The syntax tree of a text. Raises ExprError for what this module does not understand."""
    if len(text) > MAX_LENGTH:
        raise ExprError(f"is longer than {MAX_LENGTH} characters")
    return _parse(text)


@cache
def _parse(text: str) -> ast.expr:
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExprError("is not a valid expression") from None
    _examine(tree)
    return tree


@cache
def _names(text: str) -> frozenset[str]:
    called = {id(n.func) for n in ast.walk(parse(text)) if isinstance(n, ast.Call)}
    return frozenset(n.id for n in ast.walk(parse(text)) if isinstance(n, ast.Name) and id(n) not in called)


def _examine(node: ast.expr) -> None:
    """Refuse what is not arithmetic, wherever it stands."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and not isinstance(part.value, (bool, int, float, str, type(None))):
            raise ExprError(f"holds {part.value!r}, which no parameter can")
        if isinstance(part, ast.Call) and not (
            isinstance(part.func, ast.Name) and part.func.id in FUNCTIONS and not part.keywords
        ):
            raise ExprError(f"may call only {', '.join(FUNCTIONS)}")
        if isinstance(part, ast.expr) and not isinstance(part, _UNDERSTOOD):
            raise ExprError(f"has a {type(part).__name__.lower()} in it; numbers, names and arithmetic are understood")
        if isinstance(part, ast.operator) and type(part) not in _BINARY and not isinstance(part, ast.Pow):
            raise ExprError("uses an operator other than + - * / // % **")
        if isinstance(part, ast.cmpop) and type(part) not in _COMPARE and not isinstance(part, (ast.Is, ast.IsNot)):
            raise ExprError("uses a comparison other than == != < <= > >=")


_UNDERSTOOD = (
    ast.Constant,
    ast.Name,
    ast.BinOp,
    ast.UnaryOp,
    ast.Compare,
    ast.BoolOp,
    ast.IfExp,
    ast.Tuple,
    ast.Call,
    ast.Subscript,
)


def _value(node: ast.expr, env: Mapping[str, Any]) -> Any:
    """The value of one part of the tree."""
    match node:
        case ast.Constant():
            return node.value
        case ast.Name():
            if node.id not in env:
                raise ExprError(f"uses {node.id}, which is no parameter here")
            return env[node.id]
        case ast.IfExp():
            return _value(node.body if _value(node.test, env) else node.orelse, env)
        case ast.Tuple():
            return tuple(_value(part, env) for part in node.elts)
        case ast.BoolOp():
            return _bool_op(node, env)
        case _:
            try:
                return _bounded(_computed(node, env))
            except ZeroDivisionError:
                raise ExprError("divides by zero") from None
            except (TypeError, ValueError, IndexError, OverflowError) as error:
                raise error if isinstance(error, ExprError) else ExprError(f"has no value ({error})") from None


def _bool_op(node: ast.BoolOp, env: Mapping[str, Any]) -> Any:
    found: Any = None
    for part in node.values:
        found = _value(part, env)
        if bool(found) == isinstance(node.op, ast.Or):
            break
    return found


def _computed(node: ast.expr, env: Mapping[str, Any]) -> Any:
    match node:
        case ast.BinOp():
            left, right = _value(node.left, env), _value(node.right, env)
            if isinstance(node.op, ast.Pow):
                return _power(left, right)
            if isinstance(node.op, ast.Mult) and not all(isinstance(v, (int, float)) for v in (left, right)):
                raise ExprError("multiplies what is no number")
            return _BINARY[type(node.op)](left, right)
        case ast.UnaryOp(op=op) if type(op) in _UNARY:
            return _UNARY[type(op)](_value(node.operand, env))
        case ast.Compare():
            return _compared(node, env)
        case ast.Call(func=ast.Name(id=name)):
            return FUNCTIONS[name](*(_value(a, env) for a in node.args))
        case ast.Subscript():
            return _value(node.value, env)[_value(node.slice, env)]
        case _:
            raise ExprError("is not understood")


def _compared(node: ast.Compare, env: Mapping[str, Any]) -> bool:
    left = _value(node.left, env)
    for op, part in zip(node.ops, node.comparators, strict=True):
        right = _value(part, env)
        if isinstance(op, (ast.Is, ast.IsNot)):
            holds = (left is right) == isinstance(op, ast.Is)
        else:
            holds = _COMPARE[type(op)](left, right)
        if not holds:
            return False
        left = right
    return True


def _power(base: Any, exponent: Any) -> Any:
    """``**`` that cannot fill the memory."""
    if isinstance(exponent, (int, float)) and abs(exponent) > 1000:
        raise ExprError("has too large an exponent")
    return base**exponent


def _bounded(value: Any) -> Any:
    """Numbers and lists of a size that a network can have; truth values and texts as they are."""
    if isinstance(value, complex):
        raise ExprError("has no real value")
    if isinstance(value, (int, float)) and not (math.isinf(value) or math.isnan(value)) and abs(value) > _LARGEST:
        raise ExprError("comes to too large a number")
    if isinstance(value, (str, tuple)) and len(value) > _LONGEST:
        raise ExprError("comes to too long a value")
    return value
