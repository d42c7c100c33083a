"""Which of several classes an example belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor, nn

from deepgui.catalog.spec import ParamSpec
from deepgui.graph.problems import Fix, Problem
from deepgui.training.objectives import multilabel, repairs
from deepgui.training.objectives.base import Networks, ObjectiveError, Outlook, Score
from deepgui.training.objectives.comparison import Comparison
from deepgui.training.objectives.ending import ending
from deepgui.training.objectives.mistakes import mistakes
from deepgui.training.objectives.previews import Preview

_LOSSES = ("CrossEntropyLoss", "NLLLoss", "MultiMarginLoss", "BCEWithLogitsLoss")
_PROBABILITIES = {"Softmax": "softmax", "LogSoftmax": "log_softmax", "softmax": "softmax", "log_softmax": "log_softmax"}


class Classification(Comparison):
    """The network gives one score a class (or one in all, for two classes); the highest is its answer.

    Where examples have several labels, every score above 0 is one, and BCEWithLogitsLoss judges each by itself.
    """

    id: ClassVar[str] = "classification"
    title: ClassVar[str] = "Classification"
    summary: ClassVar[str] = "Tell to which of several classes an example belongs."
    targets: ClassVar[frozenset[str]] = frozenset(("label", "labels"))
    settings: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec(
            "loss",
            "choice",
            default="CrossEntropyLoss",
            choices=_LOSSES,
            doc="What is minimised. BCEWithLogitsLoss is for two classes and a single output, and always for examples "
            "with several labels.",
        ),
        ParamSpec(
            "label_smoothing",
            "float",
            default=0.0,
            minimum=0.0,
            doc="How far CrossEntropyLoss moves the target from certainty towards all classes alike, 0 to 1.",
        ),
        ParamSpec(
            "class_weights",
            "bool",
            default=False,
            doc="Weigh classes so that rare ones count as much as frequent ones.",
        ),
    )

    previews: ClassVar[Mapping[str, str]] = MappingProxyType({"mistakes": "Mistakes"})

    @property
    def classes(self) -> tuple[str, ...]:
        return self.dataset.target.classes

    @property
    def several(self) -> bool:
        """Whether an example may have any number of labels."""
        return self.dataset.target.kind == "labels"

    def build_criterion(self) -> nn.Module:
        if self.several:
            weighs = bool(self.options["class_weights"])
            return nn.BCEWithLogitsLoss(
                pos_weight=multilabel.positive_weights(self.dataset.train, self.target) if weighs else None
            )
        name = str(self.options["loss"])
        weights = self._weights() if self.options["class_weights"] else None
        if name == "BCEWithLogitsLoss":
            return nn.BCEWithLogitsLoss(pos_weight=None if weights is None else weights[1] / weights[0])
        if name == "CrossEntropyLoss":
            smoothing = float(self.options["label_smoothing"])  # type: ignore[arg-type]
            return nn.CrossEntropyLoss(weights, label_smoothing=smoothing)
        return nn.NLLLoss(weights) if name == "NLLLoss" else nn.MultiMarginLoss(weight=weights)

    def _weights(self) -> Tensor:
        """examples / (classes · examples of the class), as scikit-learn's ``balanced``; of the training split."""
        labels = self.dataset.train.labels()
        if labels is None:
            raise ObjectiveError(f"class_weights cannot be used: {self.target} has no classes.")
        counts = torch.bincount(labels, minlength=len(self.classes)).float()
        if bool((counts == 0).any()):
            missing = self.classes[int(counts.argmin())]
            raise ObjectiveError(f"class_weights cannot be used: no training example is of the class {missing}.")
        return counts.sum() / (len(counts) * counts)

    def compare(self, output: Tensor, target: Tensor) -> Tensor:
        if not self.several and (output.dim() == 1 or output.shape[1] == 1):
            target = target.view_as(output).to(output.dtype)
        loss: Tensor = self.criterion(output, target)
        return loss

    def predicted(self, output: Tensor) -> Tensor:
        """The class of each example, int64 of shape (examples,)."""
        single = output.dim() == 1 or output.shape[1] == 1
        return (output.flatten() > 0).long() if single else output.argmax(1)

    def hits(self, output: Tensor, target: Tensor) -> Tensor:
        if self.several:
            return ((output > 0) == (target > 0.5)).float().mean(1)
        return self.predicted(output) == target

    def score(self, output: Tensor, target: Tensor) -> Score:
        if self.several:
            found = multilabel.metrics(output, target, self.classes)
            return Score({"loss": float(self.compare(output, target)), **found}, examples=len(target))
        count = max(2, len(self.classes))
        loss = float(self.compare(output, target))
        table = torch.bincount(target * count + self.predicted(output), minlength=count * count).cpu().numpy()
        table = table.reshape(count, count)
        right, both = table.diagonal(), table.sum(1) + table.sum(0)
        seen = both > 0  # classes that neither are nor were said to be there have no F1
        metrics = {
            "loss": loss,
            "accuracy": float(right.sum() / len(target)),
            "f1": float((2 * right[seen] / both[seen]).mean()),
        }
        return Score(metrics, table, self.classes, len(target))

    def preview(self, what: str, networks: Networks) -> Preview | None:
        if self.several:
            return None
        field = self.dataset.field(self.inputs[0])
        return mistakes(self.dataset, field, self.device, lambda batch: _chances(self.answers(networks, batch)))

    @classmethod
    def check(cls, outlook: Outlook) -> Iterator[Problem]:
        if outlook.target.kind == "labels":
            yield from multilabel.check(outlook)
            yield from check_activation(outlook, "BCEWithLogitsLoss")
            return
        loss = str(outlook.options.get("loss", "CrossEntropyLoss"))
        count = len(outlook.target.classes)
        if loss == "BCEWithLogitsLoss":
            yield from _check_single(outlook, count)
        else:
            yield from _check_scores(outlook, count)
        yield from check_activation(outlook, loss)


