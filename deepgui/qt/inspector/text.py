"""Values of parameters as people type them, and back. Knows no Qt."""

from __future__ import annotations

import ast
from collections.abc import Callable

from deepgui.catalog.expr import Expr
from deepgui.catalog.spec import ParamSpec, Value, freeze, show

Judge = Callable[[Expr], str]
"""What is wrong with an expression, in one sentence; empty if nothing is."""
NONE_WORDS = ("", "none", "null")


class Unreadable(ValueError):
    """Text that is no value of a parameter; the message is one sentence for the person who typed it."""


def write(value: Value, spec: ParamSpec) -> str:
    """A value as it stands in its field: ``3``, ``1e-05``, ``3, 3``; empty for None."""
    if value is None:
        return ""
    if isinstance(value, Expr):
        return str(value)
    if spec.type in ("str", "choice", "index") and isinstance(value, str):
        return value
    if spec.type in ("ints", "floats") and isinstance(value, tuple):
        return ", ".join(repr(item) for item in value)
    return repr(value)


def read_expression(text: str, judge: Judge) -> Expr | None:
    """The expression that a text with ``=`` in front is; None for any other. Raises :class:`Unreadable`."""
    if not text.lstrip().startswith("="):
        return None
    expr = Expr(text.strip()[1:].strip())
    complaint = judge(expr)
    if complaint:
        raise Unreadable(complaint)
    return expr


def read(text: str, spec: ParamSpec) -> Value:
    """The value that a text means. Raises :class:`Unreadable` with what is wrong in one sentence."""
    bare = text.strip()
    if spec.type == "str":
        value: Value = None if not bare and spec.nullable else text
    elif bare.lower() in NONE_WORDS:
        value = None
    else:
        value = _READERS.get(spec.type, _literal)(bare, spec)
    complaint = spec.check(value)
    if complaint:
        raise Unreadable(f"{_as_typed(complaint, value, bare)}.")
    return value


def _as_typed(complaint: str, value: Value, text: str) -> str:
    """The complaint about what the person typed, rather than about what was made of it."""
    end = f", not {show(value)}"
    return f"{complaint.removesuffix(end)}, not “{text}”" if complaint.endswith(end) else complaint


def _number(text: str, spec: ParamSpec) -> Value:
    compact = text.replace("_", "").replace(" ", "")
    try:
        return int(compact)
    except ValueError:
        pass
    try:
        number = float(compact.replace(",", ".") if compact.count(",") == 1 and "." not in compact else compact)
    except ValueError:
        kind = "a whole number" if spec.type == "int" else "a number"
        raise Unreadable(f"{spec.name} must be {kind}, not “{text}”.") from None
    if spec.type == "int" and number.is_integer():
        return int(number)  # 1e3 is a whole number
    if number != number or number in (float("inf"), float("-inf")):
        return number if spec.type == "float" else text
    return number


def _numbers(text: str, spec: ParamSpec) -> Value:
    inner = text.strip("()[] ").replace("×", ",").replace("x", ",") if "e" not in text else text.strip("()[] ")
    parts = [p for p in inner.replace(";", ",").replace(",", " ").split() if p]
    one = ParamSpec(spec.name, "int" if spec.type == "ints" else "float")
    try:
        items = tuple(_number(part, one) for part in parts)
    except Unreadable:
        kind = "whole numbers" if spec.type == "ints" else "numbers"
        raise Unreadable(f"{spec.name} must be {kind} such as “3” or “3, 3”, not “{text}”.") from None
    alone = len(items) == 1 and "," not in text and not text.startswith(("(", "["))
    return items[0] if alone else items


def _truth(text: str, spec: ParamSpec) -> Value:
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    return words.get(text.lower(), text)


def _literal(text: str, spec: ParamSpec) -> Value:
    try:
        return freeze(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


_READERS = {
    "int": _number,
    "float": _number,
    "ints": _numbers,
    "floats": _numbers,
    "bool": _truth,
    "choice": lambda text, spec: text,
    "index": lambda text, spec: text,
}
