"""The public functions. Each takes a project, a network, or a builder: whatever is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepgui import builder
from deepgui.catalog.spec import LayerSpec
from deepgui.graph.values import Network
from deepgui.project import file
from deepgui.project.values import DataConfig, Project, main_key, named_main

if TYPE_CHECKING:
    from torch import Tensor, nn

    from deepgui.compiler.report import Report
    from deepgui.data.legend import Legend
    from deepgui.exporters.export import ExportResult, Target
    from deepgui.exporters.exportable import Exportable
    from deepgui.training.control import Control
    from deepgui.training.evaluate import Trained
    from deepgui.training.events import Event
    from deepgui.training.trainer import Trainer

Drawn = Project | Network | builder.Network
"""A project (its main network is meant), a network, or a builder."""

EXAMPLES = 64
"""Real examples that an export is compared on, at most."""


def load(path: Path | str) -> Project:
    """Open a project file. Raises FileError, whose message is one sentence."""
    return file.read(path)


def save(project: Drawn, path: Path | str) -> None:
    """Write a project file, atomically. Raises FileError."""
    file.write(as_project(project), path)


def layers() -> dict[str, LayerSpec]:
    """All layer kinds by name."""
    from deepgui.catalog.builtin import registry

    return dict(registry())


def check(project: Drawn) -> Report:
    """Problems, shapes, parameters and multiply-adds.

    A project that names its data is also checked against it. Never raises for what is wrong with a drawing.
    """
    from deepgui.compiler import report
    from deepgui.compiler.catalogue import catalogue
    from deepgui.training.preflight import preflight

    project = as_project(project)
    kinds = catalogue(project.blocks)
    found = report.check(project.main, kinds)
    if not project.networks or not project.data.source:
        return found
    return replace(found, problems=preflight(project, main_key(project), kinds, found))


def compile(project: Drawn) -> nn.Module:
    """The network as a module; its arguments are the Inputs in the order they were added.

    Raises:
        NetworkError: if the drawing has errors; ``problems`` lists them.
        WeightsError: the project starts from weights that cannot be read.
    """
    from deepgui.compiler.build import build
    from deepgui.compiler.catalogue import catalogue
    from deepgui.compiler.weights import start_from

    project = as_project(project)
    return start_from(build(named_main(project), catalogue(project.blocks)), project.weights)


def to_python(project: Drawn) -> str:
    """The network as Python source that needs nothing but PyTorch. Raises NetworkError."""
    from deepgui.compiler import source
    from deepgui.compiler.catalogue import catalogue

    project = as_project(project)
    return source.to_python(named_main(project), catalogue(project.blocks))


def from_module(
    module: nn.Module, example_inputs: Any, *, name: str = "", weights: Path | str | None = None
) -> Project:
    """Draw a torch module. :func:`deepgui.importers.module.import_module` also gives the report and the weights.

    Args:
        example_inputs: what ``forward`` takes: a tensor, a tuple of arguments, or a dict by name; batch first.
        name: what the project is called; the module's class by default.
        weights: the ``.safetensors`` file that the weights are written to; in the user's folder if left out. The
            project names it, so that :func:`compile` and training start from it; saving the project copies it.

    Raises:
        ImportFailed: a part of it cannot be drawn, or the drawing answers otherwise; the message names all of them.
    """
    from deepgui.importers.module import import_module
    from deepgui.importers.sources import accepted, with_weights

    return with_weights(accepted(import_module(module, example_inputs, name=name)), weights)


def from_onnx(path: Path | str, *, weights: Path | str | None = None) -> Project:
    """Draw an ONNX file; see :func:`from_module`."""
    from deepgui.importers.onnx_file import import_onnx
    from deepgui.importers.sources import accepted, with_weights

    return with_weights(accepted(import_onnx(Path(path))), weights)


def export(
    project: Drawn, to: Target, out: Path | str, *, run: Path | str | None = None, network: str = ""
) -> ExportResult:
    """Write the network in another format, compared with the original before it counts.

    Args:
        to: ``python``, ``weights``, ``onnx`` or ``torch``.
        run: folder of the run whose weights are taken; without one they are freshly initialised.
        network: which of the project's networks (a GAN's ``discriminator``); empty for the main one.

    Raises:
        ExportError, NetworkError, ValueError, OSError: see :func:`deepgui.exporters.export.export`.
    """
    from deepgui.exporters.export import export

    return export(exportable(project, run, network), to, out)


def exportable(project: Drawn, run: Path | str | None = None, network: str = "") -> Exportable:
    """What an export starts from: a network of a run with its weights, or one of the project's with fresh ones.

    Raises ValueError for a network that there is not.
    """
    whole = as_project(project)
    if network not in ("", main_key(whole)):
        return _beside(whole, Path(run) if run is not None else None, network)
    return _learned(Path(run)) if run is not None else _fresh(whole)


def _beside(project: Project, run: Path | None, key: str) -> Exportable:
    """A network that is not the main one: under its own name, compared on what it was trained with."""
    from dataclasses import replace

    from deepgui.compiler.build import build
    from deepgui.compiler.catalogue import catalogue
    from deepgui.exporters.exportable import Exportable
    from deepgui.training.bindings import roles
    from deepgui.training.evaluate import load_trained

    if key not in project.networks:
        raise ValueError(f"the project has no network {key}: it has {', '.join(project.networks)}")
    kinds = catalogue(project.blocks)
    if run is None:
        fresh = build(project.networks[key], kinds)
        return Exportable(replace(project, name=key), project.networks[key], kinds, fresh, fresh=True)
    found = load_trained(run)
    role = next((role for role, own in roles(found.project).items() if own == key), None)
    if role is None:
        raise ValueError(f"the run {run.name} has not trained the network {key}")
    module, network = found.networks.modules[role], found.project.networks[key]
    kinds = catalogue(found.project.blocks)
    return Exportable(replace(found.project, name=key), network, kinds, module, examples=_examples(found, role))


def _fresh(project: Project) -> Exportable:
    import torch

    from deepgui.compiler.build import build
    from deepgui.compiler.catalogue import catalogue
    from deepgui.compiler.weights import start_from
    from deepgui.exporters.exportable import Exportable

    kinds = catalogue(project.blocks)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(project.training.seed)
        module = start_from(build(project.main, kinds), project.weights)
    return Exportable(project, named_main(project), kinds, module, fresh=not project.weights, **_known_data(project))


def _known_data(project: Project) -> dict[str, Any]:
    """What the data tells of inputs and target, if it can be read: fresh weights leave without it, too."""
    from deepgui.data.dataset import prepare
    from deepgui.data.errors import DataError
    from deepgui.training.bindings import make_objective
    from deepgui.training.evaluate import legend_of
    from deepgui.training.objectives import ObjectiveError

    key = main_key(project)
    try:
        dataset = prepare(project.data, project.training.objective)
        return _explained(legend_of(make_objective(project, key, dataset)))
    except (DataError, ObjectiveError):
        return {}


def _explained(legend: Legend) -> dict[str, Any]:
    return {"fields": legend.inputs, "target": legend.target, "normalizer": legend.normalizer.state()}


def _learned(run: Path) -> Exportable:
    from deepgui.compiler.catalogue import catalogue
    from deepgui.exporters.exportable import Exportable
    from deepgui.training.evaluate import load_trained

    found = load_trained(run)
    project = found.project
    network = named_main(project) if found.network == main_key(project) else project.networks[found.network]
    examples = _examples(found)
    return Exportable(
        found.project,
        network,
        catalogue(found.project.blocks),
        found.module,
        examples=examples,
        **_explained(found.legend),
    )


def _examples(trained: Trained, role: str = "") -> tuple[Tensor, ...] | None:
    """Real inputs to compare an export on, of the test split if it has enough; None if the data is gone."""
    import torch

    from deepgui.data.errors import DataError
    from deepgui.training.evaluate import examples_of

    try:
        dataset, objective = examples_of(trained)
        splits = (dataset.test, dataset.validation, dataset.train)
        split = max(splits, key=lambda s: (len(s) >= EXAMPLES, s is dataset.test))
        batch = split.get(torch.arange(min(EXAMPLES, len(split))))
    except DataError:
        return None
    return tuple(objective.arguments(objective.complete(batch), role))


def train(
    project: Drawn,
    *,
    epochs: int | None = None,
    max_steps: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    device: str | None = None,
    precision: str | None = None,
    seed: int | None = None,
    data: Path | str | DataConfig | None = None,
    runs: Path | str | None = None,
    resume: Path | str | None = None,
) -> Iterator[Event]:
    """Train a project's main network; iterate to make it happen.

    Args:
        epochs, max_steps, batch_size, lr, device, precision, seed: instead of what the project says.
        data: a file or folder with other examples, or other data settings.
        runs: folder in which the run's folder is made; without one, DeepGUI's own.
        resume: folder of a run to go on with.

    Yields:
        Events; the last one is ``Finished``, with metrics and the run's folder, or ``Failed``.

    Raises:
        NetworkError, DataError, ValueError: before the first event, in one sentence.
    """
    changes = {"epochs": epochs, "max_steps": max_steps, "batch_size": batch_size}
    changes |= {"device": device, "precision": precision, "seed": seed}  # type: ignore[dict-item]
    return iter(trainer(with_settings(as_project(project), changes, lr, data), runs, resume))


def trainer(
    project: Project,
    runs: Path | str | None = None,
    resume: Path | str | None = None,
    control: Control | None = None,
    devices: int = 1,
) -> Trainer:
    """What :func:`train` iterates; its ``module`` holds the weights.

    Args:
        devices: how many processes train together, each on batches of the project's size; on the CPU, or with a GPU
            each. Under ``torchrun`` that decides.

    Raises:
        NetworkError: the project cannot be trained as it is; nothing was written.
        RunError: there is no such run to go on with.
        OSError: the run's folder cannot be made.
    """
    from deepgui.compiler.catalogue import catalogue
    from deepgui.graph.problems import NetworkError
    from deepgui.training.preflight import preflight
    from deepgui.training.store import RunStore, default_root
    from deepgui.training.team import launched
    from deepgui.training.trainer import RunSpec, Trainer

    problems = preflight(project, main_key(project), catalogue(project.blocks))
    if any(p.severity == "error" for p in problems):
        raise NetworkError(problems)
    store = RunStore(runs or default_root(None))
    place = launched()
    if resume is not None:
        return Trainer(RunSpec(project, resume=store.open(str(resume)).folder, devices=devices, place=place), control)
    folder = store.create(project) if place is None or place.rank == 0 else None
    return Trainer(RunSpec(project, folder=folder, devices=devices, place=place), control)


def with_settings(
    project: Project, changes: dict[str, Any], lr: float | None = None, data: Path | str | DataConfig | None = None
) -> Project:
    """The project with other training settings (None leaves one as it is), learning rate and data.

    Raises:
        DataError: ``data`` is a path that no source reads.
    """
    from deepgui.data.recognise import with_data

    training = replace(project.training, **{name: value for name, value in changes.items() if value is not None})
    if lr is not None:
        training = replace(training, optimizer_options={**training.optimizer_options, "lr": lr})
    if data is None:
        config = project.data
    else:
        config = data if isinstance(data, DataConfig) else with_data(project.data, data)
    return replace(project, training=training, data=config)


def as_project(drawn: Drawn) -> Project:
    """A project around whatever was given. Raises TypeError."""
    if isinstance(drawn, Project):
        return drawn
    if isinstance(drawn, builder.Network):
        return drawn.project()
    if isinstance(drawn, Network):
        return Project(drawn.name, {"network": drawn})
    raise TypeError(f"a project, a network or a builder is needed here, not {type(drawn).__name__}.")
