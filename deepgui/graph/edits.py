"""Edits: functions from a network to a new network. Nothing else in DeepGUI makes networks differ.

An edit that would change nothing returns the network it was given, so that identity tells whether
anything happened. Edits keep every wire's ends existing; whether a wire makes sense is lint's subject.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from deepgui.catalog.spec import Value
from deepgui.graph.values import Network, Node, Point, Wire

DUPLICATE_OFFSET = 32.0
_UNSET: dict[str, Value] = {}
_NUMBER = re.compile(r"(?<=[^\W_])_\d+$")


def is_identifier(text: str) -> bool:
    """Whether a text can be a name in Python source: ASCII letters, digits and ``_``, and no keyword."""
    return text.isascii() and text.isidentifier() and not keyword.iskeyword(text)


def identifier(text: str) -> str:
    """The Python identifier nearest to a text: ``My layer 2`` → ``My_layer_2``, ``class`` → ``class_``."""
    word = re.sub(r"\W+", "_", text.strip(), flags=re.ASCII).strip("_")
    if not word:
        return "unnamed"
    if word[0].isdigit():
        word = f"n{word}"
    return f"{word}_" if keyword.iskeyword(word) else word


def snake(kind: str) -> str:
    """``Conv2d`` → ``conv2d``, ``BatchNorm2d`` → ``batch_norm2d``, ``LSTM`` → ``lstm``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "_", kind).lower()


def fresh_id(taken: Collection[str], stem: str, tried: dict[str, int] | None = None) -> str:
    """``conv2d``, then ``conv2d_2``, ``conv2d_3``, ...

    Who makes many and only adds to ``taken`` hands in the same ``tried``, so that no number is tried twice.
    """
    if stem not in taken:
        return stem
    tried = {} if tried is None else tried
    number = tried.get(stem, 1) + 1
    while f"{stem}_{number}" in taken:
        number += 1
    tried[stem] = number
    return f"{stem}_{number}"


def _stem(kind: str) -> str:
    return identifier(snake(kind))


def _labels(network: Network, *, but: str = "") -> set[str]:
    return {n.label for n in network.nodes.values() if n.id != but}


def add_node(
    network: Network,
    kind: str,
    params: Mapping[str, Value] = _UNSET,
    *,
    name: str = "",
    at: Point | None = None,
    id: str | None = None,
) -> tuple[Network, Node]:
    """Place a node under a fresh id, or under ``id``; the name is made a unique identifier.

    Raises ValueError if ``id`` is taken or cannot be a name in Python source.
    """
    if id is not None and id in network.nodes:
        raise ValueError(f"there is already a node {id!r}")
    if id is not None and not is_identifier(id):
        raise ValueError(f"a node cannot have the id {id!r}: it becomes a name in Python source")
    labels = _labels(network)
    fresh = id or fresh_id(network.nodes.keys() | labels, _stem(kind))
    name = fresh_id(labels, identifier(name)) if name.strip() else ""
    node = Node(fresh, kind, dict(params), "" if name == fresh else name)
    layout = network.layout if at is None else {**network.layout, node.id: Point(*at)}
    return replace(network, nodes={**network.nodes, node.id: node}, layout=layout), node


def remove_nodes(network: Network, ids: Collection[str]) -> Network:
    """Remove nodes with their wires and places."""
    gone = set(ids) & network.nodes.keys()
    if not gone:
        return network
    kept = tuple(w for w in network.wires if w.source not in gone and w.target not in gone)
    return replace(
        network,
        nodes={i: _weaned(n, gone) for i, n in network.nodes.items() if i not in gone},
        wires=closed_up(kept),
        layout={i: p for i, p in network.layout.items() if i not in gone},
    )


def _weaned(node: Node, gone: Collection[str]) -> Node:
    """The node with weights of its own if those that it shares go."""
    return replace(node, shares="") if node.shares in gone else node


def connect(network: Network, wire: Wire) -> Network:
    """Draw a wire; what was on the same input and index gives way. Raises KeyError for unknown nodes."""
    for node in (wire.source, wire.target):
        if node not in network.nodes:
            raise KeyError(node)
    there = [w for w in network.wires if w.target == wire.target and w.input == wire.input]
    if wire in there:
        return network
    if wire.index == len(there):
        return replace(network, wires=(*network.wires, wire))
    kept = tuple(w for w in network.wires if w not in there or w.index != wire.index)
    return replace(network, wires=closed_up((*kept, wire)))


