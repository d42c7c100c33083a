"""Examples from files and texts that a person names, in the form in which the network's data came."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepgui.data import tones
from deepgui.data.columns import TableForm
from deepgui.data.errors import DataError
from deepgui.data.fields import Field, shown
from deepgui.data.image_files import EXTENSIONS, ImageShape, read_image
from deepgui.data.numpy_arrays import load
from deepgui.data.sound_folder import Recordings
from deepgui.data.sources import sources
from deepgui.data.spectrograms import SoundForm
from deepgui.data.table import to_values
from deepgui.data.text_files import read_text
from deepgui.data.tokenizers import batch_of
from deepgui.data.ucr import series_of
from deepgui.data.wave_files import EXTENSIONS as WAVES
from deepgui.project.values import DataConfig
from deepgui.use.model import Model

Batch = dict[str, Tensor]
OF_GRAPHS = ("features", "edges", "edge_features", "graph", "nodes")
BESIDE = ("padding", "length")
"""Fields that come along with the one that a file feeds."""


def read_batch(path: Path, model: Model) -> Batch:
    """The examples in a file, field name → (examples, *shape), in the units of the data.

    Pictures, rows of a text table, series (``.csv`` with a row a step, ``.ts``), recordings, texts, NumPy arrays; an
    ``.npz`` file with an array for each field feeds a network with several Inputs.

    Raises:
        DataError: one sentence naming the file and row.
    """
    fields = model.of_data
    if path.is_dir():
        raise DataError("this is a folder; name the files in it", file=path)
    if any(field.kind in OF_GRAPHS for field in fields):
        raise DataError("this network takes graphs, which are not read from single files: measure it with deepgui eval")
    if path.suffix.lower() == ".npz":
        return _arrays(path, fields)
    first = _main_field(fields)
    if first.kind == "tokens":
        return text_batch(_texts(path, model), model)
    if first.kind == "series":
        rows = _series(path, first, model.data)
        return series_batch(rows, fields, forecast=not model.legend.target.classes, path=path)
    return {first.name: read_examples(path, first, model.data)}


def _main_field(fields: Sequence[Field]) -> Field:
    """The one field that a file has to feed. Raises DataError if there is not exactly one."""
    found = [field for field in fields if field.kind not in BESIDE]
    if len(found) == 1:
        return found[0]
    if not found:
        raise DataError("this network makes examples and takes none: ask it for some with --generate N -o DIR")
    names = ", ".join(field.name for field in found)
    raise DataError(f"this network has {len(found)} inputs; only an .npz file with the arrays {names} can feed them")


def text_batch(texts: Sequence[str], model: Model) -> Batch:
    """Texts as the network takes them. Raises DataError."""
    fields = [field for field in model.of_data if field.kind in ("tokens", *BESIDE)]
    if not any(field.kind == "tokens" for field in fields):
        raise DataError("this network does not take text")
    return batch_of(texts, fields)


def _texts(path: Path, model: Model) -> list[str]:
    """An example a line."""
    text = read_text(path, str(model.data.options.get("encoding", "utf-8")))
    found = [line for line in text.split("\n") if line.strip()]
    if not found:
        raise DataError("there is no text in it", file=path)
    return found


def series_batch(
    rows: Sequence[NDArray[np.float32]], fields: Sequence[Field], *, forecast: bool, path: Path | str = ""
) -> Batch:
    """Series (steps, channels) brought to the length that the network takes, with what tells where they end.

    Args:
        forecast: of a longer one the last steps count, from which one goes on; else the first.

    Raises:
        DataError: other channels, or too short for a network that knows no padding.
    """
    field = next(f for f in fields if f.kind == "series")
    length, channels = field.shape
    padded = any(f.kind in BESIDE for f in fields)
    values = np.full((len(rows), length, channels), np.nan, dtype=np.float32)
    for i, row in enumerate(rows):
        if row.shape[1] != channels:
            text = f"the series has {row.shape[1]} channels, but the network takes {channels}"
            raise DataError(text, file=path)
        if len(row) < length and not padded:
            raise DataError(f"the series has {len(row):,} steps, but the network takes {length:,}", file=path)
        kept = row[-length:] if forecast else row[:length]
        values[i, : len(kept)] = kept
    lengths = torch.tensor([min(len(row), length) for row in rows])
    found = {"series": torch.from_numpy(values), "length": lengths}
    found["padding"] = torch.arange(length) >= lengths[:, None]
    return {f.name: found[f.kind] for f in fields if f.kind in found}


def _series(path: Path, field: Field, config: DataConfig) -> list[NDArray[np.float32]]:
    kind = path.suffix.lower()
    if kind in WAVES:
        return [read_examples(path, field, config)[0].numpy()]
    if kind == ".ts":
        return series_of(path)
    if kind == ".npy":
        values = _numbers(path).astype(np.float32)
        if values.ndim == 1 or (values.ndim == 2 and field.shape[1] == 1 and values.shape[1] == field.shape[0]):
            values = values[..., None]  # of one channel that was not worth a dimension
        return list(values) if values.ndim == 3 else [values] if values.ndim == 2 else _refused(values, field, path)
    if kind in EXTENSIONS:
        raise DataError("this network takes series, not images", file=path)
    form = TableForm.of_numbers(field.columns, field.shape[1])
    return [form.encode(form.read(path, config.options), str(config.options.get("decimal", ".")))]


def sound_form(config: DataConfig) -> SoundForm | None:
    """How the data shows recordings to the network; None if it is no sound."""
    declared = {p.name: p.default for p in sources()[config.source].params} if config.source in sources() else {}
    if not {"form", "mels", "hop"} <= declared.keys():
        return None
    options = {**declared, **config.options}
    rate, seconds = int(str(options.get("rate", tones.RATE))), float(str(options.get("seconds", tones.SECONDS)))
    return SoundForm.of(options, rate, max(1, round(seconds * rate)))


def _sound(path: Path, field: Field, config: DataConfig) -> Tensor:
    form = sound_form(config)
    if form is None:
        raise DataError("this network does not take sound", file=path)
    found = Recordings((path,), form)(0)[form.field.name]
    if tuple(found.shape) != field.shape:
        text = f"the settings of the data make {shown(tuple(found.shape))} of a recording"
        raise DataError(f"{text}, but the network has learnt with {shown(field.shape)}", file=path)
    return found.unsqueeze(0)


def read_examples(path: Path, field: Field, config: DataConfig) -> Tensor:
    """The examples in a file, in the units of the data: float32, (examples, *field.shape).

    Images for an image field, or recordings where it is made of sound; otherwise a text table, its columns found by
    name, or in order where it has no header (:meth:`TableForm.places`). NumPy arrays (.npy) for all of them.

    Raises:
        DataError: one sentence naming the file and row.
    """
    if path.suffix.lower() == ".npy":
        return _array(path, field)
    if path.suffix.lower() in WAVES:
        return _sound(path, field, config)
    if path.suffix.lower() in EXTENSIONS:
        return _image(path, field, config)
    if field.kind == "image":
        raise DataError("an image or a .npy array is needed here", file=path)
    return _table(path, field, config)


def _numbers(path: Path) -> NDArray[Any]:
    values = load(path)
    if isinstance(values, dict):
        raise DataError("a .npy file with one array is expected here", file=path)
    if values.dtype.kind not in "buif":
        raise DataError(f"numbers are expected, not {values.dtype}", file=path)
    return values


def _refused(values: NDArray[np.float32], field: Field, path: Path) -> list[NDArray[np.float32]]:
    text = f"the array has the shape {shown(values.shape)}, but the network takes examples of {shown(field.shape)}"
    raise DataError(text, file=path)


def _arrays(path: Path, fields: Sequence[Field]) -> Batch:
    """Every field from the array of its name."""
    arrays = load(path)
    if not isinstance(arrays, dict):
        raise DataError("a .npz file with named arrays is expected here", file=path)
    found: Batch = {}
    for field in fields:
        if field.name not in arrays:
            raise DataError(f"there is no array {field.name!r}; there are {', '.join(arrays)}", file=path)
        values = torch.from_numpy(np.asarray(arrays[field.name])).to(getattr(torch, field.dtype))
        if values.shape[1:] != field.shape:
            text = f"the array {field.name!r} has the shape {shown(tuple(values.shape))}"
            raise DataError(f"{text}, but the network takes examples of {shown(field.shape)}", file=path)
        found[field.name] = values
    if len({len(values) for values in found.values()}) > 1:
        raise DataError("the arrays have different numbers of examples", file=path)
    return found


def _array(path: Path, field: Field) -> Tensor:
    values = _numbers(path)
    is_bytes = values.dtype == np.uint8 and field.kind == "image"
    tensor = to_values(torch.from_numpy(np.array(values, dtype=np.uint8 if is_bytes else np.float32)))
    if tensor.shape == field.shape or tensor.shape == field.shape[1:]:
        return tensor.reshape(1, *field.shape)
    if tensor.shape[1:] not in (field.shape, field.shape[1:] if field.shape[:1] == (1,) else field.shape):
        got, wanted = ("×".join(map(str, shape)) for shape in (tensor.shape, field.shape))
        raise DataError(f"the array has the shape {got}, but the network takes examples of {wanted}", file=path)
    return tensor.reshape(len(tensor), *field.shape)


def _image(path: Path, field: Field, config: DataConfig) -> Tensor:
    if field.kind != "image" or field.shape[0] not in (1, 3):
        raise DataError("this network does not take images", file=path)
    channels, height, width = field.shape
    fit = str(config.options.get("fit", "crop"))
    return to_values(read_image(path, ImageShape(height, width, channels == 1, fit))).unsqueeze(0)


def _table(path: Path, field: Field, config: DataConfig) -> Tensor:
    if len(field.shape) > 1:
        raise DataError("a .npy array is needed here: a row of text has no room for more than one dimension", file=path)
    form = field.form or TableForm.of_numbers(field.columns, math.prod(field.shape))
    values = form.encode(form.read(path, config.options), str(config.options.get("decimal", ".")))
    return torch.from_numpy(values).reshape(-1, *field.shape)
