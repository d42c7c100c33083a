"""Adversarial examples: small changes of the input that mislead a network, and how much they cost it.

FGSM: Goodfellow, Shlens, Szegedy 2015. PGD: Madry et al. 2018.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from deepgui.after.attributions import measured_input
from deepgui.after.subject import AfterError, Subject
from deepgui.data.batches import Batches
from deepgui.data.fields import Field
from deepgui.data.joined import Joining
from deepgui.data.normalize import measure
from deepgui.training.evaluate import split_batches
from deepgui.training.objectives.base import Batch
from deepgui.training.objectives.comparison import Comparison

METHODS = ("fgsm", "pgd")
_STRIDE = 2.5  # PGD's steps together reach this many epsilons, so that every edge of the allowed changes can be reached
_MEASURED = (40, 256)  # batches, examples in each, that the range of the data is read from
_SHOWN = 4  # numbers of an answer
_SEED = 0


@dataclass(frozen=True)
class UnderAttack:
    """How good a network is when every element of its input may change by ``epsilon``, in units of the data."""

    epsilon: float
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Misled:
    """Some examples before and after an attack.

    Attributes:
        field: the input that was changed.
        clean, attacked: (N, *shape) in the units of the data.
        before, after, true: the class or number that the network says, then says, and that is right.
    """

    field: Field
    clean: Tensor
    attacked: Tensor
    before: tuple[str, ...]
    after: tuple[str, ...]
    true: tuple[str, ...]


class Attack:
    """A way to change one input of a network so that its loss grows."""

    def __init__(self, subject: Subject, method: str, steps: int = 10, input: str = "") -> None:
        """Bind it to a network and its data, whose range in the training split no change leaves.

        Args:
            method: one of :data:`METHODS`.
            steps: of PGD.
            input: name of the field to change; the first of measured values if left out.

        Raises:
            AfterError: nothing of this network can be attacked; one plain sentence.
        """
        if method not in METHODS:
            raise ValueError(f"the method must be one of {', '.join(METHODS)}, not {method!r}.")
        objective = subject.objective
        if not isinstance(objective, Comparison):
            raise AfterError("An attack needs a network that is compared with a target, such as a class.")
        if isinstance(subject.dataset.train.table, Joining):
            raise AfterError("Attacks on graphs are not made: their examples are joined.")
        self.subject, self.method, self.steps = subject, method, steps
        self.field = measured_input(subject, input)
        self._objective = objective
        self._low, self._high = _range(subject, self.field)

    def __call__(self, batch: Batch, epsilon: float) -> Batch:
        """A normalised batch with the changed input: no element moves by more than ``epsilon`` units of the data."""
        if epsilon <= 0:
            return batch
        clean = self.raw(batch)
        low, high = torch.minimum(self._low, clean), torch.maximum(self._high, clean)
        low, high = torch.maximum(low, clean - epsilon), torch.minimum(high, clean + epsilon)
        if self.method == "fgsm":
            changed = clean + epsilon * self._uphill(batch, clean)
        else:
            generator = torch.Generator().manual_seed(_SEED)
            changed = clean + epsilon * (2 * torch.rand(clean.shape, generator=generator) - 1)
            for _ in range(self.steps):
                changed = torch.clamp(changed, low, high)
                changed = changed + _STRIDE * epsilon / self.steps * self._uphill(batch, changed)
        return {**batch, **self._scaled(torch.clamp(changed, low, high))}

    def _uphill(self, batch: Batch, raw: Tensor) -> Tensor:
        """The direction, -1, 0 or 1 for each element, in which the loss grows."""
        raw = raw.detach().requires_grad_()
        with torch.enable_grad():
            given = self._objective.arguments({**batch, **self._scaled(raw)})
            loss = self._objective.compare(self.subject.networks.main(*given), batch[self._objective.target])
            (slope,) = torch.autograd.grad(loss, raw, allow_unused=True)
        return torch.zeros_like(raw) if slope is None else slope.sign()

    def raw(self, batch: Batch) -> Tensor:
        """The input that is changed, in units of the data."""
        return self.subject.dataset.normalizer.inverse({self.field.name: batch[self.field.name]})[self.field.name]

    def _scaled(self, raw: Tensor) -> Batch:
        return self.subject.dataset.normalizer.transform({self.field.name: raw})


def table(attack: Attack, epsilons: Sequence[float]) -> list[UnderAttack]:
    """The metrics on the subject's split without a change, then for each epsilon. Raises AfterError."""
    subject = attack.subject
    if not len(subject.dataset.splits[subject.split]):
        raise AfterError(f"The data has no {subject.split} split: measure on another, or train again with one.")
    rows = []
    for epsilon in dict.fromkeys((0.0, *epsilons)):
        with torch.no_grad():
            score = subject.objective.assess(subject.networks, _attacked(attack, epsilon))
        assert score is not None
        rows.append(UnderAttack(epsilon, score.metrics))
    return rows


def misled(attack: Attack, positions: Sequence[int], epsilon: float) -> Misled:
    """Examples of the subject's split under attack. Raises AfterError if there is no such example."""
    subject, objective = attack.subject, attack.subject.objective
    rows = subject.dataset.splits[subject.split]
    if wrong := [p for p in positions if not 0 <= p < len(rows)]:
        raise AfterError(f"The {subject.split} split has {len(rows)} examples, so there is no number {wrong[0]}.")
    batch = objective.complete(rows.get(torch.tensor(list(positions))))
    changed = attack(batch, epsilon)
    clean, attacked = attack.raw(batch), attack.raw(changed)
    with torch.no_grad():
        said = [_words(subject, subject.networks.main(*objective.arguments(b))) for b in (batch, changed)]
    return Misled(attack.field, clean, attacked, said[0], said[1], _told(subject, batch[objective.target]))


def _attacked(attack: Attack, epsilon: float) -> Iterator[Batch]:
    subject = attack.subject
    for batch in split_batches(subject.dataset, subject.split, "cpu").epoch(0):
        yield attack(subject.objective.complete(batch), epsilon)


def _range(subject: Subject, field: Field) -> tuple[Tensor, Tensor]:
    """Least and greatest value of each channel or column in training; of a picture 0 and 1."""
    if field.kind == "image":
        return torch.tensor(0.0), torch.tensor(1.0)
    count, size = _MEASURED
    batches = islice(Batches(subject.dataset.train, size, shuffle=True, seed=_SEED).epoch(0), count)
    found = measure([field], (subject.dataset.normalizer.inverse(batch) for batch in batches))[field.name]
    return found.low.float(), found.high.float()


def _words(subject: Subject, output: Tensor) -> tuple[str, ...]:
    """What a network says of each example."""
    target = subject.objective.answer
    if target.kind == "label" and output.dim() <= 2:
        single = output.dim() == 1 or output.shape[1] == 1  # one score tells two classes apart
        return _told(subject, (output.flatten() > 0).long() if single else output.argmax(1))
    return _told(subject, output)


def _told(subject: Subject, values: Tensor) -> tuple[str, ...]:
    """Classes by name, or numbers in the units of the data; empty for anything larger."""
    target = subject.objective.answer
    if target.kind == "label":
        return tuple(target.classes[i] for i in values.flatten().tolist())
    if target.kind not in ("number", "vector"):
        return ("",) * len(values)
    numbers = subject.dataset.normalizer.inverse({target.name: values.reshape(-1, *target.shape)})[target.name]
    return tuple(", ".join(f"{v:.4g}" for v in row[:_SHOWN]) for row in numbers.reshape(len(values), -1).tolist())
