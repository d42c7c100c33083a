"""Short texts with a class each, as padded tokens: names by language, reviews, sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from deepgui.catalog.spec import ParamSpec
from deepgui.data.class_folders import SPLIT_FOLDERS, Sort, list_classes, split_folders, subfolders
from deepgui.data.csv_target import in_order
from deepgui.data.csv_text import Sheet, is_missing, read_sheet
from deepgui.data.embedded import SEED
from deepgui.data.errors import DataError
from deepgui.data.fields import Field, label_field
from deepgui.data.generated_text import TONGUES, invented_names
from deepgui.data.progress import Progress, tell
from deepgui.data.source_spec import Options, integer
from deepgui.data.table import TensorTable, fits
from deepgui.data.text_files import ENCODING, read_text
from deepgui.data.text_windows import learnt, tokenizing
from deepgui.data.tokenizers import PAD, UNK, Ids, Tokenizer, Unknown, padded, tokenizer_of

LENGTH = ParamSpec(
    "length", "int", 0, minimum=0, doc="Tokens that every text is padded or cut to; 0 for the longest text's."
)
DELIMITER = ParamSpec("delimiter", "str", "", doc="Character between the cells of a table. Empty: found out.")
HEADER = ParamSpec(
    "header", "choice", "auto", choices=("auto", "yes", "no"), doc="Whether the first row of a table holds names."
)
PARAMS = (
    ParamSpec(
        "path",
        "str",
        required=True,
        doc="A folder with a .txt file for each class, an example a line; a folder with a folder of .txt files for "
        "each class; or a CSV file.",
    ),
    ParamSpec("text", "str", "", doc="Column of the texts in a CSV file. Empty: the one with the longest cells."),
    ParamSpec("label", "str", "", doc="Column of the classes in a CSV file. Empty: the last of the others."),
    LENGTH,
    *tokenizing("character"),
    DELIMITER,
    HEADER,
    ENCODING,
)
NAMES_PARAMS = (
    ParamSpec("n", "int", 2000, minimum=20, doc="Number of names, alike for every tongue."),
    SEED,
    LENGTH,
    *tokenizing("character"),
)
_TEXTS = Sort((".txt",), "text")
_TOLD = 5000  # texts between two words on how far it is


@dataclass(frozen=True)
class _Corpus:
    """Texts and their classes.

    Attributes:
        label: name of what the classes are.
        fixed: rows of splits that the source brings.
        places: where each text stands, for messages; empty if nowhere.
    """

    texts: Sequence[str]
    labels: Sequence[str]
    classes: tuple[str, ...]
    label: str = "label"
    fixed: Mapping[str, Tensor] = field(default_factory=dict)
    places: Sequence[tuple[Path, int | None]] = ()
    notes: tuple[str, ...] = ()


def read_labelled_texts(options: Options, known: tuple[Field, ...] = ()) -> TensorTable:
    """Texts with classes as :data:`PARAMS` say.

    Args:
        known: fields that a network has learnt with: vocabulary and length are theirs.

    Raises:
        DataError: files that cannot be read, without text, or with one class alone.
    """
    path = Path(str(options["path"])).expanduser()
    if not path.exists():
        raise DataError("there is no such file or folder", file=path)
    corpus = _folder(path, str(options["encoding"])) if path.is_dir() else _table(path, options)
    if not corpus.texts:
        raise DataError("there is no text in it", file=path)
    if len(corpus.classes) < 2 and not known:
        raise DataError(f"there is only one class, {corpus.classes[0]!r}, so there is nothing to tell apart", file=path)
    return _padded(corpus, options, known)


def names(options: Options, known: tuple[Field, ...] = ()) -> TensorTable:
    """Names of five invented tongues, generated."""
    made = invented_names(integer(options, "n"), integer(options, "seed"))
    texts, labels = zip(*made, strict=True)
    note = "the names are generated: five invented tongues, each with syllables of its own"
    return _padded(_Corpus(texts, labels, tuple(TONGUES), "tongue", notes=(note,)), options, known)


def encoded(texts: Sequence[str], made: Tokenizer, places: Sequence[tuple[Path, int | None]] = ()) -> list[Ids]:
    """Every text as ids, with ``<bos>`` and ``<eos>`` where the form has them. Raises DataError with the place."""
    rows = []
    for i, text in enumerate(texts):
        try:
            rows.append(made.framed(text))
        except Unknown as error:
            file, row = places[i] if places else ("", i + 1)
            said = f"{error.text!r} is not in the vocabulary that the network has learnt"
            raise DataError(said, file=file, row=row) from None
        if len(rows) % _TOLD == 0:
            tell(Progress(len(rows), len(texts), "texts encoded"))
    return rows


def common_length(rows: Sequence[Ids], wanted: int, known: Field | None) -> tuple[int, int]:
    """The length that all are padded to, and how many are longer."""
    length = known.shape[0] if known else wanted or max(len(row) for row in rows)
    return length, sum(len(row) > length for row in rows)


def cut_note(cut: int, length: int, what: str = "text") -> tuple[str, ...]:
    """What to say of texts that are longer than they may be."""
    if not cut:
        return ()
    return (f"{cut:,} {what}s were cut to {length:,} tokens" if cut > 1 else f"1 {what} was cut to {length:,} tokens",)


def _padded(corpus: _Corpus, options: Options, known: tuple[Field, ...]) -> TensorTable:
    own = next((f for f in known if f.text is not None), None)
    held = torch.cat([rows for name, rows in corpus.fixed.items() if name != "train"] or [torch.empty(0)]).tolist()
    aside = set(held)
    training = [text for i, text in enumerate(corpus.texts) if i not in aside]
    made = tokenizer_of(own) if own else learnt(corpus.texts, training, options, [PAD, UNK])
    rows = encoded(corpus.texts, made, corpus.places)
    length, cut = common_length(rows, integer(options, "length"), own)
    fields = (
        Field("tokens", "tokens", (length,), "int64", made.vocabulary, text=made.form),
        Field("padding", "padding", (length,), "bool"),
        Field("length", "length", (), "int64"),
        label_field(corpus.label, corpus.classes),
    )
    if not fits(len(rows), fields):
        count = f"{len(rows):,} texts padded to {length:,} tokens"
        raise DataError(f"{count} do not fit in memory: set length", file=corpus.places[0][0] if corpus.places else "")
    index = {name: i for i, name in enumerate(corpus.classes)}
    labels = torch.tensor([index[name] for name in corpus.labels])
    tensors = dict(zip((f.name for f in fields), (*padded(rows, length, 0), labels), strict=True))
    notes = (*corpus.notes, *cut_note(cut, length), f"{len(made):,} tokens in the vocabulary, {length} in a text")
    return TensorTable(fields, corpus.label, tensors, corpus.fixed, notes=notes)


def _table(path: Path, options: Options) -> _Corpus:
    sheet = read_sheet(path, str(options["delimiter"]), str(options["header"]), str(options["encoding"]))
    if len(sheet.names) < 2:
        raise DataError("there is only one column: a table needs texts and their classes", file=path)
    text, label = text_columns(sheet, str(options["text"]), str(options["label"]))
    keep = [i for i, cell in enumerate(sheet.columns[text]) if cell]
    for i in keep:
        if is_missing(sheet.columns[label][i]):
            raise DataError(f"the class in column {sheet.names[label]!r} is missing", file=path, row=sheet.lines[i])
    labels = [sheet.columns[label][i] for i in keep]
    classes = tuple(in_order(set(labels)))
    if 1 < len(classes) == len(labels):
        said = f"the class in column {sheet.names[label]!r} is different in every row: set label to another column"
        raise DataError(said, file=path)
    name = sheet.names[label]
    return _Corpus(
        [sheet.columns[text][i] for i in keep],
        labels,
        classes,
        name if name not in ("tokens", "padding", "length") else "label",
        places=[(path, sheet.lines[i]) for i in keep],
        notes=_left_out(len(sheet) - len(keep), "row"),
    )


def text_columns(sheet: Sheet, text: str, other: str) -> tuple[int, int]:
    """The column of texts and the other one, as named or found out: the longest cells, and the last of the rest."""
    places = list(range(len(sheet.names)))
    second = sheet.position(other) if other else -1
    if text:
        first = sheet.position(text)
    else:
        first = max((i for i in places if i != second), key=lambda i: sum(map(len, sheet.columns[i])))
    if not other:
        second = [i for i in places if i != first][-1]
    if first == second:
        raise DataError(f"column {sheet.names[first]!r} cannot be both: name two columns", file=sheet.path)
    return first, second


def _folder(root: Path, encoding: str) -> _Corpus:
    """Files of lines or folders of files, whichever is there."""
    _, parts = split_folders(root)
    first = parts[0][1]
    if any(p.name.casefold() not in SPLIT_FOLDERS for p in subfolders(first)):
        return _folders(root, encoding)
    return _line_files(parts, encoding)


def _folders(root: Path, encoding: str) -> _Corpus:
    listing = list_classes(root, _TEXTS)
    texts = []
    for done, file in enumerate(listing.files, 1):
        texts.append(read_text(file, encoding).strip())
        if not texts[-1]:
            raise DataError("there is no text in it", file=file)
        if done % _TOLD == 0:
            tell(Progress(done, len(listing.files), "files read"))
    return _Corpus(
        texts,
        [listing.classes[i] for i in listing.labels],
        listing.classes,
        fixed={name: torch.arange(*span) for name, span in listing.splits.items()},
        places=[(file, None) for file in listing.files],
        notes=_left_out(len(listing.skipped), "file", "that is no text"),
    )


def _line_files(parts: Sequence[tuple[str, Path]], encoding: str) -> _Corpus:
    """A file a class, an example a line; ``LICENSE.txt`` and the like would be classes, too."""
    texts: list[str] = []
    labels: list[str] = []
    places: list[tuple[Path, int | None]] = []
    fixed: dict[str, Tensor] = {}
    for split, folder in parts:
        before = len(texts)
        files = sorted(p for p in folder.glob("*.txt") if not p.name.startswith("."))
        if not files:
            raise DataError("there is no .txt file in this folder, one for each class", file=folder)
        for file in files:
            lines = [(i, line.strip()) for i, line in enumerate(read_text(file, encoding).split("\n"), 1)]
            found = [(i, line) for i, line in lines if line]
            if not found:
                raise DataError(f"class {file.stem!r} has no example: there is no line of text in it", file=file)
            texts += [line for _, line in found]
            labels += [file.stem] * len(found)
            places += [(file, i) for i, _ in found]
        if split:
            fixed[split] = torch.arange(before, len(texts))
    return _Corpus(texts, labels, tuple(sorted(set(labels))), "label", fixed, places)


def _left_out(count: int, noun: str, why: str = "without a text") -> tuple[str, ...]:
    if not count:
        return ()
    return (f"1 {noun} {why} was left out" if count == 1 else f"{count} {noun}s {why} were left out",)
