"""A network that has learnt with what is needed to ask it: from the folder of a run, or out of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from deepgui.data.dataset import Dataset, Split
from deepgui.data.fields import Field
from deepgui.data.legend import Legend
from deepgui.data.table import TensorTable
from deepgui.project.values import DataConfig
from deepgui.training.evaluate import Trained, legend_of, objective_for
from deepgui.training.objectives import Objective
from deepgui.training.objectives.base import Networks

_BLANK = 2  # what looks at the shape of an example wants to tell it from the batch


@dataclass(frozen=True)
class Model:
    """Networks that learnt together, in eval mode while they are asked.

    Attributes:
        legend: what the numbers mean that the first of them takes and gives.
        kind: id of the objective that it learnt with.
        data: settings of the data that it learnt from.
    """

    networks: Networks
    legend: Legend
    kind: str
    data: DataConfig
    _objective: Callable[[], Objective]

    @property
    def objective(self) -> Objective:
        """What it learnt with. Raises ObjectiveError."""
        return self._objective()

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        found = next(iter(self.networks.modules.values()))
        return next((p.device for p in found.parameters()), torch.device("cpu"))

    @property
    def of_data(self) -> tuple[Field, ...]:
        """The fields that it has to be given; what the objective makes itself is not among them."""
        found = {field.name: field for field in self.legend.inputs if field.name not in self.legend.made}
        return tuple(found.values())

    def read(self, returned: Any) -> Tensor:
        """The answer in what the network returned, one row an example, float32."""
        if isinstance(returned, (tuple, list)):
            returned = self.objective.named(returned)[self.objective.outputs[0]]
        found: Tensor = returned.float()
        return found


def of_run(trained: Trained) -> Model:
    """What a run left. Its data is not needed."""

    @cache
    def objective() -> Objective:
        return objective_for(trained, blank(trained.legend))

    return Model(trained.networks, trained.legend, trained.project.training.objective, trained.project.data, objective)


def of_training(objective: Objective, networks: Networks, data: DataConfig) -> Model:
    """What learns now; its weights go on changing."""
    return Model(networks, legend_of(objective), objective.id, data, lambda: objective)


def blank(legend: Legend) -> Dataset:
    """Data with the fields of a legend and two empty examples, for an objective whose data is not there.

    Pictures are known to lie within 0 to 1; of other fields no range is known.
    """
    fields = {field.name: field for field in legend.of_data}
    tensors = {name: torch.zeros(_BLANK, *f.shape, dtype=getattr(torch, f.dtype)) for name, f in fields.items()}
    table = TensorTable(tuple(fields.values()), legend.target.name, tensors)
    rows = torch.arange(_BLANK)
    train, validation, test = (
        Split(name, table, part, legend.normalizer)
        for name, part in (("train", rows), ("validation", rows[:0]), ("test", rows[:0]))
    )
    fed = tuple(field.name for field in legend.inputs if field.name not in legend.made) or (legend.target.name,)
    ranges = {f.name: {"minimum": 0.0, "maximum": 1.0, "mean": 0.5} for f in table.fields if f.kind == "image"}
    return Dataset(table.fields, fed, legend.target, train, validation, test, legend.normalizer, ranges)
