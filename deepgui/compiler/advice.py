"""Why a layer cannot take what arrives, in words that a person can act on, with the edit that mends it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from deepgui.catalog.spec import LayerSpec, PortSpec, Registry, Value
from deepgui.compiler import broadcast
from deepgui.compiler.facts import Facts, Types, incoming
from deepgui.graph import edits, topology
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.shapes import Dim, TensorType
from deepgui.graph.values import Network, Node, Wire


@dataclass(frozen=True)
class Case:
    """One layer with what arrives at it and what came of that."""

    network: Network
    registry: Registry
    node: Node
    spec: LayerSpec
    types: Types
    facts: Facts

    def wire(self, port: str) -> Wire | None:
        wires = self.network.into(self.node.id, port)
        return wires[0] if wires else None

    def problem(self, code: str, message: str, port: str = "", **more: object) -> Problem:
        return Problem(code, f"{self.node.label}: {message}", self.node.id, port, **more)  # type: ignore[arg-type]


def advise(case: Case) -> Iterator[Problem]:
    """All that is wrong with a layer in the light of the types that arrive; nothing if all is well."""
    found = [*_wrong_dtypes(case), *_wrong_layouts(case), *_wrong_sizes(case)]
    found = found or list(_wrong_settings(case))
    if case.facts.error and not found:
        found.append(_refused(case))
    yield from found
    if not found:
        yield from _doubts(case)


# --- element types -----------------------------------------------------------------------------------


def _wrong_dtypes(case: Case) -> Iterator[Problem]:
    for port in case.spec.active_inputs(case.node.params):
        for arriving in case.types.get(port.name, ()):
            if port.dtypes and arriving.dtype not in port.dtypes:
                yield case.problem(
                    "wrong-dtype",
                    f"{port.name} takes {' or '.join(port.dtypes)}, but {arriving.dtype} arrives.",
                    port.name,
                    expected=port.dtypes[0],
                    received=str(arriving),
                    reason="An embedding looks rows up by whole numbers.",
                    fix=_input_dtype(case, port, port.dtypes[0]),
                )


def _input_dtype(case: Case, port: PortSpec, dtype: str) -> Fix | None:
    wire = case.wire(port.name)
    source = case.network.nodes.get(wire.source) if wire else None
    if source is None or source.kind != "Input":
        return None
    return Fix(
        f"Set dtype of {source.label} to {dtype}", lambda net: edits.set_params(net, source.id, {"dtype": dtype})
    )


# --- number and order of dimensions --------------------------------------------------------------------


def _wrong_layouts(case: Case) -> Iterator[Problem]:
    for port in case.spec.active_inputs(case.node.params):
        for arriving in case.types.get(port.name, ()):
            if port.layouts and not any(_fits(layout, arriving) for layout in port.layouts):
                yield case.problem(
                    "wrong-dimensions",
                    f"{case.node.kind} takes {_layout(port.layouts)}, but {arriving.shape} arrives.",
                    port.name,
                    expected=_layout(port.layouts),
                    received=arriving.shape,
                    reason=_dimension_reason(port, arriving),
                    fix=_dimension_fix(case, port, arriving),
                )


def _layout(layouts: tuple[str, ...]) -> str:
    return " or ".join(layout.replace(" *", "×…").replace(" ", "×") for layout in layouts[:2])


def _fits(layout: str, arriving: TensorType) -> bool:
    letters = layout.split()
    open_ended = letters[-1] == "*"
    letters = letters[:-1] if open_ended else letters
    if len(arriving.dims) < len(letters) or (len(arriving.dims) > len(letters) and not open_ended):
        return False
    place = letters.index("N")
    return arriving.dims[place].batch != 0 or not any(d.batch for d in arriving.dims)


def _dimension_reason(port: PortSpec, arriving: TensorType) -> str:
    wanted = len(port.layouts[0].split())
    if not any(d.batch for d in arriving.dims):
        return "The batch dimension N got lost on the way."
    if arriving.dims and not arriving.dims[0].batch and len(arriving.dims) == wanted:
        return "The batch dimension N is not where the layer looks for it."
    return f"It works on {wanted} dimensions; {len(arriving.dims)} arrive. N is the batch."


def _dimension_fix(case: Case, port: PortSpec, arriving: TensorType) -> Fix | None:
    """Another layer of the same family, or a change of shape in front of this one."""
    sibling = _sibling(case, arriving)
    if sibling:
        return Fix(f"Use {sibling}", lambda net: _change_kind(net, case.node.id, sibling))
    wire = case.wire(port.name)
    if wire is None or not arriving.batch_first:
        return None
    wanted = len(port.layouts[-1].split())
    sizes = [d.const for d in arriving.dims[1:]]
    if wanted == 2 and len(sizes) > 1:
        return Fix("Insert Flatten", lambda net: edits.insert_on_wire(net, wire, "Flatten")[0])
    shape = _unflattened(sizes, wanted - 1)
    if shape is None:
        return None
    return Fix(
        f"Insert Unflatten to N×{'×'.join(map(str, shape))}",
        lambda net: edits.insert_on_wire(
            net, wire, "Unflatten", {"dim": 1, "unflattened_size": _unflatten(shape, sizes)}
        )[0],
    )


def _unflattened(sizes: list[int], wanted: int) -> tuple[int, ...] | None:
    """A shape of ``wanted`` dimensions with the same elements: a channel in front, or a square picture."""
    if len(sizes) == wanted - 1:
        return (1, *sizes)
    if len(sizes) == 1 and wanted == 3:
        for channels in (1, 3):
            side = math.isqrt(sizes[0] // channels)
            if side > 1 and side * side * channels == sizes[0]:
                return (channels, side, side)
        return (sizes[0], 1, 1)
    return None


def _unflatten(shape: tuple[int, ...], sizes: list[int]) -> tuple[int, ...]:
    """``unflattened_size`` of dimension 1 that turns ``N×sizes`` into ``N×shape``."""
    kept = len(sizes) - 1
    return shape[: len(shape) - kept]


def _sibling(case: Case, arriving: TensorType) -> str:
    """``BatchNorm1d`` → ``BatchNorm2d`` if that takes as many dimensions as arrive."""
    match = re.fullmatch(r"(.*)([123])d", case.spec.kind)
    if not match:
        return ""
    for digit in "123":
        kind = f"{match[1]}{digit}d"
        spec = case.registry.get(kind)
        if spec and kind != case.spec.kind and any(_fits(layout, arriving) for layout in spec.inputs[0].layouts):
            return kind
    return ""


def _change_kind(network: Network, node: str, kind: str) -> Network:
    """Another kind under the same id; one-number settings stay, tuples for another number of dimensions do not."""
    old = network.nodes[node]
    params = {k: v for k, v in old.params.items() if not isinstance(v, tuple)}
    return replace(network, nodes={**network.nodes, node: replace(old, kind=kind, params=params)})


# --- sizes ---------------------------------------------------------------------------------------------


def _wrong_sizes(case: Case) -> Iterator[Problem]:
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
                reason="That dimension is missing or depends on the batch size.",
            )
        elif size is not None and own is not None and _last(own) != size:
            yield case.problem(
                "size-mismatch",
                f"{param.name} is {own}, but {size} arrive ({arriving.shape}).",
                param.infer.port,
                expected=f"{param.name} = {own}",
                received=arriving.shape,
                reason=f"The layer's weights are made for {own}; left empty, {param.name} follows the wire.",
                fix=_follow(case, param.name, size),
            )


def _follow(case: Case, name: str, size: int) -> Fix:
    """Let a size follow the wire again."""
    return Fix(f"Set {name} to {size}", lambda net: edits.unset_param(net, case.node.id, name))


def _last(value: Value) -> Value:
    return value[-1] if isinstance(value, tuple) and value else value


# --- settings that do not go together --------------------------------------------------------------------


def _wrong_settings(case: Case) -> Iterator[Problem]:
    if not case.facts.error:
        return
    value = case.facts.params.get
    for size_name, parts_name in (("embed_dim", "num_heads"), ("d_model", "nhead"), ("num_channels", "num_groups")):
        size, parts = value(size_name), value(parts_name)
        if isinstance(size, int) and isinstance(parts, int) and parts > 0 and size % parts:
            yield _not_divisible(case, size_name, size, parts_name, parts)
    groups = value("groups")
    for name in ("in_channels", "out_channels"):
        size = value(name)
        if isinstance(size, int) and isinstance(groups, int) and groups > 0 and size % groups:
            yield _not_divisible(case, name, size, "groups", groups)
            return
    yield from _too_small(case)


def _not_divisible(case: Case, size_name: str, size: int, parts_name: str, parts: int) -> Problem:
    best = max(d for d in range(1, min(parts, size) + 1) if size % d == 0)
    return case.problem(
        "not-divisible",
        f"{size_name} ({size}) cannot be divided into {parts_name} = {parts} equal parts.",
        expected=f"a divisor of {size}",
        received=f"{parts_name} = {parts}",
        fix=Fix(f"Set {parts_name} to {best}", lambda net: edits.set_params(net, case.node.id, {parts_name: best})),
    )


def _too_small(case: Case) -> Iterator[Problem]:
    """A window that is larger than the picture it should move over."""
    kernel = case.facts.params.get("kernel_size")
    arriving = case.types.get("input", (TensorType(()),))[0]
    spatial = [d.const for d in arriving.dims[2:]]
    if kernel is None or not spatial or "Transpose" in case.spec.kind or "Unpool" in case.spec.kind:
        return
    sizes = _spread(kernel, len(spatial))
    padding = _spread(case.facts.params.get("padding", 0), len(spatial))
    dilation = _spread(case.facts.params.get("dilation", 1), len(spatial))
    if not (sizes and padding and dilation):
        return
    reach = [d * (k - 1) + 1 for k, d in zip(sizes, dilation, strict=True)]
    if all(s + 2 * p >= r for s, p, r in zip(spatial, padding, reach, strict=True)):
        return
    fitting = tuple(min(k, s) for k, s in zip(sizes, spatial, strict=True))
    new: Value = fitting[0] if len(set(fitting)) == 1 else fitting
    yield case.problem(
        "window-too-large",
        f"a window of {'×'.join(map(str, reach))} does not fit into {arriving.shape}.",
        "input",
        expected=f"at least {'×'.join(map(str, reach))} with padding",
        received=arriving.shape,
        reason="Earlier pooling or strides have made the picture too small.",
        fix=Fix(
            f"Set kernel_size to {new}",
            lambda net: edits.set_params(
                net, case.node.id, {"kernel_size": new, "dilation": 1} if max(dilation) > 1 else {"kernel_size": new}
            ),
        ),
    )


def _spread(value: Value, count: int) -> list[int]:
    if isinstance(value, int):
        return [value] * count
    if isinstance(value, tuple) and len(value) in (1, count):
        numbers = [v for v in value if isinstance(v, int)]
        return numbers * count if len(value) == 1 else numbers
    return []


# --- everything else -------------------------------------------------------------------------------------


def _refused(case: Case) -> Problem:
    if "overflow" in case.facts.error.lower():
        return _too_large(case)
    arriving = [t for ts in case.types.values() for t in ts]
    if not arriving:
        return case.problem("refused", f"{case.facts.error}.")
    shapes = " and ".join(t.shape for t in arriving)
    elementwise = case.spec.symbol or re.search(r"must match the size of tensor|broadcast", case.facts.error)
    if elementwise and len(arriving) >= 2 and case.spec.kind != "matmul" and broadcast.clashes(arriving):
        return case.problem(
            "shapes-differ",
            f"{shapes} cannot be combined element by element.",
            case.spec.inputs[1].name,
            expected=arriving[0].shape,
            received=arriving[1].shape,
            reason=broadcast.reason(arriving),
        )
    if case.spec.kind == "matmul" and len(arriving) == 2:
        return case.problem(
            "shapes-differ",
            f"{shapes} cannot be multiplied.",
            case.spec.inputs[1].name,
            expected=f"…×{arriving[0].dims[-1] if arriving[0].dims else '?'}×…",
            received=arriving[1].shape,
            reason="The last dimension of the first must equal the last but one of the second.",
        )
    if case.spec.kind in {"cat", "stack"}:
        return _uneven(case, arriving)
    return case.problem(
        "refused",
        f"{case.node.kind} cannot take {shapes}.",
        next(iter(case.types), ""),
        received=shapes,
        reason=case.facts.error,
    )


def _too_large(case: Case) -> Problem:
    """Sizes whose product PyTorch cannot count to."""
    sizes = {n: v for n, v in case.facts.params.items() if isinstance(v, int) and not isinstance(v, bool)}
    name = max(sizes, key=lambda n: sizes[n], default="")
    what = f"{name} = {sizes[name]:,}" if name else " and ".join(t.shape for ts in case.types.values() for t in ts)
    return case.problem(
        "too-large", f"{what} makes tensors that are too large for PyTorch.", received=what, reason=case.facts.error
    )


def _uneven(case: Case, arriving: list[TensorType]) -> Problem:
    first = arriving[0]
    odd = next((i for i, t in enumerate(arriving) if len(t.dims) != len(first.dims)), None)
    if odd is None:
        dim = case.node.params.get("dim", 1)
        place = dim if isinstance(dim, int) else 1
        odd = next((i for i, t in enumerate(arriving) if _without(t, place) != _without(first, place)), 0)
    return case.problem(
        "shapes-differ",
        f"{' and '.join(t.shape for t in arriving)} cannot be joined.",
        case.spec.inputs[0].name,
        expected=f"like {first.shape} except along dim",
        received=arriving[odd].shape,
        reason="All must have as many dimensions, and agree in each but the one they are joined along.",
    )


def _without(t: TensorType, dim: int) -> tuple[Dim, ...]:
    place = dim % len(t.dims) if t.dims else 0
    return (*t.dims[:place], *t.dims[place + 1 :])


# --- what works, but probably not as meant -----------------------------------------------------------------


_REARRANGE = frozenset({"permute", "movedim", "transpose"})


def _rearranged(case: Case) -> bool:
    """Whether somebody has put the channels last on the way, on purpose."""
    upstream = topology.upstream(case.network, case.node.id)
    return any(case.network.nodes[id].kind in _REARRANGE for id in upstream)


def _doubts(case: Case) -> Iterator[Problem]:
    arriving = case.types.get("input", ())
    if case.spec.kind == "Linear" and arriving and len(arriving[0].dims) == 4 and not _rearranged(case):
        wire = case.wire("input")
        yield case.problem(
            "linear-on-picture",
            f"it works on the last dimension of {arriving[0].shape} only.",
            "input",
            expected="N×features",
            received=arriving[0].shape,
            severity="warning",
            reason="A Linear layer behind convolutions usually sees all their values at once, which takes a Flatten.",
            fix=Fix("Insert Flatten", lambda net: edits.insert_on_wire(net, wire, "Flatten")[0]) if wire else None,
        )
    for type_ in case.facts.outputs.values():
        mixed = type_.dims and any(t.batch_first for ts in case.types.values() for t in ts)
        if mixed and case.spec.kind == "Flatten" and not type_.batch_first:
            yield case.problem(
                "batch-mixed",
                f"the examples of a batch are mixed ({type_.shape}).",
                expected="N×…",
                received=type_.shape,
                reason="Flatten from dimension 0 joins the batch with the rest.",
                fix=Fix("Set start_dim to 1", lambda net: edits.unset_param(net, case.node.id, "start_dim")),
            )
