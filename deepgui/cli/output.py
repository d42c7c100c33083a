"""What commands print: JSON that any parser accepts, tables for people, progress on stderr."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table

from deepgui.data.progress import Progress, listening


def plain(value: Any) -> Any:
    """``value`` in JSON's types: NaN and infinity become null, paths text, dataclasses objects."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value) if not f.name.startswith("_")}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy and torch
        return plain(value.tolist())
    return str(value)


def print_json(value: Any) -> None:
    """One object on one line of stdout, at once: another program may be reading along."""
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    print(json.dumps(plain(value), ensure_ascii=not unicode, allow_nan=False), flush=True)


def console(*, stderr: bool = False) -> Console:
    """Rich's console on today's stdout or stderr; wide where no one is looking at a terminal."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else 200
    return Console(file=stream, width=width, highlight=False, markup=False, soft_wrap=not stream.isatty())


def table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """An unframed table; the columns in ``right`` hold numbers."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        made.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return made


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show on a terminal that something takes a moment, with a bar where it says how far it is."""
    out = console(stderr=True)
    if not out.is_terminal:
        yield
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"))
    with Bar(*columns, console=out, transient=True) as bar:
        task = bar.add_task(text, total=None, told="")
        with listening(lambda progress: bar.update(task, **_shown(progress))):
            yield


def _shown(progress: Progress) -> dict[str, Any]:
    return {"completed": progress.done, "total": progress.total, "told": str(progress)}


def number(value: float | int | None) -> str:
    """``1,234`` for counts, ``0.9876`` for measures, ``-`` for nothing."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
