"""What stands against training a project, found before the first step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from deepgui.catalog.spec import Registry
from deepgui.compiler.report import Report, check
from deepgui.data.dataset import Dataset, prepare
from deepgui.data.errors import DataError
from deepgui.data.fields import Field, input_params, of_one_graph, type_of
from deepgui.data.joined import Joining
from deepgui.graph import edits
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.shapes import TensorType
from deepgui.graph.values import Network, Node
from deepgui.project.values import DataConfig, Project, TrainingConfig, main_key
from deepgui.training import memory, vocabulary
from deepgui.training.bindings import Part, drawn_inputs, known_fields, output_order, parts, roles, unplayed
from deepgui.training.layers import layer_problems
from deepgui.training.objectives import Objective, ObjectiveError, Outlook, objectives
from deepgui.training.settings import optimizer_problems, settings_problems
from deepgui.training.wording import sentence

_PLATEAU = "ReduceLROnPlateau"
_BATCH_NORMS = ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm")


def preflight(project: Project, key: str, registry: Registry, report: Report | None = None) -> tuple[Problem, ...]:
    """Everything that would keep ``project.networks[key]`` from training well; errors first.

    The drawing's own problems are the first of them; opening the data may take a while the first time.

    Args:
        report: what the compiler said of this network, if already known.
    """
    key = key or main_key(project)
    network = project.networks.get(key)
    if network is None:
        return (Problem("no-network", f"The project has no network {key}."),)
    reports = _reports(project, key, registry, report or check(network, registry))
    config = project.training
    found = [*reports[key].problems, *settings_problems(config)]
    for other, its in reports.items():
        found += optimizer_problems(project.networks[other], its, config)
        found += layer_problems(project, other, project.networks[other], its)
        if other != key:
            found += [_elsewhere(problem, other) for problem in its.problems]
    try:
        dataset = prepare(project.data, project.training.objective)
    except DataError as error:
        found.append(_data_problem(project.data, error))
    else:
        try:
            found += examine(project, key, reports, dataset)
        except ObjectiveError as error:
            found.append(Problem("objective", sentence(str(error))))
        real = replace(config, batch_size=min(config.batch_size, len(dataset.train)))
        if all(its.ok for its in reports.values()) and real.batch_size > 0:
            found += memory.problems(network, registry, reports[key], real)
    return tuple(sorted(found, key=lambda p: p.severity != "error"))


def _reports(project: Project, key: str, registry: Registry, report: Report) -> dict[str, Report]:
    """Key → report of every network that the objective trains."""
    if project.training.objective not in objectives():
        return {key: report}
    keys = dict.fromkeys((key, *roles(project, key).values()))
    return {own: report if own == key else check(project.networks[own], registry) for own in keys}


def _elsewhere(problem: Problem, key: str) -> Problem:
    """A problem of a network that is not the one looked at: it has no place and no mend there."""
    return replace(problem, message=f"{key}: {problem.message}", node="", port="", fix=None)


def with_shapes(project: Project, key: str, problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """The same problems, with a fix for every Input that has no shape yet: that of the examples it would get."""
    network = project.networks.get(key)
    unset = {p.node for p in problems if p.code == "missing-parameter"}
    if network is None or not any(node.id in unset for node in network.of_kind("Input")):
        return tuple(problems)
    try:
        dataset = prepare(project.data, project.training.objective)
    except DataError:
        return tuple(problems)
    if project.training.objective not in objectives():
        return tuple(problems)
    try:
        part = next((p for p in parts(project, key, dataset).values() if p.key == key), None)
    except ObjectiveError:
        return tuple(problems)
    fields = {f.name: f for f in dataset.fields}
    bound = {node: fields[name] for node, name in part.inputs.items() if name in fields} if part else {}
    return tuple(_with_shape(p, network, bound.get(p.node)) for p in problems)


def _with_shape(problem: Problem, network: Network, field: Field | None) -> Problem:
    if problem.code != "missing-parameter" or field is None or network.nodes[problem.node].kind != "Input":
        return problem
    params, given = input_params(field), type_of(field)
    fix = Fix(f"Set the shape to {given}", lambda net: edits.set_params(net, problem.node, params))
    return replace(problem, expected=str(given), reason=f"The examples of {field.name} have this shape.", fix=fix)


def _data_problem(config: DataConfig, error: DataError) -> Problem:
    return Problem("data" if config.source else "no-data", sentence(str(error)))


def examine(project: Project, key: str, reports: Mapping[str, Report], dataset: Dataset) -> Iterator[Problem]:
    """What stands against training these drawings on this data.

    Args:
        key: of the network that problems are shown at. reports: key → what the compiler said of it.
    """
    kind = objectives().get(project.training.objective)
    if kind is None:
        yield from _size_problems(project.networks[key], reports[key], project.training, dataset)
        return
    yield from _waiting_problems(kind, project.training)
    playing = parts(project, key, dataset)
    for role in unplayed(kind, playing):
        yield Problem(
            "missing-network",
            f"{kind.title} trains {len(kind.roles)} networks, and none plays the {role}: add one to the project.",
            expected=", ".join(kind.roles),
            received=", ".join(playing) or "none",
        )
    for role, part in playing.items():
        found = _part_problems(project, kind, role, part, reports[part.key], dataset)
        yield from (p if part.key == key else _elsewhere(p, part.key) for p in found)
    for part in playing.values():
        found = _size_problems(project.networks[part.key], reports[part.key], project.training, dataset)
        yield from (p if part.key == key else _elsewhere(p, part.key) for p in found)


def _waiting_problems(kind: type[Objective], config: TrainingConfig) -> Iterator[Problem]:
    """Settings that wait for a loss to improve, where none tells how good the networks are."""
    if kind.watches:
        return
    found = {"early_stopping": config.early_stopping is not None, _PLATEAU: config.scheduler == _PLATEAU}
    for name in (name for name, chosen in found.items() if chosen):
        yield Problem(
            "nothing-to-wait-for",
            f"{name} waits for a loss to stop falling, but none of {kind.title.lower()} training tells how good it is:"
            " it has no effect.",
            severity="warning",
            reason="The networks learn from each other, so their losses may rise while both become better.",
        )


def _part_problems(
    project: Project, kind: type[Objective], role: str, part: Part, report: Report, dataset: Dataset
) -> Iterator[Problem]:
    network, options = project.networks[part.key], project.training.objective_options
    types = {id: known.outputs["output"] for id, known in report.nodes.items() if "output" in known.outputs}
    fields = known_fields(kind, dataset, options, drawn_inputs(network, part.inputs, types))
    yield from _bindings_problems(network, report, part, fields)
    yield from vocabulary.problems(network, report, part.inputs, fields)
    outputs = kind.outputs if role == kind.roles[0] else ("output",)
    yield from _objective_problems(network, report, project.training, dataset, _Role(kind, role, outputs, part, fields))


def _bindings_problems(network: Network, report: Report, part: Part, fields: Mapping[str, Field]) -> Iterator[Problem]:
    for node in network.of_kind("Input"):
        name = part.inputs.get(node.id)
        if name is None:
            yield Problem(
                "unbound-input",
                f"{node.label}: the data has no field left for this Input (it has {', '.join(fields)}).",
                node=node.id,
                expected="a field of the data",
                received="none",
                fix=_remove(node),
            )
        elif name not in fields:
            yield Problem(
                "unknown-field",
                f"{node.label}: the data has no field {name} (it has {', '.join(fields)}).",
                node=node.id,
                expected=", ".join(fields),
                received=name,
            )
        else:
            yield from _shape_problems(node, fields[name], report)


def _remove(node: Node) -> Fix:
    return Fix(f"Remove {node.label}", lambda net: edits.remove_nodes(net, (node.id,)))


def _shape_problems(node: Node, field: Field, report: Report) -> Iterator[Problem]:
    known = report.nodes.get(node.id)
    drawn = known.outputs.get("output") if known else None
    given = type_of(field)
    if drawn is None or drawn == given:
        return
    params = {name: value for name, value in input_params(field).items() if node.params.get(name) != value}
    yield Problem(
        "input-shape",
        f"{node.label} is drawn as {drawn}, but {field.name} has examples of {given}.",
        node=node.id,
        port="output",
        expected=str(given),
        received=str(drawn),
        reason="An Input has the shape of one example of the data.",
        fix=Fix(f"Set the shape of {node.label} to {given}", lambda net: edits.set_params(net, node.id, params)),
    )


@dataclass(frozen=True)
class _Role:
    """One network's part in an objective; ``outputs``: names of the Outputs that it must have."""

    kind: type[Objective]
    role: str
    outputs: tuple[str, ...]
    part: Part
    fields: Mapping[str, Field]

    def fed(self) -> tuple[Field, ...]:
        return tuple(self.fields[name] for name in self.part.inputs.values() if name in self.fields)


