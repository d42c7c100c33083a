"""What of a recording depends on the batch: two recordings at different batch sizes, laid side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import fx

from deepgui.graph.shapes import Dim, TensorType
from deepgui.importers.recording import Recording, name_of
from deepgui.importers.report import ImportFailed


class Varying:
    """Stands for an argument that depends on the batch size in a way that no drawing can say."""

    def __repr__(self) -> str:
        return "a number that depends on the batch size"


def align(first: Recording, second: Recording, sizes: tuple[int, int]) -> Recording:
    """The first recording with ``meta["type"]`` on every tensor, and a :class:`Dim` for every number that varies.

    Raises:
        ImportFailed: the two are not the same calls: the module does something else for another batch size.
    """
    ours, theirs = list(first.graph.nodes), list(second.graph.nodes)
    for a, b in zip(ours, theirs, strict=False):
        if a.op != b.op or _target(a) != _target(b) or len(a.all_input_nodes) != len(b.all_input_nodes):
            raise _differs(b if a.op == "output" else a)
        a.args, a.kwargs = _merged(a.args, b.args, sizes), _merged(a.kwargs, b.kwargs, sizes)
        if "shape" in a.meta:
            a.meta["type"] = _type(a, b, sizes)
    if len(ours) != len(theirs):
        raise _differs(max(ours, theirs, key=len)[min(len(ours), len(theirs))])
    return first


def _target(node: fx.Node) -> object:
    return name_of(node.target) if callable(node.target) else node.target


def _differs(node: fx.Node) -> ImportFailed:
    where = str(node.meta.get("path", ""))
    said = f"What {where or 'the module'} computes depends on the number of examples in a batch, or on their values"
    return ImportFailed(f"{said}, which a drawing cannot say.", where)


def _type(a: fx.Node, b: fx.Node, sizes: tuple[int, int]) -> TensorType:
    if len(a.meta["shape"]) != len(b.meta["shape"]):
        raise _differs(a)
    dims = tuple(_dim(x, y, sizes) for x, y in zip(a.meta["shape"], b.meta["shape"], strict=True))
    if any(d is None for d in dims):
        raise _differs(a)
    return TensorType(tuple(d for d in dims if d is not None), str(a.meta["dtype"]).removeprefix("torch."))


def _dim(x: int, y: int, sizes: tuple[int, int]) -> Dim | None:
    slope, rest = divmod(y - x, sizes[1] - sizes[0])
    return None if rest else Dim(slope, x - slope * sizes[0])


def _merged(a: Any, b: Any, sizes: tuple[int, int]) -> Any:
    if isinstance(a, fx.Node):
        return a
    if isinstance(a, Mapping):
        return {key: _merged(item, b[key], sizes) for key, item in a.items()}
    if isinstance(a, (tuple, list)) and len(a) == len(b):
        return type(a)(_merged(x, y, sizes) for x, y in zip(a, b, strict=True))
    if isinstance(a, slice):
        return slice(*(_merged(getattr(a, n), getattr(b, n), sizes) for n in ("start", "stop", "step")))
    if type(a) is int and type(b) is int:
        found = _dim(a, b, sizes) or Varying()
        return a if found == Dim(0, a) else found
    if isinstance(a, float) and isinstance(b, float) and a != b:
        return a if a != a and b != b else Varying()
    return a


def parting(first: Recording, second: Recording) -> str | None:
    """The submodule in which two recordings at one batch size part: its path depends on values. None if none does."""
    ours, theirs = list(first.graph.nodes), list(second.graph.nodes)
    for a, b in zip(ours, theirs, strict=False):
        same = a.op == b.op and _target(a) == _target(b) and len(a.all_input_nodes) == len(b.all_input_nodes)
        if not same or _plainly(a) != _plainly(b) or a.meta.get("shape") != b.meta.get("shape"):
            return str((b if a.op == "output" else a).meta.get("path", ""))
        if a.op == "get_attr" and not torch.equal(a.meta["value"], b.meta["value"]):
            return next((str(user.meta.get("path", "")) for user in a.users), "")
    return None if len(ours) == len(theirs) else ""


def _plainly(node: fx.Node) -> str:
    """The arguments as text, tensors by their place."""
    return repr((node.args, node.kwargs))
