"""Which tokens were hidden: how language models of the BERT kind learn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.dataset import Dataset
from deepgui.data.fields import Field
from deepgui.data.tokenizers import MASK, tokenizer_of
from deepgui.graph.problems import Problem
from deepgui.training.objectives.base import Batch, Given, Networks, Objective, ObjectiveError, Outcome, Outlook, Score
from deepgui.training.objectives.previews import Preview, Texts
from deepgui.training.objectives.tokens import IGNORED, TokenSums, check_scores, cross_entropy, pad_of

MASKED = "masked"
_HIDDEN, _RANDOM = 0.8, 0.1
"""Of the chosen tokens so many are hidden and so many replaced by others; the rest stays (Devlin et al. 2018)."""
_SHOWN = 6
_NO_MASK = f"The vocabulary has no token {MASK} for a gap: switch mask_token on in the settings of the data."


class MaskedToken(Objective):
    """Some tokens are hidden; the network says from all others which they were."""

    id: ClassVar[str] = "masked_token"
    title: ClassVar[str] = "Masked token"
    summary: ClassVar[str] = "Fill gaps in a text, looking at what stands before and behind."
    settings: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec(
            "share", "float", default=0.15, minimum=0.01, doc="How many of the tokens are to be guessed, 0 to 1."
        ),
    )
    previews: ClassVar[Mapping[str, str]] = MappingProxyType({"text": "Filled gaps"})

    def __init__(
        self,
        dataset: Dataset,
        options: Mapping[str, Value],
        inputs: Mapping[str, tuple[str, ...]] | tuple[str, ...],
        order: tuple[int, ...] = (),
    ) -> None:
        super().__init__(dataset, options, inputs, order)
        self.field = text_of(dataset)
        self._words = tokenizer_of(self.field)
        mask = self._words.id_of(MASK)
        if mask is None:
            raise ObjectiveError(_NO_MASK)
        self._mask, self._pad = mask, pad_of(self.field)

    @classmethod
    def wants(cls, dataset: Dataset, options: Mapping[str, Value]) -> Mapping[str, tuple[str, ...]]:
        text = text_of(dataset).name
        return {cls.roles[0]: (MASKED, *(name for name in dataset.inputs if name != text))}

    @classmethod
    def given(cls, dataset: Dataset, options: Mapping[str, Value]) -> tuple[Given, ...]:
        text = text_of(dataset)
        return (Given(Field(MASKED, "tokens", text.shape, "int64", text.classes)),)

    def complete(self, batch: Batch) -> Batch:
        hidden, truth = self.hide(batch[self.field.name])
        return {**batch, MASKED: hidden, "hidden": truth}

    def hide(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Token ids N×T with gaps, and what is to be said: the token in a gap, :data:`IGNORED` elsewhere."""
        share = float(self.options["share"])  # type: ignore[arg-type]
        first = len(self._words.specials)
        chance = torch.rand(tokens.shape, device=tokens.device)
        chosen = (chance < share) & (tokens >= first)
        how = torch.rand(tokens.shape, device=tokens.device)
        others = torch.randint(first, len(self._words), tokens.shape, device=tokens.device)
        masked = tokens.masked_fill(chosen & (how < _HIDDEN), self._mask)
        masked = torch.where(chosen & (how >= _HIDDEN) & (how < _HIDDEN + _RANDOM), others, masked)
        return masked, tokens.masked_fill(~chosen, IGNORED)

    def loss(self, networks: Networks, batch: Batch, turn: str = "") -> Outcome:
        batch = self.complete(batch)
        scores = networks.main(*[batch[name] for name in self.inputs])
        truth = batch["hidden"]
        # A batch without a gap has nothing to learn from: the mean over none would not be a number.
        total = cross_entropy(scores, truth, IGNORED, total=True)
        return Outcome(total / (truth != IGNORED).sum().clamp(min=1), len(truth))

    def assess(self, networks: Networks, batches: Iterable[Batch]) -> Score | None:
        sums = TokenSums()
        for batch in batches:
            whole = self.complete(batch)
            sums.add(networks.main(*[whole[name] for name in self.inputs]), whole["hidden"], IGNORED)
        return Score(sums.metrics(), examples=sums.examples) if sums.examples else None

    def preview(self, what: str, networks: Networks) -> Preview | None:
        split = self.dataset.validation if len(self.dataset.validation) else self.dataset.train
        rows = split.get(torch.arange(min(_SHOWN, len(split))))
        whole = self.complete({name: values.to(self.device) for name, values in rows.items()})
        said = networks.main(*[whole[name] for name in self.inputs])[..., : len(self._words)].argmax(-1)
        gaps = whole["hidden"] != IGNORED
        filled = torch.where(gaps, said, whole[self.field.name])
        items, truths = [], []
        for hidden, answer, true in zip(whole[MASKED], filled, whole[self.field.name], strict=True):
            kept = true != self._pad
            items.append(
                (self._words.decode(hidden[kept], specials=True).replace(MASK, "▁"), self._words.decode(answer[kept]))
            )
            truths.append(self._words.decode(true[kept]))
        return Texts(
            items=tuple(items), truths=tuple(truths), note="Gaps (▁), how the network fills them, and what was there"
        )

    @classmethod
    def check(cls, outlook: Outlook) -> Iterator[Problem]:
        text = next((f for f in outlook.fed if f.name == MASKED), None)
        if text is None:
            yield Problem("no-text", "Masked token learns from text, and the data has none: choose a source of text.")
            return
        if MASK not in text.classes:
            yield Problem("no-mask-token", _NO_MASK)
        yield from check_scores(outlook, text.shape[0], len(text.classes), text.name)


def text_of(dataset: Dataset) -> Field:
    """The field whose tokens are hidden. Raises ObjectiveError if there is none."""
    names = (*dataset.inputs, *(f.name for f in dataset.fields))
    found = next((f for name in names if (f := dataset.field(name)).kind == "tokens"), None)
    if found is None:
        raise ObjectiveError("Masked token learns from text, and the data has none: choose a source of text.")
    return found
