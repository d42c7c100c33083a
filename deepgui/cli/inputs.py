"""Examples from files that a person names, in the form in which the network's data came."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from deepgui.data.columns import TableForm
from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.data.image_files import EXTENSIONS, ImageShape, read_image
from deepgui.data.numpy_arrays import load
from deepgui.data.table import to_values
from deepgui.project.values import DataConfig


def read_examples(path: Path, field: Field, config: DataConfig) -> Tensor:
    """The examples in a file, in the units of the data: float32, (examples, *field.shape).

    Images for an image field; otherwise a text table, its columns found by name, or in order where it has no
    header (:meth:`TableForm.places`). NumPy arrays (.npy) of the field's shape for both.

    Raises:
        DataError: one sentence naming the file and row.
    """
    if path.is_dir():
        raise DataError("this is a folder; name the files in it", file=path)
    if path.suffix.lower() == ".npy":
        return _array(path, field)
    if path.suffix.lower() in EXTENSIONS:
        return _image(path, field, config)
    if field.kind == "image":
        raise DataError("an image or a .npy array is needed here", file=path)
    return _table(path, field, config)


def _array(path: Path, field: Field) -> Tensor:
    values = load(path)
    if isinstance(values, dict):
        raise DataError("a .npy file with one array is expected here", file=path)
    if values.dtype.kind not in "buif":
        raise DataError(f"numbers are expected, not {values.dtype}", file=path)
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
