"""What a node shows, as plain data: titles, parameters that matter, port slots and their places. Knows no Qt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from deepgui.catalog.spec import LayerSpec, ParamSpec, PortSpec, Value
from deepgui.graph import blocks
from deepgui.graph.values import Network, Node, Wire

if TYPE_CHECKING:
    from deepgui.compiler.report import NodeReport
    from deepgui.graph.problems import Problem

WIDTH = 184.0
HEADER = 48.0
ROW = 24.0
PORT_Y = HEADER / 2
"""All heights and port offsets are multiples of the 8 px grid, so nodes that stand on it get straight wires."""

Side = Literal["in", "out"]
MAX_DETAILS = 3

_BARE = frozenset(
    {"in_channels", "in_features", "input_size", "num_features", "out_channels", "out_features", "hidden_size"}
    | {"kernel_size", "output_size", "shape", "normalized_shape", "num_embeddings", "embedding_dim", "embed_dim"}
    | {"d_model", "dims", "size"}
)
_SHORT = {"padding": "pad", "dilation": "dil", "num_layers": "layers", "num_heads": "heads", "nhead": "heads"}
_FLOWS = frozenset({"in_channels", "in_features", "input_size", "in1_features"})


class Detail(NamedTuple):
    """A piece of the parameter line; ``inferred`` ones were read from a wire."""

    text: str
    inferred: bool = False


class Slot(NamedTuple):
    """A place where a wire can end. A variadic input has one per wire and an open one.

    ``y`` is the offset from the top of the card.
    """

    side: Side
    port: str
    index: int
    label: str
    y: float
    optional: bool = False
    connected: bool = False


@dataclass(frozen=True)
class Card:
    """A node as it is shown. Equal cards look the same.

    ``repeat`` is how many of a block stand in a row (``×4``); ``shares`` the node whose weights this one uses;
    ``frozen`` ones do not learn.
    """

    node: str
    title: str
    subtitle: str
    category: str
    details: tuple[Detail, ...]
    count: str
    slots: tuple[Slot, ...]
    height: float
    known: bool
    severity: str
    problems: tuple[Problem, ...]
    block: bool = False
    repeat: str = ""
    bypassed: bool = False
    shares: str = ""
    frozen: bool = False

    @property
    def inputs(self) -> tuple[Slot, ...]:
        return tuple(s for s in self.slots if s.side == "in")

    @property
    def outputs(self) -> tuple[Slot, ...]:
        return tuple(s for s in self.slots if s.side == "out")

    def slot(self, side: Side, port: str, index: int = 0) -> Slot | None:
        """The slot that a wire ends at, or None if the node has no such port."""
        return next((s for s in self.slots if s.side == side and s.port == port and s.index == index), None)


def describe(
    network: Network,
    node: Node,
    spec: LayerSpec | None,
    report: NodeReport | None = None,
    problems: tuple[Problem, ...] = (),
    *,
    catalogue_ready: bool = True,
    values: Mapping[str, Value] | None = None,
    frozen: bool = False,
) -> Card:
    """The card of a node. Without a declaration the ports are those that its wires use.

    Args:
        values: of the parameters that its expressions may name.
        frozen: its weights, if it has any, do not learn.
    """
    inputs, outputs = _ports(network, node, spec)
    block = spec is not None and spec.form == "block"
    named = len(inputs) > 1 or len(outputs) > 1
    has_details = spec is not None and (
        any(p.infer for p in spec.params) or bool(details(spec, node.params, None))
    )  # independent of the report, so that a node's height does not change when its sizes become known
    top = HEADER + (ROW if has_details else 0.0)
    rows = max(len(inputs) if len(inputs) > 1 else 0, len(outputs) if len(outputs) > 1 else 0)
    slots = (*_spread(inputs, top), *_spread(outputs, top))
    severity = "error" if any(p.severity == "error" for p in problems) else ("warning" if problems else "")
    return Card(
        node=node.id,
        title=node.kind,
        subtitle=node.label,
        category=blocks.CATEGORY if block else spec.category if spec else "",
        details=details(spec, node.params, report) if spec else (),
        count=compact(report.parameters) if report and report.parameters else "",
        slots=slots,
        height=top + rows * ROW + (8.0 if named and rows else 0.0),
        known=spec is not None or not catalogue_ready,
        severity=severity or ("error" if spec is None and catalogue_ready else ""),
        problems=problems,
        block=block,
        repeat=_row(node) if block else "",
        bypassed=blocks.bound({"bypass": node.bypass}, values or {})["bypass"] is True,
        shares=node.shares,
        frozen=frozen and (report is None or bool(report.parameters or node.shares)),
    )


def _row(node: Node) -> str:
    """How many of a block stand in a row; empty for a single one."""
    count = node.params.get(blocks.REPEAT.name)
    return "" if count is None else f"×{count}"


class _Open(NamedTuple):
    side: Side
    port: str
    index: int
    optional: bool
    connected: bool


def _ports(network: Network, node: Node, spec: LayerSpec | None) -> tuple[list[_Open], list[_Open]]:
    into, out = network.into(node.id), network.out_of(node.id)
    inputs: list[_Open] = []
    for port in spec.active_inputs(node.params) if spec else ():
        inputs += _input_slots(port, into)
    outputs = [
        _Open("out", port.name, 0, False, any(w.output == port.name for w in out))
        for port in (spec.active_outputs(node.params) if spec and spec.form != "output" else ())
    ]
    shown = {(s.port, s.index) for s in inputs}
    inputs += [_Open("in", w.input, w.index, False, True) for w in into if (w.input, w.index) not in shown]
    known = {s.port for s in outputs}
    outputs += [_Open("out", p, 0, False, True) for p in dict.fromkeys(w.output for w in out) if p not in known]
    return inputs, outputs


def _input_slots(port: PortSpec, into: tuple[Wire, ...]) -> list[_Open]:
    wires = [w for w in into if w.input == port.name]
    optional = port.optional or bool(port.fallback)
    if not port.variadic:
        return [_Open("in", port.name, 0, optional, any(w.index == 0 for w in wires))]
    taken = [_Open("in", port.name, w.index, False, True) for w in wires]
    return [*taken, _Open("in", port.name, len(wires), bool(wires), False)]


def _spread(ports: list[_Open], top: float) -> tuple[Slot, ...]:
    """One port sits at the header's middle; several get a named row each."""
    if len(ports) == 1:
        p = ports[0]
        return (Slot(p.side, p.port, p.index, "", PORT_Y, p.optional, p.connected),)
    repeated = {p.port for p in ports if p.index}
    return tuple(
        Slot(
            p.side,
            p.port,
            p.index,
            f"{p.port}[{p.index}]" if p.port in repeated else p.port,
            top + ROW * row + 8.0,
            p.optional,
            p.connected,
        )
        for row, p in enumerate(ports)
    )


