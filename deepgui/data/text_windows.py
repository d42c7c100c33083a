"""Long texts as windows of tokens: what a language model learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from deepgui.catalog.spec import ParamSpec
from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.data.source_spec import Options, integer, real
from deepgui.data.text_files import ENCODING, read_texts
from deepgui.data.tokenizers import MASK, UNK, BytePairs, Bytes, Characters, Tokenizer, Unknown, Words, tokenizer_of
from deepgui.data.windows import Part, View, Windows, contiguous, numbered, starts_of

CONTEXT = ParamSpec("context", "int", 64, minimum=1, doc="Tokens in a window.")
STRIDE = ParamSpec(
    "stride",
    "int",
    16,
    minimum=1,
    doc="Tokens from the start of a training window to the next; 1 for every possible window. "
    "Validation and test windows do not overlap.",
)
MASK_TOKEN = ParamSpec(
    "mask_token",
    "bool",
    False,
    doc="Add <mask> to the vocabulary, to learn to fill gaps; the target is then the window itself.",
)


def shares(what: str) -> tuple[ParamSpec, ParamSpec]:
    """Options for the shares at the end of ``what``; where empty, those of the project."""
    return (
        ParamSpec("validation", "float", None, nullable=True, minimum=0.0, doc=f"Share of the {what} for validation."),
        ParamSpec(
            "test", "float", None, nullable=True, minimum=0.0, doc=f"Share of the {what}, at its end, for testing."
        ),
    )


def tokenizing(default: str) -> tuple[ParamSpec, ...]:
    """Options that choose how text becomes tokens."""
    return (
        ParamSpec(
            "tokenizer",
            "choice",
            default,
            choices=("character", "byte", "word", "bpe"),
            doc="What a token is: a character, a byte of UTF-8, a word, or a frequent sequence of bytes (byte pairs).",
        ),
        ParamSpec("vocabulary", "int", 1000, minimum=2, doc="Most tokens of a vocabulary of words or byte pairs."),
        ParamSpec("min_frequency", "int", 2, minimum=1, doc="How often a word must occur to be in the vocabulary."),
        ParamSpec("lower", "bool", False, doc="Make capital letters small ones."),
    )


_COMMON = (CONTEXT, STRIDE, *tokenizing("character"), MASK_TOKEN, *shares("text"))
TEXT_PARAMS = (
    ParamSpec("path", "str", required=True, doc="A text file, or a folder of .txt files."),
    *_COMMON,
    ENCODING,
)
PYTHON_PARAMS = _COMMON
_PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "..."})
_ASCII = "\n" + "".join(map(chr, range(0x20, 0x7F)))


def read_text_source(options: Options, known: tuple[Field, ...] = ()) -> Windows:
    """The text of a file or folder with the options of :data:`TEXT_PARAMS`.

    Args:
        known: fields that a network has learnt with: the text is read with their vocabulary.

    Raises:
        DataError: a file cannot be read, or is too short for a window in every split.
    """
    path = Path(str(options["path"])).expanduser()
    texts = [text for _, text in read_texts(path, str(options["encoding"]))]
    whole = "".join(t if t.endswith("\n") else t + "\n" for t in texts[:-1]) + texts[-1]
    if not whole.strip():
        raise DataError("there is no text in it", file=path)
    note = (f"{len(texts):,} files in the order of their names, one after the other",) if len(texts) > 1 else ()
    return _windows(whole, options, known, str(path), note)


def python_text(options: Options, known: tuple[Field, ...] = ()) -> Windows:
    """The help on the Python language that comes with Python, in ASCII.

    Its vocabulary of characters is all of ASCII that can be printed, so that a network fits every version's text.

    Raises:
        DataError: this Python was installed without its help.
    """
    import platform

    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise DataError("this Python was installed without its help texts: choose a text file instead") from None
    whole = "\n\n".join(topics[name].strip("\n") for name in sorted(topics)) + "\n"
    whole = whole.translate(_PLAIN).encode("ascii", "ignore").decode()
    note = f"the text is the language help of Python {platform.python_version()}"
    return _windows(whole, options, known, "", (note,), _ASCII)


def learnt(texts: Sequence[str], training: Sequence[str], options: Options, specials: Sequence[str]) -> Tokenizer:
    """A tokenizer as the options say: characters of all ``texts``; words and byte pairs of ``training`` alone.

    Words get ``<unk>`` for those that were left out. Raises DataError.
    """
    kind, lower = str(options["tokenizer"]), bool(options["lower"])
    size = integer(options, "vocabulary")
    if kind == "character":
        return Characters.learn(texts, specials, lower)
    if kind == "byte":
        return Bytes.learn(texts, specials, lower)
    if kind == "bpe":
        return BytePairs.learn(training, specials, lower, size)
    known = specials if UNK in specials else [UNK, *specials]
    return Words.learn(training, known, lower, size, integer(options, "min_frequency"))


class _Text(NamedTuple):
    """A text cut into the parts of the splits.

    Attributes:
        origin: the file or folder, for messages.
    """

    whole: str
    parts: list[Part]
    origin: str

    def pieces(self) -> list[str]:
        return [self.whole[part.first : part.last] for part in self.parts]


def _windows(
    whole: str,
    options: Options,
    known: tuple[Field, ...],
    origin: str,
    notes: tuple[str, ...],
    alphabet: str = "",
) -> Windows:
    """``alphabet``: characters that are in the vocabulary even if the text has none of them."""
    text = _Text(whole, contiguous(len(whole), real(options, "validation"), real(options, "test")), origin)
    masked = bool(options["mask_token"])
    field = next((f for f in known if f.text is not None), None)
    pieces = text.pieces()
    made = tokenizer_of(field) if field else learnt([*pieces, alphabet], pieces[:1], options, [MASK] if masked else [])
    ids, parts = _encoded(text, made)
    context = field.shape[0] if field else integer(options, "context")
    size = context if masked else context + 1
    starts = {p.name: starts_of(p, size, integer(options, "stride") if p.name == "train" else context) for p in parts}
    _check(text, parts, starts, size)
    tokens = Field("tokens", "tokens", (context,), "int64", made.vocabulary, text=made.form)
    offsets = {"tokens": 0} if masked else {"tokens": 0, "next": 1}
    fields = tuple(replace(tokens, name=name) for name in offsets)
    views = {name: View("text", offset, context) for name, offset in offsets.items()}
    rows, fixed = numbered(starts)
    said = (*notes, f"{len(ids):,} tokens, {len(made):,} different; validation and test are the end of the text")
    return Windows(fields, fields[-1].name, {"text": ids}, rows, views, fixed, notes=said)


def _encoded(text: _Text, made: Tokenizer) -> tuple[Tensor, list[Part]]:
    """All tokens, and the part of them that belongs to each split."""
    ids: list[Tensor] = []
    parts: list[Part] = []
    done = 0
    for part, piece in zip(text.parts, text.pieces(), strict=True):
        try:
            ids.append(torch.from_numpy(made.encode(piece)))
        except Unknown as error:
            place = part.first + error.position
            said = f"{error.text!r} (character {place + 1:,}) is not in the vocabulary that the network has learnt"
            raise DataError(said, file=text.origin, row=text.whole.count("\n", 0, place) + 1) from None
        parts.append(Part(part.name, done, done + len(ids[-1])))
        done += len(ids[-1])
    return torch.cat(ids), parts


def _check(text: _Text, parts: list[Part], starts: Mapping[str, Tensor], size: int) -> None:
    """That every part that has text has a window, too. Raises DataError."""
    for cut, part in zip(text.parts, parts, strict=True):
        if (part.name == "train" or cut.last > cut.first) and not len(starts[part.name]):
            tokens = f"the {'text' if len(text.whole) == cut.last - cut.first else part.name + ' part of the text'}"
            said = f"{tokens} has {part.last - part.first:,} tokens, but a window takes {size:,}: lower context"
            raise DataError(said, file=text.origin)
