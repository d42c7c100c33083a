"""Examples by row number, before they are split or normalised."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from deepgui import machine
from deepgui.data.errors import DataError
from deepgui.data.fields import Field


class Table(Protocol):
    """All examples of a source, with random access.

    Attributes:
        fields: what an example consists of.
        target: name of the field to learn.
        in_memory: whether ``get`` only copies memory; otherwise it reads and decodes files.
        fixed: rows that the source itself assigns to ``train``, ``validation`` or ``test``.
        missing: column → number of missing values found.
        notes: sentences on what the reader did that a person should know.
    """

    @property
    def fields(self) -> tuple[Field, ...]: ...
    @property
    def target(self) -> str: ...
    @property
    def in_memory(self) -> bool: ...
    @property
    def fixed(self) -> Mapping[str, Tensor]: ...
    @property
    def missing(self) -> Mapping[str, int]: ...
    @property
    def notes(self) -> tuple[str, ...]: ...

    def __len__(self) -> int: ...

    def get(self, indices: Tensor) -> dict[str, Tensor]:
        """The examples at these rows (int64, shape (B,)), field name → (B, *shape). Raises DataError."""
        ...

    def labels(self) -> Tensor | None:
        """The class of every row (int64, shape (N,)), or None if the target is no label."""
        ...


def overlapping(table: Table) -> bool:
    """Whether examples share memory, as windows of a sequence do, so that they are better cut batch by batch."""
    return bool(getattr(table, "overlapping", False))


def field_of(fields: tuple[Field, ...], name: str) -> Field:
    """The field of that name. Raises KeyError."""
    for item in fields:
        if item.name == name:
            return item
    raise KeyError(name)


FITS_BYTES = 2 << 30
"""Tables up to this size are kept in memory; larger ones are read, or at least converted, batch by batch."""


def example_bytes(fields: tuple[Field, ...]) -> int:
    """Bytes of an example in the form that training works on."""
    return sum(math.prod(f.shape) * (8 if f.dtype == "int64" else 4) for f in fields)


def fits(count: int, fields: tuple[Field, ...]) -> bool:
    """Whether so many examples fit in memory: within :data:`FITS_BYTES` and a quarter of the machine's memory."""
    return count * example_bytes(fields) <= min(FITS_BYTES, machine.memory() / 4)


def to_values(stored: Tensor) -> Tensor:
    """Bytes become float32 in 0..1; everything else stays as it is."""
    return stored.to(torch.float32).div_(255) if stored.dtype == torch.uint8 else stored


@dataclass(frozen=True, eq=False)
class TensorTable:
    """A table held in memory.

    Attributes:
        tensors: field name → (N, *shape). Images may be kept as uint8: a quarter of the memory.
            Missing values are NaN and are filled by the normaliser.
    """

    fields: tuple[Field, ...]
    target: str
    tensors: Mapping[str, Tensor]
    fixed: Mapping[str, Tensor] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    in_memory: bool = True

    def __post_init__(self) -> None:
        lengths = {len(self.tensors[f.name]) for f in self.fields}
        if len(lengths) != 1:
            raise ValueError(f"the fields of a table differ in length: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.tensors[self.fields[0].name])

    def get(self, indices: Tensor) -> dict[str, Tensor]:
        return {f.name: to_values(self.tensors[f.name].index_select(0, indices)) for f in self.fields}

    def labels(self) -> Tensor | None:
        is_label = field_of(self.fields, self.target).kind == "label"
        return self.tensors[self.target] if is_label else None


@dataclass(frozen=True, eq=False)
class _Renumbered:
    """A table whose classes have the numbers that a network knows them by; ``codes`` maps the table's own to these."""

    own: Table
    fields: tuple[Field, ...]
    target: str
    codes: Tensor

    @property
    def in_memory(self) -> bool:
        return self.own.in_memory

    @property
    def overlapping(self) -> bool:
        return overlapping(self.own)

    @property
    def fixed(self) -> Mapping[str, Tensor]:
        return self.own.fixed

    @property
    def missing(self) -> Mapping[str, int]:
        return self.own.missing

    @property
    def notes(self) -> tuple[str, ...]:
        return self.own.notes

    def __len__(self) -> int:
        return len(self.own)

    def get(self, indices: Tensor) -> dict[str, Tensor]:
        found = self.own.get(indices)
        return {**found, self.target: self.codes[found[self.target]]}

    def labels(self) -> Tensor | None:
        labels = self.own.labels()
        return None if labels is None else self.codes[labels]


def renumbered(table: Table, target: Field) -> Table:
    """The table with the classes of ``target``, in its order.

    Raises:
        DataError: the table has a class that ``target`` does not.
    """
    own = field_of(table.fields, target.name)
    if own.classes == target.classes:
        return table
    strange = [name for name in own.classes if name not in target.classes]
    if strange:
        known = ", ".join(target.classes)
        raise DataError(f"the network does not know the class {strange[0]!r} of {target.name}: it knows {known}")
    codes = torch.tensor([target.classes.index(name) for name in own.classes])
    fields = tuple(target if f is own else f for f in table.fields)
    recoded = getattr(table, "recoded", None)  # of tables that are more than rows
    found: Table = recoded(fields, codes) if recoded else _Renumbered(table, fields, target.name, codes)
    return found
