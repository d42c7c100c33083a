"""What an example consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from typing import Any, Literal

from deepgui.data.columns import TableForm

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
        form: how a vector was made from the columns of a text table, if it was.
    """

    name: str
    kind: FieldKind
    shape: tuple[int, ...]
    dtype: str = "float32"
    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    form: TableForm | None = None

    def state(self) -> dict[str, Any]:
        """Plain values for JSON."""
        found = {f.name: getattr(self, f.name) for f in dataclass_fields(self)}
        return {**found, "form": self.form.state() if self.form else None}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Field:
        """What :meth:`state` described. Raises KeyError, TypeError or ValueError for anything else."""
        plain: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in state.items()}
        plain["form"] = TableForm.from_state(state["form"]) if state["form"] else None
        return cls(**plain)


def label_field(name: str, classes: tuple[str, ...]) -> Field:
    """A class index, shape ()."""
    return Field(name, "label", (), "int64", classes)


def number_field(name: str) -> Field:
    """A real number to predict, shape (1,)."""
    return Field(name, "number", (1,))


def shown(shape: tuple[int, ...]) -> str:
    """A shape for people: ``1×28×28``; ``1`` for a single value."""
    return "×".join(map(str, shape)) or "1"
