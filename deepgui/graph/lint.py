"""What can be said against a network without running anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deepgui.catalog.expr import Expr, ExprError
from deepgui.catalog.extras import EXTRAS
from deepgui.catalog.own import declared as own
from deepgui.catalog.spec import LayerSpec, Registry, Value, show
from deepgui.graph import blocks, edits, topology
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.values import Network, Node, Wire

Surroundings = tuple[Node, tuple[Wire, ...], tuple[Wire, ...], tuple[Node | None, ...]]
Memory = dict[str, tuple[Surroundings, tuple[Problem, ...]]]
"""What was found at each node, and the node, its wires and its sources at that time."""


def lint(
    network: Network,
    registry: Registry,
    env: Mapping[str, Value] | None = None,
    memory: Memory | None = None,
) -> tuple[Problem, ...]:
    """All problems that the drawing alone shows, in the order of the nodes.

    Args:
        network: bound (:func:`~deepgui.graph.blocks.bind`), so that an expression left in it has no value.
        env: inside a block, the values of its parameters; what its Inputs are given is then not their concern.
        memory: of an earlier call with the same registry and values; nodes that are as they were are not looked at
            again. Filled for the next call.
    """
    found: list[Problem] = []
    if not network.nodes:
        return (Problem("empty", "The network is empty: place an Input, some layers and an Output."),)
    found += _ends(network, registry)
    found += _cycles(network)
    memory = {} if memory is None else memory
    for node in network.nodes.values():
        into = network.into(node.id)
        around = node, into, network.out_of(node.id), tuple(network.nodes.get(w.source) for w in into)
        known = memory.get(node.id)
        if known is None or known[0] != around or node.shares:
            known = memory[node.id] = around, tuple(_at_node(network, node, registry, env))
        found += known[1]
    found += _nowhere(network)
    found += _same_names(network)
    found += _hidden_blocks(network, registry)
    return tuple(found)


def _at_node(network: Network, node: Node, registry: Registry, env: Mapping[str, Value] | None) -> Iterator[Problem]:
    """What is wrong with a node, its settings and the wires that end at it."""
    spec = registry.get(node.kind)
    if spec is None:
        yield _unknown(node, registry)
    else:
        if env is None or spec.form != "input":
            yield from _params(node, spec, env or {})
        yield from _unconnected(network, node, spec)
        yield from _block_use(node, spec, registry)
        yield from _sharing(network, node)
    for wire in network.into(node.id):
        yield from _wire(network, wire, registry)


def _nowhere(network: Network) -> Iterator[Problem]:
    for wire in network.wires:
        if wire.target not in network.nodes:
            yield _dangling(wire, None, wire.input)


def refuse_wire(network: Network, registry: Registry, source: str, output: str, target: str, input: str) -> str:
    """Why this wire cannot be drawn, in one sentence; empty if it can."""
    a, b = network.nodes.get(source), network.nodes.get(target)
    if a is None or b is None:
        return "There is no such node."
    if source == target:
        return "A layer cannot feed itself."
    for node, port, ports in ((a, output, _outputs(a, registry)), (b, input, _inputs(b, registry))):
        if ports is not None and port not in ports:
            return f"{node.label} has no port {port}."
    if topology.would_cycle(network, source, target):
        return f"{b.label} already leads to {a.label}: this wire would close a cycle."
    return ""


def _outputs(node: Node, registry: Registry) -> set[str] | None:
    spec = registry.get(node.kind)
    return None if spec is None else {p.name for p in spec.active_outputs(node.params)}


def _inputs(node: Node, registry: Registry) -> set[str] | None:
    spec = registry.get(node.kind)
    return None if spec is None else {p.name for p in spec.active_inputs(node.params)}


def _ends(network: Network, registry: Registry) -> Iterator[Problem]:
    kinds = {n.kind for n in network.nodes.values()}
    if "Input" not in kinds:
        yield Problem("no-input", "The network has no Input: place one and wire it to the first layer.")
    if "Output" not in kinds:
        message = "The network has no Output: place one and wire the last layer to it."
        yield Problem("no-output", message, fix=_add_output(network, registry))


def _add_output(network: Network, registry: Registry) -> Fix | None:
    """An Output at the only layer whose result nobody uses."""
    last = [n for n in network.nodes.values() if not network.out_of(n.id) and _outputs(n, registry)]
    if len(last) != 1:
        return None
    port = registry[last[0].kind].active_outputs(last[0].params)[0].name
    return Fix(f"Add an Output behind {last[0].label}", lambda net: _with_output(net, last[0].id, port))


def _with_output(network: Network, node: str, port: str) -> Network:
    at = network.layout.get(node)
    place = at._replace(x=at.x + 280.0) if at else None
    network, added = edits.add_node(network, "Output", at=place)
    return edits.connect(network, Wire(node, port, added.id, "input"))


def _cycles(network: Network) -> Iterator[Problem]:
    cyclic = topology.cyclic_nodes(network)
    first = next((n for n in network.nodes if n in cyclic), None)
    if first is not None:
        circle = {first} | (topology.downstream(network, first) & topology.upstream(network, first))
        looping = [n for n in network.nodes if n in circle]
        names = ", ".join(network.nodes[n].label for n in looping[:5])
        closing = next(w for w in reversed(network.wires) if w.source in looping and w.target in looping)
        yield Problem(
            "cycle",
            f"These layers feed each other in a circle: {names}.",
            node=looping[0],
            reason="A network computes from inputs to outputs; a wire that leads back has no value to start from.",
            fix=_disconnect("Remove the last wire of the circle", closing),
        )


def _disconnect(label: str, wire: Wire) -> Fix:
    return Fix(label, lambda net: edits.disconnect(net, (wire,)))


def _unknown(node: Node, registry: Registry) -> Problem:
    written = blocks.blocks_of(registry).get(node.kind)
    if written is not None and written.code is not None:
        why = own.complaint(written.code.source, written.code.layer)
        return Problem("own-code", f"{node.label}: the code of {node.kind} is no layer. {why}.", node=node.id)
    if node.kind in EXTRAS:
        return Problem(
            "missing-extra",
            f"{node.label}: {node.kind} is a layer of PyTorch Geometric, which is not installed; "
            f"install deepgui[{EXTRAS[node.kind]}].",
            node=node.id,
        )
    near = registry.suggest(node.kind)
    hint = f" Did you mean {near}?" if near else ""
    return Problem("unknown-kind", f"{node.label}: there is no layer {node.kind}.{hint}", node=node.id)


def _block_use(node: Node, spec: LayerSpec, registry: Registry) -> Iterator[Problem]:
    if spec.form != "block":
        return
    if blocks.contains_itself(node.kind, blocks.blocks_of(registry)):
        yield Problem(
            "endless-block",
            f"{node.label}: the block {node.kind} contains itself.",
            node=node.id,
            reason="It would never end. Use repeat to put several in a row.",
        )
    elif (blocks.repeats(node.params) or 0) > 1 and not 0 < len(spec.outputs) <= len(spec.inputs):
        yield Problem(
            "cannot-repeat",
            f"{node.label}: {node.kind} cannot be repeated: it has {len(spec.inputs)} inputs and "
            f"{len(spec.outputs)} outputs.",
            node=node.id,
            reason="Each output of one feeds the input in the same place of the next.",
            fix=_unset(node, blocks.REPEAT.name, "Do not repeat"),
        )


def _sharing(network: Network, node: Node) -> Iterator[Problem]:
    if not node.shares:
        return
    other = network.nodes.get(node.shares)
    wrong = "there is no such layer" if other is None else ""
    if other is not None and (other is node or other.shares):
        wrong = "a layer cannot share its own weights" if other is node else f"{other.label} itself shares another's"
    if wrong:
        yield Problem(
            "bad-sharing",
            f"{node.label} shares the weights of {node.shares}, but {wrong}.",
            node=node.id,
            fix=Fix("Use weights of its own", lambda net: edits.share(net, node.id, "")),
        )


def _expression(node: Node, name: str, expr: Expr, env: Mapping[str, Value]) -> Problem:
    """Why an expression is still there after binding."""
    try:
        reason = f"gives {expr.evaluate(env)!r}, which no parameter can hold"
    except ExprError as error:
        reason = str(error)
    known = f"Known here: {', '.join(sorted(env))}." if env else "Only a block has parameters of its own to name."
    return Problem(
        "bad-expression", f"{node.label}: {name}: the expression {expr.text} {reason}.", node=node.id, reason=known
    )


def _params(node: Node, spec: LayerSpec, env: Mapping[str, Value]) -> Iterator[Problem]:
    if isinstance(node.bypass, Expr):
        yield _expression(node, "bypass", node.bypass, env)
    for name, value in node.params.items():
        if not spec.has_param(name):
            yield Problem(
                "unknown-parameter",
                f"{node.label}: {node.kind} has no parameter {name}.",
                node=node.id,
                fix=_unset(node, name, f"Remove {name}"),
            )
            continue
        if isinstance(value, Expr):
            index = {blocks.INDEX: 0} if blocks.repeats(node.params) is not None else {}
            if not index or blocks.bound({name: value}, {**env, **index})[name] is value:
                yield _expression(node, name, value, {**env, **index})
            continue
        complaint = spec.param(name).check(value)
        if complaint:
            has_default = not spec.param(name).required or spec.param(name).infer
            yield Problem(
                "bad-parameter",
                f"{node.label}: {complaint}.",
                node=node.id,
                received=show(value),
                fix=_unset(node, name, f"Reset {name}") if has_default else None,
            )
    for param in spec.params:
        if param.required and not param.infer and param.name not in node.params:
            yield Problem("missing-parameter", f"{node.label}: {param.name} is not set.", node=node.id)


def _unset(node: Node, name: str, label: str) -> Fix:
    return Fix(label, lambda net: edits.unset_param(net, node.id, name))


def _unconnected(network: Network, node: Node, spec: LayerSpec) -> Iterator[Problem]:
    for port in spec.active_inputs(node.params):
        if port.optional or port.fallback or network.into(node.id, port.name):
            continue
        yield Problem(
            "unconnected-input",
            f"{node.label}: the input {port.name} is not connected.",
            node=node.id,
            port=port.name,
            reason="Draw a wire to it from the layer that should feed it.",
        )
    if spec.form != "output" and spec.outputs and not network.out_of(node.id):
        yield Problem(
            "unused-output",
            f"{node.label}: nothing uses its result.",
            node=node.id,
            severity="warning",
            reason="It does not take part in the network until it leads to an Output: wire it to one, or remove it.",
            fix=None
            if node.kind == "Input"
            else Fix(f"Remove {node.label} and what leads only to it", lambda net: _pruned(net, node.id)),
        )


def _pruned(network: Network, node: str) -> Network:
    """Without a layer and those that lead to nothing else; Inputs stay."""
    gone = {node}
    queue = [node]
    while queue:
        for wire in network.into(queue.pop()):
            before = network.nodes.get(wire.source)
            if before is None or before.kind == "Input" or before.id in gone:
                continue
            if all(w.target in gone for w in network.out_of(before.id)):
                gone.add(before.id)
                queue.append(before.id)
    return edits.remove_nodes(network, gone)


def _wire(network: Network, wire: Wire, registry: Registry) -> Iterator[Problem]:
    for node_id, port, ports in ((wire.source, wire.output, _outputs), (wire.target, wire.input, _inputs)):
        node = network.nodes.get(node_id)
        known = None if node is None else ports(node, registry)
        if node is None or (known is not None and port not in known):
            yield _dangling(wire, node, port)
    target = network.nodes[wire.target]
    spec = registry.get(target.kind)
    if spec and wire.index and not any(p.variadic for p in spec.inputs if p.name == wire.input):
        yield Problem(
            "too-many-wires",
            f"{target.label}: the input {wire.input} takes one wire only.",
            node=wire.target,
            port=wire.input,
            fix=_disconnect("Remove the wire", wire),
        )


def _dangling(wire: Wire, node: Node | None, port: str) -> Problem:
    where = "a missing node" if node is None else f"{node.label}, which has no port {port}"
    return Problem(
        "dangling-wire",
        f"A wire from {wire.source} to {wire.target} ends at {where}.",
        node=node.id if node else "",
        port=port,
        fix=_disconnect("Remove the wire", wire),
    )


def _hidden_blocks(network: Network, registry: Registry) -> Iterator[Problem]:
    """Uses of a kind that both PyTorch and the project have: PyTorch's is meant."""
    for node in network.nodes.values():
        written, spec = blocks.blocks_of(registry).get(node.kind), registry.get(node.kind)
        if written is not None and written.code is not None and spec is not None and not own.is_own(spec.target):
            yield Problem(
                "hidden-block",
                f"{node.label}: the layer {node.kind} of this project is not used, since PyTorch has one of that name. "
                "Call yours otherwise.",
                node=node.id,
                severity="warning",
            )


def _same_names(network: Network) -> Iterator[Problem]:
    seen: dict[str, Node] = {}
    for node in network.nodes.values():
        if node.label in seen:
            yield Problem(
                "same-name",
                f"Two layers are called {node.label}.",
                node=node.id,
                fix=Fix("Rename one", lambda net, n=node: edits.rename_node(net, n.id, n.label)),  # type: ignore[misc]
            )
        seen[node.label] = node
