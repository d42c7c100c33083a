"""Sources of layers of one's own that tests use."""

from __future__ import annotations

from deepgui.graph.values import Network, Node, Wire
from deepgui.project import own
from deepgui.project.values import Project

SWIGLU = '''\
"""Feed-forward layers with a gate."""

import torch
import torch.nn.functional as F
from torch import nn


def gated(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return F.silu(a) * b


class SwiGLU(nn.Module):
    """A feed-forward layer with a gate.

    Args:
        in_features: size of each example.
        hidden: size in between.
    """

    def __init__(self, in_features: int, hidden: int = 8, *, bias: bool = False) -> None:
        super().__init__()
        self.gate = nn.Linear(in_features, hidden, bias=bias)
        self.up = nn.Linear(in_features, hidden, bias=bias)
        self.down = nn.Linear(hidden, in_features, bias=bias)

    def forward(self, x: torch.Tensor, scale: float = 1.0) -> torch.Tensor:
        return self.down(gated(self.gate(x), self.up(x))) * scale


if __name__ == "__main__":
    raise SystemExit("this ran")
'''

PLAIN = """\
from torch import nn


class {name}(nn.Module):
    def __init__(self{arguments}):
        super().__init__()
{init}

    def forward(self, x):
        {forward}
"""


def plain(name: str = "Mine", forward: str = "return x", init: str = "pass", arguments: str = "") -> str:
    """The source of a small layer."""
    return PLAIN.format(name=name, forward=forward, init=f"        {init}", arguments=arguments)


def drawn(kind: str, source: str, layer: str = "", port: str = "x", shape: tuple[int, ...] = (4,)) -> Project:
    """Input → the layer → Output. The output's port is ``output``."""
    nodes = {
        "input": Node("input", "Input", {"shape": shape}),
        "own": Node("own", kind),
        "output": Node("output", "Output"),
    }
    wires = (Wire("input", "output", "own", port), Wire("own", "output", "output", "input"))
    project = Project("drawn", {"network": Network("network", nodes, wires)})
    return own.with_layer(project, kind, source, layer)
