"""Blocks as layers: what a drawing declares, the registry that knows a project's blocks, and binding.

Binding a network to the values of a block's parameters replaces every expression in it by its value.
What is left is an ordinary network, and nothing below this module knows that expressions exist.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from deepgui.catalog.expr import Expr, ExprError
from deepgui.catalog.own import declared as own
from deepgui.catalog.own.declared import OwnError
from deepgui.catalog.spec import LayerSpec, ParamSpec, PortSpec, Registry, Value, freeze
from deepgui.graph.values import Block, Network, Node

REPEAT = ParamSpec(
    "repeat",
    "int",
    default=None,
    nullable=True,
    minimum=0,
    doc="How many of this block stand one behind the other. Its other parameters may use index (0, 1, 2, ...).",
)
INDEX = "index"
"""The name under which the parameters of a repeated use can ask for their place in the row."""

CATEGORY = "Blocks of this project"


class BlockRegistry(Registry):
    """The catalogue with the blocks of one project."""

    def __init__(self, base: Registry, blocks: Mapping[str, Block]) -> None:
        super().__init__(base.values())
        self.base = base
        self.blocks = blocks
        self.remembered: dict[Any, Any] = {}  # what the compiler knows of their uses
        for name, block in blocks.items():
            if name in base:
                continue
            if block.code is None:
                self._specs[name] = declare(name, block)
                continue
            with suppress(OwnError):  # lint says so where it is used
                self._specs[name] = own.declare(block.code.source, block.code.layer, base, kind=name)


_latest: list[BlockRegistry] = []
_KEPT = 8


def with_blocks(base: Registry, blocks: Mapping[str, Block]) -> Registry:
    """The catalogue as a project with these blocks sees it. The same values give the same object for a while."""
    if not blocks:
        return base
    for known in _latest:
        if known.base is base and known.blocks is blocks:
            return known
    made = BlockRegistry(base, blocks)
    _latest.insert(0, made)
    del _latest[_KEPT:]
    return made


def forget() -> None:
    """Make the registries anew, since what their layers can do has changed (code was trusted)."""
    _latest.clear()


def blocks_of(registry: Registry) -> Mapping[str, Block]:
    """The blocks that a registry knows."""
    return registry.blocks if isinstance(registry, BlockRegistry) else {}


def declare(name: str, block: Block) -> LayerSpec:
    """What a drawing is as a layer: its Inputs and Outputs are ports, called like them."""
    inputs = tuple(port_names(block.network, "Input").values())
    outputs = tuple(port_names(block.network, "Output").values())
    params = (*(p if p.infer is None or p.infer.port in inputs else replace(p, infer=None) for p in block.params),)
    return LayerSpec(
        name,
        target=name,
        form="block",
        category=block.category or CATEGORY,
        inputs=tuple(PortSpec(port) for port in inputs),
        outputs=tuple(PortSpec(port, path=(i,) if len(outputs) > 1 else ()) for i, port in enumerate(outputs)),
        params=(*params, *(() if any(p.name == REPEAT.name for p in params) else (REPEAT,))),
        summary=block.summary or f"A block of {_layers(block.network)}.",
    )


def _layers(network: Network) -> str:
    count = sum(node.kind not in ("Input", "Output") for node in network.nodes.values())
    return f"{count} layer{'' if count == 1 else 's'}"


def port_names(network: Network, kind: str) -> dict[str, str]:
    """Port by node id: the node's name; ``input`` or ``output`` for a nameless only one."""
    nodes = network.of_kind(kind)
    if len(nodes) == 1 and not nodes[0].name:
        return {nodes[0].id: kind.lower()}
    return {node.id: node.label for node in nodes}


def uses(network: Network, blocks: Mapping[str, Block]) -> frozenset[str]:
    """The blocks that a network uses, directly or inside others."""
    found: set[str] = set()
    queue = [network]
    while queue:
        for node in queue.pop().nodes.values():
            if node.kind in blocks and node.kind not in found:
                found.add(node.kind)
                queue.append(blocks[node.kind].network)
    return frozenset(found)


def contains_itself(name: str, blocks: Mapping[str, Block]) -> bool:
    """Whether a block is somewhere inside itself, so that it would never end."""
    return name in blocks and name in uses(blocks[name].network, blocks)


