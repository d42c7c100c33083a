"""Reading many files: in threads, saying how far it is; kept where they fit, read again and again where they do not."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.data.progress import Progress, tell
from deepgui.data.table import Table, TensorTable, field_of, fits, to_values

S = TypeVar("S")
T = TypeVar("T")

Reader = Callable[[int], dict[str, Tensor]]
"""The fields of the example with this number that lie in files; bytes stand for 0..1. Raises DataError."""


def threads() -> int:
    """Threads that read and decode files: one core stays free for the screen."""
    return max(1, (os.cpu_count() or 1) - 1)


def read_all(root: Path, items: Sequence[S], read: Callable[[S], T], what: str) -> list[T]:
    """``read`` applied to every item, in threads and in order.

    Args:
        what: of which items it is told how many are done (``pictures read``).

    Raises:
        DataError: the only one that occurred, or one that says how many there were and what the first was.
    """

    def attempt(item: S) -> T | DataError:
        try:
            return read(item)
        except DataError as error:
            return error

    # Handing single files to one thread costs more than it frees.
    pool = ThreadPoolExecutor(threads()) if threads() > 1 else None
    results = []
    try:
        for result in (pool.map if pool else map)(attempt, items):
            results.append(result)
            tell(Progress(len(results), len(items), what))
    finally:
        if pool is not None:  # given up or interrupted: nobody waits for the rest
            pool.shutdown(cancel_futures=True)
    errors = [r for r in results if isinstance(r, DataError)]
    if len(errors) == 1:
        raise errors[0]
    if errors:
        names = ", ".join(Path(e.file).name for e in errors[:4]) + (", ..." if len(errors) > 4 else "")
        raise DataError(f"{len(errors)} files cannot be read ({names}); the first: {errors[0]}", file=root)
    return [r for r in results if not isinstance(r, DataError)]


@dataclass(frozen=True, eq=False)
class FileTable:
    """Examples that do not fit in memory: read and decoded when they are asked for. Travels to worker processes.

    Attributes:
        reader: reads one example; can be pickled.
        known: the fields that need no reading, field name → (N, *shape).
    """

    fields: tuple[Field, ...]
    target: str
    count: int
    reader: Reader
    known: Mapping[str, Tensor] = field(default_factory=dict)
    fixed: Mapping[str, Tensor] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    in_memory: bool = False

    def __len__(self) -> int:
        return self.count

    def get(self, indices: Tensor) -> dict[str, Tensor]:
        rows = [self.reader(i) for i in indices.tolist()]
        found = {name: values[indices] for name, values in self.known.items()}
        for item in self.fields:
            if item.name not in found:
                empty = torch.empty((0, *item.shape), dtype=getattr(torch, item.dtype))
                found[item.name] = to_values(torch.stack([row[item.name] for row in rows])) if rows else empty
        return found

    def labels(self) -> Tensor | None:
        return self.known.get(self.target) if field_of(self.fields, self.target).kind == "label" else None


def table_of(table: FileTable, root: Path, what: str) -> Table:
    """The table itself if its examples do not fit in memory, else one that has read them all.

    Args:
        root: the folder that is named when several files cannot be read.
        what: for the progress, such as ``pictures read``.

    Raises:
        DataError: files that cannot be read.
    """
    if not fits(len(table), table.fields):
        return table
    rows = read_all(root, range(len(table)), table.reader, what)
    read = {f.name: torch.stack([row[f.name] for row in rows]) for f in table.fields if f.name not in table.known}
    tensors = {**table.known, **read}
    return TensorTable(table.fields, table.target, tensors, table.fixed, table.missing, table.notes)
