"""Edits of a project's blocks that reach further than one drawing: names, parameters, copies, newcomers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from deepgui.catalog import expr
from deepgui.catalog.expr import Expr, ExprError
from deepgui.catalog.spec import ParamSpec, Value
from deepgui.graph import blocks, edits
from deepgui.graph.values import Block, Network, Node
from deepgui.project.values import Project, with_block

RESERVED = frozenset({blocks.REPEAT.name, blocks.INDEX})
"""Names that no parameter of a block can have."""


class BlockError(ValueError):
    """Why a block, or a parameter of it, has to stay: one plain sentence."""


class Use(NamedTuple):
    """A node that uses a block, and the drawing it stands in: a network by its key, or a block by its name."""

    drawing: str
    in_block: bool
    node: Node


def uses(project: Project, name: str) -> tuple[Use, ...]:
    """Every node that uses a block: those of the networks first, then those inside other blocks."""
    found = [
        Use(key, in_block, node)
        for in_block, drawings in ((False, project.networks), (True, _networks(project.blocks)))
        for key, network in drawings.items()
        for node in network.of_kind(name)
    ]
    return tuple(found)


def _networks(held: Mapping[str, Block]) -> dict[str, Network]:
    return {name: block.network for name, block in held.items()}


def free_name(project: Project, wanted: str, taken: Collection[str] = ()) -> str:
    """A name for a new block: an identifier that neither a block nor a layer kind in ``taken`` has."""
    return edits.fresh_id({*project.blocks, *taken}, edits.identifier(wanted))


def rename(project: Project, name: str, wanted: str, taken: Collection[str] = ()) -> tuple[Project, str]:
    """Call a block something else wherever it is used.

    Args:
        taken: layer kinds that it cannot be called.

    Returns:
        The project and the name given, which is an identifier that was free.
    """
    others = {key: block for key, block in project.blocks.items() if key != name}
    new = free_name(replace(project, blocks=others), wanted, taken) if wanted.strip() else name
    if new == name:
        return project, name
    held = {new if key == name else key: block for key, block in project.blocks.items()}
    held[new] = replace(held[new], network=replace(held[new].network, name=new))
    renamed = _everywhere(replace(project, blocks=held), lambda net: with_kinds(net, {name: new}))
    return renamed, new


def _everywhere(project: Project, change: Callable[[Network], Network]) -> Project:
    """The project with an edit made in every drawing; what it leaves alone stays the same object."""
    networks = {key: change(network) for key, network in project.networks.items()}
    held = {key: _with_network(block, change(block.network)) for key, block in project.blocks.items()}
    return replace(
        project,
        networks=networks if _differ(networks, project.networks) else project.networks,
        blocks=held if _differ(held, project.blocks) else project.blocks,
    )


def _differ(after: Mapping[str, object], before: Mapping[str, object]) -> bool:
    return any(after[key] is not before[key] for key in after)


def _with_network(block: Block, network: Network) -> Block:
    return block if network is block.network else replace(block, network=network)


def _with_nodes(network: Network, changed: Mapping[str, Node]) -> Network:
    if not changed:
        return network
    return network.same_wiring(replace(network, nodes={**network.nodes, **changed}))


def with_kinds(network: Network, names: Mapping[str, str]) -> Network:
    """The network with nodes of some kinds made nodes of others."""
    changed = {
        n.id: replace(n, kind=names[n.kind]) for n in network.nodes.values() if names.get(n.kind, n.kind) != n.kind
    }
    return _with_nodes(network, changed)


def with_kind(network: Network, node: str, kind: str) -> Network:
    """Let a node use another block. Raises KeyError for an unknown node."""
    old = network.nodes[node]
    return network if old.kind == kind else _with_nodes(network, {node: replace(old, kind=kind)})


def remove(project: Project, name: str) -> Project:
    """Take a block out of the project.

    Raises:
        BlockError: it is used.
    """
    found = uses(project, name)
    if found:
        places = "once" if len(found) == 1 else f"{len(found)} times"
        raise BlockError(f"{name} is used {places}: only a block that nothing uses can be deleted.")
    return replace(project, blocks={key: block for key, block in project.blocks.items() if key != name})


def copied(project: Project, name: str, taken: Collection[str] = ()) -> tuple[Project, str]:
    """The project with a second block like this one, and the copy's name."""
    new = free_name(project, name, taken)
    block = project.blocks[name]
    return with_block(project, new, replace(block, network=replace(block.network, name=new))), new


# --- parameters -----------------------------------------------------------------------------------------


def add_param(block: Block, wanted: str, default: Value) -> Block:
    """Give a block a parameter of its own; its type is that of the default."""
    name = _free_param(block, wanted)
    return replace(block, params=(*block.params, ParamSpec(name, _type(default), default)))  # type: ignore[arg-type]


def _type(value: Value) -> str:
    match value:
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float"
        case str():
            return "str"
        case tuple() if value and all(isinstance(v, int) and not isinstance(v, bool) for v in value):
            return "ints"
        case _:
            return "literal"


