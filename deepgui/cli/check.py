"""``deepgui check``: problems, shapes, parameters, multiply-adds and memory."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from deepgui import api, machine
from deepgui.cli import output
from deepgui.cli.errors import DONE, FAILED
from deepgui.compiler.catalogue import catalogue
from deepgui.compiler.cost import cost, optimizer_states
from deepgui.compiler.report import NodeReport, Report
from deepgui.graph.problems import Problem
from deepgui.graph.shapes import TensorType
from deepgui.project.values import Project
from deepgui.training import devices


def run(arguments: Namespace) -> int:
    """Print what is known about a project's network. Status 1 if it has errors."""
    project = api.load(arguments.project)
    report = api.check(project)
    if arguments.json:
        output.print_json(as_json(project, report))
    else:
        _print(project, report)
    return DONE if report.ok else FAILED


def as_json(project: Project, report: Report) -> dict[str, Any]:
    """The report as the one object that ``--json`` prints."""
    return {
        "project": project.name,
        "ok": report.ok,
        "problems": [_problem(p) for p in report.problems],
        "nodes": [_node(project, n) for n in report.nodes.values()],
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


def _types(types: tuple[TensorType, ...]) -> str | list[str]:
    """One wire reads ``N×1×28×28``; several are a list."""
    return str(types[0]) if len(types) == 1 else [str(t) for t in types]


def _print(project: Project, report: Report) -> None:
    out = output.console()
    table = output.table("node", "kind", "output", "parameters", "multiply-adds", right=("parameters", "multiply-adds"))
    for node in report.nodes.values():
        label = project.main.nodes[node.id].label
        shapes = ", ".join(map(str, node.outputs.values())) or _arriving(node.inputs)
        counts = (f"{n:,}" if n else "" for n in (node.parameters, node.multiply_adds))
        table.add_row(label, node.kind, shapes, *counts)
    if report.nodes:
        table.add_section()
        table.add_row("total", "", "", f"{report.parameters:,}", f"{report.multiply_adds:,}")
        out.print(table)
    if report.ok:
        found = memory(project, report)
        weights, activations, training = (machine.size(found[k]) for k in ("weights", "activations", "training"))
        out.print(
            f"\nmemory: weights {weights}, activations {activations},"
            f" training about {training} (batch size {found['batch_size']})"
        )
    out.print("" if report.problems else "\nno problems")
    for problem in report.problems:
        mended = f" [fix: {problem.fix.label}]" if problem.fix else ""
        out.print(f"{problem.severity}: {problem.message}{mended}")
        if problem.reason:
            out.print(f"    {problem.reason}")


def _arriving(inputs: Mapping[str, tuple[TensorType, ...]]) -> str:
    """What an Output receives, which has no output of its own."""
    return ", ".join(str(t) for types in inputs.values() for t in types)
