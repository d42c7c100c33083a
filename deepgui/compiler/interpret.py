"""Running the graph node by node: to look at wires, and to name the node at which something goes wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import fx

Port = tuple[str, str]
"""Node id and output name."""


class _Enough(Exception):
    pass


def outputs_of(n: fx.Node) -> list[Port]:
    """The outputs of drawn nodes that the value of an fx node is; more than one where a node is bypassed."""
    return [(n.meta.get("node", ""), n.meta.get("port", "")), *n.meta.get("aliases", ())]


class _Inward(fx.Interpreter):
    """Runs a graph and goes into the blocks in it. ``path`` leads to this graph: empty, or ``stage.2.``"""

    def __init__(self, module: fx.GraphModule, path: str = "") -> None:
        super().__init__(module)
        self.path = path
        self._at: fx.Node | None = None

    def run_node(self, n: fx.Node) -> Any:
        self._at = n
        return super().run_node(n)

    def call_module(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        inner = self.fetch_attr(target)
        if isinstance(inner, fx.GraphModule) and self._at is not None:
            runner = self.inside(inner, f"{self.path}{inner_path(self._at)}.")
            if runner is not None:
                return runner.run(*args, **kwargs)
        return super().call_module(target, args, kwargs)

    def inside(self, module: fx.GraphModule, path: str) -> _Inward | None:
        """What runs a block; None to run it as a whole."""
        raise NotImplementedError


def inner_path(call: fx.Node) -> str:
    """Where the inside of a block's call is: its node's id, with the place in the row if it is repeated."""
    node = str(call.meta.get("node", "")).partition(".")[0]
    return f"{node}.{call.meta['instance']}" if "instance" in call.meta else node


class _Capture(_Inward):
    """Runs no further than the last wanted value; one set of those wanted, and of those seen, for all levels."""

    def __init__(
        self, module: fx.GraphModule, wanted: set[Port], seen: dict[Port, torch.Tensor], path: str = ""
    ) -> None:
        super().__init__(module, path)
        self.left, self.seen = wanted, seen

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if isinstance(result, torch.Tensor):
            for node, port in outputs_of(n):
                self._see((f"{self.path}{node}", port), result)
        return result

    def _see(self, port: Port, result: torch.Tensor) -> None:
        if port in self.left:
            # An in-place layer behind this wire would change what is seen of it.
            self.seen[port] = result.detach().clone()
            self.left.discard(port)
            if not self.left:
                raise _Enough

    def inside(self, module: fx.GraphModule, path: str) -> _Inward | None:
        wanted = any(node.startswith(path) for node, _ in self.left)
        return _Capture(module, self.left, self.seen, path) if wanted else None


def _present(module: fx.GraphModule, path: str, wanted: Collection[Port]) -> set[Port]:
    """Which of the wanted outputs there are, here and inside blocks."""
    found = {(f"{path}{node}", port) for n in module.graph.nodes for node, port in outputs_of(n)}.intersection(wanted)
    for n in module.graph.nodes:
        if n.op == "call_module" and "node" in n.meta:
            inner, inside = module.get_submodule(str(n.target)), f"{path}{inner_path(n)}."
            if isinstance(inner, fx.GraphModule) and any(node.startswith(inside) for node, _ in wanted):
                found |= _present(inner, inside, wanted)
    return found


def capture(
    module: fx.GraphModule, inputs: Sequence[torch.Tensor], wanted: Collection[Port]
) -> dict[Port, torch.Tensor]:
    """What flows through wires: the value of each wanted (node, output), for one batch.

    A node inside a block is called by its path: ``stage.conv1``, or ``stage.2.conv1`` in the third of a row.

    Runs no further than the last wanted wire and changes neither gradients nor the training mode;
    the caller chooses eval mode. Ports that the graph does not have are missing from the answer.
    """
    seen: dict[Port, torch.Tensor] = {}
    left = _present(module, "", wanted)
    if left:
        try:
            with torch.no_grad():
                _Capture(module, left, seen).run(*inputs)
        except _Enough:
            pass
    return seen


class _Resumed(fx.Interpreter):
    def __init__(self, module: fx.GraphModule, given: Mapping[fx.Node, torch.Tensor]) -> None:
        super().__init__(module)
        self.given = given

    def run_node(self, n: fx.Node) -> Any:
        return self.given[n] if n in self.given else super().run_node(n)


def resume(module: fx.GraphModule, given: Mapping[Port, torch.Tensor], output: int = 0) -> torch.Tensor:
    """What a module returns, computed from values of some wires: only what lies behind them runs.

    Gradients and the training mode are the caller's choice.

    Args:
        given: (node, output) → value, for wires that are not inside a block.
        output: which of the returned tensors, counted from 0.

    Raises:
        KeyError: there is no such wire. ValueError: an Input is needed, too; the message names it.
    """
    known = {port: n for n in module.graph.nodes for port in outputs_of(n)}
    values = {known[port]: value for port, value in given.items()}
    returned = next(iter(reversed(module.graph.nodes))).args[0]
    wanted = returned[output] if isinstance(returned, (tuple, list)) else returned
    needed: set[fx.Node] = set()
    left = [wanted]
    while left:
        n = left.pop()
        if n not in needed:
            needed.add(n)
            left += [] if n in values else n.all_input_nodes
    runner = _Resumed(module, values)
    for n in module.graph.nodes:
        if n in needed:
            if n.op == "placeholder" and n not in values:
                raise ValueError(f"the given wires do not suffice: {n.meta.get('node', n.name)} is needed, too")
            runner.env[n] = runner.run_node(n)
    found: torch.Tensor = runner.env[wanted]
    return found


@dataclass(frozen=True)
class Blame:
    """The node (its path, inside a block) at which a forward pass goes wrong, and how."""

    node: str
    message: str


class _Blamed(Exception):
    def __init__(self, blame: Blame) -> None:
        super().__init__(blame.message)
        self.blame = blame


class _Suspect(_Inward):
    def inside(self, module: fx.GraphModule, path: str) -> _Inward | None:
        return _Suspect(module, path)

    def run_node(self, n: fx.Node) -> Any:
        node = f"{self.path}{n.meta.get('node', '')}"
        try:
            result = super().run_node(n)
        except _Blamed:
            raise
        except Exception as error:  # whatever the layer raises, its node is to blame
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise _Blamed(Blame(node, lines[0])) from error
        if n.op not in ("output", "get_attr") and isinstance(result, torch.Tensor) and _is_bad(result):
            what = "is given" if n.op == "placeholder" else "computes"
            raise _Blamed(Blame(node, f"{what} values that are not finite (NaN or infinity)"))
        return result


def _is_bad(value: torch.Tensor) -> bool:
    return value.is_floating_point() and not bool(torch.isfinite(value).all())


def blame(module: fx.GraphModule, inputs: Sequence[torch.Tensor], *, gradients: bool = False) -> Blame | None:
    """The first node that raises, or whose result has NaN or infinity; None if all goes well.

    Weights that are not finite are blamed on the layer that has them, even if its input is fine.

    Args:
        gradients: keep what the backward pass needs, as training does: it decides where memory runs out.
    """
    try:
        with torch.set_grad_enabled(gradients):
            _Suspect(module).run(*inputs)
    except _Blamed as found:
        return found.blame
    return None
