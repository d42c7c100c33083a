"""Frozen values: a network is nodes and wires, and an edit makes a new one.

Mappings are ordinary dicts that nobody mutates; :mod:`deepgui.graph.edits` is the only place that
makes new ones. Nodes keep the order in which they were placed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from deepgui.catalog.spec import ParamSpec, Value


class Point(NamedTuple):
    """A place on the canvas, in scene units (one unit is one pixel at 100 %)."""

    x: float
    y: float


@dataclass(frozen=True)
class Node:
    """A use of a layer kind.

    Attributes:
        id: unique within the network and never changed: files, runs and probes refer to it.
        kind: the layer kind, e.g. ``Conv2d``.
        params: only what the user set; everything else is the declaration's default or inferred.
        name: what the user calls it; empty means the id. Becomes the attribute name in the source.
        shares: id of another node of the same network whose weights this one uses. Of the same kind it is the
            very same layer, called twice; of another kind its weights of the same names are tied to that one's.
        bypass: whether its first input is handed on in place of its result; inside a block also an expression.
    """

    id: str
    kind: str
    params: Mapping[str, Value] = field(default_factory=dict)
    name: str = ""
    shares: str = ""
    bypass: Value = False

    @property
    def label(self) -> str:
        return self.name or self.id


class Wire(NamedTuple):
    """From an output port to an input port. ``index`` orders the wires of a variadic input."""

    source: str
    output: str
    target: str
    input: str
    index: int = 0  # type: ignore[assignment]  # hides tuple.index, which nobody misses


@dataclass(frozen=True)
class Network:
    """A drawn graph. ``layout`` is kept apart from meaning: it takes no part in :meth:`meaning`."""

    name: str
    nodes: Mapping[str, Node] = field(default_factory=dict)
    wires: tuple[Wire, ...] = ()
    layout: Mapping[str, Point] = field(default_factory=dict)

    @cached_property
    def incoming(self) -> Mapping[str, tuple[Wire, ...]]:
        """Wires by target node; within a node ordered by input name and index."""
        found: dict[str, list[Wire]] = {}
        for wire in self.wires:
            found.setdefault(wire.target, []).append(wire)
        return {node: tuple(sorted(wires, key=lambda w: (w.input, w.index))) for node, wires in found.items()}

    @cached_property
    def outgoing(self) -> Mapping[str, tuple[Wire, ...]]:
        """Wires by source node, in the order they were drawn."""
        found: dict[str, list[Wire]] = {}
        for wire in self.wires:
            found.setdefault(wire.source, []).append(wire)
        return {node: tuple(wires) for node, wires in found.items()}

    def into(self, node: str, input: str | None = None) -> tuple[Wire, ...]:
        """The wires that end at a node, or at one of its inputs in order of index."""
        wires = self.incoming.get(node, ())
        return wires if input is None else tuple(w for w in wires if w.input == input)

    def out_of(self, node: str, output: str | None = None) -> tuple[Wire, ...]:
        """The wires that start at a node, or at one of its outputs."""
        wires = self.outgoing.get(node, ())
        return wires if output is None else tuple(w for w in wires if w.output == output)

    def of_kind(self, kind: str) -> tuple[Node, ...]:
        """Nodes of one kind in the order they were placed."""
        return tuple(n for n in self.nodes.values() if n.kind == kind)

    def same_wiring(self, changed: Network) -> Network:
        """Hand what is known about nodes and wires on to a network that has the same; returns ``changed``."""
        for name in ("incoming", "outgoing", "_digraph", "_cyclic_nodes", "_order"):
            if name in self.__dict__:
                changed.__dict__[name] = self.__dict__[name]
        return changed

    def meaning(self) -> tuple[object, ...]:
        """What the network computes, without layout: equal meanings train the same."""
        nodes = tuple(
            (n.id, n.kind, n.name, n.shares, n.bypass, tuple(sorted(n.params.items()))) for n in self.nodes.values()
        )
        return nodes, tuple(sorted(self.wires))


@dataclass(frozen=True)
class Code:
    """A layer written in Python instead of drawn. It is text: nothing here runs it.

    Attributes:
        source: the whole module's source.
        layer: the class in it that is meant.
        file: name of the file beside the project that the source was read from; empty if it lives in the project.
    """

    source: str
    layer: str
    file: str = ""


@dataclass(frozen=True)
class Block:
    """A reusable network that is placed like a layer: its name is the kind of the nodes that use it.

    Its Input and Output nodes are the ports of each use. Parameters of the nodes inside may be expressions
    (:class:`~deepgui.catalog.expr.Expr`) of the block's own.

    Attributes:
        network: the drawing. The shape of an Input in it is only what it is looked at with when nothing uses it.
        params: the block's own parameters with their defaults.
        summary: one sentence for the palette.
        category: heading in the palette.
        code: what it is instead of a drawing, if it was written in Python; the rest is then empty.
    """

    network: Network
    params: tuple[ParamSpec, ...] = ()
    summary: str = ""
    category: str = ""
    code: Code | None = None
