"""The hand that places nodes for one recorded call: operands are wired, made into constants, or broadcast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from deepgui.graph.shapes import Dim, TensorType
from deepgui.importers.draft import Draft, Wired, name_from
from deepgui.importers.report import Inexpressible, Note
from deepgui.importers.values import Fixed, Operand, fixed, sizes

MOST_NUMBERS = 4096
"""A Constant with more numbers than this has them in the weights only."""

_FINITE = (-3.4e38, 3.4e38)
"""What stands for infinity in a file; the weights hold infinity itself."""

BROADCASTING = frozenset(
    {"add", "sub", "mul", "div", "pow", "where", "maximum", "minimum", "masked_fill", "rsub", "remainder", "atan2"}
    | {"gt", "lt", "ge", "le", "eq", "ne", "logical_and", "logical_or", "logical_xor", "floor_divide", "matmul"}
    | {"scaled_dot_product_attention", "lerp", "addcmul"}
)
"""Kinds for which a dimension of size 1 is as good as one of the batch's size."""


def _batch_second(value: Wired | Sequence[Wired]) -> Wired | None:
    """The operand, if its second dimension is the batch and not its first."""
    if not isinstance(value, Wired) or len(value.type.dims) < 3:
        return None
    return value if value.type.dims[1].batch and not value.type.dims[0].batch else None


