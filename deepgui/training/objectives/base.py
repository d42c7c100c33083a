"""What an objective is, and what those that compare one output with one target share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.dataset import Dataset
from deepgui.data.fields import Field
from deepgui.graph.problems import Problem
from deepgui.graph.shapes import TensorType
from deepgui.graph.values import Network

Batch = dict[str, Tensor]


class ObjectiveError(ValueError):
    """An objective that cannot be used with this data. One plain sentence."""


@dataclass(frozen=True)
class Outlook:
    """What is known before training: the drawing, what arrives at its Output, and what is to be learnt.

    Attributes:
        output: type of what arrives at the Output node, ``node`` its id.
        target: the field to learn.
        options: the objective's settings as the project has them.
    """

    network: Network
    node: str
    output: TensorType
    target: Field
    options: Mapping[str, Value]


@dataclass(frozen=True)
class Score:
    """How good predictions are.

    Attributes:
        metrics: ``loss`` and the objective's own (``accuracy``, ``f1``; ``mse``, ``rmse``, ``mae``, ``r2``).
        confusion: counts, rows are the true classes and columns the predicted ones; None if there are no classes.
        classes: names of the classes.
        examples: how many were looked at.
    """

    metrics: Mapping[str, float]
    confusion: npt.NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    examples: int = 0


class Objective(ABC):
    """One objective, bound to a dataset.

    A subclass declares ``id``, ``title``, ``summary``, ``settings`` and ``targets`` (the kinds of field it
    can learn), says in :meth:`check` what stands against a drawing, and computes the loss of a step.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    settings: ClassVar[tuple[ParamSpec, ...]]
    targets: ClassVar[frozenset[str]]

    def __init__(self, dataset: Dataset, options: Mapping[str, Value], inputs: tuple[str, ...]) -> None:
        """``inputs``: the field for each Input node, in the order of the module's arguments."""
        self.dataset = dataset
        self.inputs = inputs
        self.target = dataset.target.name
        self.options = {p.name: options.get(p.name, p.default) for p in self.settings}
        self.criterion = self.build_criterion()

    @abstractmethod
    def build_criterion(self) -> nn.Module:
        """The loss as a module: ``criterion(output, target)`` is a scalar, the mean over the batch."""

    @classmethod
    @abstractmethod
    def check(cls, outlook: Outlook) -> Iterator[Problem]:
        """What stands against training this drawing on this target."""

    @abstractmethod
    def score(self, output: Tensor, target: Tensor) -> Score:
        """Metrics of predictions of a whole split (``output`` with the examples in dimension 0)."""

    def hits(self, output: Tensor, target: Tensor) -> Tensor | None:
        """Which examples are right, bool of shape (examples,); None where the question makes no sense."""
        return None

    def forward(self, module: Callable[..., Any], batch: Batch) -> Tensor:
        """The module's output for a batch. Raises what the module raises."""
        output: Tensor = module(*[batch[name] for name in self.inputs])
        return output

    def loss(self, module: Callable[..., Any], batch: Batch) -> tuple[Tensor, Tensor]:
        """One step: the scalar loss to go backward from, and the output it was computed from."""
        output = module(*[batch[name] for name in self.inputs])
        return self.compare(output, batch[self.target]), output

    def compare(self, output: Tensor, target: Tensor) -> Tensor:
        """The scalar loss of an output against its target."""
        loss: Tensor = self.criterion(output, target)
        return loss


@dataclass(frozen=True)
class Ending:
    """The last layers of a drawing, walking back from the Output along single wires."""

    tail: tuple[str, ...] = field(default=())
    linear: str = ""


_KEEPS_SHAPE = frozenset(("Identity", "Dropout", "Softmax", "LogSoftmax", "Sigmoid", "softmax", "log_softmax"))


def ending(network: Network, output: str) -> Ending:
    """The nodes before ``output``, nearest first, up to and with the Linear that makes the result, if one does."""
    tail: list[str] = []
    node = output
    while len(wires := network.into(node)) == 1 and wires[0].source not in tail:
        node = wires[0].source
        kind = network.nodes[node].kind
        tail.append(node)
        if kind == "Linear":
            return Ending(tuple(tail), node)
        if kind not in _KEEPS_SHAPE and not _is_activation(kind):
            break
    return Ending(tuple(tail))


def _is_activation(kind: str) -> bool:
    cls = getattr(nn, kind, None)
    return cls is not None and cls.__module__ == "torch.nn.modules.activation" and kind != "MultiheadAttention"
