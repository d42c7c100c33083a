"""What an objective is: what is minimised, how one step goes, and how good the result is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.dataset import Dataset
from deepgui.data.fields import Field
from deepgui.graph.problems import Problem
from deepgui.graph.shapes import TensorType
from deepgui.graph.values import Network
from deepgui.project.values import TrainingConfig

if TYPE_CHECKING:
    from deepgui.training.objectives.previews import Preview

Batch = dict[str, Tensor]
NETWORK = "network"
"""The role of the network where there is only one."""

NOTHING: Mapping[str, Tensor] = MappingProxyType({})


class ObjectiveError(ValueError):
    """An objective that cannot be used with this data. One plain sentence."""


@dataclass(frozen=True)
class Given:
    """A field that the objective makes for every batch, beside those of the data (noise, a time step).

    Attributes:
        field: what it is; its shape counts only if it is not ``free``.
        free: it takes the shape that the Input is drawn with.
    """

    field: Field
    free: bool = False


@dataclass(frozen=True)
class Outlook:
    """What is known before training: the drawing, what arrives at its Outputs, and what is to be learnt.

    Attributes:
        output: type of what arrives at the first Output, ``node`` its id.
        target: the field to learn.
        options: the objective's settings as the project has them.
        role: which of the objective's networks this is.
        outputs: id of each Output → type of what arrives, in the order of the objective's names for them.
        fields: all fields of the data; those that are fed in, in the order of the Inputs.
        inputs: type of each Input as drawn, in their order.
        dataset: the data itself, where ranges and splits count.
    """

    network: Network
    node: str
    output: TensorType
    target: Field
    options: Mapping[str, Value]
    role: str = NETWORK
    outputs: Mapping[str, TensorType] = field(default_factory=dict)
    fields: tuple[Field, ...] = ()
    fed: tuple[Field, ...] = ()
    inputs: tuple[TensorType, ...] = ()
    dataset: Dataset | None = None


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


class Outcome(NamedTuple):
    """What a step gives, still on the device.

    Attributes:
        loss: scalar to go backward from, the mean over the batch.
        size: examples in the batch.
        output, target: what :meth:`Objective.hits` compares, later and many steps at a time; None where there are
            no hits.
        parts: scalars with curves of their own (``kl``, ``discriminator_loss``).
    """

    loss: Tensor
    size: int
    output: Tensor | None = None
    target: Tensor | None = None
    parts: Mapping[str, Tensor] = NOTHING


class Networks:
    """The networks that an objective trains, by role.

    ``main`` runs the first; ``networks[role]`` gives the function that runs another. They are the modules' own
    ``forward``: an fx module that is called prints a traceback of its own when a layer raises.
    """

    def __init__(self, modules: Mapping[str, nn.Module]) -> None:
        self.modules = dict(modules)
        self._run = {role: module.forward for role, module in self.modules.items()}
        self.main: Callable[..., Any] = next(iter(self._run.values()))

    def __getitem__(self, role: str) -> Callable[..., Any]:
        return self._run[role]

    def run_by(self, runners: Mapping[str, Callable[..., Any]]) -> Networks:
        """The same networks, run by other functions (compiled ones)."""
        other = Networks(self.modules)
        other._run |= runners
        other.main = next(iter(other._run.values()))
        return other

    def train(self, mode: bool = True) -> None:
        """Training or evaluation mode of all of them."""
        for module in self.modules.values():
            module.train(mode)


class Objective(ABC):
    """One objective, bound to a dataset.

    A subclass declares what it needs, says in :meth:`check` what stands against a drawing, computes the loss of
    a step in :meth:`loss`, and judges a split in :meth:`assess`.

    Attributes:
        id: stable; what a project file says.
        settings: its options, shown and stored like a layer's parameters.
        targets: kinds of field that it can learn; empty if it learns from the inputs alone.
        roles: the networks that it trains; the first is the one that is exported and asked for answers.
        outputs: names of the first network's Outputs. Nodes are matched by label, else by order.
        turns: who moves in a step, in order; each turn has an optimiser of its own.
        watches: the metric whose lowest value marks the best epoch; empty if the newest is the best.
        previews: id → title of what it can show of what has been learnt.
        generates: whether :meth:`generate` makes new examples.

    Attributes of an instance:
        fields: all that can be fed in, by name; those that it makes with the shape that their Input is drawn with.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    settings: ClassVar[tuple[ParamSpec, ...]] = ()
    targets: ClassVar[frozenset[str]] = frozenset()
    roles: ClassVar[tuple[str, ...]] = (NETWORK,)
    outputs: ClassVar[tuple[str, ...]] = ("output",)
    turns: ClassVar[tuple[str, ...]] = ("",)
    watches: ClassVar[str] = "loss"
    previews: ClassVar[Mapping[str, str]] = MappingProxyType({})
    generates: ClassVar[bool] = False

    def __init__(
        self,
        dataset: Dataset,
        options: Mapping[str, Value],
        inputs: Mapping[str, tuple[str, ...]] | tuple[str, ...],
        order: tuple[int, ...] = (),
    ) -> None:
        """Bind it.

        Args:
            inputs: role → the field for each Input node, in the order of the module's arguments; or those of the
                only network.
            order: where each of :attr:`outputs` is in what the module returns; empty means as listed.
        """
        self.dataset = dataset
        self.feeds = dict(inputs) if isinstance(inputs, Mapping) else {self.roles[0]: tuple(inputs)}
        self.inputs = self.feeds[self.roles[0]]
        self.order = order
        self.target = dataset.target.name
        self.fields: Mapping[str, Field] = {f.name: f for f in dataset.fields}
        self.options = self.all_options(options)
        self.device = torch.device("cpu")

    # -- what it needs

    @classmethod
    def all_options(cls, options: Mapping[str, Value]) -> dict[str, Value]:
        """A value for every setting."""
        return {p.name: options.get(p.name, p.default) for p in cls.settings}

    @classmethod
    def wants(cls, dataset: Dataset, options: Mapping[str, Value]) -> Mapping[str, tuple[str, ...]]:
        """Role → names of the fields for its Inputs, in the order in which they are handed out."""
        return {cls.roles[0]: dataset.inputs}

    @classmethod
    def given(cls, dataset: Dataset, options: Mapping[str, Value]) -> tuple[Given, ...]:
        """The fields that it makes itself."""
        return ()

    @property
    def answer(self) -> Field:
        """What the first network's answer stands for."""
        return self.dataset.target

    @classmethod
    @abstractmethod
    def check(cls, outlook: Outlook) -> Iterator[Problem]:
        """What stands against training this drawing on this target. Asked for every role."""

    # -- a step

    def complete(self, batch: Batch) -> Batch:
        """A batch with the fields that :meth:`given` names. Draws from PyTorch's random numbers."""
        return batch

    @abstractmethod
    def loss(self, networks: Networks, batch: Batch, turn: str = "") -> Outcome:
        """One turn of a step."""

    def turns_at(self, move: int) -> tuple[str, ...]:
        """Who takes part in this move, counted from 0; a move is a step, or as many as are gathered for it."""
        return self.turns

    def learns(self, turn: str) -> tuple[str, ...]:
        """The roles whose weights move in a turn."""
        return self.roles

    def config_of(self, turn: str, config: TrainingConfig) -> TrainingConfig:
        """The settings of a turn's optimiser."""
        return config

    def hits(self, output: Tensor, target: Tensor) -> Tensor | None:
        """Which examples are right (0 to 1), of shape (examples,); None where the question makes no sense."""
        return None

    # -- a split

    @abstractmethod
    def assess(self, networks: Networks, batches: Iterable[Batch]) -> Score | None:
        """How good the networks, in eval mode and without gradients, are on these batches; None if there are none.

        What it draws from PyTorch's random numbers is the same every time it is called.
        """

    def to(self, where: torch.device | str) -> None:
        """Move what it computes with to a device."""
        self.device = torch.device(where)

    def state_dict(self) -> dict[str, Any]:
        """What it must remember to go on: tensors and plain values."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from :meth:`state_dict`. Raises ObjectiveError for the state of another objective."""
        if state.keys() != self.state_dict().keys():
            raise ObjectiveError(f"The checkpoint is not one of {self.title.lower()}: start a new run.")

    # -- for those who look on

    def preview(self, what: str, networks: Networks) -> Preview | None:
        """One of :attr:`previews`, for networks in eval mode and without gradients; None if there is nothing to show.

        What it draws from PyTorch's random numbers is the same every time, so that pictures can be compared.
        """
        return None

    def generate(self, networks: Networks, count: int, seed: int = 0) -> Tensor:
        """New examples in the units of the data, of shape (count, ...), by networks in eval mode.

        Raises ObjectiveError if this objective makes none.
        """
        raise ObjectiveError(f"{self.title} learns nothing that new examples could be made with.")

    def arguments(self, batch: Batch, role: str = "") -> list[Tensor]:
        """What a network is called with for a completed batch."""
        return [batch[name] for name in self.feeds[role or self.roles[0]]]

    def named(self, returned: Any) -> dict[str, Tensor]:
        """What the first network returned, by the names in :attr:`outputs`."""
        found = returned if isinstance(returned, (tuple, list)) else (returned,)
        order = self.order or range(len(self.outputs))
        return {name: found[place] for name, place in zip(self.outputs, order, strict=True)}