def _chances(output: Tensor) -> Tensor:
    """Class probabilities N×K of scores; of a single score those of two classes."""
    if output.dim() == 1 or output.shape[1] == 1:
        second = output.reshape(-1, 1).sigmoid()
        return torch.cat((1 - second, second), 1)
    return output.softmax(1)


def _check_single(outlook: Outlook, count: int) -> Iterator[Problem]:
    shape = outlook.output.shape
    if count != 2:
        yield Problem(
            "loss-needs-two-classes",
            f"BCEWithLogitsLoss tells two classes apart, but {outlook.target.name} has {count}.",
            expected="2 classes",
            received=f"{count} classes",
            reason="Choose CrossEntropyLoss in the training settings.",
        )
    elif shape not in ("N", "N×1"):
        yield Problem(
            "output-shape",
            f"BCEWithLogitsLoss needs one number an example, but the Output receives {shape}.",
            node=outlook.node,
            port="input",
            expected="N×1",
            received=shape,
            fix=repairs.set_out_features(outlook.network, outlook.node, 1) if len(outlook.output.dims) == 2 else None,
        )


def _check_scores(outlook: Outlook, count: int) -> Iterator[Problem]:
    shape, rank = outlook.output.shape, len(outlook.output.dims)
    if shape == f"N×{count}":
        return
    if rank == 2:
        yield Problem(
            "output-classes",
            f"{outlook.target.name} has {count} classes, but the Output receives {shape}: it needs one score a class.",
            node=outlook.node,
            port="input",
            expected=f"N×{count}",
            received=shape,
            reason="The highest score is the network's answer.",
            fix=repairs.set_out_features(outlook.network, outlook.node, count),
        )
    else:
        yield Problem(
            "output-shape",
            f"The Output receives {shape}, but a class for each example needs N×{count}.",
            node=outlook.node,
            port="input",
            expected=f"N×{count}",
            received=shape,
            reason="An example must become one row of scores before the loss can compare it with its class.",
            fix=_one_row(outlook, count) if rank > 2 else None,
        )


def _one_row(outlook: Outlook, count: int) -> Fix:
    step = repairs.last_step(outlook.network, outlook.node) if len(outlook.output.dims) == 3 else None
    return step or repairs.flatten(outlook.network, outlook.node, count)


def check_activation(outlook: Outlook, loss: str) -> Iterator[Problem]:
    """Whether the last layer gives what the loss wants: plain scores, or logarithms of probabilities."""
    network = outlook.network
    tail = ending(network, outlook.node).tail
    last = network.nodes[tail[0]] if tail else None
    if last is None:
        return
    if loss == "NLLLoss" and _PROBABILITIES.get(last.kind) != "log_softmax":
        yield Problem(
            "loss-needs-log-softmax",
            f"NLLLoss needs logarithms of probabilities, but the last layer is {last.label}.",
            node=outlook.node,
            severity="warning",
            reason="Put LogSoftmax before the Output, or choose CrossEntropyLoss, which does it itself.",
            fix=repairs.insert(outlook.node, "LogSoftmax", dim=1),
        )
    elif loss != "NLLLoss" and last.kind in ("ReLU", "ReLU6", "relu"):
        yield Problem(
            "extra-activation",
            f"{last.label} comes before {loss}: scores below 0 are lost.",
            node=last.id,
            severity="warning",
            reason=f"{loss} works on plain scores of either sign; a class whose score is cut to 0 gets no gradient.",
            fix=repairs.remove(network, last.id),
        )
    elif loss != "NLLLoss" and (last.kind in _PROBABILITIES or last.kind in ("Sigmoid", "sigmoid")):
        yield Problem(
            "extra-activation",
            f"{last.label} comes before {loss}, which works on plain scores: learning would be slow and weak.",
            node=last.id,
            severity="warning",
            reason=f"{loss} turns scores into probabilities itself; doing it twice flattens the gradient.",
            fix=repairs.remove(network, last.id),
        )
