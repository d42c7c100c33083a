"""Is what was written what was trained? Batches to ask both, and the comparison of their answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from deepgui.exporters.exportable import Batch, Exportable, answer, shape_of
from deepgui.exporters.graphs import random_graphs, takes_graphs
from deepgui.graph.values import Network, Node

BATCH_SIZES = (3, 1, 2, 8)
SEED = 0
TOLERANCE = 1e-5
"""Largest accepted difference, relative to the largest answer where that exceeds one."""


class ExportError(RuntimeError):
    """The network could not be exported, or the exported file answers otherwise: one plain sentence."""


@dataclass(frozen=True)
class Probe:
    """Batches of several sizes with the trained module's answers to them.

    Attributes:
        real: whether they are examples from the data rather than random numbers.
        noise: for each batch the random numbers that the network drew for its answer, in the order drawn.
    """

    batches: tuple[Batch, ...]
    answers: tuple[Batch, ...]
    real: bool
    noise: tuple[Batch, ...] = ()

    @property
    def draws(self) -> bool:
        """Whether the network draws random numbers, so that only with the same ones it answers the same."""
        return any(self.noise)

    def compare(self, ask: Callable[[Batch], Batch], what: str) -> float:
        """Ask ``ask`` the same; return the largest absolute difference.

        Raises:
            ExportError: if shapes differ or values differ by more than :data:`TOLERANCE`.
        """
        return self.compare_all([ask(batch) for batch in self.batches], what)

    def compare_all(self, answers: Sequence[Batch], what: str) -> float:
        """Like :meth:`compare`, for answers that are already there."""
        worst = 0.0
        for expected, got in zip(self.answers, answers, strict=True):
            worst = max(worst, _difference(expected, got, what))
        return worst


def probe(subject: Exportable) -> Probe:
    """Batches for the trained network: real examples if there are enough, else random numbers.

    Raises:
        ExportError: if the network itself fails on a batch of some size.
    """
    module = subject.on_cpu()
    graphs = takes_graphs(subject)  # rows of several tensors that belong together are no batch of them
    real = not graphs and subject.examples is not None and all(len(t) >= max(BATCH_SIZES) for t in subject.examples)
    draw = random_graphs if graphs else _random
    batches = tuple(_real(subject, n) if real else draw(subject, n) for n in BATCH_SIZES)
    answers, noise = [], []
    for batch in batches:
        try:
            with Drawn() as drawn:
                answers.append(repeatable(module, batch))
            noise.append(tuple(drawn.found))
        except Exception as error:
            rows = f"{len(batch[0])} example{'s' * (len(batch[0]) != 1)}"
            raise ExportError(f"The network fails on a batch of {rows}: {first_line(error)}") from error
    return Probe(batches, tuple(answers), real, tuple(noise))


def repeatable(module: nn.Module, batch: Batch) -> Batch:
    """The module's outputs for one batch; what it draws at random is the same each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        return answer(module, batch)


class Drawn(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Keeps the random numbers that are drawn meanwhile: the results of what PyTorch marks as drawing some."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[Tensor] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if torch.Tag.nondeterministic_seeded in func.tags and isinstance(result, Tensor):
            self.found.append(result.detach().clone())
        return result


def first_line(error: BaseException) -> str:
    """The part of a message that a person can use."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _real(subject: Exportable, rows: int) -> Batch:
    assert subject.examples is not None
    return tuple(t[:rows].cpu().contiguous() for t in subject.examples)


def _random(subject: Exportable, rows: int) -> Batch:
    generator = torch.Generator().manual_seed(rows)
    return tuple(_random_input(subject.network, node, rows, generator) for node in subject.inputs)


def _random_input(network: Network, node: Node, rows: int, generator: torch.Generator) -> Tensor:
    sizes = (rows, *shape_of(node))
    dtype = getattr(torch, str(node.params.get("dtype", "float32")))
    if dtype.is_floating_point or dtype.is_complex:
        return torch.randn(sizes, generator=generator, dtype=dtype)
    if dtype is torch.bool:
        return torch.rand(sizes, generator=generator) < 0.5
    return torch.randint(0, _vocabulary(network, node), sizes, generator=generator, dtype=dtype)


def _vocabulary(network: Network, node: Node) -> int:
    """How many indices an integer input may hold: what the smallest embedding behind it knows."""
    consumers = (network.nodes[w.target] for w in network.out_of(node.id))
    known = [n.params.get("num_embeddings") for n in consumers]
    return min((k for k in known if isinstance(k, int)), default=2)


def _difference(expected: Batch, got: Batch, what: str) -> float:
    if [t.shape for t in expected] != [t.shape for t in got]:
        shapes = [" and ".join("×".join(map(str, t.shape)) for t in side) for side in (expected, got)]
        raise ExportError(f"{what} answers with the shape {shapes[1]} where the network gives {shapes[0]}.")
    worst = 0.0
    for a, b in zip(expected, got, strict=True):
        a, b = a.double(), b.double()
        same = (a == b) | (a.isnan() & b.isnan())
        gap = torch.where(same, torch.zeros_like(a), (a - b).abs())
        largest = float(gap.max()) if gap.numel() else 0.0
        scale = float(a[a.isfinite()].abs().max()) if a.isfinite().any() else 1.0
        if not largest <= TOLERANCE * max(1.0, scale):
            raise ExportError(f"{what} answers differently from the trained network (by {largest:.3g}).")
        worst = max(worst, largest)
    return worst