def details(spec: LayerSpec, params: Mapping[str, Value], report: NodeReport | None) -> tuple[Detail, ...]:
    """The one to three settings that tell this layer from others of its kind, inferred sizes first."""
    found: list[Detail] = []
    for param in spec.params:
        value: Value = None
        inferred = False
        if param is blocks.REPEAT:
            continue  # stands beside the title
        if param.name in params:
            value = params[param.name]
            if value == param.default and not param.required and not param.infer and spec.form != "block":
                continue
        elif spec.form == "block" and param.default is not None:
            value = param.default  # what a drawing of one's own is set to is not known by heart
        elif report is not None and param.name in report.inferred:
            value, inferred = report.params.get(param.name), True
        if value is None:
            continue
        text = phrase(spec.kind, param, value)
        found.append(Detail(f"{text} →" if param.name in _FLOWS else text, inferred))
    kept = [d for d in found if d.inferred][:1] + [d for d in found if not d.inferred]
    return tuple(kept[: MAX_DETAILS + 1 if kept and kept[0].inferred else MAX_DETAILS])


def phrase(kind: str, param: ParamSpec, value: Value) -> str:
    """A setting in few letters: ``3×3``, ``pad 1``, ``no bias``."""
    if isinstance(value, bool):
        return param.name if value else f"no {param.name}"
    if param.name == "kernel_size" and isinstance(value, int) and (rank := re.search(r"([123])d$", kind)):
        value = (value,) * int(rank[1])
    text = "×".join(map(_plain, value)) if isinstance(value, tuple) else _plain(value)
    if param.name in _BARE:
        return text
    return f"{_SHORT.get(param.name, param.name)} {text}"


def _plain(value: Value) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "(" + ", ".join(map(_plain, value)) + ")" if isinstance(value, tuple) else str(value)


def compact(number: int) -> str:
    """``160``, ``61.7k``, ``1.2M``."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)
