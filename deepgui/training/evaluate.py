"""How good a module is on a split, and getting a trained one back from its run."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx, nn

from deepgui.compiler.build import build
from deepgui.compiler.catalogue import catalogue
from deepgui.data import legend
from deepgui.data.batches import Batches
from deepgui.data.dataset import Dataset, prepare
from deepgui.data.legend import Legend
from deepgui.project.values import DataConfig, Project, main_key
from deepgui.training import checkpoints
from deepgui.training.devices import PRECISIONS
from deepgui.training.objectives import Objective, Score, objectives
from deepgui.training.preflight import bindings
from deepgui.training.store import RunError, read_run, run_project

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
    """What a run left, usable without its data.

    Attributes:
        module: with its weights, in eval mode, on the CPU.
        network: key of the network in ``project``.
        legend: what the numbers mean that the module takes and gives.
    """

    module: fx.GraphModule
    project: Project
    network: str
    legend: Legend


def make_objective(project: Project, key: str, dataset: Dataset) -> Objective:
    """The project's objective bound to its data. Raises ObjectiveError if they do not go together."""
    return _objective(project, dataset, bindings(project.networks[key], project.data, dataset).values())


def _objective(project: Project, dataset: Dataset, inputs: Iterable[str]) -> Objective:
    return objectives()[project.training.objective](dataset, project.training.objective_options, tuple(inputs))


def load_trained(folder: Path) -> Trained:
    """The module that a run trained: of its best epoch if the project asks for that, else of its last step.

    Raises:
        RunError, FileError, CheckpointError, DataError, NetworkError: something of it is missing; one plain sentence.
    """
    run = read_run(folder)
    project = run_project(folder)
    best = run.best_checkpoint if project.training.restore_best else None
    state = checkpoints.load(best or folder / "checkpoints" / "last.pt")
    if state.get("position", {}).get("step") == 0:
        raise RunError(
            f"The run {folder.name} was left before its first step, so nothing is learnt yet: go on with it."
        )
    key = state["network"] if state["network"] in project.networks else main_key(project)
    module = build(project.networks[key], catalogue(project.blocks))
    checkpoints.load_weights(module, state["module"], folder)
    module.eval()
    return Trained(module, project, key, legend.read(folder) or _legend_of_data(project, key))


def _legend_of_data(project: Project, key: str) -> Legend:
    """For a run of a version that did not keep it. Raises DataError if the data is gone."""
    dataset = prepare(project.data, project.training.objective)
    return dataset.legend(bindings(project.networks[key], project.data, dataset).values())


def examples_of(trained: Trained, config: DataConfig | None = None) -> tuple[Dataset, Objective]:
    """The data of a run (or other data) in the form that its network knows, and what to judge it by.

    Raises:
        DataError: the data cannot be read, or is not such as the network learnt from.
    """
    project = trained.project
    dataset = prepare(config or project.data, project.training.objective, trained.legend)
    return dataset, _objective(project, dataset, [field.name for field in trained.legend.inputs])
