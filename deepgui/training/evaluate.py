"""How good a module is on a split, and getting a trained one back from its run."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx, nn

from deepgui.catalog.builtin import registry
from deepgui.compiler.build import build
from deepgui.data.batches import Batches
from deepgui.data.dataset import Dataset, prepare
from deepgui.project.values import Project, main_key
from deepgui.training import checkpoints
from deepgui.training.devices import PRECISIONS
from deepgui.training.objectives import Objective, Score, objectives
from deepgui.training.preflight import bindings
from deepgui.training.store import read_run, run_project

_LEAST_BATCH = 512
_SPLITS = {"val": "validation"}


def evaluate(
    module: nn.Module,
    dataset: Dataset,
    split: str,
    objective: Objective,
    device: str | torch.device = "cpu",
    *,
    batch_size: int = _LEAST_BATCH,
    precision: str = "fp32",
) -> Score | None:
    """Loss and metrics of a module, which is on ``device``, on the examples of a split.

    Args:
        split: ``train``, ``validation`` (or ``val``) or ``test``. Raises KeyError for another.

    Returns:
        The score, or None for a split without examples.
    """
    objective.criterion.to(device)
    return judge(module, objective, split_batches(dataset, split, device, batch_size), precision)


def split_batches(dataset: Dataset, split: str, device: str | torch.device, batch_size: int = _LEAST_BATCH) -> Batches:
    """The batches of a split in their natural order, for :func:`judge`. Raises KeyError for an unknown split."""
    return Batches(dataset.splits[_SPLITS.get(split, split)], max(batch_size, _LEAST_BATCH), device=device)


@torch.no_grad()
def judge(module: nn.Module, objective: Objective, batches: Batches, precision: str = "fp32") -> Score | None:
    """Loss and metrics over all examples of ``batches``, in eval mode; the module's own mode comes back."""
    if not len(batches):
        return None
    outputs: list[Tensor] = []
    targets: list[Tensor] = []
    training = module.training
    module.eval()
    casting: Any = nullcontext()
    if precision != "fp32":
        casting = torch.autocast(batches.device.type, PRECISIONS[precision])
    try:
        with casting:
            for batch in batches.epoch(0):
                outputs.append(objective.forward(module.forward, batch))
                targets.append(batch[objective.target])
    finally:
        module.train(training)
    return objective.score(_joined(outputs).float(), _joined(targets))


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)


class Trained(NamedTuple):
    """What a run left: the module with its weights (eval mode, on the CPU), and all that belongs to it."""

    module: fx.GraphModule
    project: Project
    dataset: Dataset
    objective: Objective


def make_objective(project: Project, key: str, dataset: Dataset) -> Objective:
    """The project's objective bound to its data. Raises ObjectiveError if they do not go together."""
    kind = objectives()[project.training.objective]
    network = project.networks[key]
    names = bindings(network, project.data, dataset)
    return kind(dataset, project.training.objective_options, tuple(names.values()))


def load_trained(folder: Path, *, dataset: Dataset | None = None) -> Trained:
    """The module that a run trained: of its best epoch if the project asks for that, else of its last step.

    Raises:
        RunError, FileError, CheckpointError, DataError, NetworkError: something of it is missing; one plain sentence.
    """
    run = read_run(folder)
    project = run_project(folder)
    best = run.best_checkpoint if project.training.restore_best else None
    state = checkpoints.load(best or folder / "checkpoints" / "last.pt")
    key = state["network"] if state["network"] in project.networks else main_key(project)
    module = build(project.networks[key], registry())
    checkpoints.load_weights(module, state["module"], folder)
    module.eval()
    dataset = dataset or prepare(project.data, project.training.objective)
    return Trained(module, project, dataset, make_objective(project, key, dataset))
