"""Fuzzy search over layer kinds. Knows no Qt: the palette and the canvas's search-to-add share it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from deepgui.catalog.spec import LayerSpec

Fits = Callable[[LayerSpec], bool]

EVERYDAY = (
    "Input",
    "Conv2d",
    "Linear",
    "ReLU",
    "MaxPool2d",
    "BatchNorm2d",
    "Flatten",
    "Dropout",
    "Output",
    "add",
    "cat",
    "GELU",
    "LayerNorm",
    "LSTM",
    "Embedding",
    "MultiheadAttention",
    "TransformerEncoderLayer",
    "AdaptiveAvgPool2d",
    "ConvTranspose2d",
    "Softmax",
)
"""What people place most. They win ties, and lead when nothing has been typed yet."""

_EVERYDAY_BONUS = 30.0
_KEEP = 0.4
"""Matches this much weaker than the best one are noise: nobody who finds ``conv`` by name wants near misses."""
_WORDS = re.compile(r"\d+[a-z]*|[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+")
_TYPO_FROM = 4
"""Shorter words are not searched for typos: everything would be near everything."""


class _Text(NamedTuple):
    """A searchable name: folded, with the places where its words start."""

    folded: str
    starts: frozenset[int]


@lru_cache(maxsize=4096)
def _text(name: str) -> _Text:
    folded, starts = "", set()
    for word in _WORDS.findall(name):
        starts.add(len(folded))
        folded += word.lower()
    return _Text(folded, frozenset(starts))


def rank(query: str, registry: Mapping[str, LayerSpec], fits: Fits | None = None) -> list[LayerSpec]:
    """The kinds that match ``query``, best first; all of them for an empty query.

    ``fits`` leaves out kinds for which it is false. Every word of the query must be found in the kind,
    an alias, the category or the summary; a kind counts more than an alias, an alias more than the rest.
    """
    offered = [spec for spec in registry.values() if fits is None or fits(spec)]
    terms = [_fold(word) for word in query.split()]
    terms = [term for term in terms if term]
    if not terms:
        place = {kind: index for index, kind in enumerate(EVERYDAY)}
        return sorted(offered, key=lambda spec: place.get(spec.kind, len(EVERYDAY)))
    scored = [(score(terms, spec), spec) for spec in offered]
    least = _KEEP * max((points for points, _ in scored), default=0.0)
    scored = [(points, spec) for points, spec in scored if points > least]
    return [spec for _, spec in sorted(scored, key=lambda hit: (-hit[0], hit[1].kind.lower()))]


def score(terms: list[str], spec: LayerSpec) -> float:
    """How well folded words match a kind: 0 if one of them is nowhere, about 1000 for the very name."""
    joined = _names("".join(terms), spec) if len(terms) > 1 else 0.0
    each = [_term(term, spec) for term in terms]
    apart = sum(each) / len(each) if all(each) else 0.0
    best = max(joined, apart)
    return best + _EVERYDAY_BONUS if best and spec.kind in EVERYDAY else best


def _fold(word: str) -> str:
    return re.sub(r"[^a-z0-9]", "", word.lower())


def _term(term: str, spec: LayerSpec) -> float:
    return max(
        _names(term, spec),
        0.5 * _prose(term, spec.category),
        0.3 * _prose(term, spec.summary),
    )


def _names(term: str, spec: LayerSpec) -> float:
    best = _name(term, _text(spec.kind))
    for alias in spec.aliases:
        best = max(best, 0.9 * _name(term, _text(alias)))
    return best


def _name(term: str, text: _Text) -> float:
    """Exact, then prefix, start of a word, initials, anywhere, scattered, and at last misspelt."""
    name = text.folded
    brevity = min(len(name), 60)
    if term == name:
        return 1000.0
    if name.startswith(term):
        return 850.0 - brevity
    at = name.find(term)
    if at >= 0:
        return (720.0 if at in text.starts else 520.0) - brevity
    if _by_word_starts(term, text, 0, 0):
        return (650.0 if term[0] == name[0] else 560.0) - brevity
    if len(term) >= _TYPO_FROM:
        slips = min(_slips(term, name[start:]) for start in text.starts or {0})
        if slips <= (1 if len(term) < 7 else 2):
            return 420.0 - 60.0 * slips - brevity
    spread = _spread(term, name)
    return 300.0 - 3.0 * spread if spread <= 2 * len(term) else 0.0


def _by_word_starts(term: str, text: _Text, done: int, position: int) -> bool:
    """Whether ``term`` can be typed from beginnings of words in order: ``c2`` in Conv·2d, ``avgp`` in Avg·Pool."""
    if done == len(term):
        return True
    for start in sorted(s for s in text.starts if s >= position):
        length = 0
        while done + length < len(term) and text.folded[start + length : start + length + 1] == term[done + length]:
            length += 1
            if _by_word_starts(term, text, done + length, start + length):
                return True
    return False


def _spread(term: str, name: str) -> int:
    """How many letters lie between those of ``term`` in ``name``, read in order; large unless all are there."""
    first, position = -1, -1
    for letter in term:
        position = name.find(letter, position + 1)
        if position < 0:
            return 1_000
        first = position if first < 0 else first
    return position - first + 1 - len(term) if first == 0 else 1_000


def _slips(term: str, name: str) -> int:
    """Fewest typing slips (wrong, missing, extra or swapped letters) that turn ``term`` into a beginning of ``name``.

    The first letter is taken to be right unless it was swapped with the second: people rarely miss it.
    """
    if not name or term[0] not in name[:2]:
        return len(term)
    before, row = [0] * (len(name) + 1), list(range(len(name) + 1))
    for i, letter in enumerate(term, 1):
        older, before, row = before, row, [i]
        for j, other in enumerate(name, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == name[j - 2] and term[i - 2] == other:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return min(row)


def _prose(term: str, prose: str) -> float:
    """A word of a sentence that starts with the term."""
    words = [_fold(word) for word in re.split(r"[\s\-/,.;:()]+", prose)]
    if term in words:
        return 700.0
    return 600.0 if len(term) > 1 and any(word.startswith(term) for word in words) else 0.0
