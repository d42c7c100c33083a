"""Tables whose examples are windows of one long sequence, which is kept once however much they overlap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.data.table import example_bytes

_WHOLE_BYTES = 64 << 20  # up to so many bytes, windows are cut once instead of batch by batch


class View(NamedTuple):
    """What a field takes of the sequence for a window that begins at ``s``.

    Attributes:
        sequence: name of the tensor that it is cut from.
        offset: its first step is ``s + offset``.
        length: how many steps.
    """

    sequence: str
    offset: int
    length: int


@dataclass(frozen=True, eq=False)
class Windows:
    """A table of windows, cut when they are asked for.

    Attributes:
        sequences: name → (steps, ...); small integers stand for int64.
        starts: the first step of every window, int64 (N,).
        views: field name → what it takes.
    """

    fields: tuple[Field, ...]
    target: str
    sequences: Mapping[str, Tensor]
    starts: Tensor
    views: Mapping[str, View]
    fixed: Mapping[str, Tensor] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    in_memory: bool = True

    @property
    def overlapping(self) -> bool:
        """Whether the windows would take far more memory than what they are cut from."""
        return len(self) * example_bytes(self.fields) > _WHOLE_BYTES

    def __len__(self) -> int:
        return len(self.starts)

    def get(self, indices: Tensor) -> dict[str, Tensor]:
        starts = self.starts[indices].unsqueeze(1)
        found = {}
        for item in self.fields:
            view = self.views[item.name]
            cut = self.sequences[view.sequence][starts + torch.arange(view.offset, view.offset + view.length)]
            if item.dtype == "int64":
                cut = cut.long()
            found[item.name] = cut.reshape(len(indices), *item.shape)
        return found

    def labels(self) -> Tensor | None:
        return None


class Part(NamedTuple):
    """Steps of a sequence that belong to one split, from ``first`` to before ``last``."""

    name: str
    first: int
    last: int


def contiguous(count: int, validation: float, test: float) -> list[Part]:
    """A sequence in training, validation and test, one after the other. Raises DataError for unusable shares.

    Neighbouring windows share most of their steps, so a random split would let a network look the answers up.
    """
    for name, share in (("validation", validation), ("test", test)):
        if not 0 <= share < 1:
            raise DataError(f"the {name} share must be at least 0 and less than 1, not {share:g}")
    if validation + test >= 1:
        raise DataError(
            f"validation ({validation:g}) and test ({test:g}) take everything and leave nothing to train on: lower them"
        )
    first, second = (int(count * share + 1e-6) for share in (1 - validation - test, 1 - test))  # 0.9 is a bit less
    return [Part("train", 0, first), Part("validation", first, second), Part("test", second, count)]


def starts_of(part: Part, size: int, stride: int) -> Tensor:
    """Where the windows of ``size`` steps start that lie within a part, int64."""
    return torch.arange(part.first, max(part.first, part.last - size + 1), stride)


def numbered(parts: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """The starts of all splits in a row, and the rows of each: what ``starts`` and ``fixed`` of a table want."""
    rows, done = {}, 0
    for name, starts in parts.items():
        rows[name] = torch.arange(done, done + len(starts))
        done += len(starts)
    return torch.cat(list(parts.values())), rows
