"""Time series with a class each in the ``.ts`` format of the UCR and UEA archives (timeseriesclassification.com)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepgui.catalog.spec import ParamSpec
from deepgui.data.columns import shortened
from deepgui.data.csv_target import in_order
from deepgui.data.csv_text import parse_number
from deepgui.data.errors import DataError
from deepgui.data.fields import Field, label_field, number_field
from deepgui.data.progress import Progress, tell
from deepgui.data.source_spec import Options
from deepgui.data.table import TensorTable
from deepgui.data.text_files import read_text

PARAMS = (
    ParamSpec(
        "path",
        "str",
        required=True,
        doc="The folder with NAME_TRAIN.ts and NAME_TEST.ts, or one of the two; another .ts file is split.",
    ),
)
_PARTS = re.compile(r"(.*?)_?(train|test)", re.IGNORECASE)
_TOLD = 200  # lines between two words on how far it is
_MISSING = frozenset(("?", "nan"))


@dataclass(frozen=True)
class _File:
    """What stands in a file.

    Attributes:
        series: one an example, (steps, channels), NaN where a value is missing.
        answers: the class or number of each, ``lines`` where they stand.
        numeric: the answers are numbers to predict.
    """

    path: Path
    series: list[NDArray[np.float32]]
    answers: list[str]
    lines: list[int]
    numeric: bool


def read_ucr(options: Options, known: tuple[Field, ...] = ()) -> TensorTable:
    """The series of one or two files.

    Args:
        known: fields that a network has learnt with: series are padded to their length.

    Raises:
        DataError: naming file and row.
    """
    files = {name: _read(path) for name, path in _files(Path(str(options["path"])).expanduser()).items()}
    first = next(iter(files.values()))
    for other in files.values():
        if other.series[0].shape[1] != first.series[0].shape[1] or other.numeric != first.numeric:
            raise DataError(f"the series are not like those of {first.path.name}", file=other.path)
    series = [one for file in files.values() for one in file.series]
    wanted = next((f.shape[0] for f in known if f.kind == "series"), 0)
    fields, tensors = _padded(series, wanted, any(f.kind == "padding" for f in known))
    target, values = _target(files)
    fixed: dict[str, Tensor] = {}
    if set(files) == {"train", "test"}:
        fixed["test"] = torch.arange(len(files["train"].series), len(series))
    missing = int(sum(np.isnan(one).sum() for one in series))
    return TensorTable(
        (*fields, target),
        target.name,
        {**tensors, target.name: values},
        fixed,
        {"series": missing} if missing else {},
        _notes(series, fields[0].shape[0]),
    )


def series_of(path: Path) -> list[NDArray[np.float32]]:
    """The series of one file, each (steps, channels), without their classes. Raises DataError."""
    return _read(path).series


def _files(path: Path) -> dict[str, Path]:
    """``train`` and ``test``, or one file without such a part."""
    if path.is_dir():
        found = sorted(p for p in path.iterdir() if p.suffix.lower() == ".ts" and not p.name.startswith("."))
        if not found:
            raise DataError("there is no .ts file in this folder", file=path)
        sets = {_name(p) for p in found}
        if len(sets) > 1:
            raise DataError(f"there are several data sets in this folder ({', '.join(sorted(sets))}): name a file")
        path = found[0]
    match = _PARTS.fullmatch(path.stem)
    if match is None:
        return {"": path}
    try:
        beside = [p for p in path.parent.iterdir() if p.suffix.lower() == ".ts" and _name(p) == match[1]]
    except OSError:
        beside = []
    parts = {str(m[2]).lower(): p for p in (*beside, path) if (m := _PARTS.fullmatch(p.stem))}
    if "train" not in parts:
        return {"": path}
    return {name: parts[name] for name in ("train", "test") if name in parts}


def _name(path: Path) -> str:
    match = _PARTS.fullmatch(path.stem)
    return match[1] if match else path.stem


def _read(path: Path) -> _File:
    lines = read_text(path).split("\n")
    header: dict[str, str] = {}
    begin = None
    for i, line in enumerate(lines):
        if line.startswith("@"):
            key, _, value = line[1:].strip().partition(" ")
            header[key.lower()] = value.strip()
            if key.lower() == "data":
                begin = i + 1
                break
    if begin is None:
        raise DataError("there is no line @data in it, so this is no time series file", file=path)
    if header.get("timestamps", "false").lower() == "true":
        raise DataError("series with time stamps are not read: sample them at even steps", file=path)
    numeric = header.get("targetlabel", "false").lower() == "true"
    if not numeric and not header.get("classlabel", "false").lower().startswith("true"):
        raise DataError("the series have no classes (@classLabel is false), so there is nothing to learn", file=path)
    rows = [(i, line.strip()) for i, line in enumerate(lines[begin:], begin + 1) if line.strip()]
    if not rows:
        raise DataError("there is no series after @data", file=path)
    return _examples(path, rows, header, numeric)


def _examples(path: Path, rows: list[tuple[int, str]], header: dict[str, str], numeric: bool) -> _File:
    series: list[NDArray[np.float32]] = []
    answers: list[str] = []
    named = header.get("classlabel", "").split()[1:]
    for done, (line, text) in enumerate(rows, 1):
        *channels, answer = (part.strip() for part in text.split(":"))
        if not channels:
            raise DataError("there is no class after a colon at the end of the series", file=path, row=line)
        if not numeric and named and answer not in named:
            said = f"class {shortened(answer)!r} is not among those of the header: {', '.join(named[:12])}"
            raise DataError(said, file=path, row=line)
        series.append(_series(path, line, channels))
        answers.append(answer)
        if series[-1].shape[1] != series[0].shape[1]:
            count = f"{len(channels)} channel{'s' * (len(channels) > 1)}"
            said = f"{count} where the first series has {series[0].shape[1]}"
            raise DataError(said, file=path, row=line)
        if done % _TOLD == 0:
            tell(Progress(done, len(rows), "series read"))
    return _File(path, series, answers, [line for line, _ in rows], numeric)


def _series(path: Path, line: int, channels: list[str]) -> NDArray[np.float32]:
    """(steps, channels); channels that end sooner are missing from there on."""
    cells = [channel.split(",") if channel else [] for channel in channels]
    steps = max(map(len, cells))
    if not steps:
        raise DataError("the series is empty", file=path, row=line)
    values = np.full((steps, len(cells)), np.nan, dtype=np.float32)
    for i, own in enumerate(cells):
        try:
            values[: len(own), i] = own
        except ValueError:
            values[: len(own), i] = [_number(cell.strip(), path, line) for cell in own]
    if np.isinf(values).any():
        raise DataError("a value is infinite or too large", file=path, row=line)
    return values


def _number(cell: str, path: Path, line: int) -> float:
    if cell.lower() in _MISSING:
        return float("nan")
    number = parse_number(cell)
    if number is None:
        raise DataError(f"{shortened(cell)!r} stands where a number belongs", file=path, row=line)
    return number


def _padded(
    series: list[NDArray[np.float32]], wanted: int, masked: bool
) -> tuple[tuple[Field, ...], dict[str, Tensor]]:
    """Series brought to one length. What is missing stays NaN: scaling puts the mean there."""
    lengths = np.array([len(one) for one in series])
    length = wanted or int(lengths.max())
    values = np.full((len(series), length, series[0].shape[1]), np.nan, dtype=np.float32)
    for i, one in enumerate(series):
        values[i, : min(len(one), length)] = one[:length]
    fields = [Field("series", "series", values.shape[1:])]
    tensors = {"series": torch.from_numpy(values)}
    if masked or lengths.min() < length:
        fields += [Field("padding", "padding", (length,), "bool"), Field("length", "length", (), "int64")]
        tensors["padding"] = torch.from_numpy(np.arange(length) >= lengths[:, None])
        tensors["length"] = torch.from_numpy(lengths.clip(max=length))
    return tuple(fields), tensors


def _target(files: dict[str, _File]) -> tuple[Field, Tensor]:
    answers = [answer for file in files.values() for answer in file.answers]
    if next(iter(files.values())).numeric:
        numbers = [
            _number(answer, file.path, line)
            for file in files.values()
            for answer, line in zip(file.answers, file.lines, strict=True)
        ]
        return number_field("target"), torch.tensor(numbers, dtype=torch.float32).unsqueeze(1)
    classes = tuple(in_order(set(answers)))
    index = {name: i for i, name in enumerate(classes)}
    return label_field("label", classes), torch.tensor([index[answer] for answer in answers])


def _notes(series: list[NDArray[np.float32]], length: int) -> tuple[str, ...]:
    lengths = [len(one) for one in series]
    notes = []
    if min(lengths) < length:
        notes.append(f"series of {min(lengths)} to {max(lengths)} steps are padded to {length}")
    if max(lengths) > length:
        notes.append(f"series longer than {length} steps are cut, as the network takes no more")
    return tuple(notes)