def _objective_problems(
    network: Network, report: Report, config: TrainingConfig, dataset: Dataset, at: _Role
) -> Iterator[Problem]:
    kind, target = at.kind, dataset.target
    if kind.targets and target.kind not in kind.targets:
        other = next((o.title.lower() for o in objectives().values() if target.kind in o.targets), "another objective")
        yield Problem(
            "wrong-target",
            f"{kind.title} cannot learn {target.name}, which is a {target.kind}: choose {other}.",
            expected=" or ".join(sorted(kind.targets)),
            received=target.kind,
        )
        return
    nodes = network.of_kind("Output")
    yield from _output_problems(nodes, at)
    arriving = {node.id: _arriving(report, node.id) for node in nodes}
    order = output_order(network, at.outputs)
    wanted = [nodes[place].id for place in order]
    fields = dataset.fields
    types = {id: _per_example(found, fields) for id in wanted if (found := arriving[id]) is not None}
    if wanted and len(types) == len(wanted):
        known = [report.nodes[n.id].outputs.get("output") for n in network.of_kind("Input") if n.id in report.nodes]
        outlook = Outlook(
            network,
            wanted[0],
            types[wanted[0]],
            target,
            config.objective_options,
            at.role,
            types,
            dataset.fields,
            at.fed(),
            tuple(t for t in known if t is not None),
            dataset,
        )
        yield from (_placed(problem, network) for problem in kind.check(outlook))


