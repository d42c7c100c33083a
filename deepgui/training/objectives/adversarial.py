"""Two networks against each other: one makes examples, the other tells them from real ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.dataset import Dataset
from deepgui.data.fields import Field
from deepgui.graph.problems import Fix, Problem
from deepgui.project.values import TrainingConfig
from deepgui.training.objectives import quality, repairs
from deepgui.training.objectives.base import Batch, Given, Networks, Outcome, Outlook, Score
from deepgui.training.objectives.ending import ending
from deepgui.training.objectives.examples import OfExamples, check_reach, check_same_shape, in_pieces
from deepgui.training.objectives.previews import Preview

GENERATOR, DISCRIMINATOR = "generator", "discriminator"
NOISE = "noise"
_STANDARD, _HINGE, _WASSERSTEIN = "standard", "hinge", "wasserstein"
_SHOWN = 48
_BATCH_NORMS = ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d")


class Adversarial(OfExamples):
    """A generator learns from what a discriminator thinks of its examples (Goodfellow et al. 2014)."""

    id: ClassVar[str] = "adversarial"
    title: ClassVar[str] = "Adversarial"
    summary: ClassVar[str] = "Make examples of noise that another network cannot tell from real ones (GAN)."
    settings: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec(
            "loss",
            "choice",
            default=_STANDARD,
            choices=(_STANDARD, _HINGE, _WASSERSTEIN),
            doc="Cross entropy (non-saturating), hinge, or Wasserstein with gradient penalty.",
        ),
        ParamSpec(
            "critic_steps", "int", default=1, minimum=1, doc="Steps of the discriminator for each of the generator."
        ),
        ParamSpec(
            "discriminator_lr",
            "float",
            default=None,
            nullable=True,
            minimum=0.0,
            doc="Learning rate of the discriminator; left out, that of the generator.",
        ),
        ParamSpec(
            "label_smoothing",
            "float",
            default=0.0,
            minimum=0.0,
            doc="How far the standard loss moves the target of real examples from 1, so that the discriminator "
            "does not become too sure.",
        ),
        ParamSpec(
            "gradient_penalty", "float", default=10.0, minimum=0.0, doc="Weight of the Wasserstein gradient penalty."
        ),
    )
    roles: ClassVar[tuple[str, ...]] = (GENERATOR, DISCRIMINATOR)
    outputs: ClassVar[tuple[str, ...]] = ("example",)
    turns: ClassVar[tuple[str, ...]] = (DISCRIMINATOR, GENERATOR)
    watches: ClassVar[str] = ""
    previews: ClassVar[Mapping[str, str]] = MappingProxyType({"samples": "Made of the same noise"})
    generates: ClassVar[bool] = True

    @property
    def real(self) -> Field:
        return self.fields[self.feeds[DISCRIMINATOR][0]]

    # -- what it needs

    @classmethod
    def wants(cls, dataset: Dataset, options: Mapping[str, Value]) -> Mapping[str, tuple[str, ...]]:
        return {GENERATOR: (NOISE,), DISCRIMINATOR: dataset.inputs}

    @classmethod
    def given(cls, dataset: Dataset, options: Mapping[str, Value]) -> tuple[Given, ...]:
        return (Given(Field(NOISE, "vector", (16,)), free=True),)

    @classmethod
    def check(cls, outlook: Outlook) -> Iterator[Problem]:
        loss = outlook.options.get("loss", _STANDARD)
        if outlook.role == DISCRIMINATOR:
            yield from _check_verdict(outlook, str(loss))
        elif outlook.dataset is not None:
            field = outlook.dataset.field(outlook.dataset.inputs[0])
            yield from check_same_shape(outlook, field, "what the generator makes")
            yield from check_reach(outlook, field)

    # -- a step

    def complete(self, batch: Batch) -> Batch:
        return {**batch, NOISE: self.noise(len(batch[self.real.name]))}

    def noise(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """What the generator makes examples of, from a normal distribution."""
        shape = (count, *self.fields[self.inputs[0]].shape)
        if generator is None:
            return torch.randn(shape, device=self.device)
        return torch.randn(shape, generator=generator).to(self.device)

    def turns_at(self, move: int) -> tuple[str, ...]:
        return self.turns if move % int(self.options["critic_steps"]) == 0 else (DISCRIMINATOR,)  # type: ignore[arg-type]

    def learns(self, turn: str) -> tuple[str, ...]:
        return (turn,)

    def config_of(self, turn: str, config: TrainingConfig) -> TrainingConfig:
        lr = self.options["discriminator_lr"]
        if turn != DISCRIMINATOR or lr is None:
            return config
        return replace(config, optimizer_options={**config.optimizer_options, "lr": lr})

    def loss(self, networks: Networks, batch: Batch, turn: str = "") -> Outcome:
        real = batch[self.real.name]
        judge = networks[DISCRIMINATOR]
        made = networks[GENERATOR](self.noise(len(real)))
        if turn == GENERATOR:
            loss = self._fools(judge(made).float())
            return Outcome(loss, len(real), parts={"generator_loss": loss.detach()})
        said, of_made = judge(real).float(), judge(made).float()
        loss = self._tells(said, of_made)
        if self.options["loss"] == _WASSERSTEIN:
            loss = loss + float(self.options["gradient_penalty"]) * _penalty(judge, real, made)  # type: ignore[arg-type]
        return Outcome(loss, len(real), parts={"discriminator_loss": loss.detach()})

    def _tells(self, real: Tensor, made: Tensor) -> Tensor:
        """How badly real and made examples are told apart."""
        kind = self.options["loss"]
        if kind == _HINGE:
            return F.relu(1 - real).mean() + F.relu(1 + made).mean()
        if kind == _WASSERSTEIN:
            return made.mean() - real.mean()
        sure = 1 - float(self.options["label_smoothing"])  # type: ignore[arg-type]
        return _cross_entropy(real, sure) + _cross_entropy(made, 0.0)

    def _fools(self, made: Tensor) -> Tensor:
        """How little the made examples are taken for real."""
        return _cross_entropy(made, 1.0) if self.options["loss"] == _STANDARD else -made.mean()

    # -- a split

    def assess(self, networks: Networks, batches: Iterable[Batch]) -> Score | None:
        """Losses on the split, and how near to its examples and how varied the made ones are."""
        sums, count = {"discriminator_loss": 0.0, "generator_loss": 0.0}, 0
        kept: list[Batch] = []
        for batch in batches:
            real = batch[self.real.name]
            said, of_made = networks[DISCRIMINATOR](real), networks[DISCRIMINATOR](self._made(networks, len(real)))
            sums["discriminator_loss"] += float(self._tells(said, of_made)) * len(real)
            sums["generator_loss"] += float(self._fools(of_made)) * len(real)
            if count < quality.MOST:
                kept.append(batch)
            count += len(real)
        if not count:
            return None
        metrics = {name: value / count for name, value in sums.items()}
        metrics = {"loss": metrics["discriminator_loss"], **metrics}
        if count > quality.NEIGHBOURS:
            metrics |= self._quality(networks, kept).metrics()
        return Score(metrics, examples=count)

    def _quality(self, networks: Networks, kept: list[Batch]) -> quality.Quality:
        real = torch.cat([batch[self.real.name] for batch in kept])[: quality.MOST]
        target, labels = self.dataset.target, None
        if target.kind == "label":
            labels = torch.cat([batch[target.name] for batch in kept])[: quality.MOST]
        return quality.compare(self._made(networks, len(real)), real, labels)

    def _made(self, networks: Networks, count: int) -> Tensor:
        return in_pieces(lambda some: networks[GENERATOR](self.noise(some)), count)

    # -- for those who look on

    def preview(self, what: str, networks: Networks) -> Preview | None:
        note = "Every picture is made of the same noise each time, so that you see it change while the two learn."
        return self.gallery(self._made(networks, _SHOWN), note)

    @torch.no_grad()
    def generate(self, networks: Networks, count: int, seed: int = 0) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return self.in_units(in_pieces(lambda some: networks[GENERATOR](self.noise(some, generator)), count))


def _cross_entropy(scores: Tensor, target: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(scores, torch.full_like(scores, target))


def _penalty(judge: Callable[..., Tensor], real: Tensor, made: Tensor) -> Tensor:
    """How far the slope of the critic is from 1 between real and made examples (Gulrajani et al. 2017)."""
    share = torch.rand((len(real), *(1 for _ in real.shape[1:])), device=real.device)
    between = (share * real + (1 - share) * made).detach().requires_grad_()
    slope = torch.autograd.grad(judge(between).sum(), between, create_graph=True)[0]
    steepness: Tensor = slope.flatten(1).norm(dim=1)
    return (steepness - 1).square().mean()


def _check_verdict(outlook: Outlook, loss: str) -> Iterator[Problem]:
    shape, network = outlook.output.shape, outlook.network
    if shape not in ("N", "N×1"):
        yield Problem(
            "output-shape",
            f"The discriminator says one number an example, but its Output receives {shape}.",
            node=outlook.node,
            port="input",
            expected="N×1",
            received=shape,
            reason="The number tells how real an example looks.",
            fix=_one_number(outlook),
        )
    tail = ending(network, outlook.node).tail
    last = network.nodes[tail[0]] if tail else None
    if last is not None and last.kind in ("Sigmoid", "sigmoid", "Tanh", "ReLU"):
        yield Problem(
            "extra-activation",
            f"{last.label} comes before the {loss} loss, which works on plain scores: learning would be slow and weak.",
            node=last.id,
            severity="warning",
            reason="The loss turns scores into probabilities itself, if it needs any.",
            fix=repairs.remove(network, last.id),
        )
    norm = next((node for node in network.nodes.values() if node.kind in _BATCH_NORMS), None)
    if loss == _WASSERSTEIN and norm is not None:
        yield Problem(
            "batch-norm-in-critic",
            f"{norm.label} mixes the examples of a batch, but the gradient penalty is one of each example alone.",
            node=norm.id,
            severity="warning",
            reason="Take it out, or put LayerNorm or GroupNorm in its place.",
            fix=repairs.remove(network, norm.id),
        )


def _one_number(outlook: Outlook) -> Fix | None:
    if len(outlook.output.dims) == 2:
        return repairs.set_out_features(outlook.network, outlook.node, 1)
    return repairs.flatten(outlook.network, outlook.node, 1) if len(outlook.output.dims) > 2 else None