@dataclass
class Context:
    """One call on its way into the drawing.

    Attributes:
        path: the submodule that makes it.
        out: the types of the tensors it returned when it was recorded; empty if that is not known.
        used: which of several results somebody uses.
    """

    draft: Draft
    path: str = ""
    out: tuple[TensorType, ...] = ()
    used: frozenset[int] = frozenset({0})
    notes: list[Note] = field(default_factory=list)
    _constants: dict[Any, Wired] = field(default_factory=dict)

    def place(
        self,
        kind: str,
        inputs: Mapping[str, Operand | Sequence[Operand]],
        params: Mapping[str, Any] | None = None,
        *,
        weights: Mapping[str, Tensor] | None = None,
        name: str = "",
        shares: str = "",
    ) -> dict[str, Wired]:
        """Place a node; see :meth:`Draft.add`."""
        feeds: dict[str, Wired | Sequence[Wired]] = {}
        for port, given in inputs.items():
            operands = [given] if isinstance(given, (Wired, Fixed)) else list(given)
            found = [self.wire(v, full=kind not in BROADCASTING) for v in operands]
            feeds[port] = found[0] if isinstance(given, (Wired, Fixed)) else found
        if kind == "Linear" and (turned := _batch_second(feeds["input"])):
            return self._turned(kind, turned, params, weights=weights, name=name, shares=shares)
        known = {n: v for n, v in (params or {}).items() if n in self.parameters(kind)}
        return self.draft.add(kind, feeds, known, weights=weights, name=name, path=self.path, shares=shares)

    def _turned(self, kind: str, value: Wired, params: Mapping[str, Any] | None, **more: Any) -> dict[str, Wired]:
        """A layer that wants the batch first, where it stands second: turned before it and back behind it."""
        first = self.one("transpose", value, dim0=0, dim1=1)
        found = next(iter(self.place(kind, {"input": first}, params, **more).values()))
        return {"output": self.one("transpose", found, dim0=0, dim1=1)}

    def one(self, kind: str, *inputs: Operand, **params: Any) -> Wired:
        """Place a node with one output; the operands are wired in the order of its ports."""
        ports = [p.name for p in self.spec(kind).inputs]
        return next(iter(self.place(kind, dict(zip(ports, inputs, strict=False)), params).values()))

    def spec(self, kind: str) -> Any:
        """The declaration of a kind. Raises Inexpressible if there is none."""
        if kind not in self.draft.registry:
            raise Inexpressible(f"there is no layer {kind}")
        return self.draft.registry[kind]

    def has(self, kind: str) -> bool:
        """Whether the catalogue knows a kind."""
        return kind in self.draft.registry

    def parameters(self, kind: str) -> frozenset[str]:
        """The names of a kind's settings."""
        return frozenset(p.name for p in self.spec(kind).params)

    def note(self, operation: str, message: str) -> None:
        """Tell the person something about this call."""
        found = Note("note", operation, self.path, message)
        if found not in self.notes:
            self.notes.append(found)

    def wire(self, value: Operand, *, full: bool = False) -> Wired:
        """An operand as the end of a wire: a tensor that is known beforehand becomes a node.

        Args:
            full: a dimension of the batch's size is needed in full, not broadcast.
        """
        if isinstance(value, Wired):
            return value
        if not value.varies:
            return self._constant(value)
        if value.type.dims[0].batch > 1 and not value.type.dims[0].const:
            return self._tiled(value)
        small = self._constant(value.narrowed())
        if not full:
            return small
        if value.type.dims[0] != Dim(1, 0):
            raise Inexpressible("a constant has the size of the batch in a later dimension than the first")
        return self.one("expand_batch", small, self._like())

    def _tiled(self, value: Fixed) -> Wired:
        """A constant that repeats itself for every example, several rows each (the windows of an image)."""
        rows, rest = value.type.dims[0].batch, value.type.dims[1:]
        parts = value.value.reshape(-1, rows, *value.value.shape[1:])
        dims = (Dim(1, 0), Dim(0, rows), *rest)
        each = Fixed(parts, TensorType(dims, value.type.dtype), value.trained, value.path).narrowed()
        full = self.one("expand_batch", self._constant(each), self._like())
        return self.one("reshape", full, shape=sizes((value.type.dims[0], *rest)))

    def _like(self) -> Wired:
        """Something whose first dimension is the batch."""
        for node in self.draft.nodes.values():
            if node.kind == "Input":
                shape = node.params["shape"]
                assert isinstance(shape, tuple)
                dims = (Dim(1, 0), *(Dim(0, s) for s in shape if isinstance(s, int)))
                return Wired(node.id, "output", TensorType(dims, str(node.params.get("dtype", "float32"))))
        raise Inexpressible("there is no input whose batch size could be taken")

    def _constant(self, value: Fixed) -> Wired:
        key = (id(value.value), value.path, tuple(value.type.dims), value.trained)
        if key not in self._constants:
            self._constants[key] = self._make_constant(value)
            self._constants[key, "kept"] = value  # type: ignore[assignment]  # an id stays one tensor's as long as that lives
        return self._constants[key]

    def _make_constant(self, value: Fixed) -> Wired:
        """A Parameter if it was trained, else a Constant with the numbers themselves, unless they are very many."""
        tensor, shape = value.value, tuple(value.value.shape)
        name = name_from(value.path) if value.path != self.path else ""
        if not tensor.numel():
            raise Inexpressible("it takes an empty tensor")
        if value.trained and tensor.dtype == torch.float32:
            held = tensor if shape else tensor.reshape(1)
            return self.draft.tensor("Parameter", {"shape": tuple(held.shape)}, held, name=name, path=self.path)
        if tensor.is_complex():
            raise Inexpressible("it takes complex numbers that are no input")
        params: dict[str, Any] = {"shape": shape or None, "dtype": value.type.dtype}
        first = tensor.flatten()[0]
        plain = tensor.clamp(*_FINITE) if tensor.is_floating_point() else tensor.to(torch.int64)
        if bool((tensor == first).all()):
            params["value"] = plain.flatten()[0].item()
        elif tensor.numel() <= MOST_NUMBERS:
            params["value"] = tuple(plain.flatten().tolist())
        else:
            params["value"] = 0
            self.note("Constant", f"{tensor.numel():,} numbers are in the weights only, not in the drawing")
        return self.draft.tensor("Constant", params, tensor, name=name, path=self.path)

    def number(self, value: float | int | bool | complex) -> Fixed:
        """A number as an operand."""
        if isinstance(value, complex):
            raise Inexpressible("it computes with complex numbers")
        return fixed(torch.tensor(value))