def _free_param(block: Block, wanted: str, but: str = "") -> str:
    return edits.fresh_id({p.name for p in block.params if p.name != but} | RESERVED, edits.identifier(wanted))


def set_default(block: Block, name: str, default: Value) -> Block:
    """What a parameter of a block is where a use does not set it. One that its type does not allow brings its own."""
    if any(p.name == name and p.default == default and type(p.default) is type(default) for p in block.params):
        return block
    return replace(block, params=tuple(_with_default(p, default) if p.name == name else p for p in block.params))


def _with_default(param: ParamSpec, default: Value) -> ParamSpec:
    if default is None or replace(param, torch_default=None).check(default) is None:
        return replace(param, default=default)
    return ParamSpec(param.name, _type(default), default, doc=param.doc)  # type: ignore[arg-type]


def rename_param(project: Project, block: str, name: str, wanted: str) -> tuple[Project, str]:
    """Call a block's parameter something else: in its expressions, and wherever the block is used.

    Returns:
        The project and the name given, which is an identifier that was free.
    """
    old = project.blocks[block]
    new = _free_param(old, wanted, but=name) if wanted.strip() else name
    if new == name or all(p.name != name for p in old.params):
        return project, name
    params = tuple(replace(p, name=new) if p.name == name else p for p in old.params)
    inside = replace(old, network=_with_names(old.network, {name: new}), params=params)
    project = with_block(project, block, inside)
    return _everywhere(project, lambda net: _with_param(net, block, name, new)), new


def _with_names(network: Network, names: Mapping[str, str]) -> Network:
    """The network with other names in its expressions."""

    def renamed(value: Value) -> Value:
        if not isinstance(value, Expr):
            return value
        try:
            return Expr(expr.rename(value.text, names)) if value.names & names.keys() else value
        except ExprError:
            return value

    changed = {
        n.id: replace(n, params={k: renamed(v) for k, v in n.params.items()}, bypass=renamed(n.bypass))
        for n in network.nodes.values()
        if any(renamed(v) is not v for v in (*n.params.values(), n.bypass))
    }
    return _with_nodes(network, changed)


def _with_param(network: Network, kind: str, name: str, new: str) -> Network:
    """The network with a parameter of nodes of one kind under another name; an empty one takes it away."""
    changed = {
        n.id: replace(n, params={new if k == name else k: v for k, v in n.params.items() if new or k != name})
        for n in network.of_kind(kind)
        if name in n.params
    }
    return _with_nodes(network, changed)


def asked_by(block: Block, name: str) -> tuple[str, ...]:
    """The labels of the nodes in a block whose expressions ask for a parameter."""
    return tuple(n.label for n in block.network.nodes.values() if name in _names(n))


def _names(node: Node) -> Iterator[str]:
    for _, found in blocks.expressions(node):
        try:
            yield from found.names
        except ExprError:
            continue


def remove_param(project: Project, block: str, name: str) -> Project:
    """Take a parameter away from a block and from its uses.

    Raises:
        BlockError: an expression inside asks for it.
    """
    old = project.blocks[block]
    asking = asked_by(old, name)
    if asking:
        raise BlockError(f"{name} is used by {', '.join(asking[:3])}: give those another value first.")
    project = with_block(project, block, replace(old, params=tuple(p for p in old.params if p.name != name)))
    return _everywhere(project, lambda net: _with_param(net, block, name, ""))


# --- blocks from elsewhere ------------------------------------------------------------------------------


def bring(
    project: Project, newcomers: Mapping[str, Block], taken: Collection[str] = ()
) -> tuple[Project, dict[str, str]]:
    """The project with blocks from elsewhere. One that means the same as a block it has is that block.

    Args:
        newcomers: blocks with all those inside them.
        taken: layer kinds that no block can be called.

    Returns:
        The project, and what each newcomer is called in it.
    """
    names: dict[str, str] = {}
    for name in _inner_first(newcomers):
        block = newcomers[name]
        block = replace(block, network=with_kinds(block.network, names))
        project, names[name] = _settled(project, name, block, taken)
    return project, names


def _settled(project: Project, name: str, block: Block, taken: Collection[str]) -> tuple[Project, str]:
    number, called = 1, name
    while called in project.blocks or called in taken:
        if called in project.blocks and _same(project.blocks[called], block):
            return project, called
        number += 1
        called = f"{name}_{number}"
    return with_block(project, called, replace(block, network=replace(block.network, name=called))), called


def _same(a: Block, b: Block) -> bool:
    return a is b or (a.params == b.params and a.network.meaning() == b.network.meaning())


def _inner_first(held: Mapping[str, Block]) -> list[str]:
    """The names, each after those of the blocks inside it."""
    found: dict[str, None] = {}

    def visit(name: str, above: frozenset[str]) -> None:
        for node in held[name].network.nodes.values():
            if node.kind in held and node.kind not in found and node.kind not in above:
                visit(node.kind, above | {node.kind})
        found[name] = None

    for name in held:
        if name not in found:
            visit(name, frozenset({name}))
    return list(found)
