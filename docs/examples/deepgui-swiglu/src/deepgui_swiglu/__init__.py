"""A feed-forward layer with a gate (Shazeer 2020, arXiv:2002.05202)."""

import torch
import torch.nn.functional as F
from torch import nn


class SwiGLU(nn.Module):
    """A feed-forward layer with a gate: ``down(silu(gate(x)) * up(x))``.

    Args:
        in_features: size of each example.
        hidden: size in between.
        bias: whether the three linear layers add a bias.
    """

    def __init__(self, in_features: int, hidden: int = 64, bias: bool = False) -> None:
        super().__init__()
        self.gate = nn.Linear(in_features, hidden, bias=bias)
        self.up = nn.Linear(in_features, hidden, bias=bias)
        self.down = nn.Linear(hidden, in_features, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(F.silu(self.gate(x)) * self.up(x))
