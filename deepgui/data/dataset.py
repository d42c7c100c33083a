"""From a project's data settings to three splits of normalised examples."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from deepgui.catalog.spec import Value
from deepgui.data.csv_table import read_csv
from deepgui.data.errors import DataError
from deepgui.data.fields import Field, of_one_graph, shown
from deepgui.data.joined import Joining
from deepgui.data.legend import Legend
from deepgui.data.normalize import Normalizer, fit, measure
from deepgui.data.progress import Progress, tell
from deepgui.data.sources import CLASSIFICATION, REGRESSION, Recent, fingerprint, open_source, resolved_options, source
from deepgui.data.splits import split_rows
from deepgui.data.table import Table, example_bytes, field_of, fits, overlapping, renumbered
from deepgui.project.values import DataConfig

_CHUNK_BYTES = 16 << 20  # examples converted at a time; measuring them takes several times as much
_READ_AT_ONCE = 16  # examples read from files between two words on how far it is
_SAMPLE = 2000  # examples that stand for all where every one has to be read from a file
_SAID = ("label", "labels", "classmap", "boxes", "nodes")
"""Kinds of field that say something of an example, so that they are not fed in unless the project says so."""
_LEARNS = defaultdict(
    lambda: "regression", {"classmap": "segmentation", "boxes": "detection", "tokens": "an objective over tokens"}
)
"""Kind of field → the objective that learns it."""


@dataclass(frozen=True, eq=False)
class Split:
    """Some rows of a table, normalised.

    Attributes:
        rows: their numbers in the table (int64, shape (len(self),)).
    """

    name: str
    table: Table
    rows: Tensor
    normalizer: Normalizer
    _whole: dict[str, Tensor] = dataclasses.field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def fits(self) -> bool:
        """Whether :meth:`all` may be called: the normalised examples fit in memory."""
        if isinstance(self.table, Joining):
            return True  # it is in memory, and only its features are normalised
        return self.table.in_memory and not overlapping(self.table) and fits(len(self), self.table.fields)

    def raw(self, indices: Tensor) -> dict[str, Tensor]:
        """Examples by position in the split, in the units of the data (images in 0..1)."""
        return self.table.get(self.rows[indices])

    def get(self, indices: Tensor) -> dict[str, Tensor]:
        """Examples by position in the split (int64, shape (B,)): field name → (B, *shape), normalised."""
        return self.normalizer.transform(self.raw(indices))

    def all(self) -> dict[str, Tensor]:
        """The whole split as contiguous tensors in memory, made once. Treat them as read-only.

        Of graphs it is one batch of all of them: not every tensor has a row for each example.
        """
        if not self._whole and isinstance(self.table, Joining):
            self._whole.update(self.get(torch.arange(len(self))))
        elif not self._whole:
            parts = [self.get(chunk) for chunk in torch.split(torch.arange(len(self)), _chunk(self.table))] or [
                self.get(torch.arange(0))
            ]
            whole = {name: _empty(len(self), part) for name, part in parts[0].items()}
            first = 0
            for part in parts:
                last = first + len(next(iter(part.values())))
                for name, values in part.items():
                    whole[name][first:last] = values
                first = last
            self._whole.update(whole)
        return self._whole

    def labels(self) -> Tensor | None:
        """The class of every example (int64, shape (N,)), or None if the target is no label. Decodes no image."""
        labels = self.table.labels()
        return None if labels is None else labels[self.rows]

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_whole": {}}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Everything a training reads.

    Attributes:
        fields: what an example consists of.
        inputs: names of the fields that are fed to Input nodes, in order.
        target: the field to learn.
        normalizer: learnt from the training split; ``normalizer[name].inverse`` gives the data's units back.
        ranges: field → minimum, maximum and mean over training examples, before normalisation.
        notes: sentences on what the reader did.
    """

    fields: tuple[Field, ...]
    inputs: tuple[str, ...]
    target: Field
    train: Split
    validation: Split
    test: Split
    normalizer: Normalizer
    ranges: Mapping[str, Mapping[str, float]] = dataclasses.field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def splits(self) -> dict[str, Split]:
        """The three splits by name."""
        return {split.name: split for split in (self.train, self.validation, self.test)}

    def whole(self) -> Split:
        """All examples as one split, for data that is measured and not learnt from."""
        table = self.train.table
        return Split("whole", table, torch.arange(len(table)), self.normalizer)

    def field(self, name: str) -> Field:
        """The field of that name. Raises KeyError."""
        return field_of(self.fields, name)

    def legend(self, inputs: Iterable[Field], answer: Field | None = None, made: tuple[str, ...] = ()) -> Legend:
        """What a network must know that is fed these fields, in this order.

        Args:
            answer: what it says; the target if left out.
            made: names of the fields that are not of this data.
        """
        fields, answer = tuple(inputs), answer or self.target
        names = {answer.name, *(f.name for f in fields)}
        scales = {name: scale for name, scale in self.normalizer.items() if name in names}
        return Legend(fields, answer, Normalizer(scales, self.normalizer.method), made)

    def summary(self) -> dict[str, Any]:
        """What a person should know before training, as JSON's types.

        Keys: ``examples``; ``fields`` (name, kind, shape, dtype, classes); ``inputs``; ``target``; ``splits``
        (name → ``examples`` and, for labels, ``classes``: name → count); ``ranges`` (field → minimum, maximum
        and mean over training examples, before normalisation); ``missing`` (column → count); ``notes``.
        """
        table = self.train.table
        return {
            "examples": len(table),
            "fields": [
                {"name": f.name, "kind": f.kind, "shape": list(f.shape), "dtype": f.dtype, "classes": list(f.classes)}
                for f in self.fields
            ],
            "inputs": list(self.inputs),
            "target": self.target.name,
            "splits": {name: self._counts(split) for name, split in self.splits.items()},
            "ranges": {name: dict(found) for name, found in self.ranges.items()},
            "missing": dict(table.missing),
            "notes": list(self.notes),
        }

    def _counts(self, split: Split) -> dict[str, Any]:
        labels = split.labels()
        if labels is None:
            return {"examples": len(split)}
        counts = torch.bincount(labels, minlength=len(self.target.classes)).tolist()
        return {"examples": len(split), "classes": dict(zip(self.target.classes, counts, strict=True))}


