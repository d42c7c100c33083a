"""Which class every pixel of a picture belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from deepgui.catalog.spec import ParamSpec
from deepgui.data.mask_files import VOID
from deepgui.graph.problems import Problem
from deepgui.training.objectives import repairs
from deepgui.training.objectives.base import Batch, Networks, Objective, Outcome, Outlook, Score
from deepgui.training.objectives.classification import check_activation
from deepgui.training.objectives.pictures import not_a_map, pieces, shown
from deepgui.training.objectives.previews import Ints, Masks, Preview

_SHOWN, _COUNTED = 8, 200


class Segmentation(Objective):
    """The network gives one score a class for every pixel; the highest is its answer."""

    id: ClassVar[str] = "segmentation"
    title: ClassVar[str] = "Segmentation"
    summary: ClassVar[str] = "Tell for every pixel of a picture what it shows."
    targets: ClassVar[frozenset[str]] = frozenset(("classmap",))
    settings: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec(
            "dice",
            "float",
            default=0.0,
            minimum=0.0,
            doc="Weight of the Dice loss beside cross entropy: it counts overlaps of areas, so that small ones "
            "matter (Milletari et al. 2016).",
        ),
        ParamSpec(
            "class_weights",
            "bool",
            default=False,
            doc="Weigh classes so that those of few pixels count as much as those of many.",
        ),
    )
    previews: ClassVar[Mapping[str, str]] = MappingProxyType({"masks": "Pictures with what is in them"})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dice = float(cast(float, self.options["dice"]))
        self.weights = self._weights() if self.options["class_weights"] else None

    def _weights(self) -> Tensor:
        """pixels / (classes · pixels of the class), over an even sample of the training split; 1 if it has none."""
        train, count = self.dataset.train, len(self.dataset.target.classes)
        places = torch.linspace(0, max(0, len(train) - 1), min(_COUNTED, len(train))).long()
        found = torch.zeros(count)
        for chunk in torch.split(places, 16):
            maps = train.raw(chunk)[self.target]
            found += torch.bincount(maps[maps != VOID], minlength=count)
        return torch.where(found > 0, found.sum() / (count * found), torch.ones(count))

    def to(self, where: torch.device | str) -> None:
        super().to(where)
        self.weights = None if self.weights is None else self.weights.to(self.device)

    # -- a step

    def loss(self, networks: Networks, batch: Batch, turn: str = "") -> Outcome:
        output, target = networks.main(*self.arguments(batch)), batch[self.target]
        entropy, weight = self.cross_entropy(output, target)
        # A batch without a pixel that counts has nothing to learn from: the mean over none would not be a number.
        loss = entropy / weight.clamp(min=1e-12)
        if not self.dice:
            return Outcome(loss, len(target), parts={"accuracy": right(output, target)})
        overlap = dice_loss(output, target)
        parts = {"accuracy": right(output, target), "dice": overlap.detach()}
        return Outcome(loss + self.dice * overlap, len(target), parts=parts)

    def cross_entropy(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The sum over the pixels that count, and the sum of their weights: the loss is their quotient."""
        total = F.cross_entropy(output, target, self.weights, ignore_index=VOID, reduction="sum")
        counts = target != VOID
        if self.weights is None:
            return total, counts.sum()
        return total, (self.weights[target.clamp(min=0)] * counts).sum()

    # -- a split

    def assess(self, networks: Networks, batches: Iterable[Batch]) -> Score | None:
        classes = self.dataset.target.classes
        count, examples, entropy, weight, dice = len(classes), 0, 0.0, 0.0, 0.0
        table = torch.zeros(count, count, dtype=torch.int64, device=self.device)
        for batch in pieces(batches, self.inputs[0]):
            output, target = networks.main(*self.arguments(batch)).float(), batch[self.target]
            total, weights = self.cross_entropy(output, target)
            entropy, weight = entropy + float(total), weight + float(weights)
            dice += float(dice_loss(output, target)) * len(target) if self.dice else 0.0
            kept = target != VOID
            pairs = target[kept] * count + output.argmax(1)[kept]
            table += torch.bincount(pairs, minlength=count * count).view(count, count)
            examples += len(target)
        if not examples:
            return None
        metrics = {"loss": entropy / max(weight, 1e-12) + self.dice * dice / examples, **of_areas(table)}
        return Score(metrics, table.cpu().numpy(), classes, examples)

    def preview(self, what: str, networks: Networks) -> Preview | None:
        found = shown(self, _SHOWN)
        said = networks.main(*self.arguments(found.batch)).argmax(1)
        true = cast(Ints, found.batch[self.target].cpu().numpy())
        answer = np.where(true == VOID, VOID, said.cpu().numpy())
        note = "Pictures that are not learnt from, what is true of every pixel, and what the network says"
        return Masks(images=found.images, said=answer, true=true, classes=self.dataset.target.classes, note=note)

    @classmethod
    def check(cls, outlook: Outlook) -> Iterator[Problem]:
        yield from _check_shape(outlook)
        yield from check_activation(outlook, "CrossEntropyLoss")


