"""What is in a picture and where: boxes told by a grid, all at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, NamedTuple, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from deepgui.catalog.spec import ParamSpec
from deepgui.data.dataset import Split
from deepgui.graph.problems import Problem
from deepgui.training.objectives import repairs
from deepgui.training.objectives.base import Batch, Networks, Objective, Outcome, Outlook, Score
from deepgui.training.objectives.boxes import Found, generalized_iou, suppressed
from deepgui.training.objectives.pictures import not_a_map, pieces, shown
from deepgui.training.objectives.previews import Boxes, Floats, Preview

BEFORE = 5
"""Numbers of a cell before the scores of its classes: is there something, and its centre, width and height."""
_SHOWN, _CANDIDATES, _LEAST_SURE = 6, 100, 0.01
_COUNTED, _CROWDED = 500, 0.05


class Assigned(NamedTuple):
    """The true boxes that cells answer for; one row a box.

    Attributes:
        picture, row, column: whose cell it is.
        kind: the class. box: centre x, centre y, width, height as shares of the picture.
    """

    picture: Tensor
    row: Tensor
    column: Tensor
    kind: Tensor
    box: Tensor


class Detection(Objective):
    """Every cell of a grid says whether the centre of something is in it, where exactly, how large and what.

    One box a cell: of several centres in a cell the smallest box is learnt. The size of the grid is that of the map
    which the network gives, N×(5 + classes)×rows×columns.
    """

    id: ClassVar[str] = "detection"
    title: ClassVar[str] = "Detection"
    summary: ClassVar[str] = "Find things in a picture: a box around each, and its class."
    targets: ClassVar[frozenset[str]] = frozenset(("boxes",))
    settings: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec(
            "box_loss",
            "choice",
            default="GIoU",
            choices=("GIoU", "L1"),
            doc="How boxes are compared: by their overlap (Rezatofighi et al. 2019), or number by number.",
        ),
        ParamSpec("box_weight", "float", default=5.0, minimum=0.0, doc="Weight of the boxes in the loss."),
        ParamSpec(
            "empty_weight",
            "float",
            default=0.5,
            minimum=0.0,
            doc="Weight of cells with nothing in them: most are empty, and would drown the others.",
        ),
        ParamSpec(
            "overlap",
            "float",
            default=0.5,
            minimum=0.0,
            doc="Of boxes of a class that overlap by more than this share, only the surest counts.",
        ),
        ParamSpec("confidence", "float", default=0.5, minimum=0.0, doc="How sure a box must be to be shown, 0 to 1."),
    )
    previews: ClassVar[Mapping[str, str]] = MappingProxyType({"boxes": "Pictures with what was found"})

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.dataset.target.classes

    def _number(self, name: str) -> float:
        return float(cast(float, self.options[name]))

    # -- a step

    def loss(self, networks: Networks, batch: Batch, turn: str = "") -> Outcome:
        output, boxes = networks.main(*self.arguments(batch)), batch[self.target]
        parts = self.parts(output, boxes)
        loss = parts["objectness"] + self._number("box_weight") * parts["box"] + parts["class"]
        return Outcome(loss, len(boxes), parts={name: value.detach() for name, value in parts.items()})

    def parts(self, output: Tensor, boxes: Tensor) -> dict[str, Tensor]:
        """Three scalars: what objectness, boxes and classes cost, each for one thing that is there on average.

        Args:
            output: N×(5+C)×H×W. boxes: N×M×5 as in the data.
        """
        output = output.float()  # places need more digits than half precision has
        is_there = torch.zeros_like(output[:, 0])
        at = assign(boxes, *output.shape[2:])
        is_there[at.picture, at.row, at.column] = 1.0
        weight = torch.where(is_there > 0, 1.0, self._number("empty_weight"))
        things = max(1, len(at.picture))
        sure = F.binary_cross_entropy_with_logits(output[:, 0], is_there, weight, reduction="sum") / things
        said = decoded(output)[at.picture, :, at.row, at.column]
        if self.options["box_loss"] == "GIoU":
            box = (1 - generalized_iou(said, at.box)).sum() / things
        else:
            box = (said - at.box).abs().sum() / things
        scores = output[:, BEFORE:][at.picture, :, at.row, at.column]
        return {"objectness": sure, "box": box, "class": F.cross_entropy(scores, at.kind, reduction="sum") / things}

    # -- answers

    def found(self, output: Tensor, least: float = _LEAST_SURE) -> list[Tensor]:
        """The boxes of each picture, R×6 on the CPU: class, centre x, centre y, width, height, how sure.

        Args:
            output: N×(5+C)×H×W. least: boxes that are less sure are left out.
        """
        output = output.float()
        chance, kinds = output[:, BEFORE:].softmax(1).max(1)
        sure = (output[:, 0].sigmoid() * chance).flatten(1)
        scores, places = sure.topk(min(_CANDIDATES, sure.shape[1]), dim=1)
        boxes = decoded(output).flatten(2).movedim(1, 2).gather(1, places[..., None].expand(-1, -1, 4))
        classes = kinds.flatten(1).gather(1, places)
        kept = (scores >= least) & ~suppressed(boxes, scores, classes, self._number("overlap"))
        rows = torch.cat((classes[..., None].float(), boxes, scores[..., None]), dim=2).cpu()
        return [row[keep] for row, keep in zip(rows, kept.cpu(), strict=True)]

    # -- a split

    def assess(self, networks: Networks, batches: Iterable[Batch]) -> Score | None:
        examples, sums = 0, dict.fromkeys(("objectness", "box", "class"), 0.0)
        judged = Found(len(self.classes))
        for batch in pieces(batches, self.inputs[0]):
            output, boxes = networks.main(*self.arguments(batch)).float(), batch[self.target]
            for name, value in self.parts(output, boxes).items():
                sums[name] += float(value) * len(boxes)
            for said, true in zip(self.found(output), boxes.cpu(), strict=True):
                judged.add(said, true[true[:, 0] >= 0])
            examples += len(boxes)
        if not examples:
            return None
        means = {name: value / examples for name, value in sums.items()}
        loss = means["objectness"] + self._number("box_weight") * means["box"] + means["class"]
        precision = judged.average_precision()
        metrics = {"loss": loss, "map50": float(precision.nanmean()), **means}
        if len(self.classes) > 1:
            metrics |= {f"ap50_{name}": float(v) for name, v in zip(self.classes, precision, strict=True) if v == v}
        return Score(metrics, classes=self.classes, examples=examples)

    def preview(self, what: str, networks: Networks) -> Preview | None:
        seen = shown(self, _SHOWN)
        said = self.found(networks.main(*self.arguments(seen.batch)), self._number("confidence"))
        true = [torch.cat((row, torch.ones(len(row), 1)), 1) for row in seen.batch[self.target].cpu()]
        note = "Pictures that are not learnt from: dashed what is there, in colours what the network finds"
        return Boxes(
            images=seen.images,
            said=tuple(cast(Floats, row.numpy()) for row in said),
            true=tuple(cast(Floats, row[row[:, 0] >= 0].numpy()) for row in true),
            classes=self.classes,
            note=note,
        )

    @classmethod
    def check(cls, outlook: Outlook) -> Iterator[Problem]:
        wanted = BEFORE + len(outlook.target.classes)
        expected, dims = f"N×{wanted}×rows×columns", outlook.output.dims
        if len(dims) != 4 or not outlook.output.batch_first:
            reason = "Let the last layer be a Conv2d: each place of its map answers for its part of the picture."
            yield not_a_map(outlook, expected, reason)
            return
        if dims[1].const != wanted:
            yield Problem(
                "output-classes",
                f"{outlook.target.name} has {wanted - BEFORE} classes, so each cell has {wanted} numbers, but the "
                f"Output receives {dims[1].const} channels.",
                node=outlook.node,
                port="input",
                expected=expected,
                received=outlook.output.shape,
                reason="Is there something, its centre x and y, width and height, and one score a class.",
                fix=repairs.set_channels(outlook.network, outlook.node, wanted),
            )
        yield from _check_crowd(outlook, dims[2].const, dims[3].const)


def assign(boxes: Tensor, rows: int, columns: int) -> Assigned:
    """Which cell answers for which box: that which holds its centre, and of several boxes for the smallest.

    Args:
        boxes: N×M×5 as in the data; class -1 for none.
    """
    picture, place = (boxes[..., 0] >= 0).nonzero(as_tuple=True)
    chosen = boxes[picture, place]
    column = (chosen[:, 1] * columns).long().clamp(0, columns - 1)
    row = (chosen[:, 2] * rows).long().clamp(0, rows - 1)
    cell = (picture * rows + row) * columns + column
    order = chosen[:, 3:].prod(1).argsort(stable=True)
    order = order[cell[order].argsort(stable=True)]  # by cell, the smallest first
    cells = cell[order]
    first = torch.ones_like(cells, dtype=torch.bool)
    first[1:] = cells[1:] != cells[:-1]
    kept = order[first]
    return Assigned(picture[kept], row[kept], column[kept], chosen[kept, 0].long(), chosen[kept, 1:])


def decoded(output: Tensor) -> Tensor:
    """The boxes of all cells, N×4×H×W: centre x, centre y, width and height as shares of the picture.

    A centre stays within its cell; width and height are at most those of the picture.
    """
    rows, columns = output.shape[2:]
    x, y, width, height = output[:, 1:BEFORE].sigmoid().unbind(1)
    x = (x + torch.arange(columns, device=output.device)) / columns
    y = (y + torch.arange(rows, device=output.device)[:, None]) / rows
    return torch.stack((x, y, width, height), dim=1)


def _check_crowd(outlook: Outlook, rows: int, columns: int) -> Iterator[Problem]:
    """Whether the grid is so coarse that many boxes share a cell."""
    if outlook.dataset is None or not len(outlook.dataset.train):
        return
    boxes = _boxes(outlook.dataset.train, outlook.target.name)
    there, kept = int((boxes[..., 0] >= 0).sum()), len(assign(boxes, rows, columns).picture)
    if there - kept > _CROWDED * there:
        yield Problem(
            "crowded-cells",
            f"In a grid of {rows}×{columns} cells {there - kept} of {there} boxes share their cell with a smaller one "
            "and are not learnt: leave out a pooling or a stride.",
            node=outlook.node,
            severity="warning",
            expected="one box a cell",
            received=f"{rows}×{columns} cells",
            reason="A cell tells one box: that whose centre is in it.",
        )


def _boxes(split: Split, name: str) -> Tensor:
    """The boxes of an even sample of a split."""
    known = getattr(split.table, "known", {}).get(name)
    places = torch.linspace(0, len(split) - 1, min(_COUNTED, len(split))).long()
    if known is not None:
        return cast(Tensor, known[split.rows[places]])
    return split.raw(places)[name] if split.table.in_memory else split.raw(places[:8])[name]
