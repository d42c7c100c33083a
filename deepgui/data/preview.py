"""A look at data before anything is learnt from it: examples, classes, columns, and what should make one suspicious.

Work is limited: of much data a sample is looked at, and the notes say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from deepgui.data.csv_roles import ColumnUse
from deepgui.data.dataset import Dataset, Split
from deepgui.data.fields import SHARED, Field, shown
from deepgui.data.preview_columns import ColumnFacts, column_facts
from deepgui.data.preview_duplicates import Duplicates, duplicates
from deepgui.data.preview_examples import Example, examples
from deepgui.data.preview_remarks import Looked, Remark, remarks
from deepgui.data.progress import Progress, tell
from deepgui.data.table import example_bytes

IN_MEMORY = 20_000  # examples of a split that are looked at where they lie in memory
FROM_FILES = 300  # ... and where each has to be read
_BYTES = 96 << 20  # what is held of a split at once, at most
_CHUNK = 64  # examples read between two words on how far it is


@dataclass(frozen=True)
class SplitFacts:
    """A split of the data.

    Attributes:
        examples: how many there are; looked_at: how many of them the figures are from.
        classes: class → how many examples, pixels or boxes have it; empty where there are no classes.
    """

    name: str
    examples: int
    looked_at: int
    classes: Mapping[str, int]


@dataclass(frozen=True)
class Preview:
    """What there is to see of a data set.

    Attributes:
        columns: of the training split.
        uses: what the columns of a CSV file are for; empty for other sources.
        counted: what the numbers of ``classes`` count (``examples``, ``pixels``, ``boxes``).
        notes: what the reader did, and what was looked at.
    """

    fields: tuple[Field, ...]
    target: Field
    splits: tuple[SplitFacts, ...]
    examples: tuple[Example, ...]
    columns: tuple[ColumnFacts, ...]
    duplicates: tuple[Duplicates, ...]
    remarks: tuple[Remark, ...]
    uses: tuple[ColumnUse, ...] = ()
    counted: str = "examples"
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; of examples their words."""
        return {
            "examples": sum(split.examples for split in self.splits),
            "fields": [{"name": f.name, "kind": f.kind, "shape": list(f.shape)} for f in self.fields],
            "target": self.target.name,
            "splits": {
                s.name: {"examples": s.examples, "looked_at": s.looked_at, self.counted: dict(s.classes)}
                for s in self.splits
            },
            "columns": [column.as_dict() for column in self.columns],
            "duplicates": [found.as_dict() for found in self.duplicates],
            "remarks": [{"about": r.about, "column": r.column, "text": r.text} for r in self.remarks],
            "roles": {use.name: use.role for use in self.uses},
            "shown": [{"split": e.split, "row": e.row, **{s.field: s.text for s in e.samples}} for e in self.examples],
            "notes": list(self.notes),
        }


def of(dataset: Dataset, each: int = 0) -> Preview:
    """Look at a data set.

    Args:
        each: examples shown of each class in each split; 0: as many as make two dozen.

    Raises:
        DataError: a file cannot be read any more.
    """
    table = dataset.train.table
    uses = tuple(getattr(table, "uses", ()))
    looked = {split.name: _look(split) for split in dataset.splits.values() if len(split)}
    splits = tuple(
        SplitFacts(s.name, len(s), len(looked[s.name].rows) if s.name in looked else 0, _classes(s, dataset, looked))
        for s in dataset.splits.values()
    )
    columns = column_facts(dataset, looked["train"].values, uses)
    found = duplicates(dataset)
    counted = {"classmap": "pixels", "boxes": "boxes"}.get(dataset.target.kind, "examples")
    notes = [*dataset.notes, *_sampled(splits), *found.notes]
    return Preview(
        dataset.fields,
        dataset.target,
        splits,
        examples(dataset, each),
        columns,
        found.duplicates,
        remarks(Looked(dataset, splits, columns, found.duplicates, looked["train"].values, counted)),
        uses,
        counted,
        tuple(notes),
    )


@dataclass(frozen=True)
class _Looked:
    """Examples of a split in the units of the data: positions in the split, and field → values."""

    rows: Tensor
    values: Mapping[str, Tensor]


def _look(split: Split) -> _Looked:
    """An even sample of a split. Of fields that a batch shares, what the whole sample has."""
    table = split.table
    per = [f for f in table.fields if f.kind not in SHARED]
    most = IN_MEMORY if table.in_memory else FROM_FILES
    count = max(1, min(len(split), most, _BYTES // max(1, example_bytes(tuple(per)))))
    rows = torch.linspace(0, len(split) - 1, count).round().long()
    if table.in_memory:
        return _Looked(rows, split.raw(rows))
    parts: list[dict[str, Tensor]] = []
    for chunk in torch.split(rows, _CHUNK):
        parts.append(split.raw(chunk))
        tell(Progress(min(len(rows), len(parts) * _CHUNK), len(rows), f"{split.name} examples looked at"))
    return _Looked(rows, {name: torch.cat([part[name] for part in parts]) for name in parts[0]})


def _classes(split: Split, dataset: Dataset, looked: Mapping[str, _Looked]) -> dict[str, int]:
    """How often each class of the target occurs: in all of the split for labels, else in what was looked at."""
    target, labels = dataset.target, split.labels()
    if not target.classes or target.kind not in ("label", "labels", "classmap", "boxes"):
        return {}
    if labels is None:
        values = looked[split.name].values[target.name] if split.name in looked else torch.zeros(0)
        if target.kind == "labels":
            counts = values.reshape(-1, len(target.classes)).sum(0).long()
            return dict(zip(target.classes, counts.tolist(), strict=True))
        labels = (values[..., 0] if target.kind == "boxes" and values.numel() else values).flatten().long()
        labels = labels[labels >= 0]
    counts = torch.bincount(labels, minlength=len(target.classes))
    return dict(zip(target.classes, counts.tolist(), strict=False))


def _sampled(splits: tuple[SplitFacts, ...]) -> list[str]:
    parts = [f"{s.looked_at:,} of {s.examples:,} in {s.name}" for s in splits if s.looked_at < s.examples]
    return [f"a sample of the examples was looked at: {', '.join(parts)}"] if parts else []


def summary(preview: Preview) -> str:
    """One line: ``image 1×28×28 → 10 classes; 42,000 train, 9,000 validation, 9,000 test``."""
    inputs = ", ".join(f"{f.name} {shown(f.shape)}" for f in preview.fields if f is not preview.target)
    classes = len(preview.target.classes)
    name = preview.target.name
    target = f"{name}: {classes} classes" if classes else f"{name} (a {preview.target.kind})"
    counts = ", ".join(f"{s.examples:,} {s.name}" for s in preview.splits if s.examples)
    return f"{inputs or name} → {target}; {counts}"
