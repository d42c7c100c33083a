"""The narrow place in a network: finding it, reading what flows through it, and going on from there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, fx

from deepgui.compiler.interpret import Port, capture, outputs_of, resume
from deepgui.graph.values import Network
from deepgui.training.objectives.previews import Floats

SAMPLING = "Reparameterise"
"""The block that draws a latent value; a wire behind it is the latent one."""


class Latent(NamedTuple):
    """A wire by node and output, and the shape of one example on it."""

    port: Port
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Numbers an example."""
        return int(np.prod(self.shape))

    def encode(self, module: fx.GraphModule, inputs: Sequence[Tensor]) -> Tensor:
        """What flows through it."""
        return capture(module, inputs, [self.port])[self.port]

    def decode(self, module: fx.GraphModule, values: Tensor, output: int = 0) -> Tensor:
        """What becomes of values there. Raises ValueError if something goes around the wire."""
        return resume(module, {self.port: values}, output)


def find(module: fx.GraphModule, inputs: Sequence[Tensor], named: str = "") -> Latent | None:
    """The latent wire: that of the node called ``named``, else of one that samples, else the narrowest.

    Of several that are as narrow it is the last one, which is what the decoder gets. None if there is none.
    """
    nodes = [n for n in module.graph.nodes if n.op.startswith("call_") and n.meta.get("node")]
    said = [n for n in nodes if named and named in (n.meta["node"], n.name, str(n.target))]
    drawn = [n for n in nodes if getattr(n.meta.get("spec"), "kind", "") == SAMPLING]
    chosen = said or ([] if named else drawn or nodes)
    ports = [port for n in chosen for port in outputs_of(n) if all(port)]
    seen = capture(module, inputs, ports)
    rows = len(inputs[0])
    found = [
        Latent(port, tuple(seen[port].shape[1:]))
        for port in ports
        if port in seen and seen[port].is_floating_point() and seen[port].dim() > 1 and len(seen[port]) == rows
    ]
    return min(reversed(found), key=lambda latent: latent.size, default=None)


def names_a_node(network: Network, name: str) -> bool:
    """Whether there is a node that is called so."""
    return any(name in (node.id, node.label) for node in network.nodes.values())


def flat_points(values: Tensor) -> tuple[Floats, tuple[str, str]]:
    """Latent values as points of the plane, and what the axes are: the two widest directions of more than two."""
    flat = values.detach().float().cpu().flatten(1)
    if flat.shape[1] == 1:
        return cast(Floats, torch.cat((flat, torch.zeros_like(flat)), 1).numpy()), ("1", "")
    if flat.shape[1] == 2:
        return cast(Floats, flat.numpy()), ("1", "2")
    middle = flat - flat.mean(0)
    directions = torch.linalg.svd(middle, full_matrices=False).Vh[:2]
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    points = middle @ (directions * largest.sign()).T  # else a direction may turn round from picture to picture
    return cast(Floats, points.numpy()), ("first direction", "second direction")
