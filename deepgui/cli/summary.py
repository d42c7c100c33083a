"""The table of a network's layers: blocks with their stages indented, instances that are alike folded into one row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from deepgui.compiler.receptive import Field
from deepgui.compiler.report import Inside, NodeReport, Report
from deepgui.graph import blocks
from deepgui.graph.shapes import TensorType
from deepgui.graph.values import Network


@dataclass(frozen=True)
class Row:
    """One line of the table. ``layer`` is indented by two blanks a level; counts are of all that it stands for."""

    layer: str
    kind: str
    output: str
    parameters: int
    multiply_adds: int
    field: str


def rows(network: Network, report: Report, fields: Mapping[str, Field], prefix: str = "") -> Iterator[Row]:
    """The layers of a drawing in their order, each block followed by what is inside it."""
    depth = prefix.count(".")
    for node in report.nodes.values():
        drawn = network.nodes[node.id]
        if prefix and (drawn.kind in ("Input", "Output") or drawn.bypass is True):
            continue
        repeat = blocks.repeats(drawn.params) if node.inside else None
        path = prefix + node.id
        yield Row(
            "  " * depth + drawn.label,
            node.kind + (f" ×{repeat}" if repeat is not None else ""),
            _results(node) or arriving(node.inputs),
            node.parameters,
            node.multiply_adds,
            str(fields.get(path, "")),
        )
        if repeat is None and node.inside:
            yield from rows(node.inside[0].network, node.inside[0].report, fields, f"{path}.")
        elif repeat is not None:
            yield from _row_of(node, fields, path, depth + 1)


def _results(node: NodeReport) -> str:
    """The types of all outputs; ``3 of N×8`` for several that are alike."""
    found = [str(t) for t in node.outputs.values()]
    return f"{len(found)} of {found[0]}" if len(found) > 1 and len(set(found)) == 1 else ", ".join(found)


def _row_of(node: NodeReport, fields: Mapping[str, Field], path: str, depth: int) -> Iterator[Row]:
    """The instances of a repeated block. What is inside is shown of the first that is built in such a way."""
    shown: set[tuple[str, ...]] = set()
    for _, alike in groupby(enumerate(node.inside), key=lambda item: _likeness(item[1])):
        group = list(alike)
        first, last, inside = group[0][0], group[-1][0], group[0][1]
        results = [n.inputs for n in inside.report.nodes.values() if n.kind == "Output"]
        yield Row(
            "  " * depth + (f"{first + 1}" if first == last else f"{first + 1} to {last + 1}"),
            "" if len(group) == 1 else f"{len(group)} alike",
            ", ".join(arriving(inputs) for inputs in results),
            sum(i.report.parameters for _, i in group),
            sum(i.report.multiply_adds for _, i in group),
            _last_field(inside, fields, f"{path}.{last}."),
        )
        if _build(inside) not in shown:
            shown.add(_build(inside))
            yield from rows(inside.network, inside.report, fields, f"{path}.{first}.")


def _last_field(inside: Inside, fields: Mapping[str, Field], prefix: str) -> str:
    """The field of what the first Output of an instance hands on."""
    for node in inside.network.of_kind("Output"):
        for wire in inside.network.into(node.id):
            return str(fields.get(prefix + wire.source, ""))
    return ""


def _build(inside: Inside) -> tuple[str, ...]:
    """Which layers an instance has."""
    return tuple(f"{n.id}:{n.kind}" for n in inside.network.nodes.values() if n.bypass is not True)


def _likeness(inside: Inside) -> tuple[object, ...]:
    """Equal for instances that have the same layers of the same sizes."""
    known = inside.report.nodes.values()
    return _build(inside), tuple((n.parameters, n.multiply_adds, tuple(n.outputs.items())) for n in known)


def arriving(inputs: Mapping[str, Sequence[TensorType]]) -> str:
    """What an Output receives, which has no output of its own."""
    return ", ".join(str(t) for types in inputs.values() for t in types)


def short(count: int) -> str:
    """A count in four figures: ``4.089 G``, ``118.0 M``; exact below ten thousand, nothing for zero."""
    if count < 10_000:
        return f"{count:,}" if count else ""
    size = float(count)
    for unit in ("", "k", "M", "G", "T", "P"):
        if size < 999.95 or unit == "P":
            return f"{size:.4g} {unit}"
        size /= 1000
    raise AssertionError
