"""What objectives over tokens share: losses over positions that count, and drawing the next token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from deepgui.data.fields import Field
from deepgui.data.tokenizers import PAD, tokenizer_of
from deepgui.graph.problems import Problem
from deepgui.training.objectives import repairs
from deepgui.training.objectives.base import Outlook

IGNORED = -100
"""The target of a position that does not count; PyTorch's ``ignore_index``."""


def pad_of(field: Field) -> int:
    """The id that fills up a field's sequences; :data:`IGNORED` if its vocabulary has none."""
    found = tokenizer_of(field).id_of(PAD)
    return IGNORED if found is None else found


def cross_entropy(
    scores: Tensor, target: Tensor, ignored: int, *, smoothing: float = 0.0, total: bool = False
) -> Tensor:
    """Mean cross entropy over the positions that count, in nats.

    Args:
        scores: N×T×V. target: N×T of token ids.
        total: the sum instead.
    """
    how = "sum" if total else "mean"
    flat = scores.flatten(0, -2)
    return F.cross_entropy(flat, target.flatten(), ignore_index=ignored, label_smoothing=smoothing, reduction=how)


@dataclass
class TokenSums:
    """Sums over a split, added batch by batch so that no more than one batch of scores is held."""

    loss: float = 0.0
    right: int = 0
    tokens: int = 0
    examples: int = 0

    def add(self, scores: Tensor, target: Tensor, ignored: int) -> None:
        scores = scores.float()
        counts = target != ignored
        self.loss += float(cross_entropy(scores, target, ignored, total=True))
        self.right += int(((scores.argmax(-1) == target) & counts).sum())
        self.tokens += int(counts.sum())
        self.examples += len(target)

    def metrics(self) -> dict[str, float]:
        """``loss`` in nats a token, ``perplexity`` (its exponential) and ``accuracy``."""
        if not self.tokens:
            return {"loss": float("nan")}
        loss = self.loss / self.tokens
        return {
            "loss": loss,
            "perplexity": float(torch.tensor(loss).exp()),
            "accuracy": self.right / self.tokens,
        }


def check_scores(outlook: Outlook, length: int, vocabulary: int, of: str) -> Iterator[Problem]:
    """Whether the Output gives a score a token at each position; scores of tokens that there are not do no harm."""
    expected = f"N×{length}×{vocabulary}"
    shape = outlook.output.shape
    rank = len(outlook.output.dims)
    constants = [d.const for d in outlook.output.dims]
    if outlook.output.batch_first and rank == 3 and constants[1] == length and constants[2] >= vocabulary:
        return
    fix = None
    if rank == 3 and constants[1] == length:
        fix = repairs.set_out_features(outlook.network, outlook.node, vocabulary)
    yield Problem(
        "output-shape",
        f"{of} has {vocabulary} tokens and {length} positions, but the Output receives {shape}:"
        " it needs a score for every token at every position.",
        node=outlook.node,
        port="input",
        expected=expected,
        received=shape,
        reason="At each position the token with the highest score is the network's answer.",
        fix=fix,
    )


def draw(scores: Tensor, temperature: float, top_k: int, generator: torch.Generator | None = None) -> Tensor:
    """A token for each row of scores N×V.

    Args:
        temperature: 0 takes the most likely token; higher ones even the odds out.
        top_k: only so many of the most likely tokens can be drawn; 0 for all.
    """
    if temperature <= 0:
        return scores.argmax(-1)
    scores = scores.float() / temperature
    if 0 < top_k < scores.shape[-1]:
        least = scores.topk(top_k, dim=-1).values[:, -1:]
        scores = scores.masked_fill(scores < least, float("-inf"))
    return torch.multinomial(scores.softmax(-1), 1, generator=generator)[:, 0]


def continued(
    run: Callable[[Tensor], Tensor],
    prompts: Tensor,
    count: int,
    window: int,
    vocabulary: int,
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    filler: int = 0,
    generator: torch.Generator | None = None,
) -> Iterator[Tensor]:
    """Go on from prompts (N×L), token by token; yields each new one, of shape (N,).

    Args:
        run: N×``window`` token ids to scores N×``window``×V; must look at earlier positions only.
        window: how many tokens the network sees at once. Shorter texts are filled up behind.
        vocabulary: tokens that there are; the network may have scores for more.
    """
    known = prompts
    for _ in range(count):
        seen = known[:, -window:]
        last = seen.shape[1] - 1
        given = F.pad(seen, (0, window - seen.shape[1]), value=filler)
        token = draw(run(given)[:, last, :vocabulary], temperature, top_k, generator)
        known = torch.cat((known, token[:, None]), dim=1)
        yield token
