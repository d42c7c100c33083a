"""Pairs of texts, for networks that turn one sequence into another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from deepgui.catalog.spec import ParamSpec
from deepgui.data.csv_text import Sheet, read_sheet
from deepgui.data.embedded import SEED
from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.data.generated_text import dates, reversal
from deepgui.data.labelled_texts import DELIMITER, common_length, cut_note, encoded
from deepgui.data.source_spec import Options, integer
from deepgui.data.table import TensorTable, fits
from deepgui.data.text_files import ENCODING
from deepgui.data.text_windows import learnt, tokenizing
from deepgui.data.tokenizers import BOS, EOS, PAD, UNK, Tokenizer, padded, tokenizer, tokenizer_of

_N = ParamSpec("n", "int", 10_000, minimum=10, doc="Number of pairs, all different.")
_LENGTHS = (
    ParamSpec(
        "source_length", "int", 0, minimum=0, doc="Tokens that a source is padded or cut to; 0 for the longest's."
    ),
    ParamSpec(
        "target_length",
        "int",
        0,
        minimum=0,
        doc="Tokens that a target is padded or cut to, its <bos> and <eos> counted; 0 for the longest's.",
    ),
)
PARAMS = (
    ParamSpec("path", "str", required=True, doc="A TSV or CSV file with two columns of text."),
    ParamSpec("source", "str", "", doc="Column to read: its name or number. Empty: the first."),
    ParamSpec("target", "str", "", doc="Column to write: its name or number. Empty: the second."),
    *_LENGTHS,
    *tokenizing("character"),
    DELIMITER,
    ParamSpec(
        "header",
        "choice",
        "auto",
        choices=("auto", "yes", "no"),
        doc="Whether the first row holds names. Auto: if columns are chosen by name, or it reads source and target.",
    ),
    ENCODING,
)
DATES_PARAMS = (_N, SEED)
REVERSAL_PARAMS = (
    _N,
    ParamSpec("longest", "int", 10, minimum=1, doc="Most letters of a text."),
    SEED,
)
_CHARACTERS: Options = {
    "tokenizer": "character",
    "lower": False,
    "vocabulary": 0,
    "source_length": 0,
    "target_length": 0,
}
_HEADERS = frozenset(("source", "target", "src", "tgt", "input", "output"))


class _Side(NamedTuple):
    """One of the two texts of every pair.

    Attributes:
        name: of its field.
        known: the field that a network has learnt with.
    """

    name: str
    texts: Sequence[str]
    known: Field | None


def read_pairs(options: Options, known: tuple[Field, ...] = ()) -> TensorTable:
    """Two columns of a text table as :data:`PARAMS` say.

    Args:
        known: fields that a network has learnt with: vocabularies and lengths are theirs.

    Raises:
        DataError: no such file, fewer than two columns, or a cell without text.
    """
    path = Path(str(options["path"])).expanduser()
    sheet = _sheet(path, options)
    if len(sheet.names) < 2:
        raise DataError("there is only one column: a table of pairs needs two, separated by a tab or comma", file=path)
    places = (sheet.position(str(options["source"]) or "1"), sheet.position(str(options["target"]) or "2"))
    if places[0] == places[1]:
        raise DataError(f"column {sheet.names[places[0]]!r} cannot be both source and target", file=path)
    for place in places:
        if "" in sheet.columns[place]:
            row = sheet.lines[sheet.columns[place].index("")]
            raise DataError(f"there is no text in column {sheet.names[place]!r}", file=path, row=row)
    rows = [(path, line) for line in sheet.lines]
    return _pairs(sheet.columns[places[0]], sheet.columns[places[1]], options, known, rows)


def date_pairs(options: Options, known: tuple[Field, ...] = ()) -> TensorTable:
    """Dates as people write them, and as ISO 8601; generated."""
    return _generated(dates(integer(options, "n"), integer(options, "seed")), known)


def reversal_pairs(options: Options, known: tuple[Field, ...] = ()) -> TensorTable:
    """Random letters, and the same in reverse; generated."""
    made = reversal(integer(options, "n"), integer(options, "seed"), integer(options, "longest"))
    return _generated(made, known)


def _generated(made: list[tuple[str, str]], known: tuple[Field, ...]) -> TensorTable:
    sources, targets = zip(*made, strict=True)
    return _pairs(sources, targets, _CHARACTERS, known)


def _sheet(path: Path, options: Options) -> Sheet:
    """The table. Pairs of texts look like a header themselves, so that what is a header is not guessed."""
    header, delimiter, encoding = (str(options[name]) for name in ("header", "delimiter", "encoding"))
    delimiter = delimiter or ("\t" if path.suffix.lower() == ".tsv" else "")
    if header == "auto":
        named = [str(options[name]) for name in ("source", "target")]
        header = "yes" if any(name and not name.lstrip("-").isdigit() for name in named) else "no"
        first = read_sheet(path, delimiter, header, encoding)
        if header == "yes" or not {column[0].casefold() for column in first.columns} & _HEADERS:
            return first
        header = "yes"
    return read_sheet(path, delimiter, header, encoding)


def _pairs(
    sources: Sequence[str],
    targets: Sequence[str],
    options: Options,
    known: tuple[Field, ...],
    places: Sequence[tuple[Path, int | None]] = (),
) -> TensorTable:
    fields: list[Field] = []
    tensors: dict[str, Tensor] = {}
    notes: list[str] = []
    for name, texts in (("source", sources), ("target", targets)):
        side = _Side(name, texts, next((f for f in known if f.name == name), None))
        made = _tokenizer(side, options)
        rows = encoded(texts, made, places)
        length, cut = common_length(rows, integer(options, f"{name}_length"), side.known)
        fields.append(Field(name, "tokens", (length,), "int64", made.vocabulary, text=made.form))
        if not fits(len(rows), tuple(fields)):
            said = f"{len(rows):,} pairs padded to {length:,} tokens do not fit in memory: set {name}_length"
            raise DataError(said, file=places[0][0] if places else "")
        tensors[name], padding, _ = padded(rows, length, 0)
        if name == "source":
            fields.append(Field("source_padding", "padding", (length,), "bool"))
            tensors["source_padding"] = padding
        notes += [*cut_note(cut, length, name), f"{name}: {len(made):,} tokens in the vocabulary, {length} in a text"]
    return TensorTable(tuple(fields), "target", tensors, notes=tuple(notes))


def _tokenizer(side: _Side, options: Options) -> Tokenizer:
    """Sources and targets have vocabularies of their own; targets begin with ``<bos>`` and end with ``<eos>``."""
    if side.known is not None:
        return tokenizer_of(side.known)
    if side.name == "source":
        return learnt(side.texts, side.texts, options, [PAD, UNK])
    made = learnt(side.texts, side.texts, options, [PAD, UNK, BOS, EOS])
    return tokenizer(made.vocabulary, replace(made.form, begin=True, end=True))