def right(output: Tensor, target: Tensor) -> Tensor:
    """The share of the pixels that count whose class was said; a scalar."""
    counts = target != VOID
    return ((output.detach().argmax(1) == target) & counts).sum() / counts.sum().clamp(min=1)


def dice_loss(output: Tensor, target: Tensor) -> Tensor:
    """1 - 2 |A and B| / (|A| + |B|) with probabilities for areas, the mean over examples and classes; a scalar.

    A class that neither is nor is said to be in a picture costs nothing.

    Args:
        output: scores N×C×H×W. target: N×H×W.
    """
    counts = (target != VOID)[:, None]
    said = output.softmax(1) * counts
    true = F.one_hot(target.clamp(min=0), output.shape[1]).movedim(-1, 1).to(said.dtype) * counts
    both, areas = (said * true).sum((2, 3)), (said + true).sum((2, 3))
    return (1 - (2 * both + 1) / (areas + 1)).mean()


def of_areas(table: Tensor) -> dict[str, float]:
    """Accuracy over pixels, and intersection over union, the mean over classes.

    Args:
        table: pixels by true and said class, C×C. Classes that neither are nor were said to be there do not count.
    """
    table = table.cpu()
    both = table.diagonal().double()
    union = table.sum(0) + table.sum(1) - both
    there = union > 0
    iou = float((both[there] / union[there]).mean()) if bool(there.any()) else float("nan")
    return {"accuracy": float(both.sum() / table.sum().clamp(min=1)), "mean_iou": iou}


def _check_shape(outlook: Outlook) -> Iterator[Problem]:
    classes, (height, width) = len(outlook.target.classes), outlook.target.shape
    expected = f"N×{classes}×{height}×{width}"
    dims = outlook.output.dims
    if len(dims) != 4 or not outlook.output.batch_first:
        yield not_a_map(
            outlook, expected, "Let the last layer be a Conv2d, and put no Flatten or Linear before the Output."
        )
        return
    channels, *size = (dim.const for dim in dims[1:])
    if size != [height, width]:
        yield Problem(
            "output-size",
            f"{outlook.target.name} has {height}×{width} pixels, but the Output receives {size[0]}×{size[1]} of them.",
            node=outlook.node,
            port="input",
            expected=expected,
            received=outlook.output.shape,
            reason="Every pooling or stride of 2 on the way down needs a ConvTranspose2d or Upsample on the way up, "
            "and a 3×3 convolution without padding takes a pixel off each edge.",
            fix=repairs.insert(outlook.node, "Upsample", size=(height, width), mode="bilinear"),
        )
    if channels != classes:
        yield Problem(
            "output-classes",
            f"{outlook.target.name} has {classes} classes, but the Output receives {channels} channels: it needs one "
            "score a class for every pixel.",
            node=outlook.node,
            port="input",
            expected=expected,
            received=outlook.output.shape,
            reason="At each pixel the channel with the highest score is the network's answer.",
            fix=repairs.set_channels(outlook.network, outlook.node, classes),
        )
