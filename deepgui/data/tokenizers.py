"""From text to numbers and back: characters, bytes, words and byte pairs.

A vocabulary is a field's ``classes``; everything else that encoding needs is its :class:`TextForm`. Both travel with
a run, so that text can be given to a network and read from it where the data is no longer there.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepgui.data.errors import DataError

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Library

    from deepgui.data.fields import Field

PAD, UNK, BOS, EOS, MASK = "<pad>", "<unk>", "<bos>", "<eos>", "<mask>"
SPECIALS = (PAD, UNK, BOS, EOS, MASK)
"""Tokens that no text holds, in the order in which they start a vocabulary: ``<pad>`` has the id 0."""

KINDS = ("character", "byte", "word", "bpe")
_CHUNK = 1 << 22  # characters encoded at a time; what lies between is eight times as large as the text
_WORD = re.compile(r"\n|\w+(?:['’]\w+)*|[^\w\s]")
_CLOSES = frozenset(".,;:!?)]}…")  # no space before these when words are joined

Ids = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class TextForm:
    """How text becomes the tokens of a field, beside its vocabulary.

    Attributes:
        kind: one of :data:`KINDS`.
        lower: capital letters become small ones first.
        begin, end: a text stands between ``<bos>`` and ``<eos>``, or has one of them.
        merges: byte pairs that are joined, the first ones first.
    """

    kind: str
    lower: bool = False
    begin: bool = False
    end: bool = False
    merges: tuple[tuple[str, str], ...] = ()

    def state(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "merges": [" ".join(pair) for pair in self.merges]}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> TextForm:
        """What :meth:`state` described. Raises KeyError, TypeError or ValueError for anything else."""
        pairs = [pair.split(" ") for pair in state["merges"]]
        return cls(**{**state, "merges": tuple((left, right) for left, right in pairs)})


class Unknown(ValueError):
    """Text that a vocabulary has no token for.

    Attributes:
        position: where it stands in the text, in characters.
        text: the character.
    """

    def __init__(self, position: int, text: str) -> None:
        super().__init__(f"{text!r} (character {position + 1:,}) is not in the vocabulary")
        self.position, self.text = position, text


class Tokenizer(ABC):
    """Text to ids and back with a fixed vocabulary.

    Args:
        vocabulary: the tokens by id, special ones first.
        form: how text is treated.
    """

    kind: ClassVar[str]

    def __init__(self, vocabulary: Sequence[str], form: TextForm | None = None) -> None:
        self.vocabulary = tuple(vocabulary)
        self.form = form or TextForm(self.kind)
        self.specials = leading_specials(self.vocabulary)

    def __len__(self) -> int:
        return len(self.vocabulary)

    def id_of(self, token: str) -> int | None:
        """The id of a special token, or None if the vocabulary lacks it."""
        return self.specials.index(token) if token in self.specials else None

    def encode(self, text: str) -> Ids:
        """The ids of a text, int32, without ``<bos>`` and ``<eos>``. Raises Unknown if there is no ``<unk>``."""
        return self._encode(text.lower() if self.form.lower else text)

    def framed(self, text: str) -> Ids:
        """The same with ``<bos>`` and ``<eos>`` where the form has them."""
        before = [self.specials.index(BOS)] if self.form.begin else []
        after = [self.specials.index(EOS)] if self.form.end else []
        return np.concatenate([before, self.encode(text), after]).astype(np.int32)

    def decode(self, ids: Iterable[int] | Tensor, specials: bool = False) -> str:
        """The text of ids; special tokens are left out unless ``specials``."""
        numbers = ids.flatten().tolist() if isinstance(ids, Tensor) else list(ids)
        first = len(self.specials)
        parts: list[str] = []
        plain: list[int] = []
        for number in numbers:
            if number >= first:
                plain.append(number)
            elif specials:
                parts += [self._decode(plain), self.specials[number]]
                plain = []
        return "".join([*parts, self._decode(plain)])

    @abstractmethod
    def _encode(self, text: str) -> Ids: ...

    @abstractmethod
    def _decode(self, ids: list[int]) -> str:
        """The text of ids that are no special tokens."""


class Characters(Tokenizer):
    """One token a Unicode character; exact in both directions."""

    kind = "character"

    def __init__(self, vocabulary: Sequence[str], form: TextForm | None = None) -> None:
        super().__init__(vocabulary, form)
        first = len(self.specials)
        points = np.array([ord(c) for c in self.vocabulary[first:]], dtype=np.uint32)
        order = np.argsort(points)
        self._points, self._ids = points[order], (order + first).astype(np.int32)

    @classmethod
    def learn(cls, texts: Iterable[str], specials: Sequence[str], lower: bool = False) -> Characters:
        """Every character of the texts, by its code."""
        seen: set[str] = set()
        for text in texts:
            seen.update(text.lower() if lower else text)
        return cls((*specials, *sorted(seen)), TextForm(cls.kind, lower))

    def _encode(self, text: str) -> Ids:
        parts = [self._part(text, i) for i in range(0, len(text), _CHUNK)]
        return np.concatenate(parts) if parts else np.empty(0, np.int32)

    def _part(self, text: str, start: int) -> Ids:
        points = np.frombuffer(text[start : start + _CHUNK].encode("utf-32-le", "surrogatepass"), np.uint32)
        if not len(self._points):
            raise Unknown(start, text[start])
        places = np.searchsorted(self._points, points).clip(max=len(self._points) - 1)
        strange = self._points[places] != points
        ids: Ids = self._ids[places]
        if strange.any():
            if UNK not in self.specials:
                position = start + int(strange.argmax())
                raise Unknown(position, text[position])
            ids[strange] = self.specials.index(UNK)
        return ids

    def _decode(self, ids: list[int]) -> str:
        return "".join(self.vocabulary[i] for i in ids)


class Bytes(Tokenizer):
    """The 256 bytes of UTF-8: any text, a small vocabulary, longer sequences."""

    kind = "byte"

    @classmethod
    def learn(cls, texts: Iterable[str], specials: Sequence[str], lower: bool = False) -> Bytes:
        """All bytes, whatever the texts; printable ones by their character, others as ``\\x0a``."""
        names = (chr(b) if 0x20 <= b < 0x7F else f"\\x{b:02x}" for b in range(256))
        return cls((*specials, *names), TextForm(cls.kind, lower))

    def _encode(self, text: str) -> Ids:
        return np.frombuffer(text.encode(), np.uint8).astype(np.int32) + len(self.specials)

    def _decode(self, ids: list[int]) -> str:
        return bytes(i - len(self.specials) for i in ids).decode(errors="replace")


class Words(Tokenizer):
    """Words, numbers, punctuation and line ends; rare words are ``<unk>``. Spaces are not kept."""

    kind = "word"

    def __init__(self, vocabulary: Sequence[str], form: TextForm | None = None) -> None:
        super().__init__(vocabulary, form)
        self._index = {token: i for i, token in enumerate(self.vocabulary) if i >= len(self.specials)}

    @classmethod
    def learn(
        cls, texts: Iterable[str], specials: Sequence[str], lower: bool = False, size: int = 0, least: int = 1
    ) -> Words:
        """The words that occur at least ``least`` times, the most frequent first, ``size`` tokens at most (0: any)."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(_WORD.findall(text.lower() if lower else text))
        ranked = sorted((word for word, n in counts.items() if n >= least), key=lambda word: (-counts[word], word))
        kept = ranked[: max(0, size - len(specials))] if size else ranked
        return cls((*specials, *kept), TextForm(cls.kind, lower))

    def _encode(self, text: str) -> Ids:
        unknown = self.id_of(UNK)
        found = [self._index.get(m.group(), -1) for m in _WORD.finditer(text)]
        ids = np.array(found, dtype=np.int32)
        if unknown is None and (ids < 0).any():
            match = next(m for m in _WORD.finditer(text) if m.group() not in self._index)
            raise Unknown(match.start(), match.group())
        ids[ids < 0] = unknown or 0
        return ids

    def _decode(self, ids: list[int]) -> str:
        text = ""
        for word in (self.vocabulary[i] for i in ids):
            joined = not text or text[-1] in "\n([{" or word in _CLOSES or word == "\n"
            text += word if joined else " " + word
        return text


