"""A trained network with the examples that it is judged by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from deepgui.data.dataset import Dataset
from deepgui.training.evaluate import evaluate
from deepgui.training.objectives import Objective
from deepgui.training.objectives.base import Networks


class AfterError(ValueError):
    """Something that cannot be done with this network or its data. One plain sentence."""


@dataclass(frozen=True)
class Subject:
    """Networks that learnt together, in eval mode on the CPU, with their data and what judges them.

    Attributes:
        split: name of the split that is measured.
    """

    networks: Networks
    dataset: Dataset
    objective: Objective
    split: str = "test"

    @property
    def role(self) -> str:
        """The role of the first network, the one that is made smaller, explained or attacked."""
        return next(iter(self.networks.modules))

    @property
    def module(self) -> nn.Module:
        """The first network."""
        return self.networks.modules[self.role]

    def metrics(self, module: nn.Module | None = None) -> Mapping[str, float]:
        """Loss and metrics on the split, with ``module`` in place of the first network.

        Raises AfterError if the split is empty.
        """
        networks = self.networks if module is None else Networks({**self.networks.modules, self.role: module})
        score = evaluate(networks, self.dataset, self.split, self.objective)
        if score is None:
            raise AfterError(f"The data has no {self.split} split: measure on another, or train again with one.")
        return score.metrics
