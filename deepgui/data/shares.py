"""One process's share of every batch, for several that train one network together."""

from __future__ import annotations

import torch
from torch import Tensor

from deepgui.data.batches import Batches
from deepgui.data.dataset import Split


class Shares(Batches):
    """The share of process ``rank`` of ``size``: of every common batch as many examples as the others take.

    A common batch has ``batch_size * size`` examples, in the order that one process with batches of that size
    would see. The last one of an epoch is shared out as evenly as it goes, and left out if it has not an example
    for each.
    """

    def __init__(
        self,
        split: Split,
        batch_size: int,
        device: torch.device | str,
        seed: int,
        drop_single: bool,
        rank: int,
        size: int,
    ) -> None:
        """``drop_single``: leave out a last batch that would give a process one example alone."""
        super().__init__(split, batch_size, device, shuffle=True, seed=seed)
        self._rank, self._size = rank, size
        self._common = batch_size * size
        self._last = len(split) % self._common
        least = 2 * size if drop_single and batch_size > 1 else size
        self._whole = len(split) // self._common
        if self._last < least:
            self._last = 0

    def __len__(self) -> int:
        """Batches an epoch, the same for every process."""
        return self._whole + bool(self._last)

    def sizes(self, index: int) -> tuple[int, ...]:
        """How many examples of the ``index``-th batch each process has."""
        if index < self._whole:
            return (self.batch_size,) * self._size
        return tuple(end - start for start, end in (self._part(rank) for rank in range(self._size)))

    def order(self, number: int) -> Tensor:
        """Positions in the split of this process's examples, in the order of that epoch."""
        everyone = super().order(number)
        assert everyone is not None
        whole = everyone[: self._whole * self._common].view(self._whole, self._size, self.batch_size)
        start, end = self._part(self._rank)
        rest = everyone[self._whole * self._common :][start:end]
        return torch.cat([whole[:, self._rank].flatten(), rest])

    def _part(self, rank: int) -> tuple[int, int]:
        """Where a process's share of the last batch of an epoch begins and ends."""
        return rank * self._last // self._size, (rank + 1) * self._last // self._size

    @property
    def _single(self) -> bool:
        return False  # what is made of all examples at once is shared out, too

    def _end(self) -> int:
        start, end = self._part(self._rank)
        return self._whole * self.batch_size + end - start
