"""How a drawing ends: what the last layers do to a result."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import nn

from deepgui.graph.values import Network


@dataclass(frozen=True)
class Ending:
    """The last layers of a drawing, walking back from the Output along single wires."""

    tail: tuple[str, ...] = field(default=())
    linear: str = ""


_KEEPS_SHAPE = frozenset(("Identity", "Dropout", "Softmax", "LogSoftmax", "Sigmoid", "softmax", "log_softmax"))


def ending(network: Network, output: str) -> Ending:
    """The nodes before ``output``, nearest first, up to and with the Linear that makes the result, if one does."""
    tail: list[str] = []
    node = output
    while len(wires := network.into(node)) == 1 and wires[0].source not in tail:
        node = wires[0].source
        kind = network.nodes[node].kind
        tail.append(node)
        if kind == "Linear":
            return Ending(tuple(tail), node)
        if kind not in _KEEPS_SHAPE and not _is_activation(kind):
            break
    return Ending(tuple(tail))


def _is_activation(kind: str) -> bool:
    cls = getattr(nn, kind, None)
    return cls is not None and cls.__module__ == "torch.nn.modules.activation" and kind != "MultiheadAttention"