def _key(config: DataConfig, objective: str, options: Mapping[str, Value]) -> tuple[object, ...]:
    """What decides how a dataset comes out."""
    settings = (config.target, config.validation, config.test, config.seed, config.normalize)
    inputs = tuple(sorted(config.inputs.items()))
    return (config.source, objective, settings, inputs, tuple(sorted(options.items())), fingerprint(options))


def ready(config: DataConfig, objective: str = "") -> Dataset | None:
    """What :func:`prepare` gives, if it has been read already; None otherwise, or if it cannot be read."""
    try:
        found: Dataset | None = _datasets.peek(_key(config, objective, resolved_options(config, objective)))
    except DataError:
        return None
    return found


def prepare(config: DataConfig, objective: str = "", known: Legend | None = None) -> Dataset:
    """Open the source, split it, and learn the normalisation from the training split.

    The last two results are kept: asking again costs nothing while neither settings nor files change.

    Args:
        objective: ``classification`` and ``regression`` decide how a target that could be both is read.
        known: what a network learnt already: the data comes with the encoding, scales and classes that it knows.

    Raises:
        DataError: nothing chosen, wrong settings, unusable files, a target that does not suit the objective,
            or data that is not such as the network learnt from.
    """
    options = resolved_options(config, objective)
    key = _key(config, objective, options)
    form = next((f.form for f in known.inputs if f.form), None) if known else None
    if known is not None and form is not None and config.source == "csv":
        # Read as the network knows it, once: what would be found out anew need not hold for a few more rows.
        return _datasets.get(
            (*key, known.to_json()),
            lambda: _as_learnt(read_csv(options, form, known.target), config, objective, known),
        )
    if known is not None and (again := source(config).again):
        learnt = known.of_data
        return _datasets.get(
            (*key, known.to_json()), lambda: _as_learnt(again(options, learnt), config, objective, known)
        )
    own = _datasets.get(key, lambda: _split(open_source(config, objective), config, objective))
    return own if known is None else _as_learnt(own.train.table, config, objective, known, own)


