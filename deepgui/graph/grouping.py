"""Blocks from a selection, and back: edits that change what a drawing is made of but not what it computes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from deepgui.catalog.expr import Expr, ExprError, rename
from deepgui.catalog.spec import ParamSpec, Registry, Value
from deepgui.graph import blocks, edits, topology
from deepgui.graph.values import Block, Network, Node, Point, Wire

GAP = 220.0
"""Distance of a new block's Inputs and Outputs from its layers, in scene units."""

End = tuple[str, str]
"""A node and one of its ports."""


class GroupingError(ValueError):
    """Why a selection cannot become a block, or a block cannot be taken apart: one plain sentence."""


# --- making a block -------------------------------------------------------------------------------------


def make_block(
    network: Network, ids: Collection[str], name: str, params: Sequence[ParamSpec] = ()
) -> tuple[Block, Network, str]:
    """Put nodes into a block and use it in their place.

    Expressions of an outer block's parameters come along: the new block gets parameters of the same names.

    Args:
        ids: nodes; Inputs and Outputs among them stay outside.
        name: what the block is called, which is the kind of the node that uses it; must not be taken.
        params: those of the block that this network is the drawing of, if it is one.

    Returns:
        The block, the network that uses it, and the id of the node that does.

    Raises:
        GroupingError: the selection is empty, a path leaves it and comes back, or weights are shared across its border.
    """
    chosen = {i for i in network.nodes if i in set(ids) and network.nodes[i].kind not in ("Input", "Output")}
    _refuse(network, chosen)
    entering, leaving = _borders(network, chosen)
    inner, inputs, outputs = _inside(network, chosen, name, entering, leaving)
    names = sorted(blocks.names_used(inner))
    declared = {p.name: p for p in params}
    block = Block(inner, tuple(declared.get(n, ParamSpec(n, "literal")) for n in names))
    use, outer = _replaced(network, chosen, name, {n: Expr(n) for n in names})
    wires: dict[Wire, None] = {}
    for w in network.wires:
        if w.source not in chosen and w.target in chosen:
            w = Wire(w.source, w.output, use, inputs[w.source, w.output])
        elif w.source in chosen and w.target not in chosen:
            w = w._replace(source=use, output=outputs[w.source, w.output])
        elif w.source in chosen:
            continue
        wires[w] = None  # several that enter from the same place are one now
    return block, replace(outer, wires=tuple(wires)), use


def _refuse(network: Network, chosen: set[str]) -> None:
    if not chosen:
        raise GroupingError("Select the layers that the block should hold.")
    for node in chosen:
        between = topology.downstream(network, node) - chosen
        back = next((i for i in between if topology.downstream(network, i) & chosen), None)
        if back is not None:
            raise GroupingError(
                f"{network.nodes[back].label} stands between the selected layers: a path leaves the selection and "
                "comes back. Select it, too."
            )
    for sharing in network.nodes.values():
        if sharing.shares and (sharing.id in chosen) != (sharing.shares in chosen):
            raise GroupingError(
                f"{sharing.label} shares the weights of {network.nodes[sharing.shares].label}: select both or neither."
            )


def _borders(network: Network, chosen: set[str]) -> tuple[list[End], list[End]]:
    """What enters the selection and what leaves it, each once, in the order of the wires."""
    place = {node: index for index, node in enumerate(topology.order(network))}
    ordered = sorted(network.wires, key=lambda w: (place.get(w.target, 0), w.input, w.index))
    entering = [(w.source, w.output) for w in ordered if w.target in chosen and w.source not in chosen]
    leaving = [(w.source, w.output) for w in network.wires if w.source in chosen and w.target not in chosen]
    return list(dict.fromkeys(entering)), list(dict.fromkeys(leaving))


