"""Boxes as tensors: how much they overlap, which of them are the same thing, and how good a whole split is."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor


def corners(boxes: Tensor) -> Tensor:
    """Centre x, centre y, width, height (..., 4) as left, top, right, bottom."""
    centre, half = boxes[..., :2], boxes[..., 2:4] / 2
    return torch.cat((centre - half, centre + half), dim=-1)


def overlap(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Intersection over union of corners (..., 4), and the area of the union."""
    low, high = torch.maximum(one[..., :2], other[..., :2]), torch.minimum(one[..., 2:], other[..., 2:])
    both = (high - low).clamp(min=0).prod(-1)
    union = (one[..., 2:] - one[..., :2]).prod(-1) + (other[..., 2:] - other[..., :2]).prod(-1) - both
    return both / union.clamp(min=1e-9), union


def generalized_iou(one: Tensor, other: Tensor) -> Tensor:
    """Intersection over union less the share of the hull that is in neither: -1 to 1 (Rezatofighi et al. 2019).

    Args:
        one, other: centre x, centre y, width, height, (..., 4).
    """
    a, b = corners(one), corners(other)
    iou, union = overlap(a, b)
    hull = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(-1)
    return iou - (hull - union) / hull.clamp(min=1e-9)


def suppressed(boxes: Tensor, scores: Tensor, classes: Tensor, most: float) -> Tensor:
    """Which boxes of a class overlap a surer one of it by more than ``most``, for all pictures at once.

    Args:
        boxes: N×K×4 as centre and size. scores: N×K, the surest first. classes: N×K.

    Returns:
        N×K, True for those to be left out.
    """
    at = corners(boxes)
    iou, _ = overlap(at[:, :, None], at[:, None])
    same = (iou > most) & (classes[:, :, None] == classes[:, None])
    gone = torch.zeros_like(scores, dtype=torch.bool)
    for place in range(scores.shape[1]):
        weaker = same[:, place] & ~gone[:, place, None]
        weaker[:, : place + 1] = False
        gone |= weaker
    return gone


@dataclass
class Found:
    """What was found in a split, added picture by picture, and what is there.

    Attributes:
        least: the overlap from which on a box is the same as the true one.
        seen: for each class the score of each box and whether it is right; counts: true boxes of each class.
    """

    classes: int
    least: float = 0.5
    seen: list[tuple[Tensor, Tensor, Tensor]] = field(default_factory=list)
    counts: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.counts = torch.zeros(self.classes, dtype=torch.int64)

    def add(self, said: Tensor, true: Tensor) -> None:
        """One picture: boxes R×6 (class, centre, size, score) and T×5. Each true box is found once, by the surest."""
        said = said[said[:, 5].argsort(descending=True, stable=True)]
        self.counts += torch.bincount(true[:, 0].long(), minlength=self.classes)
        iou, _ = overlap(corners(said[:, None, 1:5]), corners(true[None, :, 1:5]))
        iou = iou.masked_fill(said[:, None, 0] != true[None, :, 0], -1.0)
        right = torch.zeros(len(said), dtype=torch.bool)
        if len(true):
            best, place = iou.max(1)
            free = [True] * len(true)
            for row in (best >= self.least).nonzero()[:, 0].tolist():
                right[row], free[place[row]] = free[place[row]], False
        self.seen.append((said[:, 0].long(), said[:, 5], right))

    def average_precision(self) -> Tensor:
        """Area under precision over recall for each class, (classes,), as Pascal VOC has it since 2010.

        NaN for a class of which there is nothing to find.
        """
        found = torch.full((self.classes,), float("nan"))
        if not self.seen:
            return found
        classes, scores, right = (torch.cat(parts) for parts in zip(*self.seen, strict=True))
        for kind in self.counts.nonzero()[:, 0].tolist():
            own = classes == kind
            found[kind] = precision_area(scores[own], right[own], int(self.counts[kind]))
        return found


def precision_area(scores: Tensor, right: Tensor, there: int) -> float:
    """Area under the falling envelope of precision over recall.

    Args:
        scores: how sure, in any order. right: which of them are. there: how many could have been found.
    """
    if not len(scores) or not there:
        return 0.0
    hits = right[scores.argsort(descending=True, stable=True)].double().cumsum(0)
    precision = hits / torch.arange(1, len(hits) + 1)
    envelope = precision.flip(0).cummax(0).values.flip(0)
    recall = torch.cat((torch.zeros(1, dtype=torch.float64), hits / there))
    return float((recall.diff() * envelope).sum())
