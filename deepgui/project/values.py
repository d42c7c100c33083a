"""A project: networks, what they learn from, and how they are trained. Frozen like everything it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from deepgui.catalog.spec import Value
from deepgui.graph.values import Block, Network
from deepgui.project.ranges import Space

LATER: Mapping[str, Any] = MappingProxyType({"later": True})
"""Marks a setting that came after its section's first version: a file has it only where it is used, so that files
that do not use it stay as they are, and earlier versions read them."""


@dataclass(frozen=True)
class DataConfig:
    """Where examples come from and how they are split.

    Attributes:
        source: id of a data source (``digits``, ``csv``, ...); empty means none chosen yet.
        options: the source's own settings, e.g. ``path``.
        inputs: Input node id → field name; Input nodes not named take the fields in order. Of networks other than
            the main one ``key/node``.
        target: the field to learn; empty means the source's own choice.
        validation, test: fractions of the examples, each in [0, 1).
        seed: of the split.
        normalize: ``none``, ``standard`` (zero mean, unit deviation) or ``minmax``; fitted on training data.
    """

    source: str = ""
    options: Mapping[str, Value] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    target: str = ""
    validation: float = 0.15
    test: float = 0.15
    seed: int = 0
    normalize: str = "standard"


@dataclass(frozen=True)
class LayerTraining:
    """What is particular about the training of one layer, or of all layers inside a block.

    Attributes:
        frozen: its weights stay as they are, and so do running statistics of a normalisation.
        lr: its learning rate as a multiple of the run's, or None.
        init: how its weights begin: a function of ``torch.nn.init`` (``xavier_uniform_``); empty for PyTorch's own way.
        init_options: the function's arguments that differ from its defaults.
    """

    frozen: bool = False
    lr: float | None = None
    init: str = ""
    init_options: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained. Names are torch's (``optimizer="AdamW"``, ``scheduler="OneCycleLR"``).

    Attributes:
        objective: id of an objective (``classification``, ``regression``).
        objective_options: the objective's own settings, e.g. ``{"loss": "CrossEntropyLoss"}``.
        networks: role → key of the network that plays it, for objectives that train several; others by their name.
        optimizer_options, scheduler_options: arguments of the torch class that differ from its defaults.
        scheduler: empty means a constant learning rate.
        epochs: passes over the training split. max_steps: stop after so many steps, if not None.
        batch_size: examples per step.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``, ``xpu``.
        precision: ``fp32``, ``bf16`` or ``fp16``.
        seed: of initialisation, shuffling and dropout.
        clip_grad_norm: largest gradient norm, or None.
        accumulate: steps whose gradients are averaged before the optimiser moves.
        early_stopping: epochs without improvement of the validation loss before stopping, or None.
        restore_best: give back the weights of the best epoch at the end.
        checkpoint_minutes: at most this many minutes of training are lost by a crash.
        start_from: a run's folder, or a file of weights, that gives every weight of the same name and shape its first
            value; empty for none.
        ema: decay of a moving average of the weights (0.999) that is judged and kept in their place, or None.
        compile: run the networks through ``torch.compile``, where that works.
        deterministic: only algorithms that give the same numbers every time; what has none is refused.
        check_gradients: look for gradients that are no finite numbers every so many moves; 0 for never.
        augmentation: how training pictures are changed at random, ``{"flip": 0.5}``; see ``deepgui.data.augment``.
        warmup_steps: moves of the optimiser over which the learning rate rises from nothing to the scheduler's.
        layers: what is particular about single layers, by path: ``conv1``, ``stage.2.conv`` in the third of a row,
            ``stage.conv`` in all of it, ``stage`` for all inside; of networks other than the main one ``key/path``.
            Paths that no layer has mean nothing.
    """

    objective: str = "classification"
    objective_options: Mapping[str, Value] = field(default_factory=dict)
    networks: Mapping[str, str] = field(default_factory=dict, metadata=LATER)
    optimizer: str = "Adam"
    optimizer_options: Mapping[str, Value] = field(default_factory=lambda: {"lr": 1e-3})
    scheduler: str = ""
    scheduler_options: Mapping[str, Value] = field(default_factory=dict)
    epochs: int = 20
    max_steps: int | None = None
    batch_size: int = 32
    device: str = "auto"
    precision: str = "fp32"
    seed: int = 0
    clip_grad_norm: float | None = None
    accumulate: int = 1
    early_stopping: int | None = None
    restore_best: bool = True
    checkpoint_minutes: float = 1.0
    ema: float | None = field(default=None, metadata=LATER)
    compile: bool = field(default=False, metadata=LATER)
    deterministic: bool = field(default=False, metadata=LATER)
    check_gradients: int = field(default=0, metadata=LATER)
    augmentation: Mapping[str, Value] = field(default_factory=dict, metadata=LATER)
    start_from: str = field(default="", metadata=LATER)
    warmup_steps: int = field(default=0, metadata=LATER)
    layers: Mapping[str, LayerTraining] = field(default_factory=dict, metadata=LATER)


