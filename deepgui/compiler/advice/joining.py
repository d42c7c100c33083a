"""Branches that come together and do not fit: added, joined or multiplied."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from deepgui.catalog.spec import Value
from deepgui.compiler import broadcast
from deepgui.compiler.advice.case import Case, folded, spread
from deepgui.graph import edits, topology
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.shapes import Dim, TensorType
from deepgui.graph.values import Wire

_ELEMENTWISE = re.compile(r"must match the size of tensor|broadcast")


def wrong_meetings(case: Case) -> Iterator[Problem]:
    """Why what arrives at a layer that was refused cannot be brought together."""
    arriving = [t for ts in case.types.values() for t in ts]
    if len(arriving) < 2 or not case.facts.error:
        return
    if case.spec.kind in ("matmul", "bmm"):
        yield _unlike_factors(case, arriving)
    elif case.spec.kind in ("cat", "stack"):
        yield _uneven(case, arriving)
    elif (case.spec.symbol or _ELEMENTWISE.search(case.facts.error)) and broadcast.clashes(arriving):
        yield _unlike_terms(case, arriving)


# --- element by element --------------------------------------------------------------------------------


def _unlike_terms(case: Case, arriving: Sequence[TensorType]) -> Problem:
    ports = [port for port, types in case.types.items() for _ in types]
    return case.problem(
        "shapes-differ",
        f"{' and '.join(t.shape for t in arriving)} cannot be combined element by element.",
        ports[1],
        expected=arriving[0].shape,
        received=arriving[1].shape,
        reason=broadcast.reason(arriving),
        fix=_match(case, ports, arriving) if len(arriving) == 2 else None,
    )


def _match(case: Case, ports: list[str], arriving: Sequence[TensorType]) -> Fix | None:
    """Bring the shortcut, or what it is added to, to the other's shape."""
    wires = [case.wire(port) for port in ports]
    if wires[0] is None or wires[1] is None or not all(t.batch_first for t in arriving):
        return None
    shortcut = _shortcut(case, wires[0], wires[1])
    near, far = (1 - shortcut), shortcut
    if len(arriving[0].dims) != len(arriving[1].dims):
        return _per_channel(case, wires, arriving)
    return _padded(case, ports[near], arriving[near], arriving[far]) or _projected(
        case, wires[far], arriving[far], arriving[near]
    )


def _shortcut(case: Case, first: Wire, second: Wire) -> int:
    """Which of two wires leads past the layers of the other; the second if neither does."""
    return 0 if first.source in topology.upstream(case.network, second.source) else 1


def _per_channel(case: Case, wires: Sequence[Wire | None], arriving: Sequence[TensorType]) -> Fix | None:
    """A value per channel, ``N×C``, becomes ``N×C×1×1``."""
    small = min((0, 1), key=lambda place: len(arriving[place].dims))
    few, many = arriving[small].dims, arriving[1 - small].dims
    if len(few) < 2 or few != many[: len(few)]:
        return None
    shape = (-1, *(d.const for d in few[1:]), *[1] * (len(many) - len(few)))
    return case.insert(f"reshape to {_spelt(shape)}", wires[small], ("reshape", {"shape": shape}))


def _spelt(shape: Sequence[int]) -> str:
    return "×".join("N" if size == -1 else str(size) for size in shape)


def _padded(case: Case, port: str, short: TensorType, long: TensorType) -> Fix | None:
    """The convolution that lost the border of the picture is padded."""
    node = case.source(port)
    while node is not None and node.kind.startswith("BatchNorm"):
        before = case.network.into(node.id)
        node = case.network.nodes.get(before[0].source) if before else None
    if (
        node is None
        or not node.kind.startswith("Conv")
        or short.dims[:2] != long.dims[:2]
        or node.params.get("padding")
    ):
        return None
    missing = {b.const - a.const for a, b in zip(short.dims[2:], long.dims[2:], strict=True)}
    kernel = spread(node.params.get("kernel_size"), len(short.dims) - 2)
    if len(missing) != 1 or {k - 1 for k in kernel} != missing or missing == {0} or next(iter(missing)) % 2:
        return None
    half = next(iter(missing)) // 2
    return Fix(f"Set padding of {node.label} to {half}", lambda net: edits.set_params(net, node.id, {"padding": half}))