class BytePairs(Tokenizer):
    """Byte-pair encoding over bytes, as GPT-2's: frequent sequences of bytes are tokens, any text can be written.

    Learning and encoding are the ``tokenizers`` library's.
    """

    kind = "bpe"

    def __init__(self, vocabulary: Sequence[str], form: TextForm | None = None) -> None:
        super().__init__(vocabulary, form)
        self._library = _byte_pairs({token: i for i, token in enumerate(self.vocabulary)}, self.form.merges)

    @classmethod
    def learn(cls, texts: Iterable[str], specials: Sequence[str], lower: bool = False, size: int = 0) -> BytePairs:
        """The most frequent pairs until there are ``size`` tokens, bytes and special ones included."""
        import json

        least = 256 + len(specials)
        if size < least:
            raise DataError(f"a byte-pair vocabulary has at least {least} tokens: raise vocabulary from {size}")
        blank = _byte_pairs({}, ())
        from tokenizers import pre_tokenizers, trainers

        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        trainer = trainers.BpeTrainer(
            vocab_size=size, show_progress=False, special_tokens=list(specials), initial_alphabet=alphabet
        )
        blank.train_from_iterator((text.lower() if lower else text for text in texts), trainer)
        model = json.loads(blank.to_str())["model"]
        vocabulary = sorted(model["vocab"], key=model["vocab"].__getitem__)
        return cls(vocabulary, TextForm(cls.kind, lower, merges=tuple((a, b) for a, b in model["merges"])))

    def _encode(self, text: str) -> Ids:
        return np.array(self._library.encode(text).ids, dtype=np.int32)

    def _decode(self, ids: list[int]) -> str:
        return str(self._library.decode(ids, skip_special_tokens=False))


