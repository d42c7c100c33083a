"""Asking a network: examples in the units of the data go in, answers in people's terms come out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from torch import Tensor

from deepgui.data.errors import DataError
from deepgui.data.tokenizers import tokenizer_of
from deepgui.training.objectives import ObjectiveError
from deepgui.training.objectives.detection import Detection
from deepgui.training.objectives.sequence_to_sequence import SequenceToSequence
from deepgui.use import writing
from deepgui.use.answers import LISTED, Answer, Chances, Following, Found, Numbers, Picture, Regions, Several, Text
from deepgui.use.inputs import BESIDE
from deepgui.use.model import Model


@contextmanager
def asked(model: Model) -> Iterator[torch.device]:
    """Evaluate the networks of a model without gradients; their own modes come back. Yields where they compute."""
    modules = tuple(model.networks.modules.values())
    with ExitStack() as stack:
        for module in modules:
            stack.callback(module.train, module.training)
        stack.enter_context(torch.no_grad())
        model.networks.train(False)
        yield model.device


def predict(model: Model, batch: Mapping[str, Tensor]) -> list[Answer]:
    """An answer for each example of a batch in the units of the data: field name → (examples, *shape).

    Raises:
        DataError, ObjectiveError: a network that is not asked about examples; one plain sentence.
    """
    if model.kind == "sequence_to_sequence":
        return _rewritten(model, batch)
    if model.kind == "masked_token":
        raise DataError("this network fills gaps in a text: write <mask> where something is missing")
    if model.legend.made:
        raise DataError("this network makes examples of noise and takes none: let it make some with --generate N")
    with asked(model):
        answer = _forward(model, batch)
    return _described(model, answer, batch)


def _on_scale(model: Model, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A batch as the network takes it, where it computes."""
    scaled = model.legend.normalizer.transform(batch)
    return {name: values.to(model.device) for name, values in scaled.items()}


def _forward(model: Model, batch: Mapping[str, Tensor]) -> Tensor:
    scaled = _on_scale(model, batch)
    return model.read(model.networks.main(*(scaled[field.name] for field in model.legend.inputs))).cpu()


def _described(model: Model, answer: Tensor, batch: Mapping[str, Tensor]) -> list[Answer]:
    target = model.legend.target
    if model.kind in ("reconstruction", "variational"):
        return _given_back(model, answer, batch)
    if model.kind == "contrastive":
        return [Numbers(tuple(row)) for row in answer.flatten(1).tolist()]
    if target.kind == "tokens":
        return _following(model, answer)
    if target.kind == "labels":
        names = target.classes or target.columns
        return [Several(names, tuple(row)) for row in answer.sigmoid().tolist()]
    if target.kind == "classmap":
        return [Regions(target.classes, row.numpy().astype(np.int64)) for row in answer.argmax(1)]
    if target.kind == "boxes":
        return _boxes(model, answer, batch)
    if target.classes:
        return [Chances(target.classes, tuple(row)) for row in probabilities(answer).tolist()]
    values = model.legend.normalizer.inverse({target.name: answer.reshape(-1, *target.shape)})[target.name]
    return [Numbers(tuple(row), target.columns) for row in values.reshape(len(values), -1).tolist()]


def _boxes(model: Model, answer: Tensor, batch: Mapping[str, Tensor]) -> list[Answer]:
    objective = model.objective
    if not isinstance(objective, Detection):
        raise ObjectiveError("This objective does not tell boxes.")
    found = objective.found(answer, float(str(objective.options["confidence"])))
    pictures, names = batch[model.legend.inputs[0].name], model.legend.target.classes
    return [Found(names, a.numpy(), b.cpu().numpy()) for a, b in zip(pictures, found, strict=True)]


def probabilities(answer: Tensor) -> Tensor:
    """Scores as probabilities, one row an example; a single score tells two classes apart."""
    if answer.dim() == 1 or answer.shape[1] == 1:
        second = answer.flatten().sigmoid()
        return torch.stack([1 - second, second], dim=1)
    return answer.softmax(1)


def _given_back(model: Model, answer: Tensor, batch: Mapping[str, Tensor]) -> list[Answer]:
    field = model.legend.target
    if model.objective.options.get("loss") == "BCEWithLogitsLoss":
        answer = answer.sigmoid()
    values = model.legend.normalizer.inverse({field.name: answer.reshape(-1, *field.shape)})[field.name]
    errors = (values - batch[field.name].float()).square().flatten(1).mean(1).tolist()
    if field.kind != "image":
        return [Numbers(tuple(row.flatten().tolist()), field.columns) for row in values]
    return [Picture(row.clamp(0, 1).numpy(), error) for row, error in zip(values, errors, strict=True)]


def _following(model: Model, scores: Tensor) -> list[Answer]:
    return [following(model, row[-1]) for row in scores]


def following(model: Model, scores: Tensor) -> Following:
    """The most likely next tokens by the scores (V,) of a position."""
    names = model.legend.target.classes
    chances, places = scores[: len(names)].softmax(0).topk(min(LISTED, len(names)))
    return Following(tuple(names[i] for i in places.tolist()), tuple(chances.tolist()))


def next_tokens(model: Model, texts: Sequence[str]) -> list[Following]:
    """What comes next after each text, of which the last tokens count. Raises DataError."""
    with asked(model):
        return [following(model, writing.scores_after(model, writing.prompt(model, text))) for text in texts]


def _rewritten(model: Model, batch: Mapping[str, Tensor]) -> list[Answer]:
    objective = model.objective
    if not isinstance(objective, SequenceToSequence):
        raise ObjectiveError("This objective does not write sequences.")
    scaled = _on_scale(model, batch)
    with asked(model):
        written = objective.decode(model.networks, scaled, int(str(objective.options["beam"])))
    words = tokenizer_of(model.legend.target)
    return [Text(words.decode(row)) for row in written]


def main_kind(model: Model) -> str:
    """The kind of field that a file feeds; an empty text where several are fed."""
    kinds = [field.kind for field in model.of_data if field.kind not in BESIDE]
    return kinds[0] if len(kinds) == 1 else ""
