"""What in an example moves a network's answer: saliency, integrated gradients, Grad-CAM.

Saliency: Simonyan, Vedaldi, Zisserman 2014. Integrated gradients: Sundararajan, Taly, Yan 2017. Grad-CAM:
Selvaraju et al. 2017.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from deepgui.after.subject import AfterError, Subject
from deepgui.data.fields import Field
from deepgui.data.joined import Joining
from deepgui.data.normalize import MEASURED
from deepgui.training.objectives.comparison import Comparison

METHODS = ("saliency", "integrated", "grad-cam")
_SCORED = ("label", "labels", "number", "vector")
_STEPS = 64  # places on the way from the baseline; Gauss and Legendre's are few and exact for smooth functions
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_INTERPOLATIONS = {1: "linear", 2: "bilinear", 3: "trilinear"}

Score = Callable[[Sequence[Tensor]], Tensor]
"""From the arguments of a network, batch first, to the score of each example that is explained, (N,)."""


@dataclass(frozen=True)
class Explained:
    """Attributions of some examples.

    Attributes:
        field: the input that they are of; ``values`` its examples in the units of the data, (N, *shape).
        attributions: (N, *shape), or (N, *shape without channels) of Grad-CAM. Those of integrated gradients sum to
            the difference of the score from the baseline's; the others have no unit.
        answers: which of the network's answers was explained, for each example.
        names: what these answers are called.
        scores: the explained score of each example.
        gap: greatest difference between the sum of an example's integrated gradients and what it should be; else 0.
    """

    field: Field
    values: Tensor
    attributions: Tensor
    answers: Tensor
    names: tuple[str, ...]
    scores: Tensor
    gap: float = 0.0


def explain(
    subject: Subject, positions: Sequence[int], method: str, answer: int | None = None, layer: str = "", input: str = ""
) -> Explained:
    """Attributions of examples of the subject's split.

    Args:
        positions: of the examples in the split.
        method: one of :data:`METHODS`.
        answer: number of the class or number to explain; None: what the network finds most likely, or its first.
        layer: for Grad-CAM, the name of a convolution; the last one that runs if left out.
        input: name of the field to explain; the first of measured values if left out.

    Raises:
        AfterError: this network or these examples cannot be explained so; one plain sentence.
    """
    field, arguments, place = _asked(subject, positions, input)
    with torch.no_grad():
        scores = _scores(subject, arguments)
    names = _names(subject, scores.shape[1])
    if answer is not None and not 0 <= answer < len(names):
        raise AfterError(f"The network has {len(names)} answers, so there is no answer {answer}; they count from 0.")
    chosen = scores.argmax(1) if answer is None else torch.full((len(scores),), answer)

    def score(given: Sequence[Tensor]) -> Tensor:
        return _scores(subject, given).gather(1, chosen[:, None])[:, 0]

    gap = 0.0
    if method == "saliency":
        found = saliency(score, arguments, place)
    elif method == "integrated":
        found, gap = integrated_gradients(score, arguments, place, _baseline(subject, field, arguments[place]))
    elif method == "grad-cam":
        found = grad_cam(score, arguments, place, _convolution(subject.module, arguments, layer))
    else:
        raise ValueError(f"the method must be one of {', '.join(METHODS)}, not {method!r}.")
    values = subject.dataset.normalizer.inverse({field.name: arguments[place]})[field.name]
    explained = scores.gather(1, chosen[:, None])[:, 0]
    return Explained(field, values, found, chosen, tuple(names[i] for i in chosen.tolist()), explained, gap)


def saliency(score: Score, arguments: Sequence[Tensor], place: int) -> Tensor:
    """How steeply the score rises or falls with each element of argument ``place``: absolute gradients."""
    return _gradient(score, arguments, place, arguments[place]).abs()


def integrated_gradients(
    score: Score, arguments: Sequence[Tensor], place: int, baseline: Tensor, steps: int = _STEPS
) -> tuple[Tensor, float]:
    """What each element of argument ``place`` adds to the score on the straight way from a baseline.

    Args:
        baseline: what stands for nothing, of the argument's shape or one that spreads to it.
        steps: places at which the gradient is taken (Gauss-Legendre).

    Returns:
        The attributions, and how far the sum of an example's is at most from the score's difference.
    """
    values = arguments[place]
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    away, total = values - baseline, torch.zeros_like(values)
    for node, weight in zip(((nodes + 1) / 2).tolist(), (weights / 2).tolist(), strict=True):
        total += weight * _gradient(score, arguments, place, baseline + node * away)
    found = away * total
    with torch.no_grad():
        rise = score(arguments) - score(_with(arguments, place, baseline.expand_as(values)))
    return found, float((found.flatten(1).sum(1) - rise).abs().max())


def grad_cam(score: Score, arguments: Sequence[Tensor], place: int, layer: nn.Module) -> Tensor:
    """Where a convolution sees what speaks for the score, spread over the size of argument ``place``.

    Returns:
        Values from 0 up, (N, *spatial size of the argument).
    """
    seen: list[Tensor] = []
    hook = layer.register_forward_hook(lambda module, given, output: seen.append(output))
    try:
        with torch.enable_grad():
            rise = score(_with(arguments, place, arguments[place].detach().requires_grad_())).sum()
            (slope,) = torch.autograd.grad(rise, seen[-1:], allow_unused=True)
    finally:
        hook.remove()
    maps = seen[-1].detach()
    if slope is None:
        raise AfterError("The answer does not depend on this layer: choose another.")
    spatial = tuple(range(2, maps.dim()))
    heat = (slope.mean(spatial, keepdim=True) * maps).sum(1, keepdim=True).relu()
    size = arguments[place].shape[2:]
    if len(size) != len(spatial):
        return heat[:, 0]
    return nn.functional.interpolate(heat, size, mode=_INTERPOLATIONS[len(spatial)], align_corners=False)[:, 0]


def _gradient(score: Score, arguments: Sequence[Tensor], place: int, values: Tensor) -> Tensor:
    values = values.detach().requires_grad_()
    with torch.enable_grad():
        (found,) = torch.autograd.grad(score(_with(arguments, place, values)).sum(), values, allow_unused=True)
    return torch.zeros_like(values) if found is None else found


def _with(arguments: Sequence[Tensor], place: int, values: Tensor) -> list[Tensor]:
    return [values if i == place else argument for i, argument in enumerate(arguments)]


# -- from a subject to a score


def _asked(subject: Subject, positions: Sequence[int], input: str) -> tuple[Field, list[Tensor], int]:
    """The field that is explained, the arguments of the network, and which of them the field is."""
    rows = subject.dataset.splits[subject.split]
    if isinstance(rows.table, Joining):
        raise AfterError("Attributions of graphs are not made: their examples are joined.")
    if wrong := [p for p in positions if not 0 <= p < len(rows)]:
        raise AfterError(f"The {subject.split} split has {len(rows)} examples, so there is no number {wrong[0]}.")
    field = measured_input(subject, input)
    batch = subject.objective.complete(rows.get(torch.tensor(list(positions))))
    return field, subject.objective.arguments(batch), subject.objective.inputs.index(field.name)


def measured_input(subject: Subject, name: str = "") -> Field:
    """The input of that name, or the first, that has measured values. Raises AfterError."""
    fields = {n: subject.objective.fields[n] for n in subject.objective.inputs if n in subject.objective.fields}
    if name and name not in fields:
        raise AfterError(f"The network has no input {name!r}, only {', '.join(fields)}.")
    for field in [fields[name]] if name else fields.values():
        if field.kind in MEASURED:
            return field
    told = ", ".join(f"{field.name} ({field.kind})" for field in fields.values())
    raise AfterError(f"This needs an input of measured values such as pictures, series or columns, not {told}.")


def _scores(subject: Subject, arguments: Sequence[Tensor]) -> Tensor:
    """All scores of each example, (N, K)."""
    returned = subject.module.forward(*arguments)
    objective = subject.objective
    output: Tensor = objective.named(returned)[objective.outputs[0]]
    if not isinstance(objective, Comparison) or objective.answer.kind not in _SCORED or output.dim() > 2:
        raise AfterError(
            "Attributions explain one score of an example: this needs a network that tells classes or numbers."
        )
    return output.reshape(len(output), -1)


def _names(subject: Subject, count: int) -> tuple[str, ...]:
    target = subject.objective.answer
    names = target.classes or target.columns or (target.name,)
    if len(names) == 2 and count == 1:
        return (names[1],)  # one score tells two classes apart
    return names if len(names) == count else tuple(f"{i + 1}" for i in range(count))


def _baseline(subject: Subject, field: Field, values: Tensor) -> Tensor:
    """A black picture; of other measurements what scaling puts at 0, which is the mean of the training data."""
    nothing = torch.zeros_like(values[:1])
    if field.kind == "image":
        return subject.dataset.normalizer.transform({field.name: nothing})[field.name]
    return nothing


def _convolution(module: nn.Module, arguments: Sequence[Tensor], name: str) -> nn.Module:
    layers = {n: m for n, m in module.named_modules() if isinstance(m, _CONVOLUTIONS)}
    if not layers:
        raise AfterError("Grad-CAM looks at a convolution, and this network has none: take saliency or integrated.")
    if name:
        if name not in layers:
            raise AfterError(f"There is no convolution {name!r}, only {', '.join(layers)}.")
        return layers[name]
    ran: list[nn.Module] = []
    hooks = [m.register_forward_hook(lambda m, given, output: ran.append(m)) for m in layers.values()]
    try:
        with torch.no_grad():
            module.forward(*arguments)
    finally:
        for hook in hooks:
            hook.remove()
    return ran[-1]