def _arriving(report: Report, output: str) -> TensorType | None:
    known = report.nodes.get(output)
    found = known.inputs.get("input", ()) if known else ()
    return found[0] if found else None


def _per_example(arriving: TensorType, fields: Iterable[Field]) -> TensorType:
    """A result as the objective sees it: where graphs are the examples, a row a graph is a row an example."""
    if not arriving.dims or not any(field.kind == "graph" for field in fields):
        return arriving
    first, *others = arriving.dims
    counts = {"G": "N", "N": "nodes"}.get(first.of, first.of)
    return TensorType((first._replace(of=counts), *others), arriving.dtype)


def _output_problems(nodes: Sequence[Node], at: _Role) -> Iterator[Problem]:
    wanted, title = len(at.outputs), at.kind.title
    if len(nodes) > wanted:
        names = ", ".join(node.label for node in nodes)
        yield Problem(
            "several-outputs",
            f"{title} learns from {_outputs(at.outputs)}, but the network has {len(nodes)}: {names}.",
            node=nodes[wanted].id,
            expected=f"{wanted} Output{'s' * (wanted > 1)}",
            received=f"{len(nodes)} Outputs",
            fix=_remove(nodes[wanted]),
        )
    elif nodes and len(nodes) < wanted:
        yield Problem(
            "missing-outputs",
            f"{title} needs {_outputs(at.outputs)}, but the network has {len(nodes)}.",
            node=nodes[-1].id,
            expected=", ".join(at.outputs),
            received=", ".join(node.label for node in nodes),
            reason="Outputs are told apart by their names, else by their order.",
        )


def _outputs(names: tuple[str, ...]) -> str:
    return "one Output" if len(names) == 1 else f"{len(names)} Outputs ({', '.join(names)})"


def _placed(problem: Problem, network: Network) -> Problem:
    """The message of a problem at a port with the name of the node and the port."""
    if not problem.port or problem.node not in network.nodes:
        return problem
    return replace(problem, message=f"{network.nodes[problem.node].label}.{problem.port}: {problem.message}")


def _size_problems(network: Network, report: Report, config: TrainingConfig, dataset: Dataset) -> Iterator[Problem]:
    count, size = len(dataset.train), config.batch_size
    if not count:
        yield Problem("no-examples", "There are no training examples: lower the validation and test fractions.")
        return
    if not report.parameters and report.ok:
        yield Problem("nothing-to-learn", "The network has no weights, so there is nothing to train: add a layer.")
    if size > count and not of_one_graph(dataset.fields):
        yield Problem(
            "large-batch",
            f"The batch size {size} is larger than the training split: every step sees all {count} examples.",
            expected=f"at most {count}",
            received=str(size),
            severity="warning",
        )
    norm = None if isinstance(dataset.train.table, Joining) else batch_norm(network)  # of graphs it sees all nodes
    if norm is not None and size == 1:
        yield Problem(
            "single-example-batch",
            f"{norm.label} needs more than one example a batch: choose a batch size of 2 or more.",
            node=norm.id,
            expected="at least 2 examples",
            received="1 example",
            reason="Batch normalisation takes mean and deviation over the batch; of one value there is no deviation.",
        )
    elif norm is not None and count % size == 1:
        yield Problem(
            "single-example-batch",
            f"Of {count} examples in batches of {size} one is left over, which {norm.label} cannot use:"
            " each epoch leaves one example out.",
            node=norm.id,
            expected="at least 2 examples in the last batch",
            received="1 example",
            severity="warning",
        )


def batch_norm(network: Network) -> Node | None:
    """A layer that needs more than one example in every training batch, if there is one."""
    return next((node for node in network.nodes.values() if node.kind in _BATCH_NORMS), None)
