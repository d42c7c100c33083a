"""``deepgui predict``: ask a trained run about files and texts, or have it make something."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from deepgui import api
from deepgui.cli import output
from deepgui.cli.errors import DONE, CommandError
from deepgui.cli.evaluate import run_folder
from deepgui.data.errors import DataError
from deepgui.data.text_files import read_text
from deepgui.training.evaluate import Trained, load_trained
from deepgui.use import asking, making, writing
from deepgui.use.answers import Answer, Text
from deepgui.use.inputs import read_batch, text_batch
from deepgui.use.model import Model, of_run

_OF_TEXT = ("next_token", "masked_token")


def run(arguments: Namespace) -> int:
    """Print what the network of a run says about each example, or goes on to write; or write what it makes."""
    api.load(arguments.project)
    with output.waiting("predicting"):
        model = of_run(load_trained(run_folder(arguments)))
        if arguments.generate is not None and model.objective.generates:
            return _make(model, arguments)
        found = list(_asked(model, arguments))
    if arguments.json:
        output.print_json({"predictions": [{**place, **answer.state()} for place, answer in found]})
        return DONE
    out = output.console()
    for place, answer in found:
        out.print(_line(place, answer))
    return DONE


def _line(place: Mapping[str, Any], answer: Answer) -> str:
    if isinstance(answer, Text) and answer.prompt:
        return answer.words
    where = place.get("file", place.get("input", ""))
    where = f"{where}[{place['row']}]" if place.get("row") is not None else where
    return f"{where}: {answer.words}"


def _asked(model: Model, arguments: Namespace) -> Iterator[tuple[dict[str, Any], Answer]]:
    """Every answer with the place of what was asked."""
    if not arguments.input and not arguments.text:
        if arguments.generate is None:
            raise CommandError("say what to ask about with --input FILE or --text TEXT; see deepgui predict --help.")
        arguments.text = [""]
    for path in arguments.input or ():
        yield from _of_file(model, path, arguments)
    for text in arguments.text or ():
        for answer in _of_texts(model, [text], arguments):
            yield {"input": text}, answer


def _of_file(model: Model, path: Path, arguments: Namespace | None = None) -> Iterator[tuple[dict[str, Any], Answer]]:
    if model.kind in _OF_TEXT:
        text = read_text(path, str(model.data.options.get("encoding", "utf-8")))
        for answer in _of_texts(model, [text], arguments):
            yield {"file": str(path), "row": None}, answer
        return
    _refuse_generating(model, arguments)
    batch = read_batch(path, model)
    answers = asking.predict(model, batch)
    single = len(answers) == 1 and asking.main_kind(model) in ("image", "series")
    for row, answer in enumerate(answers):
        yield {"file": str(path), "row": None if single else row}, answer


def _of_texts(model: Model, texts: list[str], arguments: Namespace | None) -> list[Answer]:
    if model.kind == "next_token" and arguments is not None and arguments.generate is not None:
        return [_written(model, text, arguments) for text in texts]
    if model.kind == "next_token":
        return list(asking.next_tokens(model, texts))
    _refuse_generating(model, arguments)
    if model.kind == "masked_token":
        with asking.asked(model):
            return [writing.fill(model, text) for text in texts]
    return asking.predict(model, text_batch(texts, model))


def _refuse_generating(model: Model, arguments: Namespace | None) -> None:
    if arguments is not None and arguments.generate is not None:
        raise CommandError(
            f"a network that learnt {model.objective.title.lower()} makes nothing new; leave --generate out."
        )


def _written(model: Model, text: str, arguments: Namespace) -> Text:
    """What the network goes on to write."""
    ids = writing.prompt(model, text)
    generator = torch.Generator(model.device).manual_seed(arguments.seed)
    how = {"temperature": arguments.temperature, "top_k": arguments.top_k, "generator": generator}
    with asking.asked(model):
        longer = writing.more(model, ids, arguments.generate, **how)
    return Text(writing.read(model, longer[:, ids.shape[1] :]), text)


def _make(model: Model, arguments: Namespace) -> int:
    """Write new examples into a folder."""
    if arguments.out is None:
        raise CommandError("say with -o DIR where to put what is made.")
    if arguments.input or arguments.text:
        raise CommandError("this network makes examples of noise and takes none: leave --input and --text out.")
    made = making.samples(model, arguments.generate, arguments.seed)
    try:
        paths = making.write(made, model.legend.target, arguments.out)
    except DataError as error:
        raise CommandError(f"{error}.") from None
    if arguments.json:
        output.print_json({"predictions": [], "generated": paths})
    else:
        out = output.console()
        for path in paths:
            out.print(str(path))
    return DONE


def predictions(trained: Trained, path: Path) -> Iterator[dict[str, Any]]:
    """One result an example: ``class``, ``probability`` and ``probabilities``, or ``value`` in the data's units."""
    for place, answer in _of_file(of_run(trained), path):
        yield {**place, **answer.state()}
