"""What those objectives share that compare one output with one target."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from deepgui.catalog.spec import Value
from deepgui.data.dataset import Dataset
from deepgui.data.fields import of_one_graph
from deepgui.data.joined import NODES
from deepgui.training.objectives.base import Batch, Networks, Objective, Outcome, Score


class Comparison(Objective):
    """An objective with a criterion between what the network says and the target of the data."""

    def __init__(
        self,
        dataset: Dataset,
        options: Mapping[str, Value],
        inputs: Mapping[str, tuple[str, ...]] | tuple[str, ...],
        order: tuple[int, ...] = (),
    ) -> None:
        super().__init__(dataset, options, inputs, order)
        self.criterion = self.build_criterion()
        self._of_nodes = of_one_graph(dataset.fields)

    @abstractmethod
    def build_criterion(self) -> nn.Module:
        """The loss as a module: ``criterion(output, target)`` is a scalar, the mean over the batch."""

    @abstractmethod
    def score(self, output: Tensor, target: Tensor) -> Score:
        """Metrics of predictions of a whole split (``output`` with the examples in dimension 0)."""

    def loss(self, networks: Networks, batch: Batch, turn: str = "") -> Outcome:
        output = self.answers(networks, batch)
        target = batch[self.target]
        return Outcome(self.compare(output, target), len(target), output, target)

    def answers(self, networks: Networks, batch: Batch) -> Tensor:
        """What the network says of the examples of a batch; of one graph it says it of every node."""
        output: Tensor = networks.main(*[batch[name] for name in self.inputs])
        return output[batch[NODES]] if self._of_nodes else output

    def compare(self, output: Tensor, target: Tensor) -> Tensor:
        """The scalar loss of an output against its target."""
        loss: Tensor = self.criterion(output, target)
        return loss

    def assess(self, networks: Networks, batches: Iterable[Batch]) -> Score | None:
        outputs: list[Tensor] = []
        targets: list[Tensor] = []
        for batch in batches:
            outputs.append(self.answers(networks, batch))
            targets.append(batch[self.target])
        return self.score(_joined(outputs).float(), _joined(targets)) if outputs else None

    def to(self, where: torch.device | str) -> None:
        super().to(where)
        self.criterion.to(where)


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)
