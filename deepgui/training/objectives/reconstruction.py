"""Giving back what comes in, through a narrow place: autoencoders, also those that remove noise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from deepgui.catalog.spec import ParamSpec
from deepgui.graph.problems import Problem
from deepgui.training.objectives import latent
from deepgui.training.objectives.base import NETWORK, Batch, Networks, Outcome, Outlook, Score
from deepgui.training.objectives.examples import (
    OfExamples,
    check_reach,
    check_same_shape,
    check_shares,
    needs_shares,
    refuse,
)
from deepgui.training.objectives.previews import Preview, Scatter

CROSS_ENTROPIES = ("BCEWithLogitsLoss", "BCELoss")
_LOSSES = ("MSELoss", "L1Loss", "SmoothL1Loss", *CROSS_ENTROPIES)
_MOST_FEATURES, _MOST_FITTED = 4096, 4000
_SHOWN, _POINTS = 10, 500

LATENT = ParamSpec(
    "latent",
    "str",
    default="",
    doc="The node whose output is the code in the middle; left out, the narrowest.",
)


class Reconstruction(OfExamples):
    """The network gives its input back; what it is worth is decided by how little it may hand on in the middle."""

    id: ClassVar[str] = "reconstruction"
    title: ClassVar[str] = "Reconstruction"
    summary: ClassVar[str] = "Give examples back through a narrow place (autoencoder), or free them from noise."
    settings: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec(
            "loss",
            "choice",
            default="MSELoss",
            choices=_LOSSES,
            doc="How input and output are compared. The BCE losses are for values from 0 to 1.",
        ),
        ParamSpec(
            "noise",
            "choice",
            default="none",
            choices=("none", "gaussian", "mask"),
            doc="What is done to the input, so that the network learns to undo it (a denoising autoencoder).",
        ),
        ParamSpec(
            "noise_level",
            "float",
            default=0.5,
            minimum=0.0,
            doc="Standard deviation of the noise on the scaled input, or the share of values that are masked.",
        ),
        LATENT,
    )
    previews: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"reconstructions": "Input and reconstruction", "latent": "Latent space"}
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = str(self.options["loss"])
        if name in CROSS_ENTROPIES:
            refuse(needs_shares(self.dataset, self.inputs[0], name))
        self.criterion: nn.Module = getattr(nn, name)()
        self._narrow: latent.Latent | None = None
        self._linear: Any = None

    @classmethod
    def check(cls, outlook: Outlook) -> Iterator[Problem]:
        if not outlook.fed:
            return
        loss, field = str(outlook.options.get("loss", "MSELoss")), outlook.fed[0]
        yield from check_same_shape(outlook, field, "a reconstruction")
        if loss in CROSS_ENTROPIES:
            yield from check_shares(outlook, loss, field.name)
        if loss != "BCEWithLogitsLoss":
            yield from check_reach(outlook, field)
        yield from check_latent(outlook)

    # -- a step

    def spoil(self, values: Tensor) -> Tensor:
        """The input as the network gets it."""
        kind, level = self.options.get("noise", "none"), float(self.options.get("noise_level", 0.0))  # type: ignore[arg-type]
        if kind == "gaussian":
            return values + level * torch.randn_like(values)
        return values * (torch.rand_like(values) >= level) if kind == "mask" else values

    def fed(self, batch: Batch) -> list[Tensor]:
        """The arguments of the network, the first of them spoilt."""
        first, *others = self.arguments(batch)
        return [self.spoil(first), *others]

    def loss(self, networks: Networks, batch: Batch, turn: str = "") -> Outcome:
        wanted = batch[self.inputs[0]]
        return Outcome(self.criterion(networks.main(*self.fed(batch)), wanted), len(wanted))

    # -- a split

    def assess(self, networks: Networks, batches: Iterable[Batch]) -> Score | None:
        count, sums = 0, dict.fromkeys(("loss", "mse", "pca_mse"), 0.0)
        for batch in batches:
            wanted = batch[self.inputs[0]]
            output = networks.main(*self.fed(batch)).float()
            truth = self.in_units(wanted)
            sums["loss"] += float(self.criterion(output, wanted)) * len(wanted)
            sums["mse"] += float((self.in_units(self.read(output)) - truth).square().mean()) * len(wanted)
            sums["pca_mse"] += self._pca_error(networks, batch, truth) * len(wanted)
            count += len(wanted)
        if not count:
            return None
        if self._linear is None:
            del sums["pca_mse"]
        return Score({name: value / count for name, value in sums.items()}, examples=count)

    def read(self, output: Tensor) -> Tensor:
        """What the network says, in scaled values."""
        return output.sigmoid() if self.options["loss"] == "BCEWithLogitsLoss" else output

    def _pca_error(self, networks: Networks, batch: Batch, truth: Tensor) -> float:
        """The mean squared error of the best linear code of the same size, learnt from the training split."""
        if self._linear is None:
            self._linear = self._fit(networks, batch)
        if self._linear is None:
            return 0.0
        rows = truth.flatten(1).cpu().numpy()
        return float(((self._linear.inverse_transform(self._linear.transform(rows)) - rows) ** 2).mean())

    def _fit(self, networks: Networks, batch: Batch) -> Any:
        narrow = self.narrow(networks, batch)
        size, rows = batch[self.inputs[0]][0].numel(), min(_MOST_FITTED, len(self.dataset.train))
        if self.options["noise"] != "none" or narrow is None or size > _MOST_FEATURES:
            return None
        if narrow.size >= min(size, rows):
            return None
        from sklearn.decomposition import PCA

        known = self.dataset.train.raw(torch.arange(rows))[self.inputs[0]]
        return PCA(narrow.size, svd_solver="full").fit(known.flatten(1).numpy())

    # -- for those who look on

    def narrow(self, networks: Networks, batch: Batch) -> latent.Latent | None:
        """The latent wire, found once."""
        if self._narrow is None:
            few = [values[:2] for values in self.arguments(batch)]
            self._narrow = latent.find(networks.modules[NETWORK], few, str(self.options["latent"]))  # type: ignore[arg-type]
        return self._narrow

    def preview(self, what: str, networks: Networks) -> Preview | None:
        return self._latent_space(networks) if what == "latent" else self._reconstructions(networks)

    def _reconstructions(self, networks: Networks) -> Preview:
        batch = self.some(_SHOWN)
        first, *others = self.fed(batch)
        found = self.read(self.said(networks.main(first, *others)))
        rows = {"input": batch[self.inputs[0]], "spoilt": first, "reconstruction": found}
        if self.options.get("noise", "none") == "none":
            del rows["spoilt"]
        return self.beside(rows, "Examples that are not learnt from, and what the network makes of them.")

    def said(self, returned: Any) -> Tensor:
        """The reconstruction among what the network returned."""
        found: Tensor = self.named(returned)[self.outputs[0]]
        return found

    def _latent_space(self, networks: Networks) -> Preview | None:
        batch = self.some(_POINTS)
        narrow = self.narrow(networks, batch)
        if narrow is None:
            return None
        return self.scattered(narrow.encode(networks.modules[NETWORK], self.arguments(batch)), batch)  # type: ignore[arg-type]

    def scattered(self, codes: Tensor, batch: Batch) -> Scatter:
        """Codes as points, in the colours of their classes."""
        points, axes = latent.flat_points(codes)
        return Scatter(
            points=points,
            labels=self.labels(batch),
            classes=self.dataset.target.classes,
            axes=axes,
            note="Each point is an example; examples that are near each other are alike to the network.",
        )


def check_latent(outlook: Outlook) -> Iterator[Problem]:
    """Whether the setting ``latent`` names something."""
    name = str(outlook.options.get("latent", ""))
    if name and not latent.names_a_node(outlook.network, name):
        yield Problem(
            "unknown-node",
            f"The setting latent names {name}, but the network has no node that is called so.",
            expected="the name of a node",
            received=name,
        )