def _inside(
    network: Network, chosen: set[str], name: str, entering: list[End], leaving: list[End]
) -> tuple[Network, dict[End, str], dict[End, str]]:
    """The block's drawing, and the ports for what enters and leaves."""
    among = tuple(w for w in network.wires if w.source in chosen and w.target in chosen)
    inner = replace(edits.excerpt(network, chosen), name=name, wires=among)
    places = list(inner.layout.values()) or [Point(0, 0)]
    left, right = min(p.x for p in places) - GAP, max(p.x for p in places) + GAP
    nodes = {}
    for row, (source, output) in enumerate(entering):
        label = network.nodes[source].label if len(entering) > 1 else ""
        inner, node = edits.add_node(inner, "Input", name=label, at=Point(left, places[0].y + 96 * row))
        nodes[source, output] = node
        for w in network.wires:
            if (w.source, w.output) == (source, output) and w.target in chosen:
                inner = replace(inner, wires=(*inner.wires, w._replace(source=node.id, output="output")))
    ends = {}
    for row, (source, output) in enumerate(leaving):
        label = f"{network.nodes[source].label}_out" if len(leaving) > 1 else ""
        inner, node = edits.add_node(inner, "Output", name=label, at=Point(right, places[0].y + 96 * row))
        ends[source, output] = node
        inner = edits.connect(inner, Wire(source, output, node.id, "input"))
    names = blocks.port_names(inner, "Input"), blocks.port_names(inner, "Output")
    return (
        _inputs_first(inner, [n.id for n in nodes.values()]),
        {end: names[0][n.id] for end, n in nodes.items()},
        {end: names[1][n.id] for end, n in ends.items()},
    )


def _inputs_first(network: Network, inputs: list[str]) -> Network:
    rest = {i: n for i, n in network.nodes.items() if i not in inputs}
    return replace(network, nodes={**{i: network.nodes[i] for i in inputs}, **rest})


def _replaced(network: Network, chosen: set[str], kind: str, params: Mapping[str, Value]) -> tuple[str, Network]:
    """The network with one node where the chosen ones were, standing where the first of them stood in the order."""
    places = [network.layout[i] for i in chosen if i in network.layout]
    at = Point(sum(p.x for p in places) / len(places), sum(p.y for p in places) / len(places)) if places else None
    first = next(i for i in network.nodes if i in chosen)
    before = [i for i in network.nodes if i not in chosen and _position(network, i) < _position(network, first)]
    outer, use = edits.add_node(edits.remove_nodes(network, chosen), kind, params, at=at)
    ordered = [*before, use.id, *(i for i in outer.nodes if i not in before and i != use.id)]
    return use.id, replace(outer, nodes={i: outer.nodes[i] for i in ordered})


def _position(network: Network, node: str) -> int:
    return list(network.nodes).index(node)


# --- taking one apart -----------------------------------------------------------------------------------


@dataclass
class _Laid:
    """One instance of a block laid out in the network around it."""

    network: Network
    ids: dict[str, str] = field(default_factory=dict)


def ungroup(network: Network, use: str, registry: Registry) -> tuple[Network, tuple[str, ...]]:
    """Put what is in a block in place of the node that uses it, as often as it is repeated.

    Returns:
        The network and the ids of the nodes that are new in it.

    Raises:
        GroupingError: it is no block, or how often it is repeated is an expression, or weights are shared with it.
    """
    node = network.nodes[use]
    block = blocks.blocks_of(registry).get(node.kind)
    if block is None:
        raise GroupingError(f"{node.label} is no block.")
    if isinstance(node.params.get(blocks.REPEAT.name), Expr):
        raise GroupingError(f"How often {node.label} is repeated is an expression: set a number first.")
    if node.bypass is not False or node.shares or any(n.shares == use for n in network.nodes.values()):
        raise GroupingError(f"{node.label} is bypassed or shares weights: end that first.")
    spec = registry[node.kind]
    flowing: dict[str, list[End]] = {
        port.name: [(w.source, w.output) for w in network.into(use, port.name)] for port in spec.inputs
    }
    wires_out = network.out_of(use)
    result, made = edits.remove_nodes(network, (use,)), []
    result = replace(result, wires=tuple(w for w in network.wires if use not in (w.source, w.target)))
    count = blocks.repeats(node.params)
    for index in range(1 if count is None else count):
        env = _texts(block, node.params, index if count is not None else None)
        laid = _lay(result, block.network, env, _offset(network, use, block.network, index))
        result, found = _wired(laid, block.network, flowing)
        made += [i for i in laid.ids.values() if i in result.nodes]
        flowing = {**flowing, **dict(zip(flowing, ([end] for end in found.values()), strict=False))}
    if count == 0:
        found = {p.name: ends[0] for p, ends in zip(spec.outputs, flowing.values(), strict=False) if ends}
    joined = [w._replace(source=found[w.output][0], output=found[w.output][1]) for w in wires_out if w.output in found]
    ordered = [i for node in network.nodes for i in (made if node == use else (node,))]
    nodes = {i: result.nodes[i] for i in ordered}
    return replace(result, nodes=nodes, wires=edits.closed_up((*result.wires, *joined))), tuple(made)


