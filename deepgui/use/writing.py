"""Text out of networks: going on with a prompt, and filling gaps."""

from __future__ import annotations

import re

import torch
from torch import Tensor
from torch.nn import functional as F

from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.data.tokenizers import MASK, PAD, Tokenizer, Unknown, tokenizer_of
from deepgui.training.objectives.tokens import continued
from deepgui.use.answers import Text
from deepgui.use.model import Model

GAP = re.compile(r"<mask>|▁+|_{2,}")
"""What people may write where something is missing."""


def prompt(model: Model, text: str) -> Tensor:
    """The ids of a text that is to be gone on with, (1, L); of an empty one a single token to begin with.

    Raises:
        DataError: the network reads no text, or the text has what its vocabulary lacks.
    """
    words = _reader(model)
    for candidate in (text, "\n", " "):
        try:
            ids = words.encode(candidate)
        except Unknown as error:
            if candidate == text:
                raise DataError(f"{error.text!r} is not in the vocabulary that the network has learnt") from None
            continue
        if len(ids):
            return torch.from_numpy(ids.astype("int64"))[None]
    return torch.tensor([[len(words.specials)]])


def _reader(model: Model) -> Tokenizer:
    if model.kind != "next_token":
        raise DataError("this network does not go on with a text: --generate N takes one that learnt the next token")
    return tokenizer_of(model.legend.inputs[0])


def scores_after(model: Model, ids: Tensor) -> Tensor:
    """The scores (V,) of what comes after ids (1, L), by a network in eval mode."""
    window = model.legend.inputs[0].shape[0]
    seen = ids[:, -window:].to(model.device)
    padded = F.pad(seen, (0, window - seen.shape[1]))
    scores: Tensor = model.read(model.networks.main(padded))[0, seen.shape[1] - 1].cpu()
    return scores


def more(
    model: Model,
    ids: Tensor,
    count: int,
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Ids (1, L) with ``count`` more behind, by a network in eval mode and without gradients.

    Args:
        temperature: 0 takes the most likely token; higher ones even the odds out.
        top_k: only so many of the most likely tokens can be drawn; 0 for all.
    """
    window, vocabulary = model.legend.inputs[0].shape[0], len(model.legend.target.classes)
    how = {"temperature": temperature, "top_k": top_k, "generator": generator}
    new = continued(model.networks.main, ids.to(model.device), count, window, vocabulary, **how)  # type: ignore[arg-type]
    return torch.cat((ids, torch.stack(list(new), dim=1).to(ids.device)), dim=1)


def read(model: Model, ids: Tensor) -> str:
    """The text of ids."""
    return tokenizer_of(model.legend.target).decode(ids)


def fill(model: Model, text: str) -> Text:
    """A text with its gaps filled by what is most likely, by a network in eval mode and without gradients.

    Raises:
        DataError: there is no gap, or more text than the network takes.
    """
    field = next(f for f in model.legend.inputs if f.kind == "tokens")
    words = tokenizer_of(_of_text(model, field))
    mask = words.id_of(MASK)
    parts = GAP.split(text)
    if len(parts) < 2 or mask is None:
        raise DataError("there is no gap in the text: write <mask> where something is missing")
    ids: list[int] = []
    try:
        for part in parts:
            ids += [*words.encode(part).tolist(), mask]
    except Unknown as error:
        raise DataError(f"{error.text!r} is not in the vocabulary that the network has learnt") from None
    ids.pop()
    window = field.shape[0]
    if len(ids) > window:
        raise DataError(f"the text has {len(ids):,} tokens, but the network takes {window:,}: make it shorter")
    pad = words.id_of(PAD)
    known = torch.tensor(ids + [mask if pad is None else pad] * (window - len(ids)))[None]
    lengths = {"padding": torch.arange(window)[None] >= len(ids), "length": torch.tensor([len(ids)])}
    fed = {"tokens": known, **lengths}
    scores = model.read(model.networks.main(*(fed[f.kind].to(model.device) for f in model.legend.inputs)))
    scores[..., : len(words.specials)] = float("-inf")
    said = scores[0, :, : len(words)].argmax(-1).cpu()
    filled = torch.where(known[0] == mask, said, known[0])[: len(ids)]
    return Text(words.decode(filled))


def _of_text(model: Model, field: Field) -> Field:
    """The field that knows how its tokens were made of text; that with gaps has the same vocabulary."""
    target = model.legend.target
    return field if field.text is not None or target.classes != field.classes else target
