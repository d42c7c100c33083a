"""What flows through a recorded graph on its way into a drawing: wires, and tensors that are known beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from deepgui.graph.shapes import Dim, TensorType
from deepgui.importers.draft import Wired
from deepgui.importers.report import Inexpressible


@dataclass(frozen=True)
class Fixed:
    """A tensor that does not depend on the inputs.

    Attributes:
        trained: whether it is, or was computed from, parameters.
        path: where it comes from: ``encoder.pos_embed``.
        computed: it is no parameter or buffer itself, but was computed from some.
        type: its dimensions; one may vary with the batch, along which the numbers then repeat.
    """

    value: Tensor
    type: TensorType
    trained: bool = False
    path: str = ""
    computed: bool = False

    def narrowed(self) -> Fixed:
        """With size 1 instead of the batch's, which is the same wherever it is broadcast.

        Raises:
            Inexpressible: the numbers differ from example to example.
        """
        value, dims = self.value, list(self.type.dims)
        for place, dim in enumerate(dims):
            if dim.batch:
                first = value.narrow(place, 0, 1)
                if value.numel() and not torch.equal(first.expand_as(value), value):
                    raise Inexpressible("a constant differs from one example of a batch to the next")
                value, dims[place] = first, Dim(0, 1)
        return replace(self, value=value, type=TensorType(tuple(dims), self.type.dtype))

    @property
    def varies(self) -> bool:
        """Whether a dimension depends on the batch."""
        return any(d.batch for d in self.type.dims)

    @property
    def number(self) -> float | int | bool | None:
        """The one number it holds, if it holds one and is not trained."""
        if self.trained or self.value.numel() != 1:
            return None
        return self.value.item()


Operand = Wired | Fixed
"""A tensor as an argument."""


def fixed(value: Tensor, *, trained: bool = False, path: str = "") -> Fixed:
    """A tensor none of whose dimensions is the batch."""
    dims = tuple(Dim(0, size) for size in value.shape)
    return Fixed(value, TensorType(dims, str(value.dtype).removeprefix("torch.")), trained, path)


def rank(value: Operand) -> int:
    """The number of dimensions."""
    return len(value.type.dims)


def place_of(dim: int, rank: int) -> int:
    """A dimension counted from the front."""
    return dim % rank if rank else 0


def sizes(dims: Sequence[Dim]) -> tuple[int, ...]:
    """A shape as ``reshape`` takes it: -1 for the one dimension that depends on the batch.

    Raises:
        Inexpressible: several do.
    """
    if sum(bool(d.batch) for d in dims) > 1:
        raise Inexpressible("more than one dimension of the new shape depends on the batch")
    return tuple(-1 if d.batch else d.const for d in dims)