@dataclass(frozen=True)
class Env:
    """What the names in a block's expressions stand for."""

    values: Mapping[str, Value]

    @classmethod
    def of(cls, spec: LayerSpec, params: Mapping[str, Value]) -> Env:
        """The parameters of one use: what it sets, and defaults."""
        return cls({p.name: spec.value(params, p.name) for p in spec.params if p is not REPEAT})


def repeats(params: Mapping[str, Value]) -> int | None:
    """How many instances a use asks for in a row; None if it is a single one, and no sequence."""
    count = params.get(REPEAT.name)
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None


def unroll(params: Mapping[str, Value], env: Mapping[str, Any]) -> tuple[dict[str, Value], ...]:
    """The parameters of each instance of a use: one, or as many as ``repeat`` says, each with its index."""
    count = repeats(params)
    rest = {name: value for name, value in params.items() if name != REPEAT.name}
    return tuple(bound(rest, {**env, INDEX: index}) for index in range(1 if count is None else count))


def bind(network: Network, env: Mapping[str, Any], registry: Registry) -> Network:
    """The network with its expressions replaced by their values.

    An expression without a value stays where it is, for lint to speak of it; so do those of a repeated block
    that ask for the index. A network without expressions comes back as it is.
    """
    changed = {n.id: fresh for n in network.nodes.values() if (fresh := _bound_node(n, env, registry)) is not n}
    if not changed:
        return network
    return network.same_wiring(replace(network, nodes={**network.nodes, **changed}))


def _bound_node(node: Node, env: Mapping[str, Any], registry: Registry) -> Node:
    if not any(isinstance(v, Expr) for v in (*node.params.values(), node.bypass)):
        return node
    spec = registry.get(node.kind)
    params = bound(node.params, env, spec)
    bypass = bound({"bypass": node.bypass}, env)["bypass"]
    if isinstance(bypass, (int, float)):
        bypass = bool(bypass)
    return replace(node, params=params, bypass=bypass)


def bound(params: Mapping[str, Value], env: Mapping[str, Any], spec: LayerSpec | None = None) -> dict[str, Value]:
    """Parameters with expressions replaced by their values where they have one."""
    found: dict[str, Value] = {}
    for name, value in params.items():
        if isinstance(value, Expr):
            with suppress(ExprError, TypeError):
                value = _fitting(freeze(value.evaluate(env)), spec, name)
        found[name] = value
    return found


def _fitting(value: Value, spec: LayerSpec | None, name: str) -> Value:
    """A whole number where one is asked for and the expression gave 32.0."""
    whole = spec is not None and spec.has_param(name) and spec.param(name).type in ("int", "ints")
    if whole and isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return value


def expressions(node: Node) -> Iterator[tuple[str, Expr]]:
    """The expressions of a node, by parameter; ``bypass`` is one of them."""
    for name, value in (*node.params.items(), ("bypass", node.bypass)):
        if isinstance(value, Expr):
            yield name, value


def names_used(network: Network) -> frozenset[str]:
    """The names that the expressions of a network ask for."""
    found: set[str] = set()
    for node in network.nodes.values():
        for _, expr in expressions(node):
            try:
                found |= expr.names
            except ExprError:
                continue
    return frozenset(found)


def steps(network: Network, blocks: Mapping[str, Block], path: str) -> list[tuple[Node, int | None]]:
    """The nodes on the way of a path (``stage.2.conv``), each with its place in a row, as far as it leads."""
    found: list[tuple[Node, int | None]] = []
    parts = path.split(".")
    while parts and (node := network.nodes.get(parts.pop(0))) is not None:
        place = int(parts.pop(0)) if parts and parts[0].isdecimal() else None
        found.append((node, place))
        if node.kind not in blocks:
            break
        network = blocks[node.kind].network
    return found


def spoken(network: Network, blocks: Mapping[str, Block], path: str) -> str:
    """What a person calls the node at a path: ``stage 3 › conv``."""
    way = steps(network, blocks, path)
    return " › ".join(f"{n.label} {place + 1}" if place is not None else n.label for n, place in way) or path


def needed(names: Iterable[str], blocks: Mapping[str, Block]) -> dict[str, Block]:
    """These blocks and all that are inside them, in the order of ``blocks``."""
    wanted = set(names)
    for name in tuple(wanted):
        if name in blocks:
            wanted |= uses(blocks[name].network, blocks)
    return {name: block for name, block in blocks.items() if name in wanted}
