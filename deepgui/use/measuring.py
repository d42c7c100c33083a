"""Measuring a network closely: every class by itself, how wrong numbers are, and the examples it is worst at."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepgui.data.dataset import Dataset, Split
from deepgui.data.fields import Field
from deepgui.training.checkpoints import same_random_numbers
from deepgui.training.evaluate import split_batches
from deepgui.training.objectives import Objective, ObjectiveError
from deepgui.training.objectives.base import Batch, Networks
from deepgui.training.objectives.comparison import Comparison
from deepgui.use.asking import probabilities

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_MOST_ONE_BY_ONE = 2000
_MOST_NUMBERS = 32
"""Of more numbers an example, none is described by itself."""
_SEED = 0

Floats = NDArray[np.float64]
_Words = Callable[[int], tuple[str, str]]


@dataclass(frozen=True)
class OfClass:
    """How well one class is told from all others.

    Attributes:
        examples: how many are of it.
        precision, recall, f1: of what was said; NaN where nothing was, or nothing is.
        roc_auc, average_precision: areas under the curves of its probability; NaN without both kinds of examples.
    """

    name: str
    examples: int
    precision: float
    recall: float
    f1: float
    roc_auc: float
    average_precision: float


@dataclass(frozen=True)
class Residuals:
    """How far numbers were from the truth (said minus true), in the units of the data.

    Attributes:
        name: of the number.
        mean, deviation: a mean apart from 0 is a bias.
        absolute: mean of the distances; largest: the greatest of them.
        quantiles: of the differences, at :data:`QUANTILES`.
    """

    name: str
    mean: float
    deviation: float
    absolute: float
    largest: float
    r2: float
    quantiles: tuple[float, ...]


@dataclass(frozen=True)
class Bad:
    """An example with a high loss.

    Attributes:
        index: in the split; row: in the data; both from 0.
        said, true: classes or numbers, empty where they are neither.
    """

    index: int
    row: int
    loss: float
    said: str = ""
    true: str = ""


@dataclass(frozen=True)
class Closely:
    """What :func:`closely` found; empty where it does not apply."""

    classes: tuple[OfClass, ...] = ()
    residuals: tuple[Residuals, ...] = ()
    worst: tuple[Bad, ...] = ()

    @property
    def means(self) -> Mapping[str, float]:
        """Means over the classes that have the number."""
        names = ("precision", "recall", "f1", "roc_auc", "average_precision") if self.classes else ()
        found = {name: [getattr(c, name) for c in self.classes] for name in names}
        return {name: float(np.nanmean(v)) if np.isfinite(v).any() else float("nan") for name, v in found.items()}


@dataclass(frozen=True)
class _Said:
    """All answers of a split, joined; ``loss`` of every example."""

    output: Tensor
    target: Tensor
    loss: Tensor


def closely(networks: Networks, objective: Objective, dataset: Dataset, split: str, worst: int = 10) -> Closely:
    """Everything about a split that goes beyond the objective's own metrics.

    Args:
        split: ``train``, ``validation`` or ``test``.
        worst: how many examples to name.
    """
    rows = dataset.splits[split]
    if not len(rows):
        return Closely()
    if not isinstance(objective, Comparison):
        return Closely(worst=_worst_one_by_one(networks, objective, rows, worst))
    said = _said(networks, objective, dataset, split)
    classes, residuals, words = _described(said, objective.answer, dataset)
    return Closely(classes, residuals, _named(said.loss, rows, worst, words))


def _described(
    said: _Said, target: Field, dataset: Dataset
) -> tuple[tuple[OfClass, ...], tuple[Residuals, ...], _Words | None]:
    if target.kind == "label":
        chances = probabilities(said.output).numpy()
        true = _one_hot(said.target, chances.shape[1])
        words = _class_words(chances, said.target, target.classes)
        return of_classes(chances, true, chances.argmax(1), target.classes), (), words
    if target.kind == "labels":
        chances = said.output.sigmoid().numpy()
        names = target.classes or tuple(f"{i + 1}" for i in range(chances.shape[1]))
        return of_several(chances, said.target.numpy() > 0.5, names), (), None
    if target.kind not in ("number", "vector") or math.prod(target.shape) > _MOST_NUMBERS:
        return (), (), None
    scale = dataset.normalizer.get(target.name)
    output, truth = (v.reshape(-1, *target.shape) for v in (said.output, said.target))
    if scale is not None:
        output, truth = scale.inverse(output), scale.inverse(truth)
    answers, truths = _flat(output), _flat(truth)
    return (), residuals_of(answers, truths, target.columns or (target.name,)), _number_words(answers, truths)


def worst(networks: Networks, objective: Objective, dataset: Dataset, split: str, n: int = 10) -> tuple[Bad, ...]:
    """The examples with the highest loss, the worst first."""
    return closely(networks, objective, dataset, split, n).worst


# -- all at once, where an answer is compared with a target


@torch.no_grad()
def _said(networks: Networks, objective: Comparison, dataset: Dataset, split: str) -> _Said:
    device = next((p.device for m in networks.modules.values() for p in m.parameters()), torch.device("cpu"))
    one = copy.copy(objective)
    one.criterion = copy.copy(objective.criterion)
    one.criterion.reduction = "none"  # type: ignore[assignment]
    parts: list[tuple[Tensor, Tensor, Tensor]] = []
    networks.train(False)
    for batch in split_batches(dataset, split, device).epoch(0):
        output, target = networks.main(*objective.arguments(batch)).float(), batch[objective.target]
        loss = one.compare(output, target)
        parts.append((output.cpu(), target.cpu(), loss.reshape(len(target), -1).mean(1).cpu()))
    output, target, loss = (torch.cat(p) for p in zip(*parts, strict=True))
    return _Said(output, target, loss)


def _one_hot(target: Tensor, count: int) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = target.numpy()[:, None] == np.arange(count)
    return found


def of_classes(
    chances: NDArray[Any], true: NDArray[np.bool_], said: NDArray[Any], names: Sequence[str]
) -> tuple[OfClass, ...]:
    """Every class against all others.

    Args:
        chances: probabilities N×K. true: N×K. said: the class of each example, (N,).
    """
    return tuple(_of_class(name, chances[:, k], true[:, k], said == k) for k, name in enumerate(names))


def of_several(chances: NDArray[Any], true: NDArray[np.bool_], names: Sequence[str]) -> tuple[OfClass, ...]:
    """The same where an example may have several classes: said is what is more likely than not."""
    return tuple(_of_class(name, chances[:, k], true[:, k], chances[:, k] > 0.5) for k, name in enumerate(names))


def _of_class(name: str, chance: NDArray[Any], true: NDArray[np.bool_], said: NDArray[np.bool_]) -> OfClass:
    from sklearn.metrics import average_precision_score, roc_auc_score

    right, there, told = int((said & true).sum()), int(true.sum()), int(said.sum())
    nan = float("nan")
    both = 0 < there < len(true) and bool(np.isfinite(chance).all())
    return OfClass(
        name,
        there,
        right / told if told else nan,
        right / there if there else nan,
        2 * right / (told + there) if told + there else nan,
        float(roc_auc_score(true, chance)) if both else nan,
        float(average_precision_score(true, chance)) if both else nan,
    )


def residuals_of(said: Floats, true: Floats, names: Sequence[str]) -> tuple[Residuals, ...]:
    """Of answers and truths N×K, one for each of the K numbers."""
    if len(names) != said.shape[1]:
        names = [f"{names[0]} {i + 1}" if len(names) == 1 else f"{i + 1}" for i in range(said.shape[1])]
    found = []
    for k, name in enumerate(names):
        away = said[:, k] - true[:, k]
        spread = float(((true[:, k] - true[:, k].mean()) ** 2).sum())
        r2 = 1 - float((away**2).sum()) / spread if spread > 0 else float("nan")
        quantiles = tuple(np.quantile(away, QUANTILES).tolist())
        distance = np.abs(away)
        found.append(
            Residuals(
                name,
                float(away.mean()),
                float(away.std()),
                float(distance.mean()),
                float(distance.max()),
                r2,
                quantiles,
            )
        )
    return tuple(found)


def _flat(values: Tensor) -> Floats:
    return values.reshape(len(values), -1).double().numpy()


def _class_words(chances: NDArray[Any], target: Tensor, names: Sequence[str]) -> _Words:
    def words(i: int) -> tuple[str, str]:
        best = int(chances[i].argmax())
        return f"{names[best]} ({chances[i, best]:.0%})", names[int(target[i])]

    return words


def _number_words(said: Floats, true: Floats) -> _Words:
    def words(i: int) -> tuple[str, str]:
        a, b = (", ".join(f"{v:.5g}" for v in row[:4]) for row in (said[i], true[i]))
        return a, b

    return words


# -- one after the other, where only the objective knows what a loss is


@torch.no_grad()
def _worst_one_by_one(networks: Networks, objective: Objective, rows: Split, n: int) -> tuple[Bad, ...]:
    """Of the first examples of a split; nothing for objectives whose networks play against each other."""
    if len(objective.turns) > 1:
        return ()
    device = objective.device
    networks.train(False)
    losses: list[Tensor] = []
    with same_random_numbers(device):
        for i in range(min(len(rows), _MOST_ONE_BY_ONE)):
            torch.manual_seed(_SEED)
            batch: Batch = {name: values.to(device) for name, values in rows.get(torch.tensor([i])).items()}
            try:
                losses.append(objective.loss(networks, batch, objective.turns[0]).loss.float().cpu())
            except (RuntimeError, IndexError, ObjectiveError):  # an objective may compare the examples of a batch
                return ()
    return _named(torch.stack(losses), rows, n)


def _named(losses: Tensor, rows: Split, n: int, words: _Words | None = None) -> tuple[Bad, ...]:
    order = losses.nan_to_num(nan=float("inf")).argsort(descending=True)[:n].tolist()
    return tuple(Bad(i, int(rows.rows[i]), float(losses[i]), *(words(i) if words is not None else ())) for i in order)
