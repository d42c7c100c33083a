"""Symbolic shapes: every dimension is ``a·N + c`` with N the batch size, or another free size in its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Dim(NamedTuple):
    """One dimension, ``batch * N + const``.

    ``of`` names what is counted: ``N`` the examples of a batch (or, in a batch of graphs, its nodes), ``E`` its edges,
    ``G`` its graphs; ``N1`` and ``E1`` those that the first layer leaves which chooses among them.
    """

    batch: int
    const: int
    of: str = "N"

    def at(self, n: int) -> int:
        """The size for batch size ``n``; other free sizes are taken to be as large."""
        return self.batch * n + self.const

    def given(self, sizes: Mapping[str, int]) -> int:
        """The size when every free size has a value."""
        return self.batch * sizes[self.of] + self.const if self.batch else self.const

    def __str__(self) -> str:
        if not self.batch:
            return str(self.const)
        head = self.of if self.batch == 1 else f"{self.batch}{self.of}"
        return head if not self.const else f"{head}{self.const:+d}"


class TensorType(NamedTuple):
    """Shape and element type of what flows through a wire."""

    dims: tuple[Dim, ...]
    dtype: str = "float32"

    @property
    def shape(self) -> str:
        """``N×16×28×28``; a scalar reads ``scalar``."""
        return "×".join(map(str, self.dims)) or "scalar"

    def at(self, n: int) -> tuple[int, ...]:
        """The concrete shape for batch size ``n``."""
        return tuple(d.at(n) for d in self.dims)

    def numel(self, n: int) -> int:
        """Number of elements for batch size ``n``."""
        size = 1
        for d in self.dims:
            size *= d.at(n)
        return size

    @property
    def batch_first(self) -> bool:
        """Whether dimension 0 is the batch (of examples, nodes, edges or graphs), and no other depends on any."""
        return bool(self.dims) and self.dims[0][:2] == (1, 0) and not any(d.batch for d in self.dims[1:])

    def __str__(self) -> str:
        return self.shape if self.dtype == "float32" else f"{self.shape} {self.dtype}"


def batched(shape: Iterable[int], dtype: str = "float32") -> TensorType:
    """``(1, 28, 28)`` becomes ``N×1×28×28``."""
    return TensorType((Dim(1, 0), *(Dim(0, s) for s in shape)), dtype)
