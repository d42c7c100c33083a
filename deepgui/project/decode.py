"""From parsed JSON to typed values, checking everything and saying where something does not fit."""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar, Union

from deepgui.catalog.expr import Expr, ExprError
from deepgui.catalog.expr import parse as parse_expression
from deepgui.catalog.spec import Value
from deepgui.graph.edits import is_identifier
from deepgui.graph.values import Node, Point

Place = tuple[str, ...]
T = TypeVar("T")

MAX_DEPTH = 32
MAX_COORDINATE = 1e7
_SPECIAL = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


class FileError(ValueError):
    """A project that cannot be read or written. The message is one plain sentence for the user.

    ``place`` names the part of the file: ``("networks", "network", "nodes", "conv1")``.
    """

    def __init__(self, message: str, place: Place = ()) -> None:
        super().__init__(message)
        self.place = place


class Misfit(Exception):
    """What does not fit, and where in the file; becomes a :class:`FileError` with the file's name."""

    def __init__(self, place: Place, message: str) -> None:
        super().__init__(message)
        self.place = tuple(printable(part, 60) for part in place)
        self.message = message


class _Object(dict[str, Any]):
    """A JSON object that remembers a key written twice."""

    repeated: str | None = None


def _object_of(pairs: list[tuple[str, Any]]) -> _Object:
    made = _Object(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        made.repeated = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return made


def parse(text: str) -> object:
    """The JSON tree of a text. Raises Misfit with line and column for what is not JSON."""
    if not text.strip():
        raise Misfit((), "the file is empty")
    try:
        return json.loads(text, object_pairs_hook=_object_of)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Misfit((place,), f"this is not valid JSON ({error.msg[0].lower()}{error.msg[1:]})") from None
    except RecursionError:
        raise Misfit((), "its JSON is nested too deeply") from None
    except ValueError:  # more digits than Python converts
        raise Misfit((), "it holds a number with too many digits") from None


def printable(text: str, limit: int = 200) -> str:
    """The text on one line, without control characters, cut to ``limit`` characters."""
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def quoted(value: object) -> str:
    """A JSON value as it stands in the file, cut short."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and abs(value) > 1e18:
        return "a very large number"
    return printable(json.dumps(value, ensure_ascii=False), 60)


def as_text(value: object, place: Place) -> str:
    if not isinstance(value, str):
        raise Misfit(place, f"must be text, not {quoted(value)}")
    return value


def as_identifier(value: object, place: Place) -> str:
    """A name that can stand in Python source: it will."""
    text = as_text(value, place)
    if not is_identifier(text):
        raise Misfit(place, f"{quoted(text)} is no valid name (letters, digits and _, not a word of Python)")
    return text


def as_whole(value: object, place: Place) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Misfit(place, f"must be a whole number, not {quoted(value)}")
    return value


def as_number(value: object, place: Place) -> float:
    """A finite number; a whole one stays an int."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise Misfit(place, f"must be a number, not {quoted(value)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise Misfit(place, f"must be a finite number, not {quoted(value)}")
    return value


def as_bool(value: object, place: Place) -> bool:
    if not isinstance(value, bool):
        raise Misfit(place, f"must be true or false, not {quoted(value)}")
    return value


def as_list(value: object, place: Place) -> list[Any]:
    if not isinstance(value, list):
        raise Misfit(place, f"must be a list, not {quoted(value)}")
    return value


def as_mapping(value: object, place: Place) -> dict[str, Any]:
    """An object with any keys, each written once."""
    if not isinstance(value, dict):
        raise Misfit(place, f"must be an object, not {quoted(value)}")
    if isinstance(value, _Object) and value.repeated is not None:
        raise Misfit(place, f"{quoted(value.repeated)} is there twice")
    return value


def as_object(value: object, place: Place, keys: tuple[str, ...], required: tuple[str, ...] = ()) -> dict[str, Any]:
    """An object with these keys and no others."""
    fields = as_mapping(value, place)
    for key in fields:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(keys)}"
            raise Misfit(place, f"{quoted(key)} is not known here ({hint})")
    for key in required:
        if key not in fields:
            raise Misfit(place, f"{quoted(key)} is missing")
    return fields


def as_point(value: object, place: Place) -> Point:
    """A place on the canvas."""
    if not isinstance(value, list) or len(value) != 2:
        raise Misfit(place, f"must be [x, y], not {quoted(value)}")
    x, y = (as_number(v, place) for v in value)
    if max(abs(x), abs(y)) > MAX_COORDINATE:  # before float(): an int may be too large for it
        raise Misfit(place, f"lies outside the canvas, which ends at {MAX_COORDINATE:,.0f}")
    return Point(float(x), float(y))


def as_value(value: object, place: Place, depth: int = 0) -> Value:
    """What a parameter can hold: scalars, and lists of them as tuples.

    ``{"float": "inf"}`` is infinity, ``{"expr": "4 * width"}`` an expression.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):
        return as_number(value, place)
    if isinstance(value, list):
        if depth == MAX_DEPTH:
            raise Misfit(place, "is nested too deeply")
        return tuple(as_value(item, place, depth + 1) for item in value)
    if isinstance(value, dict) and "expr" in value:
        return _as_expression(value, place)
    special = as_object(value, place, ("float",), required=("float",))["float"]
    if not isinstance(special, str) or special not in _SPECIAL:
        raise Misfit(place, f'"float" must be one of {", ".join(_SPECIAL)}, not {quoted(special)}')
    return _SPECIAL[special]


def _as_expression(value: object, place: Place) -> Expr:
    text = as_text(as_object(value, place, ("expr",))["expr"], place)
    try:
        parse_expression(text)
    except ExprError as error:
        raise Misfit(place, f"the expression {quoted(text)} {error}") from None
    return Expr(text)


_RESOLVED_VALUE = typing.get_args(typing.get_type_hints(Node)["params"])[1]
_SCALARS = {str: as_text, int: as_whole, float: as_number, bool: as_bool}


def decode_config(cls: type[T], raw: object, place: Place) -> T:
    """A dataclass of settings, each checked against its annotation. Missing ones have their defaults."""
    hints = typing.get_type_hints(cls)
    fields = as_object(raw, place, tuple(f.name for f in dataclasses.fields(cls)))  # type: ignore[arg-type]
    return cls(**{name: _decode(hints[name], value, (*place, name)) for name, value in fields.items()})


def _decode(hint: Any, value: object, place: Place) -> Any:
    if hint in (Value, _RESOLVED_VALUE):
        return as_value(value, place)
    if hint in _SCALARS:
        return _SCALARS[hint](value, place)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType) and type(None) in args and len(args) == 2:
        return None if value is None else _decode(next(a for a in args if a is not type(None)), value, place)
    if origin is Mapping:
        return {key: _decode(args[1], item, (*place, key)) for key, item in as_mapping(value, place).items()}
    if origin is tuple and args[1:] == (...,):
        return tuple(_decode(args[0], item, place) for item in as_list(value, place))
    if dataclasses.is_dataclass(hint):
        return decode_config(typing.cast(type, hint), value, place)
    raise TypeError(f"{' '.join(place)}: a setting cannot be of type {hint}")