def append_wire(network: Network, source: str, output: str, target: str, input: str) -> Network:
    """Draw a wire to the next free place of a variadic input."""
    index = sum(w.target == target and w.input == input for w in network.wires)
    return connect(network, Wire(source, output, target, input, index))


def disconnect(network: Network, wires: Collection[Wire]) -> Network:
    """Remove wires; those left on a variadic input close up."""
    gone = set(wires)
    kept = tuple(w for w in network.wires if w not in gone)
    return network if len(kept) == len(network.wires) else replace(network, wires=closed_up(kept))


def closed_up(wires: tuple[Wire, ...]) -> tuple[Wire, ...]:
    """The wires with those of each input renumbered 0, 1, 2, ... in their order."""
    slots: dict[tuple[str, str], list[int]] = {}
    for w in wires:
        slots.setdefault((w.target, w.input), []).append(w.index)
    if all(len(taken) == 1 and taken[0] == 0 for taken in slots.values()):
        return wires
    rank = {slot: {index: place for place, index in enumerate(sorted(taken))} for slot, taken in slots.items()}
    return tuple(w._replace(index=rank[w.target, w.input][w.index]) for w in wires)


def set_params(network: Network, node: str, params: Mapping[str, Value]) -> Network:
    """Set parameters of a node, leaving its others. Raises KeyError for an unknown node."""
    old = network.nodes[node]
    if all(name in old.params and _same(old.params[name], value) for name, value in params.items()):
        return network
    return _with_node(network, replace(old, params={**old.params, **params}))


def unset_param(network: Network, node: str, name: str) -> Network:
    """Back to the default, or to the inferred value."""
    old = network.nodes[node]
    if name not in old.params:
        return network
    return _with_node(network, replace(old, params={k: v for k, v in old.params.items() if k != name}))


def _same(a: Value, b: Value) -> bool:
    """Equal, and of the same types all through: ``(1, 2)`` is not ``(1.0, 2.0)``."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_same, a, b))
    return type(a) is type(b) and a == b


def share(network: Network, node: str, other: str) -> Network:
    """Let a node use the weights of another; an empty ``other`` gives it its own. Raises KeyError for unknown nodes."""
    old = network.nodes[node]
    if other and other not in network.nodes:
        raise KeyError(other)
    return network if old.shares == other else _with_node(network, replace(old, shares=other))


def bypass(network: Network, node: str, value: Value) -> Network:
    """Hand a node's first input on in place of its result, or stop doing so. Raises KeyError for an unknown node."""
    old = network.nodes[node]
    return network if _same(old.bypass, value) else _with_node(network, replace(old, bypass=value))


def rename_node(network: Network, node: str, name: str) -> Network:
    """Change what the user calls a node; made a unique identifier. An empty name goes back to the id."""
    old = network.nodes[node]
    name = fresh_id(_labels(network, but=node), identifier(name) if name.strip() else old.id)
    name = "" if name == old.id else name
    return network if name == old.name else _with_node(network, replace(old, name=name))


def rename_network(network: Network, name: str) -> Network:
    """Change the name, which becomes that of the class in the source; made an identifier."""
    name = identifier(name)
    return network if name == network.name else replace(network, name=name)


def _with_node(network: Network, node: Node) -> Network:
    return network.same_wiring(replace(network, nodes={**network.nodes, node.id: node}))


def move(network: Network, places: Mapping[str, Point]) -> Network:
    """Put nodes at places (absolute)."""
    new = {i: Point(*p) for i, p in places.items() if i in network.nodes and network.layout.get(i) != p}
    return network.same_wiring(replace(network, layout={**network.layout, **new})) if new else network


def excerpt(network: Network, ids: Collection[str]) -> Network:
    """The nodes and the wires among them: what copying puts on the clipboard."""
    wanted = set(ids)
    kept = {i: _weaned(n, network.nodes.keys() - wanted) for i, n in network.nodes.items() if i in wanted}
    return Network(
        network.name,
        kept,
        closed_up(tuple(w for w in network.wires if w.source in kept and w.target in kept)),
        {i: p for i, p in network.layout.items() if i in kept},
    )


