"""Losses on their way from the device to the curves: kept as tensors, read many steps at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from deepgui.training.events import Scalars
from deepgui.training.objectives.base import Outcome

Hits = Callable[[Tensor, Tensor], Tensor | None]
_MOST_KEPT = 1 << 22  # elements of outputs waiting to be scored: 16 MiB in float32


class NotFiniteError(ArithmeticError):
    """The loss of ``step`` (counted from 1) is ``value``: NaN or infinite."""

    def __init__(self, step: int, value: float) -> None:
        super().__init__(f"the loss is {value} at step {step}")
        self.step = step
        self.value = value


@dataclass
class Sums:
    """Running sums of the epoch under way, added up in the order of the steps so that chunking never shows.

    Attributes:
        hits: of the ``scored`` examples those that were right.
        parts: name → sum over examples, and over how many.
    """

    loss: float = 0.0
    hits: float = 0
    scored: int = 0
    examples: int = 0
    parts: dict[str, tuple[float, int]] = field(default_factory=dict)

    def metrics(self) -> dict[str, float]:
        """Means over the examples so far: ``train_loss``, ``train_accuracy`` where there are hits, and the parts."""
        found = {"train_loss": self.loss / self.examples} if self.examples else {}
        if self.scored:
            found["train_accuracy"] = self.hits / self.scored
        for name, (total, count) in self.parts.items():
            found[f"train_{name}"] = total / count
        return found

    def add_part(self, name: str, value: float, size: int) -> None:
        """The mean of a part over ``size`` examples."""
        total, count = self.parts.get(name, (0.0, 0))
        self.parts[name] = total + value * size, count + size


@dataclass
class _Pending:
    """Steps whose numbers are on the device, or on their way to the host: losses, parts by name, hits.

    ``parts``: name → positions in ``steps`` at which there was one.
    """

    numbers: Tensor
    steps: tuple[int, ...]
    rates: tuple[float, ...]
    sizes: tuple[int, ...]
    parts: dict[str, tuple[int, ...]]
    event: torch.cuda.Event | None

    @property
    def ready(self) -> bool:
        return self.event is None or bool(self.event.query())  # type: ignore[no-untyped-call]


class Ledger:
    """Takes the loss of every step and gives back curves.

    On CUDA the numbers travel while the next steps run: what :meth:`read` starts, a later call finishes,
    so the training never waits for its own curves.
    """

    def __init__(self, hits: Hits, device: torch.device, sums: Sums) -> None:
        self.sums = sums
        self._hits = hits
        self._asynchronous = device.type == "cuda"
        self._losses: list[Tensor] = []
        self._outputs: list[Tensor] = []
        self._targets: list[Tensor] = []
        self._rates: list[float] = []
        self._sizes: list[int] = []
        self._parts: dict[str, list[Tensor]] = {}
        self._places: dict[str, list[int]] = {}
        self._kept = 0
        self._last = 0
        self._travelling: _Pending | None = None

    @property
    def full(self) -> bool:
        """Whether so much waits that it should be read now."""
        return self._kept > _MOST_KEPT or len(self._losses) >= 4096

    def add(self, step: int, outcome: Outcome, rate: float) -> None:
        """The result of a step; nothing is read from the device."""
        if outcome.parts:
            for name, value in outcome.parts.items():
                self._parts.setdefault(name, []).append(value.detach())
                self._places.setdefault(name, []).append(len(self._losses))
        self._losses.append(outcome.loss.detach())
        self._sizes.append(outcome.size)
        self._rates.append(rate)
        self._last = step
        if outcome.output is not None and outcome.target is not None:
            self._outputs.append(outcome.output.detach())
            self._targets.append(outcome.target)
            self._kept += outcome.output.numel()

    def read(self, *, wait: bool = False) -> tuple[list[Scalars], NotFiniteError | None]:
        """What has arrived since the last call; with ``wait`` everything, whatever it takes.

        The second value tells of the first loss that is not a finite number.
        """
        scalars: list[Scalars] = []
        bad: NotFiniteError | None = None
        if self._travelling and (wait or self.full or self._travelling.ready):
            arrived, self._travelling = self._travelling, None
            bad = self._book(arrived, scalars)
        if self._losses and self._travelling is None:
            sent = self._send()
            if self._asynchronous and not wait:
                self._travelling = sent
            else:
                bad = self._book(sent, scalars) or bad
        return scalars, bad

    def _send(self) -> _Pending:
        """Put losses, parts and hits of all waiting steps into one tensor and start its way to the host."""
        kept = [torch.stack([v.float() for v in values]) for values in (self._losses, *self._parts.values())]
        hits = self._hits(torch.cat(self._outputs), torch.cat(self._targets)) if self._outputs else None
        if hits is not None:
            kept.append(hits.float())
        numbers = kept[0] if len(kept) == 1 else torch.cat(kept)
        event = None
        if self._asynchronous:
            host = torch.empty(numbers.shape, pin_memory=True)
            numbers = host.copy_(numbers, non_blocking=True)
            event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            event.record()
        steps = tuple(range(self._last - len(self._sizes) + 1, self._last + 1))
        places = {name: tuple(found) for name, found in self._places.items()}
        pending = _Pending(numbers, steps, tuple(self._rates), tuple(self._sizes), places, event)
        for waiting in (self._losses, self._outputs, self._targets, self._rates, self._sizes):
            waiting.clear()
        self._parts.clear()
        self._places.clear()
        self._kept = 0
        return pending

    def _book(self, pending: _Pending, scalars: list[Scalars]) -> NotFiniteError | None:
        if pending.event is not None:
            pending.event.synchronize()
        numbers = pending.numbers.cpu().numpy().astype(np.float64)
        sizes, steps = pending.sizes, pending.steps
        losses, rest = numbers[: len(sizes)].tolist(), numbers[len(sizes) :]
        columns: dict[str, tuple[float, ...]] = {"train_loss": tuple(losses), "lr": pending.rates}
        for loss, size in zip(losses, sizes, strict=True):
            self.sums.loss += loss * size
            self.sums.examples += size
        scalars.append(Scalars(steps, columns))
        for name, places in pending.parts.items():
            values, rest = rest[: len(places)].tolist(), rest[len(places) :]
            for place, value in zip(places, values, strict=True):
                self.sums.add_part(name, value, sizes[place])
            own = {f"train_{name}": tuple(values)}
            if len(places) == len(steps):
                columns |= own
            else:  # not every step has one
                scalars.append(Scalars(tuple(steps[i] for i in places), own))
        if len(rest):
            self.sums.hits += float(rest.sum())
            self.sums.scored += len(rest)
            columns["train_accuracy"] = tuple(_means(rest, sizes))
        for step, loss in zip(steps, losses, strict=True):
            if not math.isfinite(loss):
                return NotFiniteError(step, loss)
        return None


def _means(hits: npt.NDArray[np.float64], sizes: tuple[int, ...]) -> list[float]:
    starts = [0, *accumulate(sizes)][:-1]
    means: list[float] = (np.add.reduceat(hits, starts) / sizes).tolist()
    return means
