"""Sizes that were typed and do not agree with what arrives, or cannot be divided as asked."""

from __future__ import annotations

from collections.abc import Iterator

from deepgui.catalog.spec import ParamSpec, Value, show
from deepgui.compiler.advice.case import Case
from deepgui.compiler.facts import incoming
from deepgui.graph import edits
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.shapes import TensorType


def wrong_sizes(case: Case) -> Iterator[Problem]:
    """Sizes of weights that disagree with the wire they belong to."""
    for param in case.spec.params:
        if param.infer is None or param.infer.port not in case.types:
            continue
        arriving = case.types[param.infer.port][0]
        size = incoming(param.infer.port, param.infer.dim, case.types)
        own = case.node.params.get(param.name)
        if size is None and own is None:
            yield case.problem(
                "no-size",
                f"{param.name} cannot be read from {arriving.shape}.",
                param.infer.port,
                expected="a fixed size",
                received=arriving.shape,
                reason="That dimension is missing or depends on the batch size: look for the layer before it that"
                " joins the batch with other dimensions.",
            )
        elif size is not None and own is not None:
            yield from _typed(case, param, own, size, arriving)


def _typed(case: Case, param: ParamSpec, own: Value, size: int, arriving: TensorType) -> Iterator[Problem]:
    """Problem if a typed size is not what arrives."""
    assert param.infer is not None
    following = Fix(f"Set {param.name} to {size}", lambda net: edits.unset_param(net, case.node.id, param.name))
    found = str(size)
    if isinstance(own, tuple) and 1 < len(own) < len(arriving.dims):
        there = tuple(d.const for d in arriving.dims[-len(own) :])
        if own == there:
            return
        following, found = case.set(param.name, there), show(there)
    elif (own[-1] if isinstance(own, tuple) and own else own) == size:
        return
    yield case.problem(
        "size-mismatch",
        f"{param.name} is {show(own)}, but {found} arrive ({arriving.shape}).",
        param.infer.port,
        expected=f"{param.name} = {show(own)}",
        received=arriving.shape,
        reason=f"The layer's weights are made for {show(own)}; left empty, {param.name} follows the wire.",
        fix=following,
    )


_PARTS = (("embed_dim", "num_heads"), ("d_model", "nhead"), ("num_channels", "num_groups"))


def indivisible(case: Case) -> Iterator[Problem]:
    """Channels or features that cannot be shared out among groups or heads."""
    value = case.facts.params.get
    for size_name, parts_name in _PARTS:
        size, parts = value(size_name), value(parts_name)
        if isinstance(size, int) and isinstance(parts, int) and parts > 0 and size % parts:
            yield _not_divisible(case, size_name, size, parts_name, parts)
    groups = value("groups")
    for name in ("in_channels", "out_channels"):
        size = value(name)
        if isinstance(size, int) and isinstance(groups, int) and groups > 0 and size % groups:
            yield _not_divisible(case, name, size, "groups", groups)
            return
    yield from _indivisible_input(case)


def _not_divisible(case: Case, size_name: str, size: int, parts_name: str, parts: int) -> Problem:
    best = max(d for d in range(1, min(parts, size) + 1) if size % d == 0)
    arriving = case.first
    return case.problem(
        "not-divisible",
        f"{size_name} ({size}) cannot be divided into {parts_name} = {parts} equal parts.",
        case.first_port,
        expected=f"a divisor of {size}",
        received=f"{parts_name} = {parts}" + (f" for {arriving.shape}" if arriving else ""),
        reason=f"All parts are of one size: choose a {parts_name} that divides {size}, or change {size_name}.",
        fix=case.set(parts_name, best),
    )


def _indivisible_input(case: Case) -> Iterator[Problem]:
    """Channels that ``PixelShuffle`` cannot spread over pixels, features that ``GLU`` cannot halve."""
    first = case.first
    if first is None or case.spec.kind not in ("PixelShuffle", "GLU", "ChannelShuffle"):
        return
    factor = case.facts.params.get("upscale_factor")
    parts = factor**2 if isinstance(factor, int) else case.facts.params.get("groups") or 2
    dim = case.facts.params.get("dim")
    place = dim if isinstance(dim, int) and -len(first.dims) <= dim < len(first.dims) else min(1, len(first.dims) - 1)
    place %= len(first.dims)
    size = first.dims[place]
    if size.batch or not isinstance(parts, int) or size.const % parts == 0:
        return
    yield case.problem(
        "not-divisible",
        f"{size} cannot be divided by {parts} ({first.shape}).",
        case.first_port,
        expected=f"a multiple of {parts} in dimension {place}",
        received=first.shape,
        reason=f"Let the layer before it give a multiple of {parts}.",
        fix=_widen(case, size.const, parts),
    )


def _widen(case: Case, size: int, parts: int) -> Fix | None:
    """The layer that made the channels makes some more."""
    source = case.source(case.first_port)
    wanted = (size // parts + 1) * parts
    spec = case.registry.get(source.kind) if source else None
    if source is None or spec is None:
        return None
    for name in ("out_channels", "out_features"):
        if source.params.get(name) == size:
            return Fix(
                f"Set {name} of {source.label} to {wanted}",
                lambda net, own=name: edits.set_params(net, source.id, {own: wanted}),  # type: ignore[misc]
            )
    return None
