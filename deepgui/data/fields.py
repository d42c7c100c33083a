"""What an example consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FieldKind = Literal["image", "vector", "number", "label"]


@dataclass(frozen=True, slots=True)
class Field:
    """A named tensor of an example.

    Attributes:
        name: unique among the fields of a table.
        kind: ``image`` (C, H, W) with values in 0..1 before normalisation; ``vector`` (..., D);
            ``number`` (1,), so that it agrees with ``Linear(out_features=1)``; ``label`` (), an index into ``classes``.
        shape: without the batch dimension.
        dtype: ``float32`` or ``int64`` (labels), as in ``torch.float32``.
        classes: names of the classes of a label.
        columns: names of the elements of a vector's last dimension, where they are known.
    """

    name: str
    kind: FieldKind
    shape: tuple[int, ...]
    dtype: str = "float32"
    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def label_field(name: str, classes: tuple[str, ...]) -> Field:
    """A class index, shape ()."""
    return Field(name, "label", (), "int64", classes)


def number_field(name: str) -> Field:
    """A real number to predict, shape (1,)."""
    return Field(name, "number", (1,))