def _texts(block: Block, params: Mapping[str, Value], index: int | None) -> dict[str, str]:
    """What stands for each name in the block's expressions, as text."""
    values: dict[str, Value] = {p.name: params.get(p.name, p.default) for p in block.params}
    texts = {name: f"({v.text})" if isinstance(v, Expr) else repr(v) for name, v in values.items()}
    if index is None:
        return texts
    counted = {blocks.INDEX: str(index)}
    return {**{n: rename(t, counted) if isinstance(values[n], Expr) else t for n, t in texts.items()}, **counted}


def _lay(network: Network, inner: Network, texts: Mapping[str, str], offset: Point) -> _Laid:
    """A copy of the block's layers under ids and names that are free, expressions rewritten."""
    nodes, layout = dict(network.nodes), dict(network.layout)
    ids: dict[str, str] = {}
    taken = nodes.keys() | {n.label for n in nodes.values()}
    for old in inner.nodes.values():
        if old.kind in ("Input", "Output"):
            continue
        fresh = ids[old.id] = edits.fresh_id(taken, old.id)
        taken = {*taken, fresh}
        name = edits.fresh_id(taken, old.name) if old.name else ""
        taken = {*taken, name} if name else taken
        params = {k: _rewritten(v, texts) for k, v in old.params.items()}
        nodes[fresh] = replace(old, id=fresh, name=name, params=params, bypass=_rewritten(old.bypass, texts))
        place = inner.layout.get(old.id, Point(0, 0))
        layout[fresh] = Point(place.x + offset.x, place.y + offset.y)
    for fresh in ids.values():
        nodes[fresh] = replace(nodes[fresh], shares=ids.get(nodes[fresh].shares, ""))
    return _Laid(replace(network, nodes=nodes, layout=layout), ids)


def _rewritten(value: Value, texts: Mapping[str, str]) -> Value:
    """An expression in the names of the network around the block; its value, if it has no names left."""
    if not isinstance(value, Expr):
        return value
    expr = Expr(rename(value.text, texts))
    try:
        return expr if expr.names else blocks.bound({"value": expr}, {})["value"]
    except ExprError:
        return expr


def _wired(laid: _Laid, inner: Network, flowing: Mapping[str, list[End]]) -> tuple[Network, dict[str, End]]:
    """The copies wired among each other and to what flows in; and what flows out, by port."""
    inputs, outputs = blocks.port_names(inner, "Input"), blocks.port_names(inner, "Output")
    wires, found = list(laid.network.wires), {}
    for w in inner.wires:
        ends = flowing.get(inputs[w.source], []) if w.source in inputs else [(laid.ids[w.source], w.output)]
        for source, output in ends[:1]:
            if w.target in outputs:
                found[outputs[w.target]] = (source, output)
            else:
                wires.append(Wire(source, output, laid.ids[w.target], w.input, w.index))
    return replace(laid.network, wires=tuple(wires)), found


def _offset(network: Network, use: str, inner: Network, index: int) -> Point:
    """From places in the block to places around where it stood; copies side by side."""
    at = network.layout.get(use, Point(0, 0))
    places = list(inner.layout.values()) or [Point(0, 0)]
    left, top = min(p.x for p in places), min(p.y for p in places)
    width = max(p.x for p in places) - left + GAP
    return Point(at.x - left + index * width, at.y - top)


# --- parameters -----------------------------------------------------------------------------------------


def promote(block: Block, node: str, param: ParamSpec, name: str = "") -> Block:
    """Let a block have a parameter of one of its layers as its own. Its value so far becomes the default.

    Args:
        param: the declaration of the layer's parameter.
        name: what it is called; that of the layer's parameter if left out, with a number if it is taken.
    """
    layer: Node = block.network.nodes[node]
    taken = {p.name for p in block.params} | {blocks.REPEAT.name, blocks.INDEX}
    own = edits.fresh_id(taken, edits.identifier(name or param.name))
    value = layer.params.get(param.name, param.default)
    # What a file keeps of a block's parameter, and no more: the project that is read back is the one that was written.
    kept = {"minimum": param.minimum, "nullable": param.nullable, "choices": param.choices, "doc": param.doc}
    declared = ParamSpec(own, param.type, value, **kept)  # type: ignore[arg-type]
    network = edits.set_params(block.network, node, {param.name: Expr(own)})
    return replace(block, network=network, params=(*block.params, declared))
