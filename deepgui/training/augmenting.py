"""Changing the training batches at random: which fields, and with which random numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import torch

from deepgui.catalog.spec import Value
from deepgui.data.augment import Augmentation
from deepgui.data.dataset import Dataset
from deepgui.training.objectives.base import Batch

_CHANGED = ("image", "series")


class Augmenter:
    """Changes what is fed in of images and series; maps and boxes to learn move along with their image.

    What is drawn for a batch follows from the seed, the epoch and the batch's number alone: a run that goes on, and
    one that is watched, sees the same pictures. Raises DataError for settings that do not exist or are out of range.
    """

    def __init__(self, settings: Mapping[str, Value], dataset: Dataset, seed: int) -> None:
        fields = {field.name: field for field in dataset.fields}
        names = [name for name in dataset.inputs if fields[name].kind in _CHANGED]
        self._changes = {name: Augmentation(settings, dataset.normalizer.get(name)) for name in names}
        target = dataset.target
        self._maps = target.name if target.kind == "classmap" else ""
        self._boxes = target.name if target.kind == "boxes" else ""
        self._seed = seed

    def __call__(self, batches: Iterable[Batch], epoch: int, start: int) -> Iterator[Batch]:
        """The batches of an epoch from the ``start``-th on, changed."""
        for index, batch in enumerate(batches, start):
            generator = torch.Generator().manual_seed(hash((self._seed, epoch, index)) % 2**63)
            yield self._changed(batch, generator)

    def _changed(self, batch: Batch, generator: torch.Generator) -> Batch:
        found = dict(batch)
        for name, change in self._changes.items():
            if batch[name].dim() == 4 and (self._maps or self._boxes):
                moved = change.apply(batch[name], generator, batch.get(self._maps), batch.get(self._boxes))
                found[name] = moved.images
                targets = ((self._maps, moved.maps), (self._boxes, moved.boxes))
                found |= {key: value for key, value in targets if value is not None}
            else:
                found[name] = change(batch[name], generator)
        return found
