"""Weights that learn nothing, and dropout that drops nothing, or all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from deepgui.compiler.expert.scene import Scene, remark
from deepgui.graph import edits
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.values import Network, Node

_TAKES_THE_MEAN_OUT = frozenset(f"{norm}{d}d" for norm in ("BatchNorm", "InstanceNorm") for d in (1, 2, 3))


def bias_before_norm(scene: Scene, node: Node) -> Iterator[Problem]:
    """A bias whose effect the next layer takes out again. A Linear's on sequences is not per channel."""
    found = scene.next(node)
    known = scene.result(node)
    if (
        found is None
        or found[1].kind not in _TAKES_THE_MEAN_OUT
        or scene.value(node, "bias") is not True
        or known is None
    ):
        return
    norm = found[1]
    if node.shares or node.id in scene.shared:
        return
    if node.kind == "Linear" and len(known.dims) != 2:
        return
    yield remark(
        "bias-before-norm",
        node,
        f"its bias has no effect: {norm.label} takes the mean out.",
        expected="bias = False",
        received="bias = True",
        reason=f"{norm.kind} subtracts each channel's mean and adds a shift of its own, so these weights only cost.",
        fix=Fix("Set bias to False", lambda net: edits.set_params(net, node.id, {"bias": False})),
    )


def deaf_dropout(scene: Scene, node: Node) -> Iterator[Problem]:
    """``dropout`` of a recurrent layer works between its layers, of which there is only one."""
    dropout = scene.value(node, "dropout")
    if isinstance(dropout, (int, float)) and dropout > 0 and scene.value(node, "num_layers") == 1:
        yield remark(
            "dropout-without-effect",
            node,
            f"dropout = {dropout:g} has no effect with num_layers = 1.",
            expected="num_layers of 2 or more",
            received="num_layers = 1",
            reason="It is applied between stacked layers. Use two, or a Dropout behind this one.",
            fix=Fix("Set dropout to 0", lambda net: edits.unset_param(net, node.id, "dropout")),
        )


def dropout_of_all(scene: Scene, node: Node) -> Iterator[Problem]:
    """Dropout with probability 1 hands on nothing but zeros while the network learns."""
    if scene.value(node, "p") in (1, 1.0):
        yield remark(
            "dropout-of-all",
            node,
            "it sets everything to 0 while the network learns.",
            expected="p below 1",
            received="p = 1",
            reason="p is the share that is dropped: 0.5 is usual between large Linear layers, 0.1 in transformers.",
            fix=Fix("Set p to 0.5", lambda net: edits.set_params(net, node.id, {"p": 0.5})),
        )


def selu_dropout(scene: Scene, node: Node) -> Iterator[Problem]:
    """SELU keeps mean and variance by itself (Klambauer et al., 2017); plain Dropout undoes that."""
    found = scene.next(node)
    if found is not None and found[1].kind == "Dropout":
        dropout = found[1]
        yield remark(
            "unusual-dropout",
            dropout,
            f"plain Dropout after {node.label} undoes what SELU is for.",
            found[0].input,
            expected="AlphaDropout",
            received="Dropout",
            reason="SELU keeps the mean at 0 and the variance at 1 from layer to layer; AlphaDropout does so too.",
            fix=Fix("Use AlphaDropout", lambda net: _alpha(net, dropout.id)),
        )


def _alpha(network: Network, node: str) -> Network:
    return replace(network, nodes={**network.nodes, node: replace(network.nodes[node], kind="AlphaDropout")})


def dead_weights(scene: Scene, node: Node) -> Iterator[Problem]:
    """Weights that begin at 0 and multiply others that do, too, never move."""
    wire = scene.after(node)
    if wire is None or scene.network.nodes[wire.target].kind not in ("matmul", "mul", "bmm"):
        return
    partners = [scene.network.nodes[w.source] for w in scene.network.into(wire.target) if w.source != node.id]
    zero = all(_is_zero(scene, n) for n in (node, *partners)) and partners
    if zero and node.id < partners[0].id:
        yield remark(
            "dead-weights",
            node,
            f"it begins at 0, as does {partners[0].label}, by which it is multiplied: neither can learn.",
            expected="other than 0 at the start",
            received="zeros",
            reason="The gradient of each is the other's value. Let one of them begin with random numbers.",
            fix=Fix("Set init to randn", lambda net: edits.set_params(net, node.id, {"init": "randn"})),
        )


def _is_zero(scene: Scene, node: Node) -> bool:
    return node.kind == "Parameter" and scene.value(node, "init") == "zeros"
