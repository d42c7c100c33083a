"""What is particular about single layers while a network trains: frozen, at a rate of their own, begun otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _NormBase

from deepgui.compiler.interpret import inner_path
from deepgui.compiler.report import NodeReport, Report
from deepgui.graph.blocks import repeats
from deepgui.graph.problems import Problem
from deepgui.graph.values import Network
from deepgui.project.layer_training import PLAIN, in_force, of_network, placeless
from deepgui.project.values import LayerTraining, Project
from deepgui.training.inits import dimensions, initialise, inits

Layers = Mapping[str, LayerTraining]


def layers_of(module: fx.GraphModule, inside: str = "") -> Iterator[tuple[str, nn.Module | nn.Parameter]]:
    """Path and layer (or learnt tensor) of every node that has one, in the order in which they are computed."""
    for call in module.graph.nodes:
        if call.op == "get_attr" and isinstance(tensor := getattr(module, str(call.target), None), nn.Parameter):
            yield f"{inside}{inner_path(call)}", tensor
        elif call.op == "call_module":
            layer = module.get_submodule(str(call.target))
            if isinstance(layer, fx.GraphModule):
                yield from layers_of(layer, f"{inside}{inner_path(call)}.")
            else:
                yield f"{inside}{inner_path(call)}", layer


def weights_of(layer: nn.Module | nn.Parameter) -> list[tuple[str, Tensor]]:
    """Name and tensor of all that a layer learns."""
    return [("weight", layer)] if isinstance(layer, nn.Parameter) else list(layer.named_parameters())


def begin(module: fx.GraphModule, layers: Layers) -> None:
    """Initialise the layers that begin in a way of their own, in the order in which they are computed.

    Draws from PyTorch's random numbers after the network was built, as a hand-written script does.
    """
    done: set[int] = set()
    for path, layer in layers_of(module) if layers else ():
        own = in_force(layers, path)
        if own.init and id(layer) not in done:
            done.add(id(layer))
            direct = layers.get(path, PLAIN).init or layers.get(placeless(path), PLAIN).init
            initialise(weights_of(layer), own.init, own.init_options, matrices=not direct)


def freeze(module: fx.GraphModule, layers: Layers) -> None:
    """Let the frozen layers stay as they are: no gradients, and no new statistics in a normalisation."""
    for path, layer in layers_of(module) if layers else ():
        if in_force(layers, path).frozen:
            for _, weight in weights_of(layer):
                weight.requires_grad_(False)
            for part in layer.modules() if isinstance(layer, nn.Module) else ():
                if isinstance(part, _NormBase):
                    part.register_forward_pre_hook(_stay_still)


def _stay_still(layer: nn.Module, _inputs: object) -> None:
    """Whatever mode the network is in."""
    layer.training = False


def factors(module: fx.GraphModule, layers: Layers) -> dict[Tensor, float]:
    """Weights that learn at a multiple of the run's learning rate."""
    found: dict[Tensor, float] = {}
    for path, layer in layers_of(module) if layers else ():
        lr = in_force(layers, path).lr
        if lr is not None and lr != 1:
            found |= {weight: lr for _, weight in weights_of(layer)}
    return found


# -- before training


def layer_problems(project: Project, key: str, network: Network, report: Report) -> Iterator[Problem]:
    """What is wrong with what the project says of a network's layers. What is said of no layer means nothing."""
    layers = of_network(project, key)
    if not layers:
        return
    known = dict(_nodes(report.nodes.values(), ""))
    for path, found in known.items():
        own = layers.get(path) or layers.get(placeless(path))
        if own is not None:
            yield from _own_problems(own, path.partition(".")[0], found, network)
    learning = [path for path, found in known.items() if found.parameters and not found.inside]
    if learning and all(in_force(layers, path).frozen for path in learning):
        yield Problem(
            "all-frozen",
            "Every layer is frozen, so there is nothing to train: let at least one of them learn.",
            expected="a layer that learns",
            received="frozen layers only",
        )


def _own_problems(own: LayerTraining, node: str, found: NodeReport, network: Network) -> Iterator[Problem]:
    label = network.nodes[node].label if node in network.nodes else node
    if own.lr is not None and not 0 <= own.lr < float("inf"):
        yield Problem("bad-setting", f"{label}: the learning rate factor must be 0 or more, not {own.lr:g}.", node)
    if not own.init:
        return
    if own.init not in inits():
        yield Problem(
            "bad-setting",
            f"{label}: there is no initialisation {own.init}: choose one of {', '.join(inits())}.",
            node,
        )
        return
    wrong = list(inits()[own.init].check(own.init_options))
    yield from (Problem("bad-setting", f"{label}: {text}.", node) for text in wrong)
    if not wrong and found.kind in _FLAT and 1 not in dimensions(own.init, own.init_options):
        yield Problem(
            "bad-setting",
            f"{label}: {own.init} needs weights with two dimensions or more, and {found.kind} has vectors only:"
            " choose constant_, normal_ or uniform_.",
            node,
        )


_FLAT = frozenset(("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "GroupNorm", "PReLU", "SyncBatchNorm"))


def _nodes(reports: Iterable[NodeReport], inside: str) -> Iterator[tuple[str, NodeReport]]:
    """Path and report of every node, those inside blocks included."""
    for found in reports:
        yield f"{inside}{found.id}", found
        row = repeats(found.params) is not None
        for place, inner in enumerate(found.inside):
            way = f"{inside}{found.id}.{place}." if row else f"{inside}{found.id}."
            yield from _nodes(inner.report.nodes.values(), way)
