"""How a kind of source is declared."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.data.table import Table

Options = Mapping[str, Value]


def integer(options: Options, name: str) -> int:
    """An option that the declaration has as a whole number."""
    return int(options[name])  # type: ignore[arg-type]


def real(options: Options, name: str) -> float:
    """An option that the declaration has as a number; 0 where it was left empty."""
    return float(options[name] or 0)  # type: ignore[arg-type]


@dataclass(frozen=True)
class SourceSpec:
    """A kind of source, declared once for the window, the command line and the reader.

    Attributes:
        id: stable; what a project file says.
        title, summary: for people.
        params: the options with their defaults; a file or folder is called ``path``.
        open: reads everything; gets a value for every option. Raises DataError.
        suits: objectives the source is made for.
        fields: the fields alone, where that is much cheaper than ``open``.
        again: as ``open``, for a network that has learnt with these fields: with their vocabulary and lengths.
    """

    id: str
    title: str
    summary: str
    params: tuple[ParamSpec, ...]
    open: Callable[[Options], Table]
    suits: tuple[str, ...]
    fields: Callable[[Options], tuple[Field, ...]] | None = None
    again: Callable[[Options, tuple[Field, ...]], Table] | None = None

    def options(self, given: Options) -> dict[str, Value]:
        """A value for every option: the given ones, checked, and the defaults. Raises DataError."""
        known = {p.name: p for p in self.params}
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(known) or 'none'}"
                raise DataError(f"data source {self.id} has no option {name!r}; {hint}")
        values: dict[str, Value] = {}
        for param in self.params:
            if param.required and given.get(param.name) in (None, ""):
                raise DataError(f"data source {self.id} needs a {param.name}: {param.doc}")
            values[param.name] = given.get(param.name, param.default)
            complaint = param.check(values[param.name])
            if complaint:
                raise DataError(f"data source {self.id}: {complaint}")
        return values
