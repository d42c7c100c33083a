"""Autoencoders whose code is a distribution, so that new examples can be drawn from it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, cast

import torch
from torch import Tensor, fx
from torch.nn import functional as F

from deepgui.catalog.spec import ParamSpec
from deepgui.graph.problems import Problem
from deepgui.training.objectives import latent
from deepgui.training.objectives.base import NETWORK, Batch, Networks, ObjectiveError, Outcome, Outlook, Score
from deepgui.training.objectives.examples import check_same_shape, check_shares, in_pieces
from deepgui.training.objectives.previews import Images, Preview
from deepgui.training.objectives.reconstruction import CROSS_ENTROPIES, LATENT, Reconstruction, check_latent

_SHOWN, _GRID, _ROWS, _REACH = 48, 12, 6, 2.0


class Variational(Reconstruction):
    """The negative evidence lower bound (Kingma and Welling 2013), in nats an example."""

    id: ClassVar[str] = "variational"
    title: ClassVar[str] = "Variational autoencoder"
    summary: ClassVar[str] = "Learn a code from which new examples can be drawn (reconstruction and divergence)."
    settings: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec(
            "loss",
            "choice",
            default="BCEWithLogitsLoss",
            choices=(*CROSS_ENTROPIES, "MSELoss"),
            doc="How the reconstruction is judged: pixels as probabilities from 0 to 1, or as means of normal "
            "distributions of variance 1.",
        ),
        ParamSpec(
            "beta",
            "float",
            default=1.0,
            minimum=0.0,
            doc="Weight of the divergence of the code from the normal distribution; 1 is the bound itself.",
        ),
        LATENT,
    )
    outputs: ClassVar[tuple[str, ...]] = ("reconstruction", "mean", "log_variance")
    previews: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "traversal": "Through the latent space",
            "samples": "New examples",
            "reconstructions": "Input and reconstruction",
            "latent": "Latent space",
        }
    )
    generates: ClassVar[bool] = True

    @classmethod
    def check(cls, outlook: Outlook) -> Iterator[Problem]:
        if not outlook.fed:
            return
        loss, field = str(outlook.options.get("loss", "BCEWithLogitsLoss")), outlook.fed[0]
        yield from check_same_shape(outlook, field, "a reconstruction")
        if loss in CROSS_ENTROPIES:
            yield from check_shares(outlook, loss, field.name)
        yield from check_latent(outlook)
        _, (mean, a), (log_variance, b) = outlook.outputs.items()
        if a.shape != b.shape:
            yield Problem(
                "output-shape",
                f"Mean and log variance belong together, but the Outputs receive {a.shape} and {b.shape}.",
                node=log_variance,
                port="input",
                expected=a.shape,
                received=b.shape,
                reason="Every number of the code has a mean and a variance.",
            )
        kinds = {node.kind for node in outlook.network.nodes.values()}
        if latent.SAMPLING not in kinds and not outlook.options.get("latent"):
            yield Problem(
                "nothing-sampled",
                "No Reparameterise draws the code from mean and log variance, so no new examples can be drawn.",
                node=mean,
                severity="warning",
                reason="Put the block Reparameterise behind both, or name the node of the code in the setting latent.",
            )

    # -- a step

    def parts(self, networks: Networks, batch: Batch) -> tuple[Tensor, Tensor]:
        """What reconstruction and divergence cost, in nats, of shape (examples,)."""
        wanted = batch[self.inputs[0]]
        found = self.named(networks.main(*self.arguments(batch)))
        mean, log_variance = found["mean"].float().flatten(1), found["log_variance"].float().flatten(1)
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
        return self._cost(found["reconstruction"].float(), wanted).flatten(1).sum(1), divergence

    def _cost(self, output: Tensor, wanted: Tensor) -> Tensor:
        name = self.options["loss"]
        if name == "BCEWithLogitsLoss":
            return F.binary_cross_entropy_with_logits(output, wanted, reduction="none")
        if name == "BCELoss":
            return F.binary_cross_entropy(output, wanted, reduction="none")
        return 0.5 * ((output - wanted).square() + math.log(2 * math.pi))

    def loss(self, networks: Networks, batch: Batch, turn: str = "") -> Outcome:
        reconstruction, divergence = (part.mean() for part in self.parts(networks, batch))
        loss = reconstruction + self.beta * divergence
        parts = {"reconstruction": reconstruction.detach(), "kl": divergence.detach()}
        return Outcome(loss, len(batch[self.inputs[0]]), parts=parts)

    @property
    def beta(self) -> float:
        """Weight of the divergence."""
        return float(self.options["beta"])  # type: ignore[arg-type]

    # -- a split

    def assess(self, networks: Networks, batches: Iterable[Batch]) -> Score | None:
        count, reconstruction, divergence = 0, 0.0, 0.0
        for batch in batches:
            one, other = self.parts(networks, batch)
            reconstruction += float(one.sum())
            divergence += float(other.sum())
            count += len(one)
        if not count:
            return None
        loss = (reconstruction + self.beta * divergence) / count
        metrics = {"loss": loss, "reconstruction": reconstruction / count, "kl": divergence / count}
        return Score(metrics, examples=count)

    # -- new examples

    def generate(self, networks: Networks, count: int, seed: int = 0) -> Tensor:
        narrow = self._code(networks)
        generator = torch.Generator().manual_seed(seed)

        def make(some: int) -> Tensor:
            return self.decoded(networks, torch.randn((some, *narrow.shape), generator=generator).to(self.device))

        return self.in_units(in_pieces(make, count))

    @torch.no_grad()
    def decoded(self, networks: Networks, codes: Tensor) -> Tensor:
        """What becomes of codes, in scaled values. Raises ObjectiveError if the network cannot go on from its code."""
        place = self.order[0] if self.order else 0
        try:
            found = self._code(networks).decode(cast(fx.GraphModule, networks.modules[NETWORK]), codes, place)
        except ValueError:
            raise ObjectiveError(
                "No new examples can be drawn: part of the network goes around the code. Take that wire out."
            ) from None
        return self.read(found)

    def _code(self, networks: Networks) -> latent.Latent:
        narrow = self.narrow(networks, self.some(2))
        if narrow is None:
            raise ObjectiveError("No new examples can be drawn: name the node of the code in the setting latent.")
        return narrow

    def preview(self, what: str, networks: Networks) -> Preview | None:
        if what == "samples":
            codes = torch.randn(_SHOWN, *self._code(networks).shape, device=self.device)
            return self.gallery(
                self.decoded(networks, codes), "Drawn from the normal distribution: none was ever seen."
            )
        return self._traversal(networks) if what == "traversal" else super().preview(what, networks)

    def _latent_space(self, networks: Networks) -> Preview | None:
        batch = self.some(500)
        return self.scattered(self.named(networks.main(*self.arguments(batch)))["mean"], batch)

    def _traversal(self, networks: Networks) -> Preview | None:
        """A grid over a plane of codes; of more than two numbers a row for each of those that vary most."""
        narrow = self._code(networks)
        steps = torch.linspace(-_REACH, _REACH, _GRID)
        if self.real.kind != "image":
            return None
        if narrow.size == 2:
            codes = torch.cartesian_prod(steps.flip(0), steps).flip(1)
            note = "Every place of the plane of codes: from left to right the first number, upwards the second."
            rows = tuple(f"{value:.1f}" for value in steps.flip(0).tolist())
        else:
            batch = self.some(500)
            mean = self.named(networks.main(*self.arguments(batch)))["mean"].flatten(1)
            widest = mean.var(0).argsort(descending=True)[:_ROWS].tolist()
            codes = torch.zeros(len(widest), _GRID, narrow.size)
            for row, place in enumerate(widest):
                codes[row, :, place] = steps
            codes, rows = codes.flatten(0, 1), tuple(f"number {place + 1}" for place in widest)
            note = "In each row one number of the code goes from -2 to 2, and the others stay 0."
        found = self.decoded(networks, codes.reshape(-1, *narrow.shape).to(self.device))
        shown = self.gallery(found, note, _GRID, rows)
        assert isinstance(shown, Images)
        return shown