_CLASSES: Mapping[str, type[Tokenizer]] = {c.kind: c for c in (Characters, Bytes, Words, BytePairs)}


def tokenizer(vocabulary: Sequence[str], form: TextForm) -> Tokenizer:
    """The tokenizer with a vocabulary that was learnt before. Raises DataError."""
    try:
        return _CLASSES[form.kind](vocabulary, form)
    except KeyError:
        raise DataError(f"there is no tokenizer {form.kind!r}; there are {', '.join(KINDS)}") from None


def tokenizer_of(field: Field) -> Tokenizer:
    """The tokenizer of a ``tokens`` field, from the field alone. Raises DataError if it was not made of text."""
    if field.text is None:
        raise DataError(f"{field.name} was not made of text, so it cannot be read as text")
    return _kept(field.classes, field.text)


_kept = lru_cache(maxsize=8)(tokenizer)  # one of byte pairs takes milliseconds to build


def batch_of(texts: Sequence[str], fields: Iterable[Field]) -> dict[str, Tensor]:
    """Texts as a network is fed with them: what a person types, in the form of a run's fields.

    Args:
        fields: those of one kind of text: ``tokens`` and what belongs to them, ``padding`` and ``length``.

    Returns:
        field name → (N, *shape). Longer texts are cut at the end, shorter ones padded.

    Raises:
        DataError: a character that the vocabulary lacks, or a text shorter than a window that knows no padding.
    """
    wanted = tuple(fields)
    tokens = next(f for f in wanted if f.kind == "tokens")
    made = tokenizer_of(tokens)
    try:
        rows = [made.framed(text) for text in texts]
    except Unknown as error:
        raise DataError(f"{error.text!r} is not in the vocabulary that the network has learnt") from None
    pad = made.id_of(PAD)
    if pad is None and any(len(row) < tokens.shape[0] for row in rows):
        raise DataError(f"the text is too short: the network takes {tokens.shape[0]:,} tokens at a time")
    found = dict(zip(("tokens", "padding", "length"), padded(rows, tokens.shape[0], pad or 0), strict=True))
    return {f.name: found[f.kind] for f in wanted if f.kind in found}


def leading_specials(vocabulary: Sequence[str]) -> tuple[str, ...]:
    """The special tokens that a vocabulary starts with."""
    count = 0
    while count < len(vocabulary) and vocabulary[count] in SPECIALS:
        count += 1
    return tuple(vocabulary[:count])


def padded(rows: Sequence[Ids], length: int, pad: int) -> tuple[Tensor, Tensor, Tensor]:
    """Sequences brought to one length, longer ones cut at the end.

    Returns:
        tokens int64 (N, length), padding bool (N, length), True after the end, and lengths int64 (N,).
    """
    tokens = np.full((len(rows), length), pad, dtype=np.int64)
    lengths = np.array([min(len(row), length) for row in rows], dtype=np.int64)
    for i, row in enumerate(rows):
        tokens[i, : lengths[i]] = row[:length]
    padding = np.arange(length) >= lengths[:, None]
    return torch.from_numpy(tokens), torch.from_numpy(padding), torch.from_numpy(lengths)


def _byte_pairs(vocabulary: Mapping[str, int], merges: Sequence[tuple[str, str]]) -> Library:
    try:
        from tokenizers import Tokenizer as Library
        from tokenizers import decoders, models, pre_tokenizers
    except ImportError:
        text = 'byte pairs need the package tokenizers: install it with pip install "deepgui[text]", or choose byte'
        raise DataError(text) from None
    library = Library(models.BPE(dict(vocabulary), list(merges)))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    return library
