"""From one sequence to another: an encoder reads, a decoder writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.dataset import Dataset
from deepgui.data.fields import Field
from deepgui.data.tokenizers import BOS, EOS, tokenizer_of
from deepgui.graph.problems import Problem
from deepgui.training.objectives.base import Batch, Given, Networks, Objective, ObjectiveError, Outcome, Outlook, Score
from deepgui.training.objectives.previews import Preview, Texts
from deepgui.training.objectives.tokens import TokenSums, check_scores, cross_entropy, pad_of

WRITTEN = "written"
_DECODED = 256
"""So many examples of a split are written out in full: that takes a pass a token."""
_SHOWN = 12


class SequenceToSequence(Objective):
    """The decoder learns each next token from the true ones before it (teacher forcing), and later from its own."""

    id: ClassVar[str] = "sequence_to_sequence"
    title: ClassVar[str] = "Sequence to sequence"
    summary: ClassVar[str] = "Turn one sequence into another: translate, rewrite, reverse."
    targets: ClassVar[frozenset[str]] = frozenset(("tokens",))
    settings: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("label_smoothing", "float", default=0.0, minimum=0.0, doc="How far certainty is punished, 0 to 1."),
        ParamSpec("beam", "int", default=1, minimum=1, doc="Candidates kept while writing; 1 is greedy."),
    )
    previews: ClassVar[Mapping[str, str]] = MappingProxyType({"text": "Answers"})

    def __init__(
        self,
        dataset: Dataset,
        options: Mapping[str, Value],
        inputs: Mapping[str, tuple[str, ...]] | tuple[str, ...],
        order: tuple[int, ...] = (),
    ) -> None:
        super().__init__(dataset, options, inputs, order)
        self._words = tokenizer_of(dataset.target)
        begin, end = self._words.id_of(BOS), self._words.id_of(EOS)
        if begin is None or end is None:
            raise ObjectiveError(f"{self.target} lacks the tokens {BOS} and {EOS}: choose a source of pairs of texts.")
        self._begin, self._end, self._pad = begin, end, pad_of(dataset.target)

    @classmethod
    def wants(cls, dataset: Dataset, options: Mapping[str, Value]) -> Mapping[str, tuple[str, ...]]:
        first, *others = dataset.inputs
        return {cls.roles[0]: (first, WRITTEN, *others)}

    @classmethod
    def given(cls, dataset: Dataset, options: Mapping[str, Value]) -> tuple[Given, ...]:
        target = dataset.target
        return (Given(Field(WRITTEN, "tokens", (target.shape[0] - 1,), "int64", target.classes)),)

    def complete(self, batch: Batch) -> Batch:
        return {**batch, WRITTEN: batch[self.target][:, :-1]}

    def loss(self, networks: Networks, batch: Batch, turn: str = "") -> Outcome:
        scores = self._scores(networks, batch)
        target = batch[self.target][:, 1:]
        smoothing = float(self.options["label_smoothing"])  # type: ignore[arg-type]
        return Outcome(cross_entropy(scores, target, self._pad, smoothing=smoothing), len(target))

    def _scores(self, networks: Networks, batch: Batch) -> Tensor:
        whole = self.complete(batch)
        scores: Tensor = networks.main(*[whole[name] for name in self.inputs])
        return scores

    def assess(self, networks: Networks, batches: Iterable[Batch]) -> Score | None:
        sums, exact, decoded = TokenSums(), 0, 0
        for batch in batches:
            target = batch[self.target]
            sums.add(self._scores(networks, batch), target[:, 1:], self._pad)
            few = {name: values[: max(0, _DECODED - decoded)] for name, values in batch.items()}
            if len(few[self.target]):
                exact += int(self.right(self.decode(networks, few, 1), few[self.target]).sum())
                decoded += len(few[self.target])
        if not sums.examples:
            return None
        return Score({**sums.metrics(), "exact_match": exact / decoded}, examples=sums.examples)

    def right(self, written: Tensor, target: Tensor) -> Tensor:
        """Which sequences are the true ones up to and with their end, bool of shape (N,)."""
        truth = target[:, 1:]
        counts = truth != self._pad
        return ((written == truth) | ~counts).all(1)

    def decode(self, networks: Networks, batch: Batch, beam: int = 1) -> Tensor:
        """What the network writes for the sources of a batch: token ids N×(T-1), filled up behind the end.

        Args:
            beam: candidates that are kept; their scores are the mean logarithm of probability a token.
        """
        count = len(batch[self.inputs[0]])
        given = {name: values.repeat_interleave(beam, 0) for name, values in batch.items()}
        length = self.dataset.target.shape[0] - 1
        filler = max(0, self._pad)
        written = torch.full((count * beam, length + 1), filler, device=self.device)
        written[:, 0] = self._begin
        total = torch.zeros(count, beam, device=self.device)
        total[:, 1:] = float("-inf")  # at first all candidates are the same
        done = torch.zeros(count * beam, dtype=torch.bool, device=self.device)
        for place in range(length):
            batch_now = {**given, WRITTEN: written[:, :-1]}
            scores = networks.main(*[batch_now[name] for name in self.inputs])[:, place, : len(self._words)]
            scores = scores.float().log_softmax(-1)
            scores[done] = float("-inf")
            scores[done, filler] = 0.0
            vocabulary = scores.shape[-1]
            every = (total[:, :, None] + scores.view(count, beam, vocabulary)).view(count, -1)
            total, chosen = every.topk(beam, dim=1)
            source = (torch.arange(count, device=self.device)[:, None] * beam + chosen // vocabulary).flatten()
            token = (chosen % vocabulary).flatten()
            written, done = written[source], done[source]
            written[:, place + 1] = token
            done = done | (token == self._end)
            if bool(done.all()):
                break
        lengths = (written[:, 1:] != filler).sum(1).view(count, beam).clamp(min=1)
        best = (total / lengths).argmax(1)
        return written.view(count, beam, -1)[torch.arange(count, device=self.device), best, 1:]

    def preview(self, what: str, networks: Networks) -> Preview | None:
        split = self.dataset.validation if len(self.dataset.validation) else self.dataset.train
        rows = split.get(torch.arange(min(_SHOWN, len(split))))
        batch = {name: values.to(self.device) for name, values in rows.items()}
        written = self.decode(networks, batch, int(self.options["beam"]))  # type: ignore[arg-type]
        reading = tokenizer_of(self.dataset.field(self.inputs[0]))
        sources = [reading.decode(ids) for ids in batch[self.inputs[0]]]
        answers = [self._words.decode(ids) for ids in written]
        truths = tuple(self._words.decode(ids) for ids in batch[self.target])
        right = sum(a == b for a, b in zip(answers, truths, strict=True))
        note = f"{right} of {len(truths)} validation examples right"
        return Texts(items=tuple(zip(sources, answers, strict=True)), truths=truths, note=note)

    @classmethod
    def check(cls, outlook: Outlook) -> Iterator[Problem]:
        target = outlook.target
        yield from check_scores(outlook, target.shape[0] - 1, len(target.classes), target.name)
