"""What a person can try on a network: which kinds of question it takes, real examples to begin with, and drawings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepgui.data.dataset import Dataset
from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.data.tokenizers import tokenizer_of
from deepgui.training.objectives import ObjectiveError
from deepgui.use.inputs import BESIDE, OF_GRAPHS, sound_form
from deepgui.use.making import code_of
from deepgui.use.model import Model

EXAMPLES = 48
LARGEST_DRAWING = 64
MOST_COLUMNS = 64
_INKED = 0.25  # of the way from paper to ink

Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class Ink:
    """How pictures are drawn on their paper.

    Attributes:
        light: the ink is lighter than the paper.
        share: of the picture's longer side that a drawing usually takes; 0 if they are no drawings.
    """

    light: bool = True
    share: float = 0.0


@dataclass(frozen=True, eq=False)
class Trial:
    """What can be tried.

    Attributes:
        ways: of asking: ``draw``, ``file``, ``sound``, ``series``, ``text``, ``write``, ``fill``, ``table``,
            ``code``, ``samples``; empty if there are none, and then ``why`` says it.
        fed: the field that is edited; answer: what the network says.
        examples: field name → real examples in the units of the data, not learnt from if there are such.
        truths: what is true of each, in words; empty where there is nothing to say.
        code: numbers that a new example is made of.
    """

    ways: tuple[str, ...]
    fed: Field | None
    answer: Field
    examples: Mapping[str, Tensor] = field(default_factory=dict)
    truths: tuple[str, ...] = ()
    ink: Ink = Ink()
    code: int = 0
    why: str = ""

    @property
    def key(self) -> object:
        """What decides how the question is put: the same for the same data and kind of network."""
        return self.ways, self.fed, self.answer, self.code, self.why


def trial_of(model: Model) -> Trial:
    """What can be tried on a model. Its objective has real data, or blank examples."""
    legend = model.legend
    fields = [f for f in model.of_data if f.kind not in BESIDE]
    if model.kind == "sequence_to_sequence":
        fields = [f for f in fields if f.name == legend.inputs[0].name]
    code = _code(model)
    ways = (("code",) if code else ()) + (("samples",) if model.objective.generates and not code else ())
    fed = legend.inputs[0] if model.kind == "masked_token" else fields[0] if len(fields) == 1 else None
    why = ""
    if fed is not None:
        asked = _ways(model, fed)
        why = "" if asked else f"{fed.name} is nothing that can be drawn, typed or opened; look at Results instead."
        ways += asked
    elif any(f.kind in OF_GRAPHS for f in fields):
        why = "This network takes graphs, which are not edited here: Results shows what it says of those in the data."
    elif len(fields) > 1:
        names = ", ".join(f.name for f in fields)
        why = f"This network has {len(fields)} inputs ({names}); only one can be edited. deepgui predict takes an .npz."
    if not ways:
        return Trial((), fed, legend.target, why=why or "There is nothing to ask this network.")
    examples, truths = _examples(model.objective.dataset, fed)
    ink = ink_of(examples[fed.name].numpy()) if fed is not None and "draw" in ways else Ink()
    return Trial(ways, fed, legend.target, examples, truths, ink, code)


def _code(model: Model) -> int:
    try:
        found = code_of(model) if model.objective.generates else None
    except ObjectiveError:
        return 0
    return found.size if found is not None else 0


def _ways(model: Model, fed: Field) -> tuple[str, ...]:
    if fed.kind == "tokens":
        if model.kind == "next_token":
            return ("write",)
        return ("fill",) if model.kind == "masked_token" else ("text",)
    if fed.kind == "image":
        try:
            if sound_form(model.data) is not None:
                return ("sound",)
        except DataError:
            return ()
        small = max(fed.shape[1:]) <= LARGEST_DRAWING and fed.shape[0] in (1, 3)
        return ("draw",) if small else ("file",)
    if fed.kind == "series":
        return ("sound",) if sound_form(model.data) is not None else ("series",)
    columns = fed.form.columns if fed.form is not None else range(fed.shape[0]) if len(fed.shape) == 1 else ()
    return ("table",) if fed.kind == "vector" and 0 < len(columns) <= MOST_COLUMNS else ()


def _examples(dataset: Dataset, fed: Field | None) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    split = dataset.validation if len(dataset.validation) else dataset.train
    if fed is None or not len(split):
        return {}, ()
    rows = split.raw(torch.linspace(0, len(split) - 1, min(EXAMPLES, len(split))).long())
    target = dataset.target
    if target.kind == "label":
        return rows, tuple(target.classes[k] for k in rows[target.name].tolist())
    if target.kind == "number":
        return rows, tuple(f"{v:.5g}" for v in rows[target.name].flatten().tolist())
    if target.kind == "tokens" and target.text is not None and target.name != fed.name:
        words = tokenizer_of(target)
        return rows, tuple(words.decode(row) for row in rows[target.name])
    return rows, ()


# -- drawings


def ink_of(images: Pixels) -> Ink:
    """How pictures (N, C, H, W) in 0..1 are drawn: what is at their borders is paper, if it is the same in all."""
    grey = images.mean(axis=1)
    border = np.concatenate([grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1]], axis=1)
    paper = float(np.median(border))
    if min(paper, 1 - paper) > 0.2 or float(np.mean(np.abs(border - paper) < 0.2)) < 0.6:
        return Ink(light=paper < 0.5)
    boxes = [box for picture in grey if (box := _box(np.abs(picture - paper))) is not None]
    height, width = grey.shape[1:]
    shares = [max((bottom - top) / height, (right - left) / width) for top, bottom, left, right in boxes]
    return Ink(light=paper < 0.5, share=float(np.median(shares)) if shares else 0.0)


def _box(ink: Pixels) -> tuple[int, int, int, int] | None:
    """Top, bottom, left and right of what is inked, ends excluded; None of an empty sheet."""
    there = ink > _INKED
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    if not len(rows):
        return None
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def brought_to_size(ink: Pixels, share: float) -> tuple[int, int, int, int] | None:
    """The part of a fine drawing (H, W), 0 for paper, that fills a picture as those of the data do.

    Returns:
        top, bottom, left, right; may lie outside of the drawing. None if nothing is drawn.
    """
    box = _box(ink)
    if box is None or share <= 0:
        return None
    top, bottom, left, right = box
    height, width = ink.shape
    scale = max((bottom - top) / height, (right - left) / width) / min(1.0, share)
    high, wide = max(1, round(height * scale)), max(1, round(width * scale))
    upper, first = round((top + bottom - high) / 2), round((left + right - wide) / 2)
    return upper, upper + high, first, first + wide
