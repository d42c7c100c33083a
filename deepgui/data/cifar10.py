"""CIFAR-10 in its binary version: a byte for the class, then 3,072 for red, green and blue."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from deepgui.data.errors import DataError
from deepgui.data.fields import Field, label_field
from deepgui.data.source_spec import Options
from deepgui.data.table import TensorTable

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FIELDS = (Field("image", "image", (3, 32, 32)), label_field("label", CLASSES))
_RECORD = 1 + 3 * 32 * 32


def read_cifar10(options: Options) -> TensorTable:
    """The training and test pictures of a folder with ``data_batch_1.bin`` to ``5`` and ``test_batch.bin``.

    Raises:
        DataError: a file is missing, cut off, or holds another class than ten.
    """
    folder = _folder(Path(str(options["path"])).expanduser())
    train = sorted(folder.glob("data_batch_*.bin"))
    if not train:
        raise DataError("there is no file data_batch_1.bin (of CIFAR-10's binary version) in it", file=folder)
    test = [path for path in (folder / "test_batch.bin",) if path.exists()]
    parts = [_records(path) for path in (*train, *test)]
    records = np.concatenate(parts)
    images = torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32))
    labels = torch.from_numpy(records[:, 0].astype(np.int64))
    first = sum(map(len, parts[: len(train)]))
    fixed = {"test": torch.arange(first, len(records))} if test else {}
    return TensorTable(FIELDS, "label", {"image": images, "label": labels}, fixed)


def cifar10_fields(options: Options) -> tuple[Field, ...]:
    """The fields; they are always the same."""
    return FIELDS


def _folder(path: Path) -> Path:
    inner = path / "cifar-10-batches-bin"
    if not path.exists():
        raise DataError("there is no such file or folder", file=path)
    return inner if inner.is_dir() else (path if path.is_dir() else path.parent)


def _records(path: Path) -> NDArray[np.uint8]:
    try:
        found = np.fromfile(path, np.uint8)
    except OSError as error:
        raise DataError(f"the file cannot be read ({error.strerror})", file=path) from None
    if not len(found) or len(found) % _RECORD:
        text = f"{len(found):,} bytes are no whole number of pictures of {_RECORD:,}: the file is cut off"
        raise DataError(text, file=path)
    records = found.reshape(-1, _RECORD)
    if (worst := int(records[:, 0].max())) >= len(CLASSES):
        at = int(records[:, 0].argmax()) + 1
        raise DataError(f"picture {at:,} has the class {worst}; CIFAR-10 has 0 to 9", file=path)
    return records
