"""Numbers that say where and how many: dimensions, places, the sizes of a new shape."""

from __future__ import annotations

import math
from collections.abc import Iterator

from deepgui.catalog.spec import show
from deepgui.compiler.advice.case import Case
from deepgui.compiler.advice.layouts import unflattened
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.shapes import TensorType

_PLACES = ("dim", "dim0", "dim1", "start_dim", "end_dim")
_ONE_MORE = ("unsqueeze", "stack")


def wrong_places(case: Case) -> Iterator[Problem]:
    """Dimensions that what arrives does not have. PyTorch notices some only when it computes."""
    first = case.first
    if first is None or case.spec.form == "block":
        return
    rank = len(first.dims) + (case.spec.kind in _ONE_MORE)
    for name in _PLACES:
        place = case.facts.params.get(name)
        if not case.spec.has_param(name) or isinstance(place, bool) or not isinstance(place, int) or not rank:
            continue
        if not -rank <= place < rank:
            yield case.problem(
                "no-such-dimension",
                f"{name} is {place}, but {first.shape} has the dimensions 0 to {rank - 1}.",
                case.first_port,
                expected=f"{name} from {-rank} to {rank - 1}",
                received=first.shape,
                reason="Dimensions are counted from 0, which is the batch N; -1 is the last.",
                fix=case.set(name, rank - 1),
            )


def wrong_counts(case: Case) -> Iterator[Problem]:
    """Shapes, orders and places of layers that were refused."""
    first = case.first
    if first is None or not case.facts.error:
        return
    check = _CHECKS.get(case.spec.kind)
    if check:
        yield from check(case, first)


def _reshaped(case: Case, arriving: TensorType) -> Iterator[Problem]:
    shape = case.facts.params.get("shape")
    sizes = tuple(s for s in shape if isinstance(s, int)) if isinstance(shape, tuple) else ()
    if not arriving.batch_first or not sizes:
        return
    have, take = math.prod(d.const for d in arriving.dims[1:]), math.prod(sizes[1:])
    if have == take and sizes[0] > 0:
        yield case.problem(
            "fixed-batch",
            f"shape begins with {sizes[0]}, but batches have any number of examples ({arriving.shape}).",
            case.first_port,
            expected=f"shape = {show((-1, *sizes[1:]))}",
            received=arriving.shape,
            reason="The first dimension is the batch: -1 leaves it as large as it comes.",
            fix=case.set("shape", (-1, *sizes[1:])),
        )
    elif -1 not in sizes[1:]:
        mended = _refilled(list(sizes[1:]), [d.const for d in arriving.dims[1:]])
        yield _miscounted(case, arriving, have, sizes[1:], case.set("shape", (-1, *mended)) if mended else None)


def _unflattened(case: Case, arriving: TensorType) -> Iterator[Problem]:
    size, dim = case.facts.params.get("unflattened_size"), case.facts.params.get("dim")
    sizes = tuple(s for s in size if isinstance(s, int)) if isinstance(size, tuple) else ()
    if not sizes or not isinstance(dim, int) or not -len(arriving.dims) <= dim < len(arriving.dims) or -1 in sizes:
        return
    if arriving.dims[dim].batch:
        yield case.problem(
            "fixed-batch",
            f"dimension {dim} is the batch N, which cannot be split ({arriving.shape}).",
            case.first_port,
            expected="a dimension of the examples",
            received=arriving.shape,
            reason="Dimension 0 counts the examples; the first of an example itself is dimension 1.",
            fix=case.set("dim", 1) if len(arriving.dims) > 1 else None,
        )
        return
    have = arriving.dims[dim].const
    mended = _refilled(list(sizes), [have])
    yield _miscounted(case, arriving, have, sizes, case.set("unflattened_size", mended) if mended else None)


def _miscounted(case: Case, arriving: TensorType, have: int, sizes: tuple[int, ...], fix: Fix | None) -> Problem:
    product = f"{'×'.join(map(str, sizes))} = {math.prod(sizes)}" if len(sizes) > 1 else str(math.prod(sizes))
    return case.problem(
        "wrong-count",
        f"{have} values arrive ({arriving.shape}), but the new shape takes {product}.",
        case.first_port,
        expected=f"sizes whose product is {have}",
        received=arriving.shape,
        reason="A new shape keeps all values, so its sizes multiplied must give as many; one of them may be -1.",
        fix=fix,
    )


