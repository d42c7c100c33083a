"""A number, or several, for each example."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from deepgui.catalog.spec import ParamSpec
from deepgui.graph.problems import Fix, Problem
from deepgui.training.objectives import repairs
from deepgui.training.objectives.base import Networks, Outlook, Score
from deepgui.training.objectives.comparison import Comparison
from deepgui.training.objectives.previews import Lines, Preview

_SHOWN = 300
_LOSSES = ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss")


class Regression(Comparison):
    """The network gives the target's numbers. It learns them scaled; metrics are in the target's own units."""

    id: ClassVar[str] = "regression"
    title: ClassVar[str] = "Regression"
    summary: ClassVar[str] = "Predict a number, or several, for each example."
    targets: ClassVar[frozenset[str]] = frozenset(("number", "vector", "image"))
    previews: ClassVar[Mapping[str, str]] = MappingProxyType({"answers": "Answers against truth"})
    settings: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec(
            "loss",
            "choice",
            default="MSELoss",
            choices=_LOSSES,
            doc="What is minimised. L1Loss, SmoothL1Loss and HuberLoss are less impressed by outliers.",
        ),
        ParamSpec(
            "threshold",
            "float",
            default=1.0,
            minimum=1e-6,
            doc="Where SmoothL1Loss (beta) and HuberLoss (delta) turn from squares to absolute values.",
        ),
    )

    def build_criterion(self) -> nn.Module:
        name = str(self.options["loss"])
        threshold = float(self.options["threshold"])  # type: ignore[arg-type]
        if name == "SmoothL1Loss":
            return nn.SmoothL1Loss(beta=threshold)
        if name == "HuberLoss":
            return nn.HuberLoss(delta=threshold)
        return nn.L1Loss() if name == "L1Loss" else nn.MSELoss()

    def compare(self, output: Tensor, target: Tensor) -> Tensor:
        loss: Tensor = self.criterion(output, target if target.shape == output.shape else target.view_as(output))
        return loss

    def score(self, output: Tensor, target: Tensor) -> Score:
        from torchmetrics.functional.regression import mean_absolute_error, mean_squared_error, r2_score

        loss = float(self.compare(output, target))
        guess, truth = (self._own_units(t.float().reshape(target.shape)).flatten(1) for t in (output, target))
        mse = float(mean_squared_error(guess, truth))
        metrics = {"loss": loss, "mse": mse, "rmse": math.sqrt(mse), "mae": float(mean_absolute_error(guess, truth))}
        if len(truth) > 1:  # the variance of one example is nothing to compare with
            metrics["r2"] = float(r2_score(guess, truth))
        return Score(metrics, examples=len(truth))

    def _own_units(self, values: Tensor) -> Tensor:
        scale = self.dataset.normalizer.get(self.target)
        values = values if scale is None else scale.inverse(values)
        return values.reshape(len(values), -1)

    def preview(self, what: str, networks: Networks) -> Preview | None:
        split = self.dataset.validation if len(self.dataset.validation) else self.dataset.train
        batch = split.get(torch.arange(min(_SHOWN, len(split))))
        fed = {name: values.to(self.device) for name, values in batch.items()}
        output = self.answers(networks, fed).float()
        target = fed[self.target]
        said, true = (self._own_units(t.reshape(target.shape)).cpu().numpy()[:, 0] for t in (output, target))
        if self.dataset.field(self.inputs[0]).kind == "series":
            places = np.arange(len(true), dtype=np.float32)
            lines = {"truth": (places, true), "forecast": (places, said)}
            return Lines(lines=lines, axes=("time", self.target), note="The validation part of the series, in order")
        order = np.argsort(true, kind="stable")
        places = np.arange(len(true), dtype=np.float32)
        lines = {"truth": (places, true[order]), "answer": (places, said[order])}
        note = "Validation examples from the smallest to the largest true value"
        return Lines(lines=lines, axes=("example", self.target), note=note)

    @classmethod
    def check(cls, outlook: Outlook) -> Iterator[Problem]:
        wanted = math.prod(outlook.target.shape)
        dims = outlook.output.dims
        per_example = math.prod(d.const for d in dims[1:])
        if outlook.output.batch_first and per_example == wanted:
            return
        expected = "×".join(("N", *map(str, outlook.target.shape or (1,))))
        yield Problem(
            "output-shape",
            f"{outlook.target.name} has {wanted} number{'s' * (wanted != 1)} an example,"
            f" but the Output receives {outlook.output.shape}.",
            node=outlook.node,
            port="input",
            expected=expected,
            received=outlook.output.shape,
            fix=_fix(outlook, wanted),
        )


def _fix(outlook: Outlook, wanted: int) -> Fix | None:
    rank = len(outlook.output.dims)
    if rank == 2:
        return repairs.set_out_features(outlook.network, outlook.node, wanted)
    return repairs.flatten(outlook.network, outlook.node, wanted) if rank > 2 else None
