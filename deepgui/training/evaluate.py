"""How good a module is on a split, and getting a trained one back from its run."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import fx, nn

from deepgui.compiler.build import build
from deepgui.compiler.catalogue import catalogue
from deepgui.data import legend
from deepgui.data.batches import Batches
from deepgui.data.dataset import Dataset, prepare
from deepgui.data.legend import Legend
from deepgui.project.values import DataConfig, Project, main_key
from deepgui.training import checkpoints
from deepgui.training.bindings import Part, kind_of, make_objective, parts, roles
from deepgui.training.devices import PRECISIONS
from deepgui.training.objectives import Objective, Score
from deepgui.training.objectives.base import Networks
from deepgui.training.store import RunError, read_run, run_project

_LEAST_BATCH = 512
_SEED = 0  # what an objective draws to judge is the same every time
_SPLITS = {"val": "validation"}


def evaluate(
    module: nn.Module | Networks,
    dataset: Dataset,
    split: str,
    objective: Objective,
    device: str | torch.device = "cpu",
    *,
    batch_size: int = _LEAST_BATCH,
    precision: str = "fp32",
) -> Score | None:
    """Loss and metrics of a module, or of several that learnt together, on the examples of a split.

    Args:
        module: on ``device``.
        split: ``train``, ``validation`` (or ``val``) or ``test``. Raises KeyError for another.

    Returns:
        The score, or None for a split without examples.
    """
    networks = module if isinstance(module, Networks) else Networks({objective.roles[0]: module})
    objective.to(device)
    return judge(networks, objective, split_batches(dataset, split, device, batch_size), precision)


def split_batches(dataset: Dataset, split: str, device: str | torch.device, batch_size: int = _LEAST_BATCH) -> Batches:
    """The batches of a split in their natural order, for :func:`judge`. Raises KeyError for an unknown split."""
    return Batches(dataset.splits[_SPLITS.get(split, split)], max(batch_size, _LEAST_BATCH), device=device)


@torch.no_grad()
def judge(networks: Networks, objective: Objective, batches: Batches, precision: str = "fp32") -> Score | None:
    """Loss and metrics over all examples of ``batches``, in eval mode; the modules' own modes come back."""
    if not len(batches):
        return None
    modes = {role: module.training for role, module in networks.modules.items()}
    networks.train(False)
    casting: Any = nullcontext()
    if precision != "fp32":
        casting = torch.autocast(batches.device.type, PRECISIONS[precision])
    try:
        with casting, checkpoints.same_random_numbers(batches.device):
            torch.default_generator.manual_seed(_SEED)  # torch.manual_seed queues a traceback for every absent device
            if batches.device.type != "cpu":
                getattr(torch, batches.device.type).manual_seed(_SEED)
            return objective.assess(networks, batches.epoch(0))
    finally:
        for role, training in modes.items():
            networks.modules[role].train(training)


class Trained(NamedTuple):
    """What a run left, usable without its data.

    Attributes:
        module: the first network with its weights, in eval mode, on the CPU.
        network: its key in ``project``.
        legend: what the numbers mean that the module takes and gives.
        networks: all that learnt together, by role.
    """

    module: fx.GraphModule
    project: Project
    network: str
    legend: Legend
    networks: Networks


def together(modules: Mapping[str, nn.Module]) -> nn.Module:
    """What has the weights of all roles: the module itself if there is one only."""
    return next(iter(modules.values())) if len(modules) == 1 else nn.ModuleDict(modules)


def legend_of(objective: Objective) -> Legend:
    """What the first network must know of its data, what the objective makes for it included."""
    fed = [objective.fields[name] for name in objective.inputs]
    own = {field.name for field in objective.dataset.fields}
    return objective.dataset.legend(fed, objective.answer, tuple(f.name for f in fed if f.name not in own))


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
    playing = roles(project, key)
    modules = {role: build(project.networks[own], catalogue(project.blocks)) for role, own in playing.items()}
    checkpoints.load_weights(together(modules), state.get("average") or state["module"], folder)
    networks = Networks(modules)
    networks.train(False)
    main = next(iter(modules.values()))
    known = legend.read(folder) or _legend_of_data(project, key)
    return Trained(main, project, next(iter(playing.values())), known, networks)


def _legend_of_data(project: Project, key: str) -> Legend:
    """For a run of a version that did not keep it. Raises DataError if the data is gone."""
    dataset = prepare(project.data, project.training.objective)
    return legend_of(make_objective(project, key, dataset))


def examples_of(trained: Trained, config: DataConfig | None = None) -> tuple[Dataset, Objective]:
    """The data of a run (or other data) in the form that its network knows, and what to judge it by.

    Raises:
        DataError: the data cannot be read, or is not such as the network learnt from.
    """
    dataset = prepare(config or trained.project.data, trained.project.training.objective, trained.legend)
    return dataset, objective_for(trained, dataset)


def objective_for(trained: Trained, dataset: Dataset) -> Objective:
    """The objective of a run, bound to data with the fields that its network knows. Raises ObjectiveError."""
    project = trained.project
    bound = parts(project, trained.network, dataset)
    first = kind_of(project).roles[0]
    known = dict(zip(bound[first].inputs, (field.name for field in trained.legend.inputs), strict=False))
    bound[first] = Part(trained.network, known)
    return make_objective(project, trained.network, dataset, bound)
