"""Removing noise step by step, until an example is left where there was nothing but noise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.dataset import Dataset
from deepgui.data.fields import Field
from deepgui.graph.problems import Problem
from deepgui.training.objectives.base import Batch, Given, Networks, Outcome, Outlook, Score
from deepgui.training.objectives.examples import OfExamples, check_reach, check_same_shape, in_pieces, limits
from deepgui.training.objectives.previews import Preview

NOISY, TIME = "noisy", "time"
_NOISE = "noise"
_SHOWN, _STRIP_ROWS, _STRIP_COLUMNS = 32, 4, 8


class Diffusion(OfExamples):
    """Denoising diffusion (Ho et al. 2020): tell the noise in an example of which some part is noise."""

    id: ClassVar[str] = "diffusion"
    title: ClassVar[str] = "Denoising diffusion"
    summary: ClassVar[str] = "Learn to remove noise little by little, until noise becomes an example (DDPM)."
    settings: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("timesteps", "int", default=200, minimum=2, doc="Steps from an example to nothing but noise."),
        ParamSpec(
            "schedule",
            "choice",
            default="cosine",
            choices=("cosine", "linear"),
            doc="How the noise grows: as a cosine (Nichol and Dhariwal 2021), or in equal additions (Ho et al. 2020).",
        ),
        ParamSpec(
            "prediction",
            "choice",
            default="noise",
            choices=("noise", "v", "sample"),
            doc="What the network tells: the noise, the example, or v, a mixture of both (Salimans and Ho 2022).",
        ),
        ParamSpec(
            "sampler",
            "choice",
            default="ddim",
            choices=("ddim", "ddpm"),
            doc="How examples are made: DDIM in few steps without further chance, or DDPM in all of them.",
        ),
        ParamSpec("sampling_steps", "int", default=25, minimum=1, doc="Steps of the DDIM sampler."),
        ParamSpec(
            "clip", "bool", default=True, doc="Keep what the sampler takes the example to be within the data's range."
        ),
    )
    previews: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"denoising": "From noise to example", "samples": "Made of the same noise"}
    )
    generates: ClassVar[bool] = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept = kept_share(str(self.options["schedule"]), self.steps)
        self.range = limits(self.dataset, self.real.name)

    @property
    def steps(self) -> int:
        """From an example to noise."""
        return int(self.options["timesteps"])  # type: ignore[arg-type]

    @property
    def real(self) -> Field:
        return self.dataset.field(self.dataset.inputs[0])

    # -- what it needs

    @classmethod
    def wants(cls, dataset: Dataset, options: Mapping[str, Value]) -> Mapping[str, tuple[str, ...]]:
        return {cls.roles[0]: (NOISY, TIME)}

    @classmethod
    def given(cls, dataset: Dataset, options: Mapping[str, Value]) -> tuple[Given, ...]:
        noisy = replace(dataset.field(dataset.inputs[0]), name=NOISY)
        return Given(noisy), Given(Field(TIME, "number", (1,)), free=True)

    @classmethod
    def check(cls, outlook: Outlook) -> Iterator[Problem]:
        fed = {field.name: field for field in outlook.fed}
        if NOISY in fed:
            yield from check_same_shape(outlook, fed[NOISY], "what is told")
        if TIME not in fed:
            yield Problem(
                "missing-input",
                "The network has no Input for the time step, so it cannot know how much noise there is.",
                severity="warning",
                expected=f"{NOISY}, {TIME}",
                received=", ".join(fed),
                reason="Add an Input of the shape 1 and the block TimeEmbedding.",
            )
        elif math.prod(fed[TIME].shape) != 1:
            yield Problem(
                "input-shape",
                f"The time step is one number an example, but its Input is drawn with {math.prod(fed[TIME].shape)}.",
                expected="1",
                received="×".join(map(str, fed[TIME].shape)),
            )
        if NOISY in fed and outlook.dataset is not None and outlook.options.get("prediction", "noise") == "sample":
            yield from check_reach(outlook, outlook.dataset.field(outlook.dataset.inputs[0]))

    # -- a step

    def to(self, where: torch.device | str) -> None:
        super().to(where)
        self.kept = self.kept.to(self.device)

    def complete(self, batch: Batch) -> Batch:
        real = batch[self.real.name]
        step = torch.randint(self.steps, (len(real),), device=real.device)
        noise = torch.randn_like(real)
        signal, spread = self._mixture(step, real)
        noisy = signal * real + spread * noise
        return {**batch, NOISY: noisy, TIME: self._told(step), _NOISE: noise, "step": step}

    def _mixture(self, step: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """What examples and noise are multiplied by after ``step``, of shape (examples, 1, ...)."""
        kept = self.kept[step].view(-1, *(1 for _ in like.shape[1:]))
        return kept.sqrt(), (1 - kept).sqrt()

    def _told(self, step: Tensor) -> Tensor:
        """The step as the network's Input has it."""
        field = self.fields[TIME]
        return step.to(getattr(torch, field.dtype)).view(-1, *field.shape)

    def _wanted(self, batch: Batch) -> Tensor:
        real, noise = batch[self.real.name], batch[_NOISE]
        kind = self.options["prediction"]
        if kind == "v":
            signal, spread = self._mixture(batch["step"], real)
            return signal * noise - spread * real
        return real if kind == "sample" else noise

    def loss(self, networks: Networks, batch: Batch, turn: str = "") -> Outcome:
        batch = self.complete(batch)
        output = networks.main(*self.arguments(batch))
        return Outcome(F.mse_loss(output.float(), self._wanted(batch)), len(output))

    # -- a split

    def assess(self, networks: Networks, batches: Iterable[Batch]) -> Score | None:
        total, count = 0.0, 0
        for batch in batches:
            outcome = self.loss(networks, batch)
            total += float(outcome.loss) * outcome.size
            count += outcome.size
        return Score({"loss": total / count}, examples=count) if count else None

    # -- new examples

    def places(self) -> list[int]:
        """The steps that the sampler goes through, from noise to example."""
        if self.options["sampler"] == "ddpm":
            return list(range(self.steps - 1, -1, -1))
        count = min(int(self.options["sampling_steps"]), self.steps)  # type: ignore[arg-type]
        return [round(place) for place in torch.linspace(self.steps - 1, 0, count).tolist()]

    @torch.no_grad()
    def denoised(self, networks: Networks, noise: Tensor, generator: torch.Generator | None = None) -> Iterator[Tensor]:
        """What becomes of noise, in scaled values, after each of the sampler's steps."""
        now, places = noise, self.places()
        for place, following in zip(places, [*places[1:], -1], strict=True):
            example, rest = self._parts(networks, now, place)
            share = self.kept[following] if following >= 0 else torch.ones((), device=self.device)
            spread = self._chance(place, share)
            now = share.sqrt() * example + (1 - share - spread**2).clamp(min=0).sqrt() * rest
            if following >= 0 and self.options["sampler"] == "ddpm":
                more = torch.randn(now.shape, generator=generator, device="cpu" if generator else self.device)
                now = now + spread * more.to(self.device)
            yield now

    def _chance(self, place: int, share: Tensor) -> Tensor:
        """Standard deviation of the noise that a step adds: none in DDIM, that of the true step in DDPM."""
        if self.options["sampler"] != "ddpm":
            return torch.zeros((), device=self.device)
        kept = self.kept[place]
        return ((1 - share) / (1 - kept) * (1 - kept / share)).clamp(min=0).sqrt()

    def _parts(self, networks: Networks, noisy: Tensor, place: int) -> tuple[Tensor, Tensor]:
        """Example and noise in what is noisy, as the network takes them to be."""
        step = torch.full((len(noisy),), place, device=self.device)
        made = {NOISY: noisy, TIME: self._told(step)}
        output = networks.main(*(made[name] for name in self.inputs))
        signal, spread = self._mixture(step, noisy)
        kind = self.options["prediction"]
        if kind == "v":
            example = signal * noisy - spread * output
        else:
            example = output if kind == "sample" else (noisy - spread * output) / signal
        if self.options["clip"]:
            example = example.clamp(*self.range)
        return example, (noisy - signal * example) / spread

    def generate(self, networks: Networks, count: int, seed: int = 0) -> Tensor:
        generator = torch.Generator().manual_seed(seed)

        def make(some: int) -> Tensor:
            noise = torch.randn((some, *self.real.shape), generator=generator).to(self.device)
            *_, made = self.denoised(networks, noise, generator)
            return made

        return self.in_units(in_pieces(make, count))

    def preview(self, what: str, networks: Networks) -> Preview | None:
        strip = what == "denoising"
        noise = torch.randn(_STRIP_ROWS if strip else _SHOWN, *self.real.shape, device=self.device)
        *states, made = self.denoised(networks, noise)
        if not strip:
            return self.gallery(made, "Made of the same noise each time, so that you see it change while it learns.")
        seen = [noise, *states]
        chosen = [seen[round(n)] for n in torch.linspace(0, len(seen) - 1, _STRIP_COLUMNS - 1).tolist()]
        strips = torch.stack([*chosen, made], 1).flatten(0, 1)
        note = "From left to right noise becomes an example, in each row another."
        rows = tuple(map(str, range(1, len(made) + 1)))
        return self.gallery(strips, note, _STRIP_COLUMNS, rows)


def kept_share(schedule: str, steps: int) -> Tensor:
    """The share of an example's variance that is left after each step, from nearly 1 to nearly 0; shape (steps,)."""
    if schedule == "cosine":
        time = torch.arange(steps + 1, dtype=torch.float64) / steps
        level = torch.cos((time + 0.008) / 1.008 * math.pi / 2).square()
        added = (1 - level[1:] / level[:-1]).clamp(max=0.999)
    else:  # the paper's additions are for a thousand steps; fewer steps add more each
        added = (torch.linspace(1e-4, 0.02, steps, dtype=torch.float64) * 1000 / steps).clamp(max=0.999)
    return (1 - added).cumprod(0).float()
