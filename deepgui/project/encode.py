"""From values to the text of a file, laid out so that a diff reads like a list of changes."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from deepgui.catalog.expr import Expr
from deepgui.project.decode import FileError, printable

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Writer:
    """Builds a JSON object, one entry a line, sections indented by two spaces."""

    def __init__(self) -> None:
        self._levels: list[list[str]] = [[]]

    def entry(self, key: str, value: Any) -> None:
        self._levels[-1].append(f"{_line(key)}: {_line(value)}")

    def lines(self, key: str, items: Iterable[Any]) -> None:
        """A list with one item a line."""
        self._levels[-1].append(f"{_line(key)}: {self._block('[', [_line(item) for item in items], ']')}")

    @contextmanager
    def section(self, key: str) -> Iterator[None]:
        """An object whose entries are written within the ``with``."""
        self._levels.append([])
        yield
        entries = self._levels.pop()
        self._levels[-1].append(f"{_line(key)}: {self._block('{', entries, '}')}")

    def _block(self, start: str, entries: list[str], end: str) -> str:
        if not entries:
            return start + end
        indent = "  " * len(self._levels)
        return f"{start}\n{indent}  " + f",\n{indent}  ".join(entries) + f"\n{indent}{end}"

    def text(self) -> str:
        return "{\n  " + ",\n  ".join(self._levels[0]) + "\n}\n"


def _line(value: Any) -> str:
    """JSON on one line. Half characters, as in names of old files, are escaped: UTF-8 has none."""
    text = _JSON.encode(value)
    return text if text.isascii() else _LONE_SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def plain_value(value: object, what: str) -> Any:
    """A parameter's value for JSON. Raises FileError for what no parameter can hold."""
    if isinstance(value, Expr):
        return {"expr": value.text}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(float(value))}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (tuple, list)):
        return [plain_value(item, what) for item in value]
    raise FileError(f"The project cannot be saved: {printable(what)} holds {type(value).__name__}, which no file can.")


def plain_config(config: Any, what: str) -> dict[str, Any]:
    """A dataclass of settings for JSON: every one, so that other defaults in time to come change nothing.

    Those that came later (:data:`deepgui.project.values.LATER`) are left out while they have their defaults.
    """
    return {
        field.name: _plain_setting(getattr(config, field.name), f"{what}.{field.name}")
        for field in dataclasses.fields(config)
        if not ("later" in field.metadata and getattr(config, field.name) == _default(field))
    }


def _default(field: dataclasses.Field[Any]) -> object:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _plain_setting(value: object, what: str) -> Any:
    if dataclasses.is_dataclass(value):
        return plain_config(value, what)
    if isinstance(value, Mapping):
        return {key: _plain_setting(value[key], f"{what}.{key}") for key in sorted(value)}
    return plain_value(value, what)