def _as_learnt(table: Table, config: DataConfig, objective: str, known: Legend, own: Dataset | None = None) -> Dataset:
    """A table in the form that a network knows; ``own`` is the same data as it is read without that knowledge."""
    fields = {f.name: f for f in table.fields}
    for wanted in known.of_data:
        found = fields.get(wanted.name)
        if found is None or (found.kind, found.shape, found.dtype) != (wanted.kind, wanted.shape, wanted.dtype):
            here = ", ".join(f"{f.name} ({f.kind} {shown(f.shape)})" for f in fields.values())
            raise DataError(f"the network knows {wanted.name} ({wanted.kind} {shown(wanted.shape)}); here is {here}")
    same = renumbered(table, known.target)
    if own and same is table and all(own.normalizer.get(name) == scale for name, scale in known.normalizer.items()):
        return own
    return _split(same, config, objective, known.normalizer)


def _split(table: Table, config: DataConfig, objective: str, scales: Normalizer | None = None) -> Dataset:
    """``scales``: those that a network learnt with; without them they are learnt here."""
    target = _target(table, config, objective)
    labels = table.labels()
    rows = split_rows(len(table), labels, config.validation, config.test, config.seed, table.fixed)
    moments = measure(table.fields, _training_chunks(table, rows.train))
    normalizer = scales or fit(moments, config.normalize, _fills(table, rows.train))
    train, validation, test = (
        Split(name, table, part, normalizer) for name, part in zip(("train", "validation", "test"), rows, strict=True)
    )
    return Dataset(
        table.fields,
        _inputs(table, config, target),
        target,
        train,
        validation,
        test,
        normalizer,
        {name: own.range() for name, own in moments.items()},
        (*table.notes, *_fixed_notes(table)),
    )


def _fills(table: Table, rows: Tensor) -> dict[str, tuple[float, ...]]:
    """What stands for missing values in vectors made from text columns, learnt from these rows."""
    formed = [f for f in table.fields if f.form is not None]
    values = table.get(rows) if formed else {}
    return {f.name: f.form.fills(values[f.name].numpy()) for f in formed if f.form is not None}


def _target(table: Table, config: DataConfig, objective: str) -> Field:
    names = {f.name for f in table.fields}
    if config.target and config.target not in names and config.source != "csv":
        raise DataError(f"there is no field {config.target!r} to learn; there are {', '.join(sorted(names))}")
    target = field_of(table.fields, config.target if config.target in names else table.target)
    if objective == REGRESSION and target.kind == "label":
        raise DataError(f"{target.name} is a class, not a number: choose classification, or another target")
    if objective == CLASSIFICATION and target.kind not in ("label", "labels"):
        raise DataError(f"{target.name} is no class: choose {_LEARNS[target.kind]}, or another target")
    return target


def _inputs(table: Table, config: DataConfig, target: Field) -> tuple[str, ...]:
    """Fields fed to Input nodes: those the project names, then all others but what is said of an example.

    A name that the data does not have may be a field that the objective makes; preflight knows.
    """
    names = {f.name for f in table.fields}
    named = tuple(name for name in dict.fromkeys(config.inputs.values()) if name in names)
    others = [f.name for f in table.fields if f.kind not in _SAID and f is not target and f.name not in named]
    return (*named, *others) or (target.name,)  # an autoencoder's input is its target


def _fixed_notes(table: Table) -> list[str]:
    """That fractions are not used where the source brings splits of its own."""
    own = [name for name in ("validation", "test") if len(table.fixed.get(name, ()))]
    return [f"the {' and '.join(own)} examples are the source's own"] if own else []


def _training_chunks(table: Table, rows: Tensor) -> Iterator[dict[str, Tensor]]:
    """The training examples, or an even sample of them where each one costs a file to decode."""
    if not table.in_memory and len(rows) > _SAMPLE:
        rows = rows[torch.linspace(0, len(rows) - 1, _SAMPLE).long()]
    size = _chunk(table) if table.in_memory else min(_chunk(table), _READ_AT_ONCE)
    if of_one_graph(table.fields):
        size = len(rows)  # any part has the whole graph
    done = 0
    for chunk in torch.split(rows, size):
        yield table.get(chunk)
        done += len(chunk)
        tell(Progress(done, len(rows), "examples measured"))


def _chunk(table: Table) -> int:
    return max(1, min(4096, _CHUNK_BYTES // max(1, example_bytes(table.fields))))


def _empty(count: int, like: Tensor) -> Tensor:
    return torch.empty((count, *like.shape[1:]), dtype=like.dtype)


_datasets = Recent(2)
