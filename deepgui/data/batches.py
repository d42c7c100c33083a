"""Batches of a split, epoch by epoch, in an order that only the seed decides.

What fits lives on the device: a block of shuffled examples is gathered at a time and its batches are views
of it, so a batch costs microseconds where a loader stacks single examples. What does not fit is read by the
workers of torch's DataLoader, in the same order. Tables that join their examples (graphs) lie on the device
once and put a batch together there.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from deepgui.data.dataset import Split
from deepgui.data.errors import DataError
from deepgui.data.joined import Joining
from deepgui.data.table import Table

Batch = dict[str, Tensor]
Positions = NDArray[np.int64]  # not a tensor: that would travel to workers as a file handle of its own

_CPU_BLOCK = 1 << 18
_DEVICE_BLOCK = 1 << 24
"""Bytes gathered at a time. On the CPU a block must stay in the cache and below what malloc returns to the
system, or page faults eat the gain; on an accelerator fewer kernel launches count."""


_MOST_WORKERS = {True: 8, False: 2}
"""Worker processes by whether the order is shuffled: training is worth more of them than evaluation."""


class Batches:
    """The batches of a split.

    Args:
        split: where the examples come from.
        batch_size: examples a batch; the last one of an epoch is smaller unless ``drop_last``. Of nodes of one
            graph, which all batches are computed for, all come at once where the order is the natural one.
        device: where the tensors are wanted.
        shuffle: a new order every epoch, decided by ``seed`` and the epoch's number alone.
        workers: processes that read examples that do not fit in memory; by default as many as
            leave one core free, up to 8.
    """

    def __init__(
        self,
        split: Split,
        batch_size: int,
        device: torch.device | str = "cpu",
        shuffle: bool = False,
        seed: int = 0,
        drop_last: bool = False,
        workers: int | None = None,
    ) -> None:
        if batch_size < 1:
            raise DataError(f"the batch size must be at least 1, not {batch_size}")
        self.split = split
        self._joining = split.table if isinstance(split.table, Joining) else None
        if self._joining is not None and self._joining.whole and not shuffle:
            batch_size = max(batch_size, len(split))
        self.batch_size = batch_size
        self.device = torch.device(device)
        self.shuffle = shuffle
        self.seed = seed
        self.drop_last = drop_last
        self._tensors: Batch | None = None
        self._only: Batch | None = None
        self._loader: _Loader | None = None
        self._workers = workers if workers is not None else _free_cores(_MOST_WORKERS[shuffle])

    def __len__(self) -> int:
        """Batches an epoch."""
        full = len(self.split) // self.batch_size
        return full if self.drop_last else math.ceil(len(self.split) / self.batch_size)

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The batches of one epoch from batch ``start`` on: field name → (B, *shape) on the device.

        The tensors may be views of a larger one: do not write to them.

        Raises:
            DataError: while iterating, if a file cannot be read.
        """
        order = self.order(number)
        if self._joining is not None:
            home = self._home(self._joining.tensors)
            joined = self._joined(self._joining.placed(self.split.normalizer, home), order, start)
            return joined if home == self.device else self._moved(joined)
        if not self.split.fits:
            return self._moved(self._loaded(order if order is not None else torch.arange(len(self.split)), start))
        found = self._gathered(order, start) if order is not None else self._sliced(start)
        at_home = all(values.device.type == self.device.type for values in self._resident().values())
        return found if at_home else self._moved(found)

    def order(self, number: int) -> Tensor | None:
        """Positions in the split in the order of that epoch, or None for the natural order."""
        if not self.shuffle or (self._joining is not None and self._single):
            return None  # what is put together of all examples is the same in any order, and made once
        generator = torch.Generator().manual_seed(_mix(_mix(self.seed) + number))
        return torch.randperm(len(self.split), generator=generator)

    def close(self) -> None:
        """End the worker processes, if there are any."""
        self._loader = None

    def _resident(self) -> Batch:
        """The whole split on the device, or in memory if the device has too little room for it."""
        if self._tensors is None:
            whole = self.split.all()
            home = self._home(whole)
            self._tensors = {name: values.to(home) for name, values in whole.items()}
        return self._tensors

    def _home(self, tensors: Mapping[str, Tensor]) -> torch.device:
        """Where these tensors are kept: on the device if they fit there."""
        size = sum(t.numel() * t.element_size() for t in tensors.values())
        return self.device if size <= _room(self.device) else torch.device("cpu")

    @property
    def _single(self) -> bool:
        return len(self) == 1 and self._end() == len(self.split)

    def _end(self) -> int:
        return min(len(self.split), len(self) * self.batch_size)

    def _sliced(self, start: int) -> Iterator[Batch]:
        first, end = start * self.batch_size, self._end()
        yield from _views({name: values[first:end] for name, values in self._resident().items()}, self.batch_size)

    def _gathered(self, order: Tensor, start: int) -> Iterator[Batch]:
        tensors = self._resident()
        home = next(iter(tensors.values())).device
        order = order[start * self.batch_size : self._end()].to(home)
        batch = self.batch_size * sum(math.prod(t.shape[1:]) * t.element_size() for t in tensors.values())
        room = _CPU_BLOCK if home.type == "cpu" else _DEVICE_BLOCK
        for chosen in torch.split(order, max(1, room // max(1, batch)) * self.batch_size):
            block = {name: values.index_select(0, chosen) for name, values in tensors.items()}
            yield from _views(block, self.batch_size)

    def _joined(self, table: Table, order: Tensor | None, start: int) -> Iterator[Batch]:
        rows = self.split.rows if order is None else self.split.rows[order]
        if self._single:
            self._only = self._only or table.get(rows)
            yield from () if start else (self._only,)
            return
        for chosen in _pieces(rows[start * self.batch_size : self._end()], self.batch_size):
            yield table.get(chosen)

    def _loaded(self, order: Tensor, start: int) -> Iterator[Batch]:
        left = order[start * self.batch_size : self._end()]
        if self.split.table.in_memory:  # cut or converted batch by batch: no work for other processes
            yield from (self.split.get(chosen) for chosen in _pieces(left, self.batch_size))
            return
        positions = left.numpy()
        batches = [positions[i : i + self.batch_size] for i in range(0, len(positions), self.batch_size)]
        if self._loader is None:
            self._loader = _Loader(self.split, self._workers, pin=self.device.type == "cuda")
        yield from self._loader.read(batches)

    def _moved(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        for batch in batches:
            yield {name: values.to(self.device, non_blocking=True) for name, values in batch.items()}


def _free_cores(most: int) -> int:
    return max(0, min(most, (os.cpu_count() or 1) - 1))


def _room(device: torch.device) -> float:
    """Bytes that examples may take on a device: half of what is free, so that training has the rest."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] / 2
    return math.inf  # shared with the CPU, or unknown


def _pieces(numbers: Tensor, size: int) -> tuple[Tensor, ...]:
    return torch.split(numbers, size) if len(numbers) else ()  # torch.split would give one empty piece


def _views(tensors: Batch, size: int) -> Iterator[Batch]:
    count = len(next(iter(tensors.values())))
    if count <= size:
        if count:  # torch.split would give one empty piece
            yield tensors
        return
    for parts in zip(*(torch.split(values, size) for values in tensors.values()), strict=True):
        yield dict(zip(tensors, parts, strict=True))


def _mix(number: int) -> int:
    """A well scattered seed below 2**63 from any integer (the finaliser of splitmix64)."""
    x = (number + 0x9E3779B97F4A7C15) % 2**64
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
    return (x ^ x >> 31) >> 1


class _Positions(Sampler[Positions]):
    """The batches to read next; the loader and its workers outlive an epoch, this list does not."""

    def __init__(self) -> None:
        self.batches: list[Positions] = []

    def __iter__(self) -> Iterator[Positions]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


class _Examples(Dataset[Batch | str]):
    """A split as a worker process sees it: a whole batch at a time, and errors as sentences."""

    def __init__(self, split: Split) -> None:
        self.split = split

    def __getitem__(self, positions: Positions) -> Batch | str:
        try:
            return self.split.get(torch.from_numpy(positions))
        except DataError as error:  # torch would bury the sentence in a traceback
            return str(error)


class _Loader:
    """torch's DataLoader over whole batches, with workers that are started once."""

    def __init__(self, split: Split, workers: int, pin: bool) -> None:
        self._split, self._pin = split, pin
        self._start(workers)

    def _start(self, workers: int) -> None:
        self._workers = workers
        self._positions = _Positions()
        self._loader: DataLoader[Batch | str] = DataLoader(
            _Examples(self._split),
            batch_size=None,
            sampler=self._positions,
            num_workers=workers,
            pin_memory=self._pin,
            multiprocessing_context="spawn" if workers else None,  # a fork of a process with threads may hang
            persistent_workers=workers > 0,
        )

    def read(self, batches: list[Positions]) -> Iterator[Batch]:
        """The examples at these positions, batch by batch. Goes on without workers if they die."""
        done = 0
        while done < len(batches):
            self._positions.batches = batches[done:]
            try:
                for batch in self._loader:
                    if isinstance(batch, str):
                        raise DataError(batch)
                    done += 1
                    yield batch
            except RuntimeError as error:
                if not self._workers or "worker" not in str(error):
                    raise
                warnings.warn("the processes that read examples have ended; reading goes on without them", stacklevel=2)
                self._start(0)