def _refilled(sizes: list[int], have: list[int]) -> tuple[int, ...] | None:
    """The sizes with one of them changed so that the count is right, or a square picture of as many values."""
    count = math.prod(have)
    for place, size in enumerate(sizes):
        others = math.prod(sizes) // size if size > 0 else 0
        if others and count % others == 0:
            return (*sizes[:place], count // others, *sizes[place + 1 :])
    return unflattened([count], len(sizes))


def _permuted(case: Case, arriving: TensorType) -> Iterator[Problem]:
    dims, rank = case.facts.params.get("dims"), len(arriving.dims)
    if not isinstance(dims, tuple) or sorted(d % rank for d in dims if isinstance(d, int)) == [*range(rank)]:
        return
    yield case.problem(
        "no-such-dimension",
        f"dims is {show(dims)}, but {arriving.shape} has the dimensions 0 to {rank - 1}.",
        case.first_port,
        expected=f"each of 0 to {rank - 1} once",
        received=arriving.shape,
        reason="dims says where each dimension of the result comes from. The batch stays first with a 0 in front.",
        fix=case.set("dims", (0, *reversed(range(1, rank)))) if rank > 1 else None,
    )


def _selected(case: Case, arriving: TensorType) -> Iterator[Problem]:
    index, dim = case.facts.params.get("index"), case.facts.params.get("dim")
    if not isinstance(index, int) or not isinstance(dim, int) or not -len(arriving.dims) <= dim < len(arriving.dims):
        return
    size = arriving.dims[dim]
    if not size.batch and not -size.const <= index < size.const:
        yield case.problem(
            "no-such-place",
            f"index is {index}, but dimension {dim} of {arriving.shape} has the places 0 to {size.const - 1}.",
            case.first_port,
            expected=f"index from {-size.const} to {size.const - 1}",
            received=arriving.shape,
            reason="Places are counted from 0; -1 is the last.",
            fix=case.set("index", -1),
        )


def _split(case: Case, arriving: TensorType) -> Iterator[Problem]:
    name = "split_size_or_sections"
    parts, dim = case.facts.params.get(name), case.facts.params.get("dim")
    if not isinstance(parts, tuple) or not isinstance(dim, int) or not -len(arriving.dims) <= dim < len(arriving.dims):
        return
    sizes = [p for p in parts if isinstance(p, int)]
    have = arriving.dims[dim].const
    rest = have - sum(sizes[:-1])
    if not arriving.dims[dim].batch and sum(sizes) != have:
        yield case.problem(
            "wrong-count",
            f"the parts {' + '.join(map(str, sizes))} make {sum(sizes)}, but {have} arrive ({arriving.shape}).",
            case.first_port,
            expected=f"parts that make {have}",
            received=arriving.shape,
            reason="Every place must go into one part.",
            fix=case.set(name, (*sizes[:-1], rest)) if rest > 0 else None,
        )


def _prelu(case: Case, arriving: TensorType) -> Iterator[Problem]:
    count = case.facts.params.get("num_parameters")
    channels = arriving.dims[1].const if len(arriving.dims) > 1 else 1
    if count not in (1, channels):
        yield case.problem(
            "size-mismatch",
            f"num_parameters is {count}, but {channels} channels arrive ({arriving.shape}).",
            case.first_port,
            expected=f"num_parameters = 1 or {channels}",
            received=arriving.shape,
            reason="There is one slope for all channels, or one for each.",
            fix=case.set("num_parameters", channels),
        )


_MODES = {3: "linear", 4: "bilinear", 5: "trilinear"}


def _upsampled(case: Case, arriving: TensorType) -> Iterator[Problem]:
    mode, rank = case.facts.params.get("mode"), len(arriving.dims)
    if mode in _MODES.values() or mode == "bicubic" or rank not in _MODES:
        fitting = _MODES.get(rank)
        yield case.problem(
            "wrong-dimensions",
            f"mode {mode} does not go with {arriving.shape}.",
            case.first_port,
            expected="N×C×L for linear, N×C×H×W for bilinear or bicubic, N×C×D×H×W for trilinear",
            received=arriving.shape,
            reason="Each mode interpolates along a number of dimensions of its own: choose the one that fits.",
            fix=case.set("mode", fitting) if fitting else None,
        )


def _projection(case: Case, arriving: TensorType) -> Iterator[Problem]:
    size, hidden = case.facts.params.get("proj_size"), case.facts.params.get("hidden_size")
    if isinstance(size, int) and isinstance(hidden, int) and size >= hidden:
        yield case.problem(
            "wrong-count",
            f"proj_size ({size}) must be smaller than hidden_size ({hidden}).",
            case.first_port,
            expected=f"proj_size below {hidden}",
            received=arriving.shape,
            reason="The projection makes the hidden state smaller; without one, leave proj_size at 0.",
            fix=case.unset("Do without proj_size", "proj_size"),
        )


def _single_value(case: Case, arriving: TensorType) -> Iterator[Problem]:
    if arriving.dims[2:] and math.prod(d.const for d in arriving.dims[2:]) == 1:
        yield case.problem(
            "window-too-large",
            f"there is only one value a channel in {arriving.shape}, and nothing to normalise it by.",
            case.first_port,
            expected="more than one value a channel",
            received=arriving.shape,
            reason="Normalise before the picture gets that small, or use LayerNorm.",
            fix=case.remove(),
        )


_CHECKS = {
    "reshape": _reshaped,
    "view": _reshaped,
    "Unflatten": _unflattened,
    "unflatten": _unflattened,
    "permute": _permuted,
    "select": _selected,
    "split": _split,
    "PReLU": _prelu,
    "Upsample": _upsampled,
    "LSTM": _projection,
    **{f"InstanceNorm{d}d": _single_value for d in (1, 2, 3)},
}
