"""Non-linear functions that are missing, doubled, or in an unusual place."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from deepgui.compiler.advice.case import inserted, spread
from deepgui.compiler.expert.scene import Scene, remark
from deepgui.graph import edits
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.values import Network, Node

_LINEAR = ("Linear", *(f"Conv{t}{d}d" for t in ("", "Transpose") for d in (1, 2, 3)))
_PER_DIMENSION = tuple(f"{n}{d}d" for n in ("BatchNorm", "AvgPool", "AdaptiveAvgPool", "Dropout") for d in (1, 2, 3))
_ALSO_LINEAR = frozenset(("Identity", "Flatten", "flatten", "Dropout", *_PER_DIMENSION))


def no_activation(scene: Scene, node: Node) -> Iterator[Problem]:
    """Two linear layers in a row can do no more than one.

    Silent where the first makes fewer features than it gets and than the second makes (a bottleneck: latent codes,
    low-rank factors, MobileNetV2), and where one of the two works per channel or along one axis (separable
    convolutions), since one layer in their place would have far more weights.
    """
    found = scene.next(node, _ALSO_LINEAR)
    if found is None or found[1].kind not in _LINEAR or _is_separable(scene, node) or _is_separable(scene, found[1]):
        return
    wire, second = found
    if second.shares or node.shares or _given(scene, node) < min(_taken(scene, node), _given(scene, second)):
        return
    yield remark(
        "no-activation",
        second,
        f"no activation between {node.label} and {second.label}: together they can do no more than one layer.",
        wire.input,
        expected="an activation before it, such as ReLU",
        received=f"the linear result of {node.label}",
        reason="A linear map of a linear map is a linear map. Put a ReLU between them, or leave one of them out.",
        fix=Fix(f"Insert ReLU after {node.label}", lambda net: _after(net, node.id, "ReLU")),
    )


def _after(network: Network, node: str, kind: str) -> Network:
    """A layer behind another and what normalises its result."""
    wire = network.out_of(node)[0]
    while network.nodes[wire.target].kind.startswith("BatchNorm"):
        wire = network.out_of(wire.target)[0]
    return inserted(network, wire, ((kind, {}),))


def _is_separable(scene: Scene, node: Node) -> bool:
    groups = scene.value(node, "groups")
    kernel = scene.value(node, "kernel_size")
    uneven = isinstance(kernel, tuple) and len(set(kernel)) > 1
    return uneven or (isinstance(groups, int) and groups > 1)


def _given(scene: Scene, node: Node) -> int:
    size = scene.value(node, "out_features" if node.kind == "Linear" else "out_channels")
    return size if isinstance(size, int) else 0


def _taken(scene: Scene, node: Node) -> int:
    size = scene.value(node, "in_features" if node.kind == "Linear" else "in_channels")
    if not isinstance(size, int):
        return 0
    kernel = scene.value(node, "kernel_size")
    return size * math.prod(spread(kernel, int(node.kind[-2]))) if node.kind.startswith("Conv") else size


_BETWEEN = (
    *_LINEAR,
    "Identity",
    "Flatten",
    "Dropout",
    *(f"{n}{d}d" for n in ("MaxPool", "AvgPool") for d in (1, 2, 3)),
)
_RECTIFIERS = ("ReLU", "ReLU6", "LeakyReLU", "ELU", "GELU", "SiLU", "Hardswish", "Mish", "CELU")
_BOUNDED = ("Tanh", "Sigmoid", "Softmax")


def activation_twice(scene: Scene, node: Node) -> Iterator[Problem]:
    """One activation right behind another, of which one does nothing, or only takes away.

    Silent where something else uses the first's result, and for a rectifier before Sigmoid or Tanh at the end,
    which says that an output lies between 0.5 and 1: unusual, but a statement.
    """
    found = scene.next(node, ("Identity", "Dropout"))
    if found is None:
        return
    wire, second = found
    same = second.kind == node.kind
    rectified = node.kind in _RECTIFIERS and second.kind in _RECTIFIERS
    if not (same or rectified or (node.kind in _BOUNDED and second.kind in (*_RECTIFIERS, *_BOUNDED))):
        return
    yield remark(
        "activation-twice",
        second,
        f"{second.kind} follows {node.label}, which is an activation already.",
        wire.input,
        expected="the result of a layer with weights",
        received=f"the result of {node.kind}",
        reason="The second has nothing left to do, or flattens what the first made: remove one of them.",
        fix=Fix(f"Remove {second.label}", lambda net: edits.heal_and_remove(net, (second.id,))),
    )


_STACK = 5
"""Sigmoids in a row with layers between them: LeNet as it is often taught has four, and still learns."""


def saturating(scene: Scene, node: Node) -> Iterator[Problem]:
    """A deep chain of Sigmoids, for which PyTorch's initialisation is too small (Glorot and Bengio, 2010)."""
    if _continues(scene, node):
        return
    chain = [node.id]
    while (found := scene.next(scene.network.nodes[chain[-1]], _BETWEEN)) and found[1].kind == "Sigmoid":
        chain.append(found[1].id)
    if len(chain) < _STACK:
        return
    yield remark(
        "saturating-chain",
        node,
        f"with this one, {len(chain)} Sigmoids follow each other.",
        expected="ReLU, or a normalisation between them",
        received=f"{len(chain)} Sigmoids in a row",
        reason="The slope of a Sigmoid is at most 0.25 and PyTorch's initial weights are small, so next to no gradient"
        " reaches the first layers. Use ReLU, or BatchNorm or skip connections between them.",
        fix=Fix("Use ReLU in their place", lambda net: _all_replaced(net, chain)),
    )


def _continues(scene: Scene, node: Node) -> bool:
    """Whether a Sigmoid is the next of a chain that begins before it."""
    for _ in range(len(scene.network.nodes)):
        before = scene.network.into(node.id)
        if len(before) != 1 or scene.after(scene.network.nodes[before[0].source]) is None:
            return False
        node = scene.network.nodes[before[0].source]
        if node.kind not in _BETWEEN:
            return node.kind == "Sigmoid"
    return False


def _all_replaced(network: Network, nodes: list[str]) -> Network:
    for node in nodes:
        network = _replaced(network, node, "ReLU")
    return network


def softmax_inside(scene: Scene, node: Node) -> Iterator[Problem]:
    """Softmax as the activation between two layers. Attention and gates multiply by it instead, which is its use."""
    found = scene.next(node, ("Identity", "Dropout", "Flatten"))
    if found is None or found[1].kind not in _LINEAR:
        return
    yield remark(
        "softmax-inside",
        node,
        f"Softmax stands between two layers, before {found[1].label}.",
        expected="an activation such as ReLU",
        received="Softmax",
        reason="It lets the values of an example compete for a sum of 1, so nearly all become small and gradients"
        " vanish. Use ReLU, and Softmax only at the end or for attention.",
        fix=Fix("Use ReLU", lambda net: _replaced(net, node.id, "ReLU")),
    )


def _replaced(network: Network, node: str, kind: str) -> Network:
    """Another kind in a place, with its default settings."""
    return replace(network, nodes={**network.nodes, node: replace(network.nodes[node], kind=kind, params={})})