def _projected(case: Case, wire: Wire | None, have: TensorType, want: TensorType) -> Fix | None:
    """A learned map on the shortcut, as residual networks have it where the shape changes."""
    if len(have.dims) == len(want.dims) and have.dims[:-1] == want.dims[:-1] and len(have.dims) <= 3:
        size = want.dims[-1].const
        return case.insert(f"Linear({size}) on the shortcut", wire, ("Linear", {"out_features": size}))
    count = len(have.dims) - 2
    if not 1 <= count <= 3:
        return None
    sizes = [(h.const, w.const) for h, w in zip(have.dims[2:], want.dims[2:], strict=True)]
    strides = [-(-h // w) for h, w in sizes if w > 0]
    if len(strides) < count or any((h - 1) // s + 1 != w for (h, w), s in zip(sizes, strides, strict=True)):
        return None
    params: dict[str, Value] = {"out_channels": want.dims[1].const, "kernel_size": 1}
    if max(strides) > 1:
        params["stride"] = folded(strides)
    return case.insert(f"a 1×1 convolution to {want.shape}", wire, (f"Conv{count}d", params))


# --- one behind the other --------------------------------------------------------------------------------


def _uneven(case: Case, arriving: list[TensorType]) -> Problem:
    first = arriving[0]
    dim = case.facts.params.get("dim")
    place = dim if isinstance(dim, int) else 1
    odd = next((i for i, t in enumerate(arriving) if len(t.dims) != len(first.dims)), None)
    if odd is None:
        odd = next((i for i, t in enumerate(arriving) if _without(t, place) != _without(first, place)), 0)
    joined = case.spec.kind == "cat"
    return case.problem(
        "shapes-differ",
        f"{' and '.join(t.shape for t in arriving)} cannot be joined along dimension {place}.",
        case.first_port,
        expected=f"like {first.shape}" + (f" except along dim {place}" if joined else ""),
        received=arriving[odd].shape,
        reason="All must have as many dimensions, and agree in each but the one they are joined along: choose another"
        " dim, or bring them to one size first."
        if joined
        else "All must have the same shape: bring them to one size first, or join them with cat.",
        fix=_even(case, arriving, odd, place) if joined else None,
    )


def _without(t: TensorType, dim: int) -> tuple[Dim, ...]:
    place = dim % len(t.dims) if t.dims else 0
    return (*t.dims[:place], *t.dims[place + 1 :])


def _even(case: Case, arriving: list[TensorType], odd: int, place: int) -> Fix | None:
    ranks = {len(t.dims) for t in arriving}
    if len(ranks) > 1:
        wire = case.wire(case.first_port, max(range(len(arriving)), key=lambda i: len(arriving[i].dims)))
        return case.insert("Flatten", wire, ("Flatten", {})) if min(ranks) == 2 and len(arriving) == 2 else None
    for dim in range(1, min(ranks)):
        if dim != place % min(ranks) and len({_without(t, dim) for t in arriving}) == 1:
            return case.set("dim", dim)
    if len(arriving) != 2 or place % min(ranks) != 1 or min(ranks) not in (4, 5):
        return None
    wires = case.wire(case.first_port, 0), case.wire(case.first_port, 1)
    if wires[0] is None or wires[1] is None:
        return None
    far = _shortcut(case, wires[0], wires[1])
    size: Value = tuple(d.const for d in arriving[far].dims[2:])
    shown = "×".join(str(d) for d in arriving[far].dims[2:])
    return case.insert(f"Upsample to {shown}", wires[1 - far], ("Upsample", {"size": size}))


# --- multiplied ------------------------------------------------------------------------------------------


def _unlike_factors(case: Case, arriving: Sequence[TensorType]) -> Problem:
    first, second = arriving[:2]
    port = case.spec.inputs[1].name
    inner = first.dims[-1] if first.dims else None
    turned = len(second.dims) >= 2 and second.dims[-1] == inner and not second.dims[-2].batch
    return case.problem(
        "shapes-differ",
        f"{first.shape} and {second.shape} cannot be multiplied.",
        port,
        expected=f"…×{inner if inner is not None else '?'}×…",
        received=second.shape,
        reason="The last dimension of the first must equal the last but one of the second: transpose one of them, or"
        " bring it to that size with a Linear layer.",
        fix=case.insert("transpose(-2, -1)", case.wire(port), ("transpose", {"dim0": -2, "dim1": -1}))
        if turned
        else None,
    )
