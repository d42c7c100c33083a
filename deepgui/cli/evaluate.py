"""``deepgui eval``."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

from deepgui import api
from deepgui.cli import output
from deepgui.cli.errors import DONE, CommandError
from deepgui.training.store import RunStore, default_root


def run_folder(arguments: Namespace) -> Path:
    """The run that ``--run`` names: by its folder, or by name where the project's runs are. Raises RunError."""
    return store_of(arguments).open(arguments.run).folder


def store_of(arguments: Namespace) -> RunStore:
    """Where the project's runs are: ``--runs``, else beside the project's file."""
    return RunStore(arguments.runs or default_root(arguments.project))


def run(arguments: Namespace) -> int:
    """Measure a run's weights on the validation or test split, or on all of the data that is given instead."""
    from deepgui.data.recognise import with_data
    from deepgui.training.evaluate import evaluate, examples_of, load_trained

    api.load(arguments.project)
    folder = run_folder(arguments)
    whole = arguments.data is not None and arguments.split is None
    split = arguments.split or "test"
    with output.waiting("evaluating"):
        trained = load_trained(folder)
        data = with_data(trained.project.data, arguments.data) if arguments.data is not None else None
        dataset, objective = examples_of(trained, replace(data, validation=0.0, test=0.0) if data and whole else data)
        if whole:
            dataset = replace(dataset, test=dataset.whole())
        score = evaluate(trained.networks, dataset, "whole" if whole else split, objective)
    if score is None:
        raise CommandError(f"the data has no {split} split; set its fraction above 0 and train again.")
    metrics = {f"{split}_{name}": value for name, value in score.metrics.items()}
    if arguments.json:
        confusion = None if score.confusion is None else score.confusion.tolist()
        measured = "all" if whole else split
        found = {"run": folder, "split": measured, "examples": score.examples, "metrics": metrics}
        output.print_json({**found, "classes": score.classes, "confusion": confusion})
    else:
        where = f"all of {arguments.data}" if whole else f"the {split} split"
        _print(where, metrics, score.examples, score.classes, score.confusion)
    return DONE


def _print(where: str, metrics: dict[str, float], examples: int, classes: tuple[str, ...], confusion: Any) -> None:
    out = output.console()
    out.print(f"{examples:,} example{'s' * (examples != 1)}, {where}")
    for name, value in metrics.items():
        out.print(f"{name:<16} {value:.6g}")
    if confusion is not None and 1 < len(classes) <= 20:
        table = output.table("true \\ predicted", *classes, right=classes)
        for name, row in zip(classes, confusion.tolist(), strict=True):
            table.add_row(name, *(str(n) for n in row))
        out.print()
        out.print(table)
