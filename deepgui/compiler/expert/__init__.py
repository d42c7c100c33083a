"""What somebody who has built many networks would remark on, though PyTorch computes it.

Every rule looks at one layer and what is around it, and says nothing where the pattern is used on purpose in
published networks. :data:`RULES` has the rules by the kind of layer they begin at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from deepgui.catalog.spec import Registry
from deepgui.compiler.expert.activations import activation_twice, no_activation, saturating, softmax_inside
from deepgui.compiler.expert.ends import dropout_at_end
from deepgui.compiler.expert.scene import Rule, Scene
from deepgui.compiler.expert.training import bias_before_norm, dead_weights, deaf_dropout, dropout_of_all, selu_dropout
from deepgui.graph.problems import Problem
from deepgui.graph.values import Network

if TYPE_CHECKING:
    from deepgui.compiler.report import NodeReport

_CONVS = [f"Conv{t}{d}d" for t in ("", "Transpose") for d in (1, 2, 3)]
_DROPOUTS = ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d"]
_SQUASHING = [
    "ReLU",
    "ReLU6",
    "LeakyReLU",
    "ELU",
    "GELU",
    "SiLU",
    "Tanh",
    "Sigmoid",
    "Softmax",
    "Hardswish",
    "Mish",
    "CELU",
]

RULES: Mapping[str, tuple[Rule, ...]] = {
    **dict.fromkeys(("Linear", *_CONVS), (no_activation, bias_before_norm)),
    **dict.fromkeys((*_DROPOUTS, "AlphaDropout"), (dropout_at_end, dropout_of_all)),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), (deaf_dropout,)),
    **dict.fromkeys(_SQUASHING, (activation_twice,)),
    "Softmax": (activation_twice, softmax_inside),
    "softmax": (softmax_inside,),
    "Sigmoid": (activation_twice, saturating),
    "SELU": (selu_dropout,),
    "Parameter": (dead_weights,),
}


def remarks(
    network: Network, registry: Registry, nodes: Mapping[str, NodeReport], *, whole: bool = True
) -> Iterator[Problem]:
    """Warnings about a drawing whose layers are known.

    Args:
        whole: a network; a block's ends are the middle of what uses it, so nothing is said of them.
    """
    scene = Scene(network, registry, nodes, whole)
    for node in network.nodes.values():
        rules = RULES.get(node.kind, ())
        if rules and nodes[node.id].outputs and node.bypass is not True:
            for rule in rules:
                yield from rule(scene, node)
