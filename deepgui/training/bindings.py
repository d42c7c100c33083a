"""Which network plays which part, what is fed to its Inputs, and which Output is which."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from deepgui.compiler.shapes import input_type
from deepgui.data.dataset import Dataset
from deepgui.data.fields import Field, shown
from deepgui.graph.shapes import TensorType
from deepgui.graph.values import Network
from deepgui.project.values import DataConfig, Project, main_key
from deepgui.training.objectives import Objective, ObjectiveError, objectives


@dataclass(frozen=True)
class Part:
    """One network in its role.

    Attributes:
        key: of the network in the project.
        inputs: Input node id → field name; Inputs for which there is no field left are missing.
    """

    key: str
    inputs: Mapping[str, str]


def kind_of(project: Project) -> type[Objective]:
    """The project's objective. Raises ObjectiveError for an unknown one."""
    kind = objectives().get(project.training.objective)
    if kind is None:
        known = ", ".join(objectives())
        raise ObjectiveError(f"There is no objective {project.training.objective}: choose one of {known}.")
    return kind


def roles(project: Project, key: str = "", kind: type[Objective] | None = None) -> dict[str, str]:
    """Role → key of the network that plays it. Roles for which there is no network are missing.

    A network plays the role that the project gives it, else that of its own name, else the next that is free.

    Args:
        key: of the network that is trained where there is one role only; empty for the main one.
    """
    wanted = (kind or kind_of(project)).roles
    chosen = {
        role: own for role, own in project.training.networks.items() if role in wanted and own in project.networks
    }
    if len(wanted) == 1:
        return {wanted[0]: key or main_key(project)}
    for role in wanted:
        if role not in chosen and role in project.networks and role not in chosen.values():
            chosen[role] = role
    spare = [own for own in project.networks if own not in chosen.values()]
    for role in wanted:
        if role not in chosen and spare:
            chosen[role] = spare.pop(0)
    return {role: chosen[role] for role in wanted if role in chosen}


def bindings(network: Network, config: DataConfig, wanted: Sequence[str], key: str = "") -> dict[str, str]:
    """Input node id → field name: as the project says, else the field of the Input's own name, else in order.

    Args:
        key: of a network that is not the main one; the project then says ``key/node``.
    """
    nodes = network.of_kind("Input")
    said = {node.id: config.inputs.get(f"{key}/{node.id}" if key else node.id, "") for node in nodes}
    for node in nodes:
        if not said[node.id] and node.label in wanted and node.label not in said.values():
            said[node.id] = node.label
    spare = iter([name for name in wanted if name not in said.values()])
    found = {node: name or next(spare, "") for node, name in said.items()}
    return {node: name for node, name in found.items() if name}


def parts(project: Project, key: str, dataset: Dataset) -> dict[str, Part]:
    """Every role that has a network, with what is fed to it."""
    kind = kind_of(project)
    options = kind.all_options(project.training.objective_options)
    wanted = kind.wants(dataset, options)
    main = main_key(project)
    found = {}
    for role, own in roles(project, key, kind).items():
        prefix = "" if own == main or len(kind.roles) == 1 else own
        found[role] = Part(own, bindings(project.networks[own], project.data, wanted.get(role, ()), prefix))
    return found


@dataclass(frozen=True)
class Offer:
    """What can be fed to the Inputs of a network.

    Attributes:
        fields: name → what it is, for people (``image 1×8×8``).
        bound: Input node id → the field that it gets now.
        prefix: what stands before a node's id in ``data.inputs`` (``discriminator/``), empty for the main network.
    """

    fields: Mapping[str, str]
    bound: Mapping[str, str]
    prefix: str = ""


def offer(project: Project, key: str, dataset: Dataset) -> Offer | None:
    """What can be fed to a network; None if the objective does not train it."""
    kind = kind_of(project)
    part = next((part for part in parts(project, key, dataset).values() if part.key == key), None)
    if part is None:
        return None
    fields = known_fields(kind, dataset, project.training.objective_options, {})
    given = {made.field.name for made in kind.given(dataset, kind.all_options(project.training.objective_options))}
    said = {
        name: "made by the objective" if name in given else f"{f.kind} {shown(f.shape)}" for name, f in fields.items()
    }
    alone = key == main_key(project) or len(kind.roles) == 1
    return Offer(said, part.inputs, "" if alone else f"{key}/")


def output_order(network: Network, names: Sequence[str]) -> tuple[int, ...]:
    """Where each of the objective's outputs is among the network's Output nodes: by label, else in order.

    Empty if there are too few.
    """
    outputs = network.of_kind("Output")
    if len(outputs) < len(names):
        return ()
    labels = [node.label for node in outputs]
    found = {name: labels.index(name) for name in names if name in labels}
    spare = [place for place in range(len(outputs)) if place not in found.values()]
    return tuple(found[name] if name in found else spare.pop(0) for name in names)


def make_objective(project: Project, key: str, dataset: Dataset, bound: Mapping[str, Part] | None = None) -> Objective:
    """The project's objective bound to its data. Raises ObjectiveError if they do not go together."""
    kind = kind_of(project)
    bound = bound or parts(project, key, dataset)
    missing = [role for role in kind.roles if role not in bound]
    if missing:
        raise ObjectiveError(f"{kind.title} needs a network for the role {missing[0]}: add one to the project.")
    feeds = {role: tuple(part.inputs.values()) for role, part in bound.items()}
    order = output_order(project.networks[bound[kind.roles[0]].key], kind.outputs)
    made = kind(dataset, project.training.objective_options, feeds, order)
    drawn: dict[str, TensorType] = {}
    for part in bound.values():
        nodes = project.networks[part.key].nodes
        types = {id: type_ for id in part.inputs if (type_ := input_type(nodes[id].params)) is not None}
        drawn |= drawn_inputs(project.networks[part.key], part.inputs, types)
    made.fields = known_fields(kind, dataset, project.training.objective_options, drawn)
    return made


def known_fields(
    kind: type[Objective], dataset: Dataset, options: Mapping[str, object], drawn: Mapping[str, TensorType]
) -> dict[str, Field]:
    """All fields that can be fed in, by name; those that take any shape have the one drawn for them.

    Args:
        drawn: field name → type of the Input that it is fed to.
    """
    found = {f.name: f for f in dataset.fields}
    for given in kind.given(dataset, kind.all_options(options)):  # type: ignore[arg-type]
        field, shape = given.field, drawn.get(given.field.name)
        if given.free and shape is not None:
            field = replace(field, shape=tuple(d.const for d in shape.dims[1:]), dtype=shape.dtype)
        found[field.name] = field
    return found


def drawn_inputs(network: Network, inputs: Mapping[str, str], known: Mapping[str, TensorType]) -> dict[str, TensorType]:
    """Field name → type that its Input is drawn with; ``known``: node id → type."""
    return {name: known[node] for node, name in inputs.items() if node in known}


def unplayed(kind: type[Objective], playing: Collection[str]) -> tuple[str, ...]:
    """The roles that no network plays."""
    return tuple(role for role in kind.roles if role not in playing)
