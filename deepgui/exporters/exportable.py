"""What an export starts from: a network, its weights, and what they expect of their inputs."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from deepgui.catalog.spec import Registry
from deepgui.data.fields import Field
from deepgui.graph.edits import identifier
from deepgui.graph.values import Network, Node
from deepgui.project.values import Project

Batch = tuple[Tensor, ...]
"""One tensor per Input, batch first."""


@dataclass(frozen=True)
class Exportable:
    """A network as it leaves.

    Attributes:
        project: what was trained; its settings go into the exported scripts.
        module: the compiled network with the weights to export; never changed by an export.
        fields: what arrives at each Input, in order; empty if the project has no data.
        target: what is predicted, if known: its classes, or its name and units.
        normalizer: the state of the dataset's normaliser: what fields were scaled by.
        examples: real inputs, normalised, one tensor per Input with the same number of rows; None if there
            are none, and exports are then compared on random numbers.
        fresh: the weights are newly initialised, not learned.
    """

    project: Project
    network: Network
    registry: Registry
    module: nn.Module
    fields: tuple[Field, ...] = ()
    target: Field | None = None
    normalizer: Mapping[str, Any] = field(default_factory=dict)
    examples: Batch | None = None
    fresh: bool = False

    @property
    def name(self) -> str:
        """The stem of exported files: the project's name as an identifier."""
        return identifier(self.project.name)

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The Input nodes, in the order in which the module takes them."""
        return self.network.of_kind("Input")

    @property
    def outputs(self) -> tuple[Node, ...]:
        """The Output nodes, in the order in which the module returns them."""
        return self.network.of_kind("Output")

    @property
    def single_output(self) -> bool:
        """Whether one number tells two classes apart, as BCEWithLogitsLoss has it."""
        training = self.project.training
        return training.objective == "classification" and training.objective_options.get("loss") == "BCEWithLogitsLoss"

    def on_cpu(self) -> nn.Module:
        """A copy of the module in evaluation mode on the CPU, in full precision."""
        return copy.deepcopy(self.module).cpu().float().eval()

    def state(self) -> dict[str, Tensor]:
        """The weights on the CPU, each with memory of its own."""
        return {name: t.detach().cpu().clone().contiguous() for name, t in self.module.state_dict().items()}


def shape_of(node: Node) -> tuple[int, ...]:
    """The shape of one example at an Input, without the batch dimension."""
    shape = node.params.get("shape", ())
    return tuple(n for n in (shape if isinstance(shape, tuple) else (shape,)) if isinstance(n, int))


def tensors(result: Any) -> Batch:
    """What a module returned, as a tuple of tensors."""
    return (result,) if isinstance(result, Tensor) else tuple(result)


def answer(module: nn.Module, batch: Batch) -> Batch:
    """The module's outputs for one batch, without gradients."""
    with torch.no_grad():
        return tensors(module(*batch))