def paste(network: Network, piece: Network, *, offset: Point | None = None) -> tuple[Network, tuple[str, ...]]:
    """Add a copy of ``piece`` under fresh ids and names. Returns the new network and the new ids."""
    dx, dy = offset or Point(DUPLICATE_OFFSET, DUPLICATE_OFFSET)
    new_id: dict[str, str] = {}
    nodes, layout = dict(network.nodes), dict(network.layout)
    taken = nodes.keys() | _labels(network)
    tried: dict[str, int] = {}
    for old in piece.nodes.values():
        fresh = new_id[old.id] = fresh_id(taken, _stem(old.kind), tried)
        taken.add(fresh)
        name = fresh_id(taken, _NUMBER.sub("", old.name), tried) if old.name else ""
        taken.add(name)
        nodes[fresh] = replace(old, id=fresh, name=name)
        place = piece.layout.get(old.id, Point(0, 0))
        layout[fresh] = Point(place.x + dx, place.y + dy)
    for fresh in new_id.values():
        if nodes[fresh].shares:
            nodes[fresh] = replace(nodes[fresh], shares=new_id[nodes[fresh].shares])
    wires = tuple(w._replace(source=new_id[w.source], target=new_id[w.target]) for w in piece.wires)
    return replace(network, nodes=nodes, wires=network.wires + wires, layout=layout), tuple(new_id.values())


def insert_on_wire(
    network: Network,
    wire: Wire,
    kind: str,
    params: Mapping[str, Value] = _UNSET,
    *,
    input: str = "input",
    output: str = "output",
    at: Point | None = None,
) -> tuple[Network, Node]:
    """Place a node in the middle of a wire. Raises KeyError if there is no such wire."""
    if wire not in network.wires:
        raise KeyError(wire)
    if at is None and wire.source in network.layout and wire.target in network.layout:
        a, b = network.layout[wire.source], network.layout[wire.target]
        at = Point((a.x + b.x) / 2, (a.y + b.y) / 2)
    network, node = add_node(network, kind, params, at=at)
    network = connect(network, Wire(node.id, output, wire.target, wire.input, wire.index))
    return connect(network, Wire(wire.source, wire.output, node.id, input)), node


def splice(network: Network, node: str, wire: Wire, *, input: str = "input", output: str = "output") -> Network:
    """Put a node that already stands on the canvas into the middle of a wire; not one of the wire's own ends.

    Raises KeyError if there is no such wire or node.
    """
    if wire not in network.wires or node not in network.nodes:
        raise KeyError(wire)
    if node in (wire.source, wire.target):
        return network
    network = connect(network, Wire(node, output, wire.target, wire.input, wire.index))
    return connect(network, Wire(wire.source, wire.output, node, input))


def heal_and_remove(network: Network, ids: Iterable[str]) -> Network:
    """Remove nodes, joining what fed each one's main input to all that its main output fed.

    Main is the port called ``input`` or ``output``, else the one that was wired first.
    """
    for node in ids:
        into = [w for w in network.wires if w.target == node != w.source]
        out = [w for w in network.wires if w.source == node != w.target]
        network = remove_nodes(network, (node,))
        if not into or not out:
            continue
        feed = next((w for w in into if w.input == "input" and w.index == 0), into[0])
        main = "output" if any(w.output == "output" for w in out) else out[0].output
        for old in sorted(out, key=lambda w: w.index):
            if old.output == main and old.target != feed.source:
                network = _joined(network, feed, old)
    return network


def _joined(network: Network, feed: Wire, old: Wire) -> Network:
    """Wire ``feed``'s source to ``old``'s target, into the place that ``old`` left on a variadic input."""
    later = {w: w._replace(index=w.index + 1) for w in network.into(old.target, old.input) if w.index >= old.index}
    network = replace(network, wires=tuple(later.get(w, w) for w in network.wires))
    return connect(network, Wire(feed.source, feed.output, old.target, old.input, old.index))
