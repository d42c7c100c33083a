"""Several processes that train one network together, each on its share of every batch (torch.distributed).

The gradients are averaged between the backward pass and the optimiser. DistributedDataParallel does that inside
the backward pass, but only for a module whose ``forward`` is called once a step; objectives here run several
networks in turns, take gradients of gradients and gather batches, and what is done here suits all of them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch._C._distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from deepgui.data.dataset import Split
from deepgui.data.shares import Shares
from deepgui.training.devices import DeviceError, resolve
from deepgui.training.objectives.base import Outcome

if TYPE_CHECKING:
    from deepgui.training.trainer import Trainer

_PATIENCE = timedelta(days=7)
"""How long the others wait while the first process evaluates, saves or stands still."""
_BUCKET = 16 << 20
"""Elements of gradients that travel at a time (64 MiB in float32)."""
_FAILED = "failed"
_STOP = -1


class TeamError(RuntimeError):
    """The processes that train together cannot go on. One plain sentence."""


@dataclass(frozen=True)
class Place:
    """A process's place among those that train together.

    Attributes:
        rank: its number; 0 keeps the run, evaluates and speaks. size: how many there are.
        local: its number among those on this machine, which is the number of its GPU. nearby: how many those are.
        meeting: where they find each other, as torch.distributed's ``init_method``.
    """

    rank: int
    size: int
    local: int
    nearby: int
    meeting: str = "env://"


def launched() -> Place | None:
    """The place that ``torchrun`` has given this process; None if it was not started by it, or alone."""
    try:
        rank, size, local = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
    except (KeyError, ValueError):
        return None
    nearby = int(os.environ.get("LOCAL_WORLD_SIZE", size))
    return Place(rank, size, local, nearby) if size > 1 else None


class Team:
    """This process's ties to the others; every method that exchanges something is called by all of them.

    Attributes:
        device: where this process computes. leads: whether it is the one that keeps the run.
    """

    def __init__(self, place: Place, device: str, waiting: Callable[[], None], why: Callable[[], str]) -> None:
        """Meet the others.

        Args:
            device: what the project asks for.
            waiting: called now and then while the others are not there yet; may raise.
            why: what is known of the end of another process, or nothing.

        Raises:
            TeamError: they cannot meet.
            DeviceError: there is no such device for each of them.
        """
        self.place, self.leads = place, place.rank == 0
        self.device = _own_device(place, device)
        self._why = why
        self._closing: list[Callable[[], object]] = []
        self._threads = torch.get_num_threads()
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
        else:  # processes that share the cores must not wait for each other's threads
            torch.set_num_threads(max(1, min(self._threads, (os.cpu_count() or 1) // place.nearby)))
        self._shares: Shares
        self._changes: list[tuple[str, float]] = []
        with self._exchanging():
            self._meet(waiting)

    def _meet(self, waiting: Callable[[], None]) -> None:
        place = self.place
        found, _, _ = next(rendezvous(place.meeting, place.rank, place.size))
        self._store = PrefixStore("deepgui", found)
        self._store.set(f"here{place.rank}", "")
        while not self._store.check([f"here{rank}" for rank in range(place.size)]):
            waiting()
            time.sleep(0.02)
        dist.init_process_group("gloo", store=self._store, rank=place.rank, world_size=place.size, timeout=_PATIENCE)
        self._closing.append(dist.destroy_process_group)
        self._carriers = dist.new_group(backend="nccl") if self.device.type == "cuda" else dist.group.WORLD

    def close(self) -> None:
        """Part from the others."""
        torch.set_num_threads(self._threads)
        for end in self._closing:
            with suppress(RuntimeError):  # of those that are gone already
                end()
        self._closing.clear()

    @contextmanager
    def _exchanging(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            raise TeamError(self._reason() or f"The processes lost each other: {_first_line(error)}") from error

    def _reason(self) -> str:
        """Why another process has ended: what it said, or how it ended."""
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            with suppress(RuntimeError, AttributeError):
                if self._store.check([_FAILED]):
                    return str(self._store.get(_FAILED).decode())
            if why := self._why():
                return why
            time.sleep(0.05)
        return ""

    def failed(self, message: str) -> None:
        """Tell the others, who will find this process gone."""
        with suppress(RuntimeError, AttributeError):  # AttributeError: it failed before it met them
            self._store.set(_FAILED, message)

    # -- the beginning

    def shares(self, split: Split, batch_size: int, seed: int, drop_single: bool) -> Shares:
        """This process's share of the training examples."""
        place = self.place
        self._shares = Shares(split, batch_size, self.device, seed, drop_single, place.rank, place.size)
        if not len(self._shares):
            raise TeamError(f"There are fewer training examples ({len(split)}) than processes ({place.size}).")
        return self._shares

    def begin(self, module: nn.Module, seed: int, step: int) -> str:
        """Every process has the first one's weights, and random numbers of its own; a warning, or nothing."""
        self._same(module)
        if not self.leads:  # the first draws what it would draw alone
            torch.manual_seed((seed + 1_000_003 * self.place.rank + 7_919 * step) % 2**63)
        return self._synchronised(module)

    def _same(self, module: nn.Module) -> None:
        with self._exchanging(), torch.no_grad():
            for values in module.state_dict().values():
                sent = values.contiguous()
                dist.broadcast(sent, 0, group=self._carriers)
                values.copy_(sent)

    def _synchronised(self, module: nn.Module) -> str:
        """Have batch normalisation see whole batches where that is possible; a warning where it is not, or nothing."""
        norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
        if not norms:
            return ""
        if self.device.type == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(module, self._carriers)  # type: ignore[no-untyped-call]
            return ""
        return (
            f"Batch normalisation sees only the examples of its own process, {self._shares.batch_size} at a time: "
            "on the CPU PyTorch cannot join them."
        )

    # -- a step

    def average(self, parameters: Sequence[Tensor]) -> None:
        """The gradients of these weights become their mean over all processes."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        if any(g.is_sparse for g in gradients):
            raise TeamError("Sparse gradients cannot be averaged here: switch sparse off, or train on one device.")
        with self._exchanging(), torch.no_grad():
            for bucket in _buckets(gradients):
                flat = torch.cat([g.reshape(-1) for g in bucket])
                dist.all_reduce(flat, group=self._carriers)
                flat /= self.place.size
                for gradient, part in zip(bucket, torch.split(flat, [g.numel() for g in bucket]), strict=True):
                    gradient.copy_(part.view(gradient.shape))

    def weight(self, index: int) -> float:
        """What this process's loss counts in the ``index``-th batch, so that the mean of all is the batch's mean."""
        sizes = self._shares.sizes(index)
        return sizes[self.place.rank] * len(sizes) / sum(sizes)

    def settle(self, outcome: Outcome, index: int, hits: Tensor | None) -> Outcome:
        """The outcome over the whole batch; its output and target are the hits of all examples, if there are."""
        sizes = self._shares.sizes(index)
        own = torch.stack([v.detach().float() for v in (outcome.loss, *outcome.parts.values())])
        if hits is not None and len(hits) != sizes[self.place.rank]:
            hits = None
        sent = own.new_zeros(len(own) + (max(sizes) if hits is not None else 0))
        sent[: len(own)] = own
        if hits is not None:
            sent[len(own) : len(own) + len(hits)] = hits.float()
        found = [torch.empty_like(sent) for _ in sizes]
        with self._exchanging():
            dist.all_gather(found, sent, group=self._carriers)
        counts = own.new_tensor(sizes)
        means = (torch.stack(found)[:, : len(own)] * (counts / counts.sum())[:, None]).sum(0)
        if hits is not None:
            hits = torch.cat([one[len(own) : len(own) + size] for one, size in zip(found, sizes, strict=True)])
        parts = dict(zip(outcome.parts, means[1:], strict=True))
        return Outcome(means[0], sum(sizes), hits, hits, parts)

    # -- between steps

    def changed(self, name: str, value: float) -> None:
        """A number that the first process has changed, for the others before the next step."""
        self._changes.append((name, value))

    def agree(self, trainer: Trainer) -> bool:
        """Before a step: numbers changed at the first process change here, too. True if it has been told to stop."""
        order = torch.tensor([_STOP if trainer.control.stopping else len(self._changes)])
        with self._exchanging():
            dist.broadcast(order, 0)
        told = int(order)
        if told > 0:
            for name, value in self.given(list(self._changes)):
                if not self.leads:
                    trainer.stepper.set_number(name, value)
            self._changes.clear()
        return told == _STOP

    def given(self, value: Any) -> Any:
        """The first process's value."""
        sent = [value if self.leads else None]
        with self._exchanging():
            dist.broadcast_object_list(sent, 0)
        return sent[0]


def already_hits(output: Tensor, target: Tensor) -> Tensor:
    """For a ledger: what :meth:`Team.settle` puts in the place of outputs are hits."""
    return output


def _own_device(place: Place, wanted: str) -> torch.device:
    kind = resolve(wanted).id.partition(":")[0]
    if kind == "cpu":
        return torch.device("cpu")
    if kind != "cuda":
        raise DeviceError(f"Several processes train together on CUDA or on the CPU, not on {kind}: choose device cpu.")
    if torch.cuda.device_count() < place.nearby:
        have = torch.cuda.device_count()
        raise DeviceError(f"There are {have} GPUs for {place.nearby} processes: ask for at most {have} devices.")
    return torch.device("cuda", place.local)


def _buckets(gradients: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Gradients of one type, a few at a time."""
    for dtype in dict.fromkeys(g.dtype for g in gradients):
        bucket: list[Tensor] = []
        for gradient in (g for g in gradients if g.dtype is dtype):
            if bucket and sum(g.numel() for g in bucket) + gradient.numel() > _BUCKET:
                yield bucket
                bucket = []
            bucket.append(gradient)
        yield bucket


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".") + "."
