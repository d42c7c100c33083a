"""The module: the lowered graph with real layers in it."""

from __future__ import annotations

from collections.abc import Mapping

from torch import fx, nn

from deepgui.catalog.spec import LayerSpec, Registry
from deepgui.compiler.call import init_settings
from deepgui.compiler.facts import infer
from deepgui.compiler.lower import Lowered, live_nodes, lower, resolve
from deepgui.compiler.names import class_name
from deepgui.compiler.report import Report, check
from deepgui.graph.problems import NetworkError
from deepgui.graph.values import Network


def build(network: Network, registry: Registry, report: Report | None = None) -> fx.GraphModule:
    """Build a network as a module whose layers carry the names given on the canvas.

    The layers are constructed in topological order and, among equals, in the order they were placed:
    under a given seed their weights are those of the same classes built in that order by hand.

    Args:
        report: what :func:`~deepgui.compiler.report.check` said of this very network, if already known.

    Returns:
        A module that takes one tensor per Input, in the order placed, and returns the tensor of the
        one Output, or a tuple with one per Output.

    Raises:
        NetworkError: if the network has errors.
    """
    report = report or check(network, registry)
    if not report.ok:
        raise NetworkError(report.errors)
    lowered = lower(network, registry, only=live_nodes(network))
    layers = {str(call.target): _layer(call, report) for call in lowered.calls.values() if call.op == "call_module"}
    _order_inputs(lowered)
    module = fx.GraphModule(layers, lowered.graph, class_name(network.name))
    module.graph.lint()
    return module


def _layer(call: fx.Node, report: Report) -> nn.Module:
    spec: LayerSpec = call.meta["spec"]
    params = call.meta["params"]
    inferred: Mapping[str, int] = infer(spec, params, report.nodes[call.meta["node"]].inputs)
    layer = resolve(spec.target)(**init_settings(spec, params, inferred))
    assert isinstance(layer, nn.Module)
    return layer


def _order_inputs(lowered: Lowered) -> None:
    """Placeholders first, in the order in which the Inputs were placed, as fx expects."""
    placed = [lowered.calls[n.id] for n in lowered.network.of_kind("Input") if n.id in lowered.calls]
    first = next(iter(lowered.graph.nodes))
    for placeholder in placed:
        if placeholder is not first:
            first.prepend(placeholder)
        else:
            first = first.next
