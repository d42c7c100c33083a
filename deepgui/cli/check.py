"""``deepgui check``: problems, shapes, parameters, multiply-adds and memory."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from rich.table import Table

from deepgui import api, machine
from deepgui.cli import output, summary
from deepgui.cli.errors import DONE, FAILED
from deepgui.compiler import receptive
from deepgui.compiler.catalogue import catalogue
from deepgui.compiler.cost import cost, optimizer_states
from deepgui.compiler.report import NodeReport, Report
from deepgui.graph.problems import Problem
from deepgui.graph.shapes import TensorType
from deepgui.project.values import Project
from deepgui.training import devices


def run(arguments: Namespace) -> int:
    """Print what is known about a project's network. Status 1 if it has errors."""
    project = api.with_settings(api.load(arguments.project), {}, None, arguments.data)
    report = api.check(project)
    if arguments.json:
        output.print_json(as_json(project, report))
    else:
        _print(project, report)
    return DONE if report.ok else FAILED


def as_json(project: Project, report: Report) -> dict[str, Any]:
    """The report as the one object that ``--json`` prints."""
    fields = receptive.fields(project.main, catalogue(project.blocks), report)
    return {
        "project": project.name,
        "ok": report.ok,
        "problems": [_problem(p) for p in report.problems],
        "nodes": [{**_node(project, n), **_sees(fields.get(n.id))} for n in report.nodes.values()],
        "parameters": report.parameters,
        "multiply_adds": report.multiply_adds,
        "memory": memory(project, report),
    }


def memory(project: Project, report: Report) -> dict[str, int]:
    """Bytes: ``weights``, ``activations`` of a batch, ``training``; the batch size, and the largest one that fits."""
    config = project.training
    found = cost(project.main, catalogue(project.blocks), report)
    states = optimizer_states(config.optimizer, config.optimizer_options)
    return {
        "weights": found.weights,
        "activations": found.activations(config.batch_size),
        "training": found.training(config.batch_size, states),
        "batch_size": config.batch_size,
        "largest_batch": found.largest_batch(_room(config.device), states),
    }


def _room(device: str) -> int:
    """Memory of the device that the project asks for, or of this machine if it is not here."""
    try:
        return devices.resolve(device).memory
    except devices.DeviceError:
        return machine.memory()


def _problem(problem: Problem) -> dict[str, Any]:
    names = ("severity", "code", "message", "node", "port", "expected", "received", "reason")
    plain: dict[str, Any] = {name: getattr(problem, name) for name in names}
    return {**plain, "fix": problem.fix.label if problem.fix else None}


def _node(project: Project, node: NodeReport) -> dict[str, Any]:
    return {
        "id": node.id,
        "name": project.main.nodes[node.id].label,
        "kind": node.kind,
        "inputs": {port: _types(types) for port, types in node.inputs.items()},
        "outputs": {port: str(t) for port, t in node.outputs.items()},
        "params": dict(node.params),
        "inferred": sorted(node.inferred),
        "parameters": node.parameters,
        "multiply_adds": node.multiply_adds,
    }


def _sees(field: receptive.Field | None) -> dict[str, Any]:
    """``receptive_field`` and ``jump`` in pixels of the input, for layers that have one."""
    return {} if field is None else {"receptive_field": list(field.size), "jump": [float(j) for j in field.jump]}


def _types(types: tuple[TensorType, ...]) -> str | list[str]:
    """One wire reads ``N×1×28×28``; several are a list."""
    return str(types[0]) if len(types) == 1 else [str(t) for t in types]


_LEGEND = """
mult-adds: of one example's forward pass
field: receptive field, in pixels or steps of the input"""


def _print(project: Project, report: Report) -> None:
    out = output.console()
    if report.nodes:
        out.print(_table(project, report))
        out.print(_LEGEND)
    if report.ok:
        out.print(_memory_lines(memory(project, report), project))
    out.print("" if report.problems else "\nno problems")
    for problem in report.problems:
        out.print("\n".join(_problem_lines(problem)))


def _table(project: Project, report: Report) -> Table:
    """One row a layer. Multiply-adds are rounded, so that all fits into 80 columns; the total is exact."""
    fields = receptive.fields(project.main, catalogue(project.blocks), report)
    names = ["layer", "kind", "output", "parameters", "mult-adds", *(["field"] if fields else [])]
    made = output.table(*names, right=("parameters", "mult-adds", "field"))
    for row in summary.rows(project.main, report, fields):
        numbers = f"{row.parameters:,}" if row.parameters else "", summary.short(row.multiply_adds), row.field
        made.add_row(row.layer, row.kind, row.output, *numbers[: len(names) - 3])
    made.add_section()
    total = summary.short(report.multiply_adds) or "0"
    made.add_row("total", "", "", f"{report.parameters:,}", total)
    return made


def _memory_lines(found: dict[str, int], project: Project) -> str:
    """What training takes, and on which assumptions."""
    weights, activations, training = (machine.size(found[k]) for k in ("weights", "activations", "training"))
    batch, config = found["batch_size"], project.training
    largest = f"largest batch that fits here: {found['largest_batch']:,}"
    return (
        f"\nmemory: weights {weights}, activations {activations}, training about {training} (batch size {batch})\n"
        f"    {largest}\n"
        f"    foreseen for 32-bit numbers and {config.optimizer}; without the workspace of single kernels"
    )


def _problem_lines(problem: Problem) -> Iterator[str]:
    """The sentence, what was expected and received, why, and the fix."""
    yield f"{problem.severity}: {problem.message}"
    if problem.expected or problem.received:
        parts = [f"expected {problem.expected}"] if problem.expected else []
        yield "    " + ", ".join([*parts, *([f"received {problem.received}"] if problem.received else [])])
    if problem.reason:
        yield f"    {problem.reason}"
    if problem.fix:
        yield f"    fix: {problem.fix.label}"
