"""Which token comes next: how language models of the GPT kind learn."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from deepgui.catalog.spec import ParamSpec
from deepgui.data.tokenizers import tokenizer_of
from deepgui.graph.problems import Problem
from deepgui.training.objectives.base import Batch, Networks, Objective, Outcome, Outlook, Score
from deepgui.training.objectives.previews import Preview, Texts
from deepgui.training.objectives.tokens import TokenSums, check_scores, continued, cross_entropy, pad_of

_SHOWN, _PROMPT, _WRITTEN = 3, 24, 72


class NextToken(Objective):
    """At each position the network says which token comes next; it must not look ahead."""

    id: ClassVar[str] = "next_token"
    title: ClassVar[str] = "Next token"
    summary: ClassVar[str] = "Go on with a text: say at each position which token comes next."
    targets: ClassVar[frozenset[str]] = frozenset(("tokens",))
    settings: ClassVar[tuple[ParamSpec, ...]] = (
        ParamSpec("label_smoothing", "float", default=0.0, minimum=0.0, doc="How far certainty is punished, 0 to 1."),
        ParamSpec("temperature", "float", default=0.8, minimum=0.0, doc="Of the texts written: 0 is the most likely."),
        ParamSpec("top_k", "int", default=0, minimum=0, doc="Write only with so many most likely tokens; 0 for all."),
    )
    previews: ClassVar[Mapping[str, str]] = MappingProxyType({"text": "Written text"})

    @property
    def ignored(self) -> int:
        """The target of positions that do not count."""
        return pad_of(self.dataset.target)

    def loss(self, networks: Networks, batch: Batch, turn: str = "") -> Outcome:
        scores = networks.main(*[batch[name] for name in self.inputs])
        target = batch[self.target]
        smoothing = float(self.options["label_smoothing"])  # type: ignore[arg-type]
        return Outcome(cross_entropy(scores, target, self.ignored, smoothing=smoothing), len(target))

    def assess(self, networks: Networks, batches: Iterable[Batch]) -> Score | None:
        sums = TokenSums()
        for batch in batches:
            sums.add(networks.main(*[batch[name] for name in self.inputs]), batch[self.target], self.ignored)
        return Score(sums.metrics(), examples=sums.examples) if sums.examples else None

    def preview(self, what: str, networks: Networks) -> Preview | None:
        split = self.dataset.validation if len(self.dataset.validation) else self.dataset.train
        places = torch.linspace(0, len(split) - 1, _SHOWN).long()
        prompts = split.get(places)[self.inputs[0]][:, :_PROMPT].to(self.device)
        temperature, top_k = float(self.options["temperature"]), int(self.options["top_k"])  # type: ignore[arg-type]
        written = self.write(networks, prompts, _WRITTEN, temperature=temperature, top_k=top_k)
        words = tokenizer_of(self.dataset.field(self.inputs[0]))
        items = tuple((words.decode(a), words.decode(b)) for a, b in zip(prompts, written, strict=True))
        return Texts(
            items=items, note=f"Prompts of the validation text, and how the network goes on ({_WRITTEN} tokens)"
        )

    def write(
        self,
        networks: Networks,
        prompts: Tensor,
        count: int,
        *,
        temperature: float = 1.0,
        top_k: int = 0,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """``count`` more tokens for prompts N×L, as N×``count``. See :func:`tokens.draw`."""
        window, vocabulary = self.dataset.field(self.inputs[0]).shape[0], len(self.dataset.target.classes)
        how = {"temperature": temperature, "top_k": top_k, "generator": generator}
        new = continued(networks.main, prompts, count, window, vocabulary, **how)  # type: ignore[arg-type]
        return torch.stack(list(new), dim=1)

    @classmethod
    def check(cls, outlook: Outlook) -> Iterator[Problem]:
        target = outlook.target
        yield from check_scores(outlook, target.shape[0], len(target.classes), target.name)
