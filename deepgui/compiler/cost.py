"""What a network costs: parameters, multiply-adds, and the memory that training it takes.

Memory is a forecast. What the forward pass keeps for the backward pass is found by running the real module on
the meta device for two batch sizes and looking at the tensors that autograd saves; workspaces of single kernels
and what the device's runtime itself needs are not foreseen.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, fx
from torch.autograd.graph import saved_tensors_hooks

from deepgui.catalog.corrections import SHORTENED
from deepgui.catalog.spec import Registry, Value
from deepgui.compiler.build import build
from deepgui.compiler.report import NodeReport, Report, check
from deepgui.graph.shapes import TensorType
from deepgui.graph.values import Network

_BYTES = {"float64": 8, "int64": 8, "complex64": 8, "float16": 2, "bfloat16": 2, "int16": 2, "uint8": 1, "bool": 1}
_STATES = {"SGD": 0, "Adagrad": 1, "RMSprop": 1, "Rprop": 2, "Adafactor": 0, "Muon": 1}
_BATCHES = (2, 5)
_LONG = 64  # steps of a recurrent layer that are still run one by one


@dataclass(frozen=True)
class Cost:
    """All memory in bytes.

    Attributes:
        multiply_adds: of one example's forward pass.
        weights: of all parameters.
        kept: what each example leaves for the backward pass; kept_once: what a batch of any size leaves.
        largest: the largest result of a layer for one example, and ``largest_node`` the layer.
    """

    parameters: int = 0
    multiply_adds: int = 0
    weights: int = 0
    kept: int = 0
    kept_once: int = 0
    largest: int = 0
    largest_node: str = ""

    def activations(self, batch_size: int) -> int:
        """What the forward pass of a batch leaves for the backward pass."""
        return self.kept * batch_size + self.kept_once

    def training(self, batch_size: int, states: int) -> int:
        """Weights, gradients, the optimiser's state, activations, and the gradients on their way back.

        Args:
            states: see :func:`optimizer_states`.
        """
        return self.weights * (2 + states) + self.activations(batch_size) + 2 * self.largest * batch_size

    def largest_batch(self, memory: float, states: int) -> int:
        """The most examples of a batch whose training fits in so much memory; 0 if not even one does."""
        spare = memory - self.weights * (2 + states) - self.kept_once
        return max(0, int(spare // max(1, self.kept + 2 * self.largest)))


def optimizer_states(optimizer: str, options: Mapping[str, Value]) -> int:
    """How many tensors of the size of the weights an optimiser of ``torch.optim`` keeps; Adam's family keeps two."""
    if optimizer == "LBFGS":
        history = options.get("history_size", 100)
        return 2 * history + 2 if isinstance(history, int) else 202
    if optimizer == "SGD" and options.get("momentum"):
        return 1
    return _STATES.get(optimizer, 2) + (1 if options.get("amsgrad") else 0)


_remembered: OrderedDict[tuple[int, int], tuple[Network, Registry, Cost]] = OrderedDict()
_REMEMBER = 4


def cost(network: Network, registry: Registry, report: Report | None = None) -> Cost:
    """The cost of a network; of one with errors, of the part that is known.

    Args:
        report: what :func:`~deepgui.compiler.report.check` said of this very network, if already known.
    """
    key = (id(network), id(registry))
    known = _remembered.get(key)
    if known is None:
        found = _find(network, registry, report or check(network, registry))
        known = _remembered[key] = network, registry, found  # holding both keeps their ids from being used again
        while len(_remembered) > _REMEMBER:
            _remembered.popitem(last=False)
    return known[2]


def _find(network: Network, registry: Registry, report: Report) -> Cost:
    results = {node.id: _results(node) for node in report.nodes.values()}
    largest_node = max(results, key=lambda node_id: results[node_id][1], default="")
    weights = sum(node.parameters * 4 for node in report.nodes.values())
    # Where the network cannot be run on the meta device, it is as if every result were kept.
    found = _measured(network, registry, report) or (sum(all_ for all_, _ in results.values()), 0)
    largest = results[largest_node][1] if largest_node else 0
    return Cost(report.parameters, report.multiply_adds, weights, *found, largest, largest_node)


def _results(node: NodeReport) -> tuple[int, int]:
    """Bytes of all results inside a node for one example, and of the largest."""
    inner = [_results(n) for inside in node.inside for n in inside.report.nodes.values()]
    own = [_size(t, 1) for t in node.outputs.values()]
    if inner:
        return sum(all_ for all_, _ in inner), max(largest for _, largest in inner)
    return sum(own), max(own, default=0)


def _size(kind: TensorType, batch: int) -> int:
    return kind.numel(batch) * _BYTES.get(kind.dtype, 4)


def _measured(network: Network, registry: Registry, report: Report) -> tuple[int, int] | None:
    """Bytes kept by each example and by a batch of any size; None if the network cannot be run without values."""
    if not report.ok or any(_is_long(node) for node in _all_nodes(report)):
        return None
    inputs = [report.nodes[node.id].outputs["output"] for node in network.of_kind("Input")]
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with torch.device("meta"):
                module = build(network, registry, report)
            small, large = (_kept(module, inputs, size) for size in _BATCHES)
    except Exception:  # a layer that looks at values, or has no meta kernel: whatever it raises
        return None
    each = (large - small) // (_BATCHES[1] - _BATCHES[0])
    return each, max(0, small - _BATCHES[0] * each)


def _all_nodes(report: Report) -> Iterator[NodeReport]:
    for node in report.nodes.values():
        yield node
        for inside in node.inside:
            yield from _all_nodes(inside.report)


def _is_long(node: NodeReport) -> bool:
    """Whether a recurrent layer would take long: on the meta device it is run step by step."""
    arriving = node.inputs.get("input", ())
    return node.kind in SHORTENED and any(d.const > _LONG for t in arriving for d in t.dims[:2])


def _kept(module: fx.GraphModule, inputs: list[TensorType], size: int) -> int:
    """Bytes of the tensors that autograd saves in a forward pass, parameters left out."""
    own = {p.untyped_storage()._cdata for p in (*module.parameters(), *module.buffers())}
    saved: dict[int, Tensor] = {}

    def save(tensor: Tensor) -> Tensor:
        saved.setdefault(tensor.untyped_storage()._cdata, tensor)
        return tensor

    batch = [torch.zeros(t.at(size), dtype=getattr(torch, t.dtype), device="meta") for t in inputs]
    with torch.enable_grad(), saved_tensors_hooks(save, lambda tensor: tensor):
        module.train()(*batch)
    return sum(t.untyped_storage().nbytes() for place, t in saved.items() if place not in own)
