"""Too many or too few dimensions, or in another order than the layer reads them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace

from deepgui.catalog.spec import PortSpec, Value
from deepgui.compiler.advice.case import Case
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.shapes import TensorType
from deepgui.graph.values import Network

_SEQUENCE = ("Recurrent", "Attention")


def wrong_layouts(case: Case) -> Iterator[Problem]:
    """Ports at which a shape arrives that the layer cannot read."""
    for port in case.spec.active_inputs(case.node.params):
        for arriving in case.types.get(port.name, ()):
            if port.layouts and not any(fits(layout, arriving) for layout in port.layouts):
                wanted = layout_text(_in_force(case, port))
                yield case.problem(
                    "wrong-dimensions",
                    f"{case.node.kind} takes {wanted}, but {arriving.shape} arrives.",
                    port.name,
                    expected=wanted,
                    received=arriving.shape,
                    reason=_reason(case, port, arriving),
                    fix=_fix(case, port, arriving),
                )


def layout_text(layouts: tuple[str, ...]) -> str:
    """``N C H W`` as people write it: ``N×C×H×W``."""
    return " or ".join(layout.replace(" *", "×…").replace(" ", "×") for layout in layouts[:2])


def _in_force(case: Case, port: PortSpec) -> tuple[str, ...]:
    """The layouts that hold under ``batch_first`` as it is set."""
    first = case.facts.params.get("batch_first")
    if not isinstance(first, bool):
        return port.layouts
    return tuple(layout for layout in port.layouts if layout.startswith("N") == first) or port.layouts


def fits(layout: str, arriving: TensorType) -> bool:
    """Whether a shape can be read in a layout."""
    letters = layout.split()
    open_ended = letters[-1] == "*"
    letters = letters[:-1] if open_ended else letters
    if len(arriving.dims) < len(letters) or (len(arriving.dims) > len(letters) and not open_ended):
        return False
    place = letters.index("N")
    return arriving.dims[place].batch != 0 or not any(d.batch for d in arriving.dims)


def _ranks(port: PortSpec) -> list[int]:
    return sorted({len(layout.split()) for layout in port.layouts})


def _reason(case: Case, port: PortSpec, arriving: TensorType) -> str:
    if not any(d.batch for d in arriving.dims):
        return "The batch dimension N got lost on the way: look for the layer that joins or removes dimension 0."
    if not arriving.dims[0].batch and len(arriving.dims) in _ranks(port):
        return "The batch dimension N is not where the layer looks for it: put it first."
    ranks = " or ".join(map(str, _ranks(port)))
    what = _HINTS.get((case.spec.category in _SEQUENCE, len(arriving.dims) > _ranks(port)[-1]), "")
    return f"It works on {ranks} dimensions, the batch N among them; {len(arriving.dims)} arrive. {what}"


_HINTS = {
    (True, False): "A sequence has steps and, at each, some features: N×steps×features.",
    (True, True): "A sequence has steps and, at each, some features: join the other dimensions first.",
    (False, False): "Add the missing ones with Unflatten, such as the one channel of a grey picture.",
    (False, True): "Join some with Flatten, or use the layer for as many dimensions.",
}


def _fix(case: Case, port: PortSpec, arriving: TensorType) -> Fix | None:
    """Another layer of the same family, or a change of shape in front of this one."""
    wire = case.wire(port.name)
    if wire is None:
        return None
    turned = _batch_to_front(case, port, arriving)
    if turned or not arriving.batch_first:
        return turned
    sizes = [d.const for d in arriving.dims[1:]]
    if case.spec.category in _SEQUENCE:
        return _into_sequence(case, port.name, sizes)
    sibling = _sibling(case, arriving)
    if sibling and not _is_grey_picture(case, port, arriving):
        return Fix(f"Use {sibling}", lambda net: _change_kind(net, case.node.id, sibling))
    wanted = _ranks(port)[-1]
    if wanted == 2 and len(sizes) > 1:
        return case.insert("Flatten", wire, ("Flatten", {}))
    shape = unflattened(sizes, wanted - 1) or _single_pixel(case, sizes, wanted - 1)
    if shape is None:
        return None
    size = shape[: len(shape) - len(sizes) + 1]
    return case.insert(
        f"Unflatten to N×{'×'.join(map(str, shape))}", wire, ("Unflatten", {"dim": 1, "unflattened_size": size})
    )


def _batch_to_front(case: Case, port: PortSpec, arriving: TensorType) -> Fix | None:
    """Exchange dimension 0 with the one that is the batch."""
    places = [i for i, d in enumerate(arriving.dims) if d.batch]
    if len(places) != 1 or not places[0] or len(arriving.dims) not in _ranks(port):
        return None
    if arriving.dims[places[0]].batch != 1 or arriving.dims[places[0]].const:
        return None
    params: dict[str, Value] = {"dim0": 0, "dim1": places[0]}
    return case.insert(f"transpose(0, {places[0]})", case.wire(port.name), ("transpose", params))


def _into_sequence(case: Case, port: str, sizes: list[int]) -> Fix | None:
    wire = case.wire(port)
    if len(sizes) == 1:
        steps = (sizes[0], 1)
        return case.insert(f"Unflatten to N×{sizes[0]}×1", wire, ("Unflatten", {"dim": 1, "unflattened_size": steps}))
    if len(sizes) == 3 and sizes[0] == 1:
        return case.insert("Flatten of the channel", wire, ("Flatten", {"start_dim": 1, "end_dim": 2}))
    if len(sizes) == 3:
        turned: dict[str, Value] = {"dim0": 1, "dim1": 2}
        return case.insert(
            "Flatten and transpose: a step a pixel", wire, ("Flatten", {"start_dim": 2}), ("transpose", turned)
        )
    return None


def _is_grey_picture(case: Case, port: PortSpec, arriving: TensorType) -> bool:
    """``N×28×28`` for a layer that works on ``N×C×H×W``: pictures whose one channel was forgotten."""
    source = case.source(port.name)
    without_channel = len(arriving.dims) == 3 and _ranks(port) == [4]
    return without_channel and source is not None and source.kind == "Input"


def unflattened(sizes: list[int], wanted: int) -> tuple[int, ...] | None:
    """A shape of ``wanted`` dimensions with the same elements: a channel in front, or a square picture."""
    if len(sizes) == wanted - 1:
        return (1, *sizes)
    if len(sizes) == 1 and wanted == 3:
        for channels in (1, 3):
            side = math.isqrt(sizes[0] // channels)
            if side > 1 and side * side * channels == sizes[0]:
                return (channels, side, side)
    return None


def _single_pixel(case: Case, sizes: list[int], wanted: int) -> tuple[int, ...] | None:
    """A vector as the channels of one pixel, for layers that can do something with that."""
    enough = "Transpose" in case.spec.kind or case.spec.category == "Normalization" or "Upsampl" in case.spec.kind
    return (sizes[0], *[1] * (wanted - 1)) if enough and len(sizes) == 1 else None


def _sibling(case: Case, arriving: TensorType) -> str:
    """``BatchNorm1d`` → ``BatchNorm2d`` if that takes as many dimensions as arrive."""
    match = re.fullmatch(r"(.*)([123])d", case.spec.kind)
    if not match:
        return ""
    for digit in "123":
        kind = f"{match[1]}{digit}d"
        spec = case.registry.get(kind)
        if spec and kind != case.spec.kind and any(fits(layout, arriving) for layout in spec.inputs[0].layouts):
            return kind
    return ""


def _change_kind(network: Network, node: str, kind: str) -> Network:
    """Another kind under the same id; one-number settings stay, tuples for another number of dimensions do not."""
    old = network.nodes[node]
    params = {k: v for k, v in old.params.items() if not isinstance(v, tuple)}
    return replace(network, nodes={**network.nodes, node: replace(old, kind=kind, params=params)})
