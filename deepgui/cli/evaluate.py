"""``deepgui eval`` and ``deepgui runs``."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime
from pathlib import Path
from typing import Any

from deepgui import api
from deepgui.cli import output
from deepgui.cli.errors import DONE, CommandError
from deepgui.training.store import RunInfo, RunStore, default_root


def run_folder(arguments: Namespace) -> Path:
    """The run that ``--run`` names: by its folder, or by name where the project's runs are. Raises RunError."""
    return store_of(arguments).open(arguments.run).folder


def store_of(arguments: Namespace) -> RunStore:
    """Where the project's runs are: ``--runs``, else beside the project's file."""
    return RunStore(arguments.runs or default_root(arguments.project))


def run(arguments: Namespace) -> int:
    """Measure a run's weights on the validation or test split."""
    from deepgui.data.recognise import with_data
    from deepgui.training.evaluate import evaluate, examples_of, load_trained

    api.load(arguments.project)
    folder = run_folder(arguments)
    with output.waiting("evaluating"):
        trained = load_trained(folder)
        data = with_data(trained.project.data, arguments.data) if arguments.data is not None else None
        dataset, objective = examples_of(trained, data)
        score = evaluate(trained.module, dataset, arguments.split, objective)
    if score is None:
        raise CommandError(f"the data has no {arguments.split} split; set its fraction above 0 and train again.")
    metrics = {f"{arguments.split}_{name}": value for name, value in score.metrics.items()}
    if arguments.json:
        confusion = None if score.confusion is None else score.confusion.tolist()
        found = {"run": folder, "split": arguments.split, "examples": score.examples, "metrics": metrics}
        output.print_json({**found, "classes": score.classes, "confusion": confusion})
    else:
        _print(metrics, score.examples, score.classes, score.confusion)
    return DONE


def _print(metrics: dict[str, float], examples: int, classes: tuple[str, ...], confusion: Any) -> None:
    out = output.console()
    out.print(f"{examples:,} examples")
    for name, value in metrics.items():
        out.print(f"{name:<16} {value:.6g}")
    if confusion is not None and 1 < len(classes) <= 20:
        table = output.table("true \\ predicted", *classes, right=classes)
        for name, row in zip(classes, confusion.tolist(), strict=True):
            table.add_row(name, *(str(n) for n in row))
        out.print()
        out.print(table)


def list_runs(arguments: Namespace) -> int:
    """List the runs of a project, the newest first."""
    api.load(arguments.project)
    runs = store_of(arguments).list()
    if arguments.json:
        output.print_json({"runs": [_run(info) for info in runs]})
        return DONE
    out = output.console()
    if not runs:
        out.print(f"no runs in {store_of(arguments).root}")
        return DONE
    table = output.table("run", "started", "status", "steps", "seconds", "metrics", right=("steps", "seconds"))
    for info in runs:
        started = datetime.fromtimestamp(info.started).strftime("%Y-%m-%d %H:%M")
        wanted = ("val_loss", "val_accuracy", "test_accuracy", "val_rmse", "test_rmse")
        shown = "  ".join(f"{k} {output.number(v)}" for k, v in info.metrics.items() if k in wanted)
        table.add_row(info.folder.name, started, info.status, f"{info.steps:,}", f"{info.seconds:.1f}", shown)
    out.print(table)
    return DONE


def _run(info: RunInfo) -> dict[str, Any]:
    names = ("name", "status", "started", "seconds", "steps", "metrics", "config", "device", "message")
    return {"run": info.folder, "id": info.folder.name, **{name: getattr(info, name) for name in names}}
