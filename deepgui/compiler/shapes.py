"""The shape pass: walks the fx graph and writes types and costs into ``meta``.

A layer whose inputs have not changed answers from memory (:mod:`deepgui.compiler.facts`), so after an
edit only what it reaches is run again, and that stops where the types are as before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count

from torch import fx

from deepgui.catalog.operations import INPUT
from deepgui.catalog.spec import LayerSpec, Value
from deepgui.compiler.facts import FREE, Facts, Types, facts
from deepgui.compiler.lower import Lowered
from deepgui.compiler.tensors import is_tensor, tensor_facts
from deepgui.graph.shapes import Dim, TensorType, batched
from deepgui.graph.values import Node

Measure = Callable[[Node, LayerSpec, Types], Facts]


def propagate(
    lowered: Lowered, given: Mapping[str, TensorType], measure_block: Measure
) -> dict[str, tuple[Types, Facts]]:
    """Incoming types and facts by node id, for every node whose inputs have a known type.

    Every fx node gets ``meta["type"]``; a node behind an error gets none.

    Args:
        given: types of Inputs that are known from outside, by node id.
        measure_block: the facts of a node that is a block.
    """
    found: dict[str, tuple[Types, Facts]] = {}
    taken = {d.of for type_ in given.values() for d in type_.dims}
    for node_id, call in lowered.calls.items():
        spec: LayerSpec = call.meta["spec"]
        node = lowered.network.nodes[node_id]
        types: Types = {}
        if node_id in given:
            known = Facts({"output": given[node_id]}, dict(node.params))
        elif spec.form == "input":
            known = _input_facts(node, spec)
        elif is_tensor(spec):
            known = tensor_facts(spec, node.params)
        else:
            arriving = _arriving(call.meta["feeds"])
            if arriving is None:
                continue
            types = arriving
            known = measure_block(node, spec, types) if spec.form == "block" else facts(spec, node.params, types)
            known = _named(known, types, taken)
        found[node_id] = types, known
        for port, type_ in known.outputs.items():
            value = lowered.values.get((node_id, port))
            if value is not None:
                value.meta["type"] = type_
    return found


def _named(known: Facts, types: Types, taken: set[str]) -> Facts:
    """Sizes that a layer, or one inside a block, chose by itself with names that no other has: N1 and E1, N2 and E2."""
    arriving = {d.of for arrived in types.values() for type_ in arrived for d in type_.dims}
    own = {d.of for type_ in known.outputs.values() for d in type_.dims} - arriving - FREE.keys()
    if not own:
        return known
    names: dict[str, str] = {}
    for mark in sorted({of[1:] for of in own}):
        number = next(n for n in count(1) if not any(f"{of}{n}" in taken for of in FREE))
        names |= {of: f"{of[0]}{number}" for of in own if of[1:] == mark}
        taken.update(names.values())
    outputs = {
        port: TensorType(tuple(d._replace(of=names.get(d.of, d.of)) for d in type_.dims), type_.dtype)
        for port, type_ in known.outputs.items()
    }
    return replace(known, outputs=outputs)


def _input_facts(node: Node, spec: LayerSpec) -> Facts:
    type_ = input_type(node.params, spec)
    return Facts() if type_ is None else Facts({"output": type_}, dict(node.params))


def input_type(params: Mapping[str, Value], spec: LayerSpec = INPUT) -> TensorType | None:
    """What an Input hands on, by how it is drawn; None if that is not said, or nonsense."""
    shape = spec.value(params, "shape")
    dtype = str(spec.value(params, "dtype"))
    if shape is None or spec.param("shape").check(shape) or spec.param("dtype").check(dtype):
        return None
    sizes = shape if isinstance(shape, tuple) else (shape,)
    type_ = batched([s for s in sizes if isinstance(s, int)], dtype)
    edges = Dim(1, 0, "E")
    if spec.value(params, "per") == "edge":
        return TensorType((edges, *type_.dims[1:]), dtype)
    if spec.value(params, "per") == "edge_index":
        return TensorType((*type_.dims[1:], edges), dtype)
    return type_


def _arriving(feeds: Mapping[str, tuple[fx.Node, ...]]) -> Types | None:
    types: dict[str, tuple[TensorType, ...]] = {}
    for port, values in feeds.items():
        known = [v.meta.get("type") for v in values]
        if any(t is None for t in known):
            return None
        types[port] = tuple(t for t in known if t is not None)
    return types
