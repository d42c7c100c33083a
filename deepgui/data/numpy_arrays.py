"""Arrays saved by NumPy: a pair of ``.npy`` files, or one ``.npz``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.errors import DataError
from deepgui.data.fields import Field, label_field, number_field
from deepgui.data.table import TensorTable

Array = NDArray[Any]

PARAMS = (
    ParamSpec("path", "str", required=True, doc="A .npz file with both arrays, or the .npy file with the inputs."),
    ParamSpec("labels", "str", "", doc="The .npy file with the targets, where path is a .npy file."),
    ParamSpec("inputs", "str", "", doc="Name of the array of inputs in a .npz file. Empty: x, X, images, data, ..."),
    ParamSpec("target", "str", "", doc="Name of the array of targets in a .npz file. Empty: y, labels, target, ..."),
    ParamSpec(
        "layout",
        "choice",
        "auto",
        choices=("auto", "vector", "H W", "C H W", "H W C"),
        doc="How one example lies in the inputs. Auto: bytes in two or three dimensions are an image.",
    ),
    ParamSpec(
        "task",
        "choice",
        "auto",
        choices=("auto", "classification", "regression"),
        doc="Whether the target is a class or a number. Auto: whole numbers and texts are classes.",
    ),
)

_INPUT_NAMES = ("x", "inputs", "input", "images", "image", "features", "data", "points")
_TARGET_NAMES = ("y", "targets", "target", "labels", "label", "classes")
_IMAGE_CHANNELS = (1, 3, 4)


def read_numpy(options: Mapping[str, Value]) -> TensorTable:
    """Open arrays with the options of :data:`PARAMS`; pickled objects are never loaded. Raises DataError."""
    path = Path(str(options["path"])).expanduser()
    inputs, targets, test_from = _arrays(path, options)
    if inputs.ndim < 2 and len(inputs):
        inputs = inputs[:, None]
    if targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    if len(inputs) != len(targets):
        raise DataError(f"{len(inputs):,} inputs but {len(targets):,} targets", file=path)
    if not len(inputs):
        raise DataError("the arrays are empty", file=path)
    field, values = _input(path, inputs, str(options["layout"]))
    target, target_values = _target(path, targets, str(options["task"]))
    fixed = {"test": torch.arange(test_from, len(inputs))} if test_from < len(inputs) else {}
    tensors = {field.name: values, target.name: target_values}
    return TensorTable((field, target), target.name, tensors, fixed=fixed)


def _arrays(path: Path, options: Mapping[str, Value]) -> tuple[Array, Array, int]:
    """Inputs, targets, and the row where a test set of its own begins (the length if there is none)."""
    loaded = load(path)
    if isinstance(loaded, dict):
        x = _pick(path, loaded, str(options["inputs"]), _INPUT_NAMES, "inputs")
        y = _pick(path, loaded, str(options["target"]), _TARGET_NAMES, "target")
        inputs, targets = loaded[x], loaded[y]
        x_test, y_test = (loaded.get(name.replace("train", "test")) for name in (x, y))
        if "train" in x and "train" in y and x_test is not None and y_test is not None:
            if x_test.shape[1:] != inputs.shape[1:]:
                raise DataError("training and test inputs differ in shape", file=path)
            return np.concatenate([inputs, x_test]), np.concatenate([targets, y_test]), len(inputs)
        return inputs, targets, len(inputs)
    if not options["labels"]:
        raise DataError("this holds one array: name the .npy file with the targets under labels", file=path)
    second = Path(str(options["labels"])).expanduser()
    labels = load(second)
    if isinstance(labels, dict):
        raise DataError("a .npy file with one array is expected here", file=second)
    return loaded, labels, len(loaded)


def load(path: Path) -> Array | dict[str, Array]:
    """The array of a ``.npy`` file or the arrays of a ``.npz`` file, by name. Never runs code. Raises DataError."""
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.lib.npyio.NpzFile):
            with loaded:
                return {name: np.atleast_1d(loaded[name]) for name in loaded.files}
        return np.atleast_1d(np.asarray(loaded))
    except FileNotFoundError:
        raise DataError("there is no such file", file=path) from None
    except Exception as error:  # damaged bytes lead NumPy into zipfile, tokenize and others, which raise what they like
        if "Object arrays" in str(error):
            text = "this holds Python objects, which could run code: save plain numbers or texts instead"
        else:
            text = "this is not a NumPy file (pickles are never read), or it is damaged"
        raise DataError(text, file=path) from None


def _pick(path: Path, arrays: Mapping[str, Array], wanted: str, usual: tuple[str, ...], option: str) -> str:
    names = ", ".join(arrays) or "none"
    if wanted:
        if wanted not in arrays:
            raise DataError(f"there is no array {wanted!r}; there are {names}", file=path)
        return wanted
    for candidate in (*usual, *(f"{name}_train" for name in usual), *(f"train_{name}" for name in usual)):
        for name in arrays:
            if name.casefold() == candidate:
                return name
    raise DataError(f"say under {option} which array holds the {option}; there are {names}", file=path)


def _input(path: Path, values: Array, layout: str) -> tuple[Field, torch.Tensor]:
    if values.dtype.kind not in "buif":
        raise DataError(f"the inputs must be numbers, not {values.dtype}", file=path)
    if (odd := _not_finite(values)) is not None:
        raise DataError(f"the inputs hold NaN or infinity, first in example {odd}", file=path)
    layout = _layout(values) if layout == "auto" else layout
    needed = {"vector": values.ndim, "H W": 3, "C H W": 4, "H W C": 4}[layout]
    if values.ndim != needed:
        text = f"layout {layout} does not suit inputs of shape {tuple(values.shape)} with the examples first"
        raise DataError(text, file=path)
    if layout == "vector":
        tensor = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
        return Field("features", "vector", tuple(tensor.shape[1:])), tensor
    if layout == "H W":
        values = values[:, None]
    elif layout == "H W C":
        values = np.moveaxis(values, -1, 1)
    kept = np.uint8 if values.dtype == np.uint8 else np.float32
    image = torch.from_numpy(np.array(values, dtype=kept, order="C"))
    return Field("image", "image", tuple(image.shape[1:])), image


def _not_finite(values: Array) -> int | None:
    """The first example with a value that float32 cannot hold, or None."""
    if values.dtype.kind != "f":
        return None
    with np.errstate(over="ignore"):
        odd = ~np.isfinite(values.astype(np.float32, copy=False))
    return int(np.argwhere(odd)[0][0]) if odd.any() else None


def _layout(values: Array) -> str:
    if values.ndim == 4:
        last = values.shape[-1] in _IMAGE_CHANNELS and values.shape[1] not in _IMAGE_CHANNELS
        return "H W C" if last else "C H W"
    return "H W" if values.ndim == 3 and values.dtype == np.uint8 else "vector"


def _target(path: Path, values: Array, task: str) -> tuple[Field, torch.Tensor]:
    kind = values.dtype.kind
    if kind not in "buifUS":
        raise DataError(f"the targets must be numbers or texts, not {values.dtype}", file=path)
    if (odd := _not_finite(values)) is not None:
        raise DataError(f"the targets hold NaN or infinity, first in example {odd}", file=path)
    if task == "auto":
        task = "regression" if kind == "f" or values.ndim > 1 else "classification"
    if task == "regression":
        if kind in "US":
            raise DataError("the targets are texts, which cannot be predicted as numbers", file=path)
        flat = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32).reshape(len(values), -1))
        if flat.shape[1] == 1:
            return number_field("target"), flat
        return Field("target", "vector", (flat.shape[1],)), flat
    if kind not in "US" and values.ndim == 2 and values.shape[1] > 1 and np.isin(values, (0, 1)).all():
        names = tuple(str(column) for column in range(values.shape[1]))
        return Field("labels", "labels", (len(names),), classes=names), torch.from_numpy(values.astype(np.float32))
    if values.ndim != 1:
        shape = tuple(values.shape)
        raise DataError(
            f"one class an example, or a column of 0 and 1 for each, not an array of shape {shape}", file=path
        )
    if kind == "f" and (values != np.round(values)).any():
        raise DataError("the targets are not whole numbers, so they are no classes: choose regression", file=path)
    whole = values.astype(np.int64) if kind in "bf" else values
    classes, codes = np.unique(whole, return_inverse=True)
    names = tuple(c.decode("latin-1") if isinstance(c, bytes) else str(c) for c in classes.tolist())
    return label_field("label", names), torch.from_numpy(codes.astype(np.int64))
