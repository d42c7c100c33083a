"""Examples that occur more than once, within a split and in two of them: found by their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from deepgui.data.dataset import Dataset, Split
from deepgui.data.fields import SHARED, Field
from deepgui.data.progress import Progress, tell
from deepgui.data.table import example_bytes, overlapping

IN_MEMORY = 100_000  # examples that are compared where they lie in memory
FROM_FILES = 1_000  # ... and where each has to be read and decoded
_BYTES = 1 << 30  # what is hashed in all, at most
_CHUNK = 512
_SHOWN = 5  # pairs of rows that are kept as proof


@dataclass(frozen=True)
class Duplicates:
    """Examples of ``second`` that are also in ``first``, or earlier in it if both are the same split.

    Attributes:
        count: how many examples of ``second``.
        differing: how many of them have another target there.
        rows: pairs of rows of the table (from 0), a few.
    """

    first: str
    second: str
    count: int
    differing: int
    rows: tuple[tuple[int, int], ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        found = {"first": self.first, "second": self.second, "examples": self.count}
        return {**found, "with_another_target": self.differing, "rows": [list(pair) for pair in self.rows]}


@dataclass(frozen=True)
class Found:
    """What was found, and what was not looked at."""

    duplicates: tuple[Duplicates, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Digest:
    row: int
    inputs: bytes
    target: bytes


def duplicates(dataset: Dataset) -> Found:
    """Compare examples by what a network is fed; in a large data set, a sample of them."""
    table = dataset.train.table
    fields = [dataset.field(name) for name in dataset.inputs]
    if overlapping(table) or any(f.kind in (*SHARED, "nodes") for f in table.fields):
        return Found(())  # windows share their values, graphs their nodes: being alike says nothing
    splits = [split for split in dataset.splits.values() if len(split)]
    files = tuple(getattr(getattr(table, "reader", None), "files", ()))
    digests = _of_files(splits, files) if not table.in_memory and len(files) == len(table) else None
    notes = []
    if digests is None:
        digests, share = _of_values(dataset, splits, fields)
        notes = [f"duplicates were looked for among {share:.0%} of the examples"] if share < 1 else []
    found = [_within(split.name, own) for split, own in zip(splits, digests, strict=True)]
    for i in range(len(splits)):
        for k in range(i + 1, len(splits)):
            found.append(_between(splits[i].name, digests[i], splits[k].name, digests[k]))
    return Found(tuple(f for f in found if f.count), tuple(notes))


def _of_values(dataset: Dataset, splits: Sequence[Split], fields: Sequence[Field]) -> tuple[list[list[_Digest]], float]:
    """The digests of the values, and the share of the examples that was looked at."""
    table, total = dataset.train.table, sum(map(len, splits))
    most = min(IN_MEMORY if table.in_memory else FROM_FILES, _BYTES // max(1, example_bytes(table.fields)))
    share = min(1.0, most / total)
    digests: list[list[_Digest]] = []
    done = 0
    for split in splits:
        rows = torch.linspace(0, len(split) - 1, max(1, round(len(split) * share))).round().long()
        own: list[_Digest] = []
        for chunk in torch.split(rows, _CHUNK if table.in_memory else 32):
            own += _digests(split, chunk, fields, dataset.target)
            done += len(chunk)
            tell(Progress(done, round(total * share), "examples compared"))
        digests.append(own)
    return digests, share


def _digests(split: Split, positions: torch.Tensor, fields: Sequence[Field], target: Field) -> Iterator[_Digest]:
    values = split.raw(positions)
    inputs = [values[f.name].reshape(len(positions), -1).contiguous().numpy() for f in fields]
    answers = values[target.name].reshape(len(positions), -1).contiguous().numpy()
    for i, row in enumerate(split.rows[positions].tolist()):
        digest = hashlib.blake2b(digest_size=16)
        for own in inputs:
            digest.update(own[i])
        yield _Digest(row, digest.digest(), answers[i].tobytes())


def _of_files(splits: Sequence[Split], files: Sequence[Path]) -> list[list[_Digest]] | None:
    """The digests of the files, read only where two have the same size; None if one has vanished."""
    labels = splits[0].table.labels()
    try:
        sizes = [path.stat().st_size for path in files]
        often: dict[int, int] = {}
        for size in sizes:
            often[size] = often.get(size, 0) + 1
        found: list[list[_Digest]] = []
        for split in splits:
            own = []
            for done, row in enumerate(split.rows.tolist()):
                alone = often[sizes[row]] == 1
                digest = b"" if alone else hashlib.blake2b(files[row].read_bytes(), digest_size=16).digest()
                label = b"" if labels is None else str(int(labels[row])).encode()
                own.append(_Digest(row, digest or str(row).encode(), label))
                if done % _CHUNK == 0:
                    tell(Progress(done, len(split), f"{split.name} files compared"))
            found.append(own)
    except OSError:
        return None
    return found


def _within(name: str, digests: Sequence[_Digest]) -> Duplicates:
    seen: dict[bytes, _Digest] = {}
    pairs = []
    for own in digests:
        first = seen.setdefault(own.inputs, own)
        if first is not own:
            pairs.append((first, own))
    return _pairs(name, name, pairs)


def _between(first: str, left: Sequence[_Digest], second: str, right: Sequence[_Digest]) -> Duplicates:
    known = {own.inputs: own for own in reversed(left)}
    return _pairs(first, second, [(known[own.inputs], own) for own in right if own.inputs in known])


def _pairs(first: str, second: str, pairs: Sequence[tuple[_Digest, _Digest]]) -> Duplicates:
    differing = sum(a.target != b.target for a, b in pairs)
    rows = tuple((a.row, b.row) for a, b in pairs[:_SHOWN])
    return Duplicates(first, second, len(pairs), differing, rows)
