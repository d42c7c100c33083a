"""What stands against training a project, found before the first step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from deepgui.catalog.spec import ParamSpec, Registry, Value
from deepgui.compiler.report import Report, check
from deepgui.data.dataset import Dataset, prepare
from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.graph import edits
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.shapes import batched
from deepgui.graph.values import Network, Node
from deepgui.project.values import DataConfig, Project, TrainingConfig, main_key
from deepgui.training import devices, memory, optim
from deepgui.training.objectives import Outlook, objectives
from deepgui.training.wording import sentence

LARGEST_SEED = 2**63 - 1
"""PyTorch takes somewhat more, but this is what every generator can do."""

_BATCH_NORMS = ("BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm")


def preflight(project: Project, key: str, registry: Registry, report: Report | None = None) -> tuple[Problem, ...]:
    """Everything that would keep ``project.networks[key]`` from training well; errors first.

    The drawing's own problems are the first of them; opening the data may take a while the first time.

    Args:
        report: what the compiler said of this network, if already known.
    """
    network = project.networks.get(key or main_key(project))
    if network is None:
        return (Problem("no-network", f"The project has no network {key}."),)
    report = report or check(network, registry)
    config = project.training
    found = [*report.problems, *_settings(config), *_optimizer_problems(network, report, config)]
    try:
        dataset = prepare(project.data, project.training.objective)
    except DataError as error:
        found.append(_data_problem(project.data, error))
    else:
        found += examine(project, network, report, dataset)
        real = replace(config, batch_size=min(config.batch_size, len(dataset.train)))
        if report.ok and real.batch_size > 0:
            found += memory.problems(network, registry, report, real)
    return tuple(sorted(found, key=lambda p: p.severity != "error"))


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
    fields = {f.name: f for f in dataset.fields}
    bound = {node: fields[name] for node, name in bindings(network, project.data, dataset).items() if name in fields}
    return tuple(_with_shape(p, network, bound.get(p.node)) for p in problems)


def _with_shape(problem: Problem, network: Network, field: Field | None) -> Problem:
    if problem.code != "missing-parameter" or field is None or network.nodes[problem.node].kind != "Input":
        return problem
    params: dict[str, Value] = {"shape": field.shape, "dtype": field.dtype}
    given = batched(field.shape, field.dtype)
    fix = Fix(f"Set the shape to {given}", lambda net: edits.set_params(net, problem.node, params))
    return replace(problem, expected=str(given), reason=f"The examples of {field.name} have this shape.", fix=fix)


def _data_problem(config: DataConfig, error: DataError) -> Problem:
    return Problem("data" if config.source else "no-data", sentence(str(error)))


def examine(project: Project, network: Network, report: Report, dataset: Dataset) -> Iterator[Problem]:
    """What stands against training this drawing on this data."""
    yield from _bindings_problems(network, report, project.data, dataset)
    yield from _objective_problems(network, report, project.training, dataset)
    yield from _size_problems(network, report, project.training, dataset)


def bindings(network: Network, config: DataConfig, dataset: Dataset) -> dict[str, str]:
    """Input node id → field name: as the project says, the others in order. Inputs without a field are left out."""
    nodes = [node.id for node in network.of_kind("Input")]
    chosen = {node: config.inputs[node] for node in nodes if node in config.inputs}
    spare = iter([name for name in dataset.inputs if name not in chosen.values()])
    found = {node: chosen.get(node) or next(spare, "") for node in nodes}
    return {node: name for node, name in found.items() if name}


def _bindings_problems(network: Network, report: Report, config: DataConfig, dataset: Dataset) -> Iterator[Problem]:
    fields = {f.name: f for f in dataset.fields}
    bound = bindings(network, config, dataset)
    for node in network.of_kind("Input"):
        name = bound.get(node.id)
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
    given = batched(field.shape, field.dtype)
    if drawn is None or drawn == given:
        return
    params: dict[str, Value] = {"shape": field.shape}
    if field.dtype != drawn.dtype:
        params["dtype"] = field.dtype
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


def _objective_problems(
    network: Network, report: Report, config: TrainingConfig, dataset: Dataset
) -> Iterator[Problem]:
    objective = objectives().get(config.objective)
    if objective is None:
        return
    target = dataset.target
    if target.kind not in objective.targets:
        other = next((o.title.lower() for o in objectives().values() if target.kind in o.targets), "another objective")
        yield Problem(
            "wrong-target",
            f"{objective.title} cannot learn {target.name}, which is a {target.kind}: choose {other}.",
            expected=" or ".join(sorted(objective.targets)),
            received=target.kind,
        )
        return
    outputs = network.of_kind("Output")
    if len(outputs) > 1:
        names = ", ".join(node.label for node in outputs)
        yield Problem(
            "several-outputs",
            f"{objective.title} learns from one Output, but the network has {len(outputs)}: {names}.",
            node=outputs[1].id,
            expected="1 Output",
            received=f"{len(outputs)} Outputs",
            fix=_remove(outputs[1]),
        )
    known = report.nodes.get(outputs[0].id) if outputs else None
    arriving = known.inputs.get("input", ()) if known else ()
    if arriving:
        outlook = Outlook(network, outputs[0].id, arriving[0], target, config.objective_options)
        yield from (_placed(problem, network) for problem in objective.check(outlook))


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
    if size > count:
        yield Problem(
            "large-batch",
            f"The batch size {size} is larger than the training split: every step sees all {count} examples.",
            expected=f"at most {count}",
            received=str(size),
            severity="warning",
        )
    norm = batch_norm(network)
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


def _settings(config: TrainingConfig) -> Iterator[Problem]:
    yield from _choice("objective", config.objective, objectives())
    yield from _choice("optimiser", config.optimizer, optim.optimizers())
    if config.scheduler in optim.left_out():
        reason = optim.left_out()[config.scheduler]
        yield Problem("bad-setting", f"{config.scheduler} cannot be used here: {reason}.", received=config.scheduler)
    elif config.scheduler:
        yield from _choice("scheduler", config.scheduler, optim.schedulers())
    for known, name, options in (
        (optim.optimizers(), config.optimizer, config.optimizer_options),
        (optim.schedulers(), config.scheduler, config.scheduler_options),
    ):
        if name in known:
            yield from (Problem("bad-setting", f"{text}.") for text in known[name].check(options))
    if config.objective in objectives():
        yield from _options(config.objective, objectives()[config.objective].settings, config.objective_options)
    yield from _numbers(config)
    try:
        devices.check_precision(devices.resolve(config.device), config.precision)
    except devices.DeviceError as error:
        yield Problem("device", str(error), received=f"{config.device}, {config.precision}")


def _optimizer_problems(network: Network, report: Report, config: TrainingConfig) -> Iterator[Problem]:
    """Optimisers that take only some kinds of weights."""
    suits = {"Muon": _has_matrices_only, "SparseAdam": _has_sparse_gradients}.get(config.optimizer)
    if suits is None:
        return
    learning = (network.nodes[id] for id, known in report.nodes.items() if known.parameters)
    unfit = next((node for node in learning if not suits(node)), None)
    if unfit is not None:
        yield Problem(
            "optimizer-does-not-suit",
            f"{config.optimizer} cannot train {unfit.label}. {optim.optimizers()[config.optimizer].note}",
            node=unfit.id,
            reason="Choose Adam or AdamW, which train any layer.",
        )


def _has_matrices_only(node: Node) -> bool:
    return node.kind == "Embedding" or (node.kind == "Linear" and node.params.get("bias") is False)


def _has_sparse_gradients(node: Node) -> bool:
    return node.kind in ("Embedding", "EmbeddingBag") and node.params.get("sparse") is True


def _choice(what: str, name: str, known: Mapping[str, object]) -> Iterator[Problem]:
    if name not in known:
        yield Problem(
            "bad-setting",
            f"There is no {what} {name}: choose one of {', '.join(known)}.",
            expected=", ".join(known),
            received=name,
        )


def _options(owner: str, settings: tuple[ParamSpec, ...], options: Mapping[str, Value]) -> Iterator[Problem]:
    known = {p.name: p for p in settings}
    for name, value in options.items():
        complaint = known[name].check(value) if name in known else f"there is no setting {name}"
        if complaint:
            yield Problem("bad-setting", f"{owner}: {complaint}.", received=str(value))


@dataclass(frozen=True)
class _Bound:
    name: str
    least: float
    unit: str = ""


_BOUNDS = (
    _Bound("epochs", 1),
    _Bound("batch_size", 1),
    _Bound("accumulate", 1),
    _Bound("max_steps", 1),
    _Bound("early_stopping", 1, " epochs"),
)


def _numbers(config: TrainingConfig) -> Iterator[Problem]:
    for bound in _BOUNDS:
        value = getattr(config, bound.name)
        if value is not None and value < bound.least:
            yield Problem(
                "bad-setting",
                f"{bound.name} must be at least {bound.least:g}{bound.unit}, not {value}.",
                expected=f"at least {bound.least:g}",
                received=str(value),
            )
    if not 0 <= config.seed <= LARGEST_SEED:
        yield Problem("bad-setting", f"seed must be from 0 to {LARGEST_SEED:,}, not {config.seed}.")
    if config.clip_grad_norm is not None and config.clip_grad_norm <= 0:
        yield Problem("bad-setting", f"clip_grad_norm must be more than 0, not {config.clip_grad_norm:g}.")
    if config.optimizer == "LBFGS" and (config.accumulate > 1 or config.precision == "fp16"):
        yield Problem("bad-setting", "LBFGS evaluates a batch several times: it takes neither accumulation nor fp16.")
