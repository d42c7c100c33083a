"""The module: the lowered graph with real layers in it."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import fx, nn

from deepgui import machine
from deepgui.catalog.spec import LayerSpec, Registry
from deepgui.compiler.call import constructor_arguments
from deepgui.compiler.facts import infer
from deepgui.compiler.lower import Lowered, attribute, live_nodes, lower, resolve
from deepgui.compiler.names import class_name
from deepgui.compiler.report import Report, valid
from deepgui.compiler.tensors import make
from deepgui.compiler.ties import ties
from deepgui.graph import blocks
from deepgui.graph.problems import NetworkError, Problem
from deepgui.graph.values import Network


def build(network: Network, registry: Registry, report: Report | None = None) -> fx.GraphModule:
    """Build a network as a module whose layers carry the names given on the canvas.

    The layers are constructed in topological order and, among equals, in the order they were placed, and those
    of a block where the block stands: under a given seed their weights are those of the same classes built in that
    order by hand. A block becomes a module of its own, a repeated one an ``nn.Sequential`` (or an ``nn.ModuleList``,
    if it has several inputs or outputs).

    Args:
        report: what :func:`~deepgui.compiler.report.check` said of this very network, if already known.

    Returns:
        A module that takes one tensor per Input, in the order placed, and returns the tensor of the
        one Output, or a tuple with one per Output.

    Raises:
        NetworkError: if the network has errors, or weights that no memory here can hold.
    """
    network, report = valid(network, registry, report)
    if too_large := weights_problem(network, report):
        raise NetworkError((too_large,))
    return _build(network, registry, report, class_name(network.name))


def weights_problem(network: Network, report: Report) -> Problem | None:
    """What to say of a network whose weights alone are more than this machine can hold."""
    weights, room = 4 * report.parameters, machine.memory()
    if weights <= room:
        return None
    most = max(report.nodes.values(), key=lambda node: node.parameters)
    label = network.nodes[most.id].label
    return Problem(
        "too-large",
        f"{label}: its weights take {machine.size(4 * most.parameters)}, but this machine has {machine.size(room)}.",
        most.id,
        expected=f"at most {machine.size(room)} in all",
        received=machine.size(weights),
        reason="Every weight takes four bytes. Use fewer features or channels.",
    )


def _build(network: Network, registry: Registry, report: Report, name: str) -> fx.GraphModule:
    """One level: a network, or a block where it is used."""
    lowered = lower(network, registry, only=live_nodes(network))
    root = nn.Module()
    for node_id, call in lowered.calls.items():
        own = str(call.target).partition(".")[0]
        if call.op == "get_attr" and not hasattr(root, own):
            _hold(root, own, make(call.meta["spec"], lowered.network.nodes[_owner(lowered, node_id)].params))
        if call.op == "call_module" and not hasattr(root, own):
            root.add_module(own, _layer(_owner(lowered, node_id), lowered, report))
    _tie(lowered, report, root)
    _order_inputs(lowered)
    module = fx.GraphModule(root, lowered.graph, name)
    for own, layer in root.named_children():
        module.add_module(own, layer)  # fx makes nameless containers of the dots in "stage.0"
    module.graph.lint()
    return module


def _hold(root: nn.Module, name: str, tensor: torch.Tensor) -> None:
    if isinstance(tensor, nn.Parameter):
        root.register_parameter(name, tensor)
    else:
        root.register_buffer(name, tensor)


def _owner(lowered: Lowered, node_id: str) -> str:
    """The node whose layer a node uses: itself, or the one that it shares with."""
    node = lowered.network.nodes[node_id]
    return node_id if attribute(lowered, node) == lowered.names[node_id] else node.shares


def _layer(node_id: str, lowered: Lowered, report: Report) -> nn.Module:
    """The layer of a node, or of a block what is drawn in it, as often as it is repeated."""
    node, found = lowered.network.nodes[node_id], report.nodes[node_id]
    spec = lowered.registry[node.kind]
    if spec.form == "block":
        made = [_build(i.network, lowered.registry, i.report, class_name(node.kind)) for i in found.inside]
        if blocks.repeats(node.params) is None:
            return made[0]
        return nn.Sequential(*made) if is_chain(spec) else nn.ModuleList(made)
    inferred: Mapping[str, int] = infer(spec, node.params, found.inputs)
    layer = resolve(spec.target)(**constructor_arguments(spec, node.params, inferred))
    assert isinstance(layer, nn.Module)
    return layer


def is_chain(spec: LayerSpec) -> bool:
    """Whether several of a block in a row are a ``Sequential``: with one input and one output."""
    return len(spec.inputs) == len(spec.outputs) == 1


def _tie(lowered: Lowered, report: Report, root: nn.Module) -> None:
    """Give layers of different kinds the parameters that they have in common."""
    for node_id, names in ties(lowered, report).items():
        node = lowered.network.nodes[node_id]
        own, master = (root.get_submodule(lowered.names[id]) for id in (node_id, node.shares))
        for name in names:
            setattr(own, name, getattr(master, name))


def _order_inputs(lowered: Lowered) -> None:
    """Placeholders first, in the order in which the Inputs were placed, as fx expects."""
    placed = [lowered.calls[n.id] for n in lowered.network.of_kind("Input") if n.id in lowered.calls]
    first = next(iter(lowered.graph.nodes))
    for placeholder in placed:
        if placeholder is not first:
            first.prepend(placeholder)
        else:
            first = first.next
