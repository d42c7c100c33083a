"""``deepgui predict``: ask a trained run about files."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from deepgui import api
from deepgui.cli import output
from deepgui.cli.errors import DONE, CommandError
from deepgui.cli.evaluate import run_folder
from deepgui.cli.inputs import read_examples
from deepgui.data.legend import Legend
from deepgui.training.evaluate import Trained, load_trained


def run(arguments: Namespace) -> int:
    """Print what the network of a run says about each example in the files."""
    api.load(arguments.project)
    with output.waiting("predicting"):
        trained = load_trained(run_folder(arguments))
        if len(trained.legend.inputs) != 1:
            raise CommandError(f"this network has {len(trained.legend.inputs)} inputs; a file can feed only one.")
        found = [item for path in arguments.input for item in predictions(trained, path)]
    if arguments.json:
        output.print_json({"predictions": found})
        return DONE
    out = output.console()
    for item in found:
        where = f"{item['file']}[{item['row']}]" if item["row"] is not None else item["file"]
        if "class" in item:
            out.print(f"{where}: {item['class']} ({item['probability']:.1%})")
        else:
            out.print(f"{where}: {', '.join(output.number(v) for v in item['value'])}")
    return DONE


def predictions(trained: Trained, path: Path) -> Iterator[dict[str, Any]]:
    """One result an example: ``class``, ``probability`` and ``probabilities``, or ``value`` in the data's units."""
    field = trained.legend.inputs[0]
    raw = read_examples(path, field, trained.project.data)
    batch = trained.legend.normalizer.transform({field.name: raw})[field.name]
    with torch.no_grad():
        answer = trained.module(batch).float()
    single = raw.dim() == len(field.shape) + 1 and len(raw) == 1 and field.kind == "image"
    for row, result in enumerate(_described(trained.legend, answer)):
        yield {"file": str(path), "row": None if single else row, **result}


def _described(legend: Legend, answer: Tensor) -> Iterator[dict[str, Any]]:
    target = legend.target
    if target.classes:
        for chances in _probabilities(answer).tolist():
            best = max(range(len(chances)), key=chances.__getitem__)
            named = dict(zip(target.classes, chances, strict=True))
            yield {"class": target.classes[best], "probability": chances[best], "probabilities": named}
        return
    values = legend.normalizer.inverse({target.name: answer.reshape(-1, *target.shape)})[target.name]
    for value in values.reshape(len(values), -1).tolist():
        yield {"value": value}


def _probabilities(answer: Tensor) -> Tensor:
    """Scores as probabilities, one row an example; a single score tells two classes apart."""
    if answer.dim() == 1 or answer.shape[1] == 1:
        second = answer.flatten().sigmoid()
        return torch.stack([1 - second, second], dim=1)
    return answer.softmax(1)
