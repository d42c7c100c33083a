"""What differs between runs: their settings, their drawings, and what came of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from deepgui.catalog.expr import Expr
from deepgui.graph.values import Block, Network, Node, Wire
from deepgui.project.decode import FileError
from deepgui.project.values import DataConfig, Project, TrainingConfig
from deepgui.training import ranking
from deepgui.training.store import RunInfo, run_project

What = Literal["added", "removed", "changed", "wired", "unwired", "unreadable"]


class _Default:
    """In place of a setting that nobody made."""

    def __repr__(self) -> str:
        return "default"


DEFAULT = _Default()


@dataclass(frozen=True)
class Row:
    """A setting or a metric of several runs.

    Attributes:
        name: ``training.optimizer_options.lr`` or ``val_loss``. label: the same for people.
        values: one a run; :data:`DEFAULT` for a setting that was not made, None for a metric that is not there.
        best: places of the best value of a metric; none if all are alike.
    """

    name: str
    label: str
    values: tuple[Any, ...]
    best: tuple[int, ...] = ()


@dataclass(frozen=True)
class Change:
    """One thing that differs between two drawings.

    Attributes:
        where: ``block Residual``, ``network critic``; empty for the only network.
        node: id of the node that it is about; empty for wires and whole drawings.
        text: for people, without ``where``.
        setting, before, after: of a parameter that changed.
    """

    where: str
    what: What
    node: str
    text: str
    setting: str = ""
    before: Any = None
    after: Any = None

    def __str__(self) -> str:
        return f"{self.where}: {self.text}" if self.where else self.text


@dataclass(frozen=True)
class Comparison:
    """Runs side by side.

    Attributes:
        settings: those that differ. metrics: all, with steps and seconds.
        drawings: for each run but the first, how its drawing differs from the first one's.
    """

    runs: tuple[RunInfo, ...]
    settings: tuple[Row, ...]
    metrics: tuple[Row, ...]
    drawings: tuple[tuple[Change, ...], ...]


def compare(runs: Sequence[RunInfo]) -> Comparison:
    """Put runs side by side. A project that cannot be read any more is a change of its own, never an error."""
    return Comparison(tuple(runs), settings(runs), metrics(runs), tuple(_drawings(runs)))


# -- settings


def settings(runs: Sequence[RunInfo]) -> tuple[Row, ...]:
    """The settings of data and training that are not the same in all runs."""
    made = [dict(flat(run.config)) for run in runs]
    usual = dict(flat({"data": asdict(DataConfig()), "training": _without_options(asdict(TrainingConfig()))}))
    rows = []
    for name in dict.fromkeys(key for settings in made for key in settings):
        values = tuple(settings.get(name, usual.get(name, DEFAULT)) for settings in made)
        if any(value != values[0] for value in values):
            rows.append(Row(name, setting_label(name), values))
    return tuple(rows)


def _without_options(training: dict[str, Any]) -> dict[str, Any]:
    """Options belong to the optimiser that is chosen: another one's defaults say nothing."""
    return {name: value for name, value in training.items() if not name.endswith("_options")}


def flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Settings within settings by their whole names: ``training.optimizer_options.lr``."""
    for name, value in settings.items():
        path = f"{above}{name}"
        if isinstance(value, Mapping):
            yield from flat(value, f"{path}.")
        else:
            yield path, tuple(value) if isinstance(value, list) else value


def setting_label(path: str) -> str:
    """``training.optimizer_options.lr`` → ``optimizer lr``."""
    words = path.removeprefix("training.").replace("_options.", ".").replace("data.options.", "data.")
    return words.replace(".", " ").replace("_", " ")


# -- metrics


def metrics(runs: Sequence[RunInfo]) -> tuple[Row, ...]:
    """What came of the runs; the best value of each metric is marked."""
    rows = []
    for name in metric_names(runs):
        values = tuple(run.metrics.get(name) for run in runs)
        rows.append(Row(name, name, values, ranking.best_of(name, values)))
    rows.append(Row("steps", "steps", tuple(run.steps for run in runs)))
    rows.append(Row("seconds", "seconds", tuple(run.seconds for run in runs)))
    return tuple(rows)


def metric_names(runs: Sequence[RunInfo]) -> tuple[str, ...]:
    """The metrics that any of the runs has: validation first, then test, then training."""
    found = dict.fromkeys(name for run in runs for name in run.metrics if name != "lr")
    order = {"val": 0, "test": 1, "train": 2}
    return tuple(sorted(found, key=lambda name: order.get(name.partition("_")[0], 3)))


# -- drawings


def _drawings(runs: Sequence[RunInfo]) -> Iterator[tuple[Change, ...]]:
    if len(runs) < 2:
        return
    first = _read(runs[0])
    for run in runs[1:]:
        other = _read(run)
        broken = next((p for p in (first, other) if isinstance(p, Change)), None)
        if broken is not None:
            yield (broken,)
        elif isinstance(first, Project) and isinstance(other, Project):
            yield drawing_changes(first, other)


def _read(run: RunInfo) -> Project | Change:
    try:
        return run_project(run.folder)
    except FileError as error:
        return Change("", "unreadable", "", f"the project of {run.label} cannot be read: {error}")


def drawing_changes(before: Project, after: Project) -> tuple[Change, ...]:
    """What was done to networks and blocks between two projects. Where things stand on the canvas does not count."""
    changes: list[Change] = []
    one, other = before.networks, after.networks
    if len(one) == len(other) == 1:
        changes += _network_changes("", before.main, after.main)
    else:
        for key in dict.fromkeys((*one, *other)):
            changes += _part(f"network {key}", one.get(key), other.get(key))
    for name in dict.fromkeys((*before.blocks, *after.blocks)):
        changes += _part(f"block {name}", before.blocks.get(name), after.blocks.get(name))
    if before.weights != after.weights:
        text = f"weights to start from {_name(before.weights)} → {_name(after.weights)}"
        changes.append(Change("", "changed", "", text, "weights", before.weights, after.weights))
    return tuple(changes)


def _name(weights: str) -> str:
    return weights.replace("\\", "/").rpartition("/")[2] or "none"


def _part(where: str, one: Network | Block | None, other: Network | Block | None) -> Iterator[Change]:
    """Changes of a network or block that may be in one project only."""
    if one is None or other is None:
        yield Change("", "added" if one is None else "removed", "", f"{'+' if one is None else '−'} {where}")
    elif isinstance(one, Network) and isinstance(other, Network):
        yield from _network_changes(where, one, other)
    elif isinstance(one, Block) and isinstance(other, Block):
        yield from _block_changes(where, one, other)


def _block_changes(where: str, one: Block, other: Block) -> Iterator[Change]:
    if one.code != other.code:
        yield Change(where, "changed", "", "its Python source changed", "code")
    params, others = ({p.name: p.default for p in block.params} for block in (one, other))
    yield from _value_changes(where, "", "parameter ", params, others)
    yield from _network_changes(where, one.network, other.network)


def _network_changes(where: str, one: Network, other: Network) -> Iterator[Change]:
    for id, node in one.nodes.items():
        if id not in other.nodes:
            yield Change(where, "removed", id, f"− {_described(node)}")
    for id, node in other.nodes.items():
        if id not in one.nodes:
            yield Change(where, "added", id, f"+ {_described(node)}{_after(node, other)}")
        elif one.nodes[id] != node:
            yield from _node_changes(where, one.nodes[id], node)
    for wire in one.wires:
        if wire not in other.wires and _stays(wire, other):
            yield Change(where, "unwired", "", f"− wire {_ends(wire, one)}")
    for wire in other.wires:
        told = wire.target not in one.nodes and wire == other.into(wire.target)[0]  # by "after"
        if wire not in one.wires and not told:
            yield Change(where, "wired", "", f"+ wire {_ends(wire, other)}")


def _stays(wire: Wire, network: Network) -> bool:
    return wire.source in network.nodes and wire.target in network.nodes


def _after(node: Node, network: Network) -> str:
    wires = network.into(node.id)
    return f" after {network.nodes[wires[0].source].label}" if wires and wires[0].source in network.nodes else ""


def _described(node: Node) -> str:
    made = "".join(f", {name} {say(value)}" for name, value in node.params.items())
    return f"{node.label} ({node.kind}{made})"


def _ends(wire: Wire, network: Network) -> str:
    source, target = (network.nodes[end].label for end in (wire.source, wire.target))
    output = "" if wire.output == "output" else f".{wire.output}"
    into = "" if wire.input == "input" else f".{wire.input}"
    return f"{source}{output} → {target}{into}"


def _node_changes(where: str, one: Node, other: Node) -> Iterator[Change]:
    plain = [
        {"name": n.name or DEFAULT, "kind": n.kind, "shares weights with": n.shares or DEFAULT, "bypass": n.bypass}
        for n in (one, other)
    ]
    yield from _value_changes(where, other.id, f"{other.label}: ", plain[0], plain[1])
    yield from _value_changes(where, other.id, f"{other.label}: ", one.params, other.params)


def _value_changes(
    where: str, node: str, prefix: str, one: Mapping[str, Any], other: Mapping[str, Any]
) -> Iterator[Change]:
    for name in dict.fromkeys((*one, *other)):
        before, after = one.get(name, DEFAULT), other.get(name, DEFAULT)
        if before != after or type(before) is not type(after):
            yield Change(where, "changed", node, f"{prefix}{name} {say(before)} → {say(after)}", name, before, after)


def say(value: Any) -> str:
    """A value of a setting or parameter for people."""
    if value is None or value == "":
        return "none"
    if isinstance(value, Expr):
        return f"={value.text}"
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else str(value)
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join(say(item) for item in value) + ")"
    return str(value)
