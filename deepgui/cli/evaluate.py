"""``deepgui eval``."""

from __future__ import annotations

import math
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepgui import api
from deepgui.cli import output
from deepgui.cli.errors import DONE, CommandError
from deepgui.training.store import RunStore, default_root

if TYPE_CHECKING:
    from rich.table import Table

    from deepgui.use.measuring import Closely


_SPLITS = {"val": "validation", "test": "test"}
_MOST_CLASSES = 60
"""Of more classes, people are shown the hardest."""


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
    from deepgui.use.measuring import closely

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
        measured = "whole" if whole else _SPLITS[split]
        score = evaluate(trained.networks, dataset, measured, objective)
        found = closely(trained.networks, objective, dataset, measured, arguments.worst)
    if score is None:
        raise CommandError(f"the data has no {split} split; set its fraction above 0 and train again.")
    metrics = {f"{split}_{name}": value for name, value in score.metrics.items()}
    if arguments.json:
        confusion = None if score.confusion is None else score.confusion.tolist()
        told = {"run": folder, "split": "all" if whole else split, "examples": score.examples, "metrics": metrics}
        told |= {"classes": score.classes, "confusion": confusion, "means": found.means}
        output.print_json({**told, "per_class": found.classes, "residuals": found.residuals, "worst": found.worst})
    else:
        where = f"all of {arguments.data}" if whole else f"the {split} split"
        _print(where, metrics, score.examples, score.classes, score.confusion)
        _print_closely(found)
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


def _print_closely(found: Closely) -> None:
    """Tables of what goes beyond the metrics."""
    out = output.console()
    if found.classes:
        out.print()
        out.print(_class_table(found))
    if found.residuals:
        from deepgui.use.measuring import QUANTILES

        names = ("mean", "deviation", "absolute", "largest", "r2", *(f"{q:.0%}" for q in QUANTILES))
        table = output.table("said minus true", *names, right=names)
        for one in found.residuals:
            values = (one.mean, one.deviation, one.absolute, one.largest, one.r2, *one.quantiles)
            table.add_row(one.name, *(f"{v:.4g}" for v in values))
        out.print()
        out.print(table)
    if found.worst:
        told = any(bad.said for bad in found.worst)
        table = output.table(
            "worst examples", "row", "loss", *(("said", "true") if told else ()), right=("row", "loss")
        )
        for place, bad in enumerate(found.worst, 1):
            table.add_row(f"{place}", f"{bad.row}", f"{bad.loss:.4g}", *((bad.said, bad.true) if told else ()))
        out.print()
        out.print(table)


def _class_table(found: Closely) -> Table:
    names = ("examples", "precision", "recall", "f1", "ROC AUC", "average precision")
    table = output.table("class", *names, right=names)
    shown = sorted(found.classes, key=lambda c: c.f1)[:_MOST_CLASSES] if len(found.classes) > _MOST_CLASSES else None
    for one in shown or found.classes:
        values = (one.precision, one.recall, one.f1, one.roc_auc, one.average_precision)
        table.add_row(one.name, f"{one.examples:,}", *map(_share, values))
    means = found.means
    table.add_row(
        "mean", "", *(_share(means[n]) for n in ("precision", "recall", "f1", "roc_auc", "average_precision"))
    )
    return table


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