@dataclass(frozen=True)
class Project:
    """One file. ``main`` is the network that opens first and that single-network objectives train.

    ``blocks`` are the drawings that its networks, and blocks themselves, use as layers, by name. ``weights`` names a
    safetensors file that the main network starts from (an imported model's); empty for fresh ones. ``search`` says what
    may be varied while the best settings are looked for; a training is none the wiser.
    """

    name: str
    networks: Mapping[str, Network] = field(default_factory=dict)
    data: DataConfig = DataConfig()
    training: TrainingConfig = TrainingConfig()
    notes: str = ""
    blocks: Mapping[str, Block] = field(default_factory=dict)
    weights: str = ""
    search: Space = field(default_factory=dict)

    @property
    def main(self) -> Network:
        """The first network; an empty one if there is none yet."""
        return next(iter(self.networks.values()), Network("network"))


def named_main(project: Project) -> Network:
    """The main network as it leaves the project: under the project's name while it has none of its own."""
    network = project.main
    return replace(network, name=project.name) if network.name == Network("network").name else network


def with_network(project: Project, key: str, network: Network) -> Project:
    """The project with one of its networks replaced or added."""
    if project.networks.get(key) is network:
        return project
    return replace(project, networks={**project.networks, key: network})


def without_network(project: Project, key: str) -> Project:
    """The project without one of its networks. Raises KeyError for an unknown one, ValueError for the last."""
    if len(project.networks) == 1:
        raise ValueError("a project needs a network: draw another one first")
    kept = {own: network for own, network in project.networks.items() if own != key}
    if len(kept) == len(project.networks):
        raise KeyError(key)
    return replace(project, networks=kept)


def renamed_network(project: Project, key: str, name: str) -> Project:
    """The project with a network under another key, in the same place; what names it follows.

    Raises KeyError for an unknown one, ValueError for a name that is taken or empty.
    """
    if not name:
        raise ValueError("a network needs a name")
    if name != key and name in project.networks:
        raise ValueError(f"there is a network {name} already: choose another name")
    network = project.networks[key]
    networks = {name if own == key else own: drawing for own, drawing in project.networks.items()}
    networks[name] = replace(network, name=name)
    roles = {role: name if own == key else own for role, own in project.training.networks.items()}
    inputs = {_moved(node, key, name): field for node, field in project.data.inputs.items()}
    layers = {_moved(path, key, name): own for path, own in project.training.layers.items()}
    data, training = replace(project.data, inputs=inputs), replace(project.training, networks=roles, layers=layers)
    return replace(project, networks=networks, data=data, training=training)


def _moved(node: str, key: str, name: str) -> str:
    """A reference ``key/node`` under the network's new name."""
    return f"{name}{node[len(key) :]}" if node.startswith(f"{key}/") else node


def edit_network(project: Project, key: str, edit: Callable[[Network], Network]) -> Project:
    """The project with an edit applied to one of its networks. Raises KeyError for an unknown one."""
    return with_network(project, key, edit(project.networks[key]))


def with_training(project: Project, settings: Iterable[tuple[str, int]]) -> Project:
    """The project with other settings of its training, by name. Raises TypeError for an unknown one."""
    return replace(project, training=replace(project.training, **dict(settings)))  # type: ignore[arg-type]


def with_block(project: Project, name: str, block: Block) -> Project:
    """The project with one of its blocks replaced or added."""
    if project.blocks.get(name) is block:
        return project
    return replace(project, blocks={**project.blocks, name: block})


def main_key(project: Project) -> str:
    """The key of :attr:`Project.main`; ``network`` if there is none yet."""
    return next(iter(project.networks), "network")


def empty_project(name: str = "untitled") -> Project:
    """What File → New gives: one empty network."""
    return Project(name, {"network": Network("network")})
