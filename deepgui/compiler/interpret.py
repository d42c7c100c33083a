"""Running the graph node by node: to look at wires, and to name the node at which something goes wrong."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx

Port = tuple[str, str]
"""Node id and output name."""


class _Enough(Exception):
    pass


class _Capture(fx.Interpreter):
    def __init__(self, module: fx.GraphModule, wanted: Collection[Port]) -> None:
        super().__init__(module)
        self.left = set(wanted)
        self.seen: dict[Port, torch.Tensor] = {}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        port = (n.meta.get("node", ""), n.meta.get("port", ""))
        if port in self.left and isinstance(result, torch.Tensor):
            # An in-place layer behind this wire would change what is seen of it.
            self.seen[port] = result.detach().clone()
            self.left.discard(port)
            if not self.left:
                raise _Enough
        return result


def capture(
    module: fx.GraphModule, inputs: Sequence[torch.Tensor], wanted: Collection[Port]
) -> dict[Port, torch.Tensor]:
    """What flows through wires: the value of each wanted (node id, output), for one batch.

    Runs no further than the last wanted wire and changes neither gradients nor the training mode;
    the caller chooses eval mode. Ports that the graph does not have are missing from the answer.
    """
    present = {(n.meta.get("node", ""), n.meta.get("port", "")) for n in module.graph.nodes}
    runner = _Capture(module, present.intersection(wanted))
    if runner.left:
        try:
            with torch.no_grad():
                runner.run(*inputs)
        except _Enough:
            pass
    return runner.seen


@dataclass(frozen=True)
class Blame:
    """The node at which a forward pass goes wrong, and how."""

    node: str
    message: str


class _Blamed(Exception):
    def __init__(self, blame: Blame) -> None:
        super().__init__(blame.message)
        self.blame = blame


class _Suspect(fx.Interpreter):
    def run_node(self, n: fx.Node) -> Any:
        node = n.meta.get("node", "")
        try:
            result = super().run_node(n)
        except Exception as error:  # whatever the layer raises, its node is to blame
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise _Blamed(Blame(node, lines[0])) from error
        if n.op not in ("output", "get_attr") and isinstance(result, torch.Tensor) and _is_bad(result):
            what = "is given" if n.op == "placeholder" else "computes"
            raise _Blamed(Blame(node, f"{what} values that are not finite (NaN or infinity)"))
        return result


def _is_bad(value: torch.Tensor) -> bool:
    return value.is_floating_point() and not bool(torch.isfinite(value).all())


def blame(module: fx.GraphModule, inputs: Sequence[torch.Tensor]) -> Blame | None:
    """The first node that raises, or whose result has NaN or infinity; None if all goes well.

    Weights that are not finite are blamed on the layer that has them, even if its input is fine.
    """
    try:
        with torch.no_grad():
            _Suspect(module).run(*inputs)
    except _Blamed as found:
        return found.blame
    return None
