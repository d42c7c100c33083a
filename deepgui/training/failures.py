"""From an exception to one plain sentence with the way out."""

from __future__ import annotations

import logging
import math
import sqlite3
from collections.abc import Collection, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, fx

from deepgui.compiler.interpret import Blame, blame
from deepgui.compiler.weights import WeightsError
from deepgui.data.errors import DataError
from deepgui.graph.blocks import spoken, steps
from deepgui.graph.problems import NetworkError
from deepgui.graph.values import Block, Network, Node
from deepgui.project import atomic
from deepgui.project.file import FileError
from deepgui.training.checkpoints import CheckpointError
from deepgui.training.devices import DeviceError
from deepgui.training.events import FailureReason
from deepgui.training.layers import layers_of, weights_of
from deepgui.training.ledger import NotFiniteError
from deepgui.training.objectives import ObjectiveError
from deepgui.training.optim import OptimError
from deepgui.training.store import RunError
from deepgui.training.team import TeamError
from deepgui.training.wording import sentence

_log = logging.getLogger(__name__)
_OURS = (WeightsError, DeviceError, OptimError, ObjectiveError, CheckpointError, RunError, FileError)
_CALMER = "Try a smaller learning rate, gradient clipping or a normalisation layer."
_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


class Verdict(NamedTuple):
    """Attributes: message for the user, the guilty node (its path, inside a block) or empty, kind of failure."""

    message: str
    node: str
    reason: FailureReason


def explain(error: Exception) -> Verdict | None:
    """What an exception means, if that can be said without looking at the network."""
    if isinstance(error, NetworkError):
        first = next((p for p in error.problems if p.severity == "error"), error.problems[0])
        return Verdict(first.message, first.node, "project")
    if isinstance(error, DataError):
        return Verdict(sentence(str(error)), "", "data")
    if isinstance(error, TeamError):
        return Verdict(sentence(str(error)), "", "runtime")
    if isinstance(error, _OURS):
        return Verdict(sentence(str(error)), "", "project")
    if isinstance(error, (OSError, sqlite3.Error)):
        return Verdict(sentence(f"The run cannot be saved: {atomic.reason(error)}"), "", "disk")
    return None


def is_memory(error: Exception) -> bool:
    """Whether a device has run out of memory; each says so in words of its own."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error).lower() for text in _NO_MEMORY)


class Scene(NamedTuple):
    """What is needed to live through a failure again: the network with its blocks, its module, and a batch."""

    module: fx.GraphModule
    network: Network
    blocks: Mapping[str, Block]
    inputs: list[Tensor]

    def guilty(self, *, gradients: bool = False) -> tuple[Blame, Node, str] | None:
        """The node that fails or computes no number, wherever in a block it is, and what a person calls it."""
        found = blame(self.module, self.inputs, gradients=gradients)
        way = steps(self.network, self.blocks, found.node) if found else []
        return (found, way[-1][0], spoken(self.network, self.blocks, found.node)) if found and way else None


def no_memory(scene: Scene, suspect: str, device: str, batch_size: int, advice: str) -> Verdict:
    """Out of memory: run the same batch again, as training does, and name the layer that fails.

    Args:
        suspect: the node to name if the forward pass goes well this time, or there was no batch yet.
        advice: the way out.
    """
    guilty = scene.guilty(gradients=True) if scene.inputs else None
    node = suspect
    if guilty and any(text in guilty[0].message.lower() for text in _NO_MEMORY):
        node = guilty[0].node
    name = spoken(scene.network, scene.blocks, node) if steps(scene.network, scene.blocks, node) else ""
    where = f" in {name}" if name else ""
    return Verdict(f"{device} ran out of memory at batch size {batch_size}{where}: {advice}.", node, "memory")


def at_runtime(error: Exception, scene: Scene) -> Verdict:
    """An exception out of a step: run the same batch again and name the layer that raises it."""
    guilty = scene.guilty()
    if guilty is None:
        return unexpected(error)
    found, _, name = guilty
    return Verdict(sentence(f"{name}: {found.message}"), found.node, "runtime")


def unexpected(error: Exception) -> Verdict:
    """An exception that nothing more is known about; its traceback goes to the log."""
    _log.error("training failed", exc_info=error)
    if is_memory(error):
        return Verdict("There is not enough memory: use a smaller batch size or smaller layers.", "", "memory")
    text = (str(error).strip().splitlines() or [""])[0]
    return Verdict(sentence(f"The training failed with {type(error).__name__}: {text}"), "", "runtime")


def gradient_not_finite(weights: Collection[Tensor], step: int, scene: Scene) -> Verdict:
    """Gradients with NaN or infinity: name the layer of the activations where that begins, else of the gradients."""
    if scene.inputs and scene.guilty() is not None:
        return not_finite(NotFiniteError(step, math.nan), scene)
    bad = {id(weight) for weight in weights}
    found = [(path, name) for path, layer in layers_of(scene.module) for name, w in weights_of(layer) if id(w) in bad]
    if not found:
        return Verdict(f"A gradient became NaN or infinite at step {step}. {_CALMER}", "", "not_finite")
    path = found[-1][0]  # gradients go backward: it begins at the layer nearest to the loss
    name = next(own for way, own in found if way == path)
    label = spoken(scene.network, scene.blocks, path)
    what = f"The gradient of {label}.{name} became NaN or infinite at step {step}, while the loss was finite."
    return Verdict(f"{what} {_CALMER}", path, "not_finite")


def not_deterministic(error: Exception, scene: Scene, device: str) -> Verdict:
    """An operation that has no form that gives the same numbers every time: name it, and its layer if it is plain."""
    operation = str(error).split()[0]
    plain = operation.replace("_", "").lower()
    nodes = [node for node in scene.network.nodes.values() if node.kind.lower() in plain]
    where = f"{nodes[0].label}: " if nodes else ""
    return Verdict(
        f"{where}{operation} has no deterministic form on {device}: switch deterministic off, or use another layer.",
        nodes[0].id if nodes else "",
        "runtime",
    )


def is_not_deterministic(error: Exception) -> bool:
    """Whether PyTorch refuses an operation for want of a deterministic form."""
    return isinstance(error, RuntimeError) and "does not have a deterministic implementation" in str(error)


def not_finite(error: NotFiniteError, scene: Scene) -> Verdict:
    """A loss that is no number: name the layer where NaN or infinity first appears for that batch."""
    guilty = scene.guilty() if scene.inputs else None
    start = f"The loss became {error.value} at step {error.step}"
    advice = _CALMER
    if guilty is None:
        message = f"{start}, though every layer's result is finite: the loss itself overflows. {advice}"
        return Verdict(message, "", "not_finite")
    found, node, name = guilty
    if node.kind == "Input":
        message = f"{start}: the data that {name} receives has NaN or infinite values; repair or drop those rows."
        return Verdict(message, found.node, "not_finite")
    return Verdict(f"{start}: {name} {found.message}. {advice}", found.node, "not_finite")
