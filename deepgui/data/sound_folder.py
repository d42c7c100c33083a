"""Folders of WAV files; the class is the folder's name, or the first part of the file's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data import spectrograms
from deepgui.data.class_folders import Listing, Sort, files_below, list_classes, split_folders, subfolders
from deepgui.data.errors import DataError
from deepgui.data.fields import Field, label_field
from deepgui.data.reading import FileTable, read_all, table_of
from deepgui.data.spectrograms import SoundForm
from deepgui.data.table import Table
from deepgui.data.wave_files import EXTENSIONS, WaveHeader, read_wave, read_wave_header

PARAMS = (
    ParamSpec("path", "str", required=True, doc="The folder with the recordings (.wav)."),
    ParamSpec(
        "classes_from",
        "choice",
        "auto",
        choices=("auto", "folder", "name"),
        doc="Whether the folder of a recording is its class, or what its name begins with (7_jackson_32.wav is a 7). "
        "Auto: the folder if there is more than one.",
    ),
    ParamSpec(
        "test_numbers",
        "str",
        "",
        doc="Recordings whose name ends in one of these numbers are the test examples, such as 0-4 for Free Spoken "
        "Digits. Empty: as the project splits.",
    ),
    ParamSpec("seconds", "float", 1.0, minimum=0.001, doc="Longer recordings are cut, shorter ones filled up."),
    ParamSpec(
        "rate",
        "int",
        16000,
        minimum=100,
        doc="Samples a second that all are brought to: 16,000 for speech, 44,100 for music. More than the recordings "
        "have gives nothing but empty bands.",
    ),
    *spectrograms.PARAMS,
)
SORT = Sort(EXTENSIONS, "recording")

_FIRST_PART = re.compile(r"[^_\-. ]+")
_LAST_NUMBER = re.compile(r"(\d+)\D*$")


@dataclass(frozen=True)
class Recordings:
    """Files in a common form; called with a number, it reads that example."""

    files: tuple[Path, ...]
    form: SoundForm

    def waveform(self, row: int) -> Tensor:
        """The samples, shape (T,), cut or filled up with silence at the end. Raises DataError."""
        sound = read_wave(self.files[row], self.form.rate)[: self.form.samples]
        return torch.from_numpy(np.pad(sound, (0, self.form.samples - len(sound))))

    def __call__(self, row: int) -> dict[str, Tensor]:
        return {self.form.field.name: self.form.apply(self.waveform(row))}


def read_sound_folder(options: Mapping[str, Value]) -> Table:
    """Open a folder of recordings with the options of :data:`PARAMS`; see there. Raises DataError."""
    listing = _listing(options)
    headers = read_all(listing.root, listing.files, read_wave_header, "recordings looked at")
    form = _form(options)
    labels = torch.tensor(listing.labels, dtype=torch.int64)
    reader = Recordings(listing.files, form)
    fixed, notes = _fixed(listing, options), _notes(listing, headers, form)
    table = FileTable(_fields(listing, form), "label", len(labels), reader, {"label": labels}, fixed, notes=notes)
    return table_of(table, listing.root, "recordings read")


def sound_folder_fields(options: Mapping[str, Value]) -> tuple[Field, ...]:
    """The fields, without looking into the recordings. Raises DataError."""
    return _fields(_listing(options), _form(options))


def recordings(options: Mapping[str, Value]) -> Recordings:
    """The recordings themselves, in the order of the table's rows. Raises DataError."""
    return Recordings(_listing(options).files, _form(options))


def _listing(options: Mapping[str, Value]) -> Listing:
    root = Path(str(options["path"])).expanduser()
    way = options["classes_from"]
    if way == "auto":
        _, parts = split_folders(root)
        way = "folder" if len(_with_sound(parts[0][1])) > 1 else "name"
    return list_classes(root, SORT) if way == "folder" else _by_name(root)


def _with_sound(folder: Path) -> list[Path]:
    return [f for f in subfolders(folder) if any(p.suffix.lower() in EXTENSIONS for p in f.rglob("*"))]


