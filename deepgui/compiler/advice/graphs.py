"""Nodes, edges and graph numbers that do not belong together, which no shape of a tensor shows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from deepgui.catalog.graph_layers import CATEGORY, CHOOSING
from deepgui.compiler.advice.case import Case
from deepgui.graph import edits
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.values import Wire

_PARTS = ("edge_index", "edge_attr", "edge_weight", "batch")


def wrong_graphs(case: Case) -> Iterator[Problem]:
    """Edges or graph numbers from before a layer that chose among the nodes, beside the nodes that it left."""
    if case.spec.category != CATEGORY:
        return
    yield from _nothing_to_choose(case)
    nodes = case.types.get("x", ())
    if not nodes or not nodes[0].dims:
        return
    mark = nodes[0].dims[0].of[1:]
    for port in _PARTS:
        arriving = case.types.get(port, ())
        free = next((d for t in arriving for d in t.dims if d.batch), None)
        if free is None or free.of[1:] == mark:
            continue
        wanted = f"{free.of[0]}{mark}"
        yield case.problem(
            "other-graph",
            f"{arriving[0].shape} belongs to another graph than the nodes, {nodes[0].shape}.",
            port,
            expected=arriving[0].shape.replace(free.of, wanted),
            received=arriving[0].shape,
            reason="A layer that chooses among the nodes numbers those that are left anew: wire its own edge_index and"
            " batch along with its nodes.",
            fix=_rewired(case, port, wanted),
        )


def _nothing_to_choose(case: Case) -> Iterator[Problem]:
    """An output that passes on a part of what comes in, where nothing does."""
    used = any(w.output == "edge_attr" for w in case.network.out_of(case.node.id))
    if case.spec.kind in CHOOSING and used and "edge_attr" not in case.types:
        yield case.problem(
            "nothing-comes-out",
            "nothing comes out here, as nothing comes in at the input of that name.",
            "edge_attr",
            expected="E×features at the input edge_attr",
            received="nothing",
            reason="Wire features of the edges to the input edge_attr, or take this wire away.",
        )


def _rewired(case: Case, port: str, wanted: str) -> Fix | None:
    """Take the port from the layer that chose the nodes, which lies before them."""
    layer = case.source("x")
    seen: set[str] = set()
    while layer is not None and layer.id not in seen:
        seen.add(layer.id)
        spec = case.registry.get(layer.kind)
        name = "edge_attr" if port == "edge_weight" else port
        if spec is not None and any(p.name == name and p.free for p in spec.outputs):
            new = Wire(layer.id, name, case.node.id, port)
            return Fix(f"Wire {layer.label}.{name} here", partial(edits.connect, wire=new))
        wires = case.network.into(layer.id)
        layer = case.network.nodes.get(wires[0].source) if wires else None
    return None