def _by_name(root: Path) -> Listing:
    """All recordings below the folder; what their names begin with are the classes."""
    root, parts = split_folders(root)
    files: list[Path] = []
    splits: dict[str, tuple[int, int]] = {}
    for split, folder in parts:
        found, _ = files_below(folder, SORT)
        if not found:
            raise DataError("there is no .wav file in this folder", file=folder)
        if split:
            splits[split] = (len(files), len(files) + len(found))
        files += found
    names = [_class_of(path) for path in files]
    classes = sorted(set(names))
    if len(classes) == 1:
        text = f"all recordings are of one class, {classes[0]!r}: name them CLASS_..., or give each class a folder"
        raise DataError(text, file=root)
    if len(classes) == len(files) > 2:
        text = f"every name begins differently ({classes[0]}, {classes[1]}, ...): name the files CLASS_..., or give "
        raise DataError(f"{text}each class a folder", file=root)
    codes = {name: code for code, name in enumerate(classes)}
    return Listing(root, tuple(classes), tuple(files), tuple(codes[name] for name in names), splits)


def _class_of(path: Path) -> str:
    match = _FIRST_PART.search(path.stem)
    return match.group() if match else path.stem


def _form(options: Mapping[str, Value]) -> SoundForm:
    rate = int(str(options["rate"]))
    return SoundForm.of(options, rate, max(1, round(float(str(options["seconds"])) * rate)))


def _fields(listing: Listing, form: SoundForm) -> tuple[Field, ...]:
    return (form.field, label_field("label", listing.classes))


def _fixed(listing: Listing, options: Mapping[str, Value]) -> dict[str, Tensor]:
    """The splits that folders or numbers in the names decide."""
    fixed = {name: torch.arange(*span) for name, span in listing.splits.items()}
    wanted = _numbers(str(options["test_numbers"]))
    if not wanted:
        return fixed
    if "test" in fixed:
        raise DataError("there is a folder with test recordings already: leave test_numbers empty", file=listing.root)
    last = [_LAST_NUMBER.search(path.stem) for path in listing.files]
    tested = torch.tensor([m is not None and int(m.group(1)) in wanted for m in last])
    if tested.all() or not tested.any():
        which = "every recording's" if tested.all() else "no recording's"
        raise DataError(f"{which} name ends in one of the test_numbers {options['test_numbers']}", file=listing.root)
    train = fixed.get("train")
    if train is not None:
        fixed["train"] = train[~tested[train]]
    return {**fixed, "test": tested.nonzero().flatten()}


def _numbers(text: str) -> set[int]:
    """``0-4, 7`` as the numbers 0 to 4 and 7. Raises DataError."""
    found: set[int] = set()
    for part in filter(None, (p.strip() for p in text.split(","))):
        match = re.fullmatch(r"(\d{1,9})(?:\s*-\s*(\d{1,9}))?", part)
        if match is None:
            raise DataError(f"test_numbers must be like 0-4 or 1, 3, 5, not {text!r}")
        first, last = int(match.group(1)), int(match.group(2) or match.group(1))
        if not first <= last <= first + 1_000_000:
            raise DataError(f"test_numbers must rise, unlike {part!r}")
        found.update(range(first, last + 1))
    return found


def _notes(listing: Listing, headers: list[WaveHeader], form: SoundForm) -> tuple[str, ...]:
    notes = []
    longer = sum(h.seconds > form.samples / form.rate for h in headers)
    if longer:
        notes.append(f"{_count(longer)} longer than {form.samples / form.rate:g} s: what comes later is left out")
    other = sum(h.rate != form.rate for h in headers)
    if other:
        notes.append(f"{_count(other)} not recorded at {form.rate:,} Hz and therefore resampled")
    stereo = sum(h.channels > 1 for h in headers)
    if stereo:
        notes.append(f"{_count(stereo)} of more than one channel, averaged")
    return tuple(notes)


def _count(number: int) -> str:
    return "1 recording is" if number == 1 else f"{number:,} recordings are"
