"""The IDX format of MNIST and its relatives, plain or gzipped."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.errors import DataError
from deepgui.data.fields import Field, label_field
from deepgui.data.table import TensorTable

PARAMS = (ParamSpec("path", "str", required=True, doc="Folder with the IDX files, or the file with the images."),)

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_IMAGES = re.compile(r"images[-.]idx[34]|[-.]idx[34][-.]ubyte", re.IGNORECASE)
_TEST = re.compile(r"t10k|test", re.IGNORECASE)
_CHUNK = 1 << 22


class Header(NamedTuple):
    """Element type (numpy) and dimensions of an IDX file."""

    dtype: str
    shape: tuple[int, ...]


def read_idx(path: Path) -> NDArray[np.generic]:
    """The array in an IDX file. Raises DataError if it is no IDX file, or too short or too long."""
    try:
        with _open(path) as file:
            header = _header(path, file)
            expected = int(np.dtype(header.dtype).itemsize * np.prod(header.shape, dtype=object))
            data = bytearray()
            while len(data) <= expected and (chunk := file.read(min(_CHUNK, expected + 1 - len(data)))):
                data += chunk
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from None
    if len(data) != expected:
        found = f"only {len(data):,} are there" if len(data) < expected else "there are more"
        raise DataError(f"the header announces {expected:,} bytes but {found}: the file is damaged", file=path)
    return np.frombuffer(data, header.dtype).reshape(header.shape)


def idx_header(path: Path) -> Header:
    """Type and dimensions without reading the data. Raises DataError."""
    try:
        with _open(path) as file:
            return _header(path, file)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from None


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if zipped else path.open("rb")  # type: ignore[return-value]


def _unreadable(path: Path, error: Exception) -> DataError:
    if isinstance(error, FileNotFoundError):
        return DataError("there is no such file", file=path)
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return DataError(f"the file cannot be read ({reason})", file=path)


def _header(path: Path, file: BinaryIO) -> Header:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or not 1 <= magic[3] <= 4:
        raise DataError("this is not an IDX file", file=path)
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DataError("the header of this IDX file is cut off", file=path)
    return Header(_TYPES[magic[2]], tuple(int(n) for n in np.frombuffer(sizes, ">u4")))


class _Pair(NamedTuple):
    images: Path
    labels: Path


def read_idx_folder(options: Mapping[str, Value]) -> TensorTable:
    """Images and labels of a folder of IDX files; ``t10k`` or ``test`` files become the test split."""
    train, test = _find(Path(str(options["path"])).expanduser())
    pairs = [_load(pair) for pair in (train, test) if pair]
    images = torch.cat([p[0] for p in pairs]) if len(pairs) > 1 else pairs[0][0]
    raw = np.concatenate([p[1] for p in pairs])
    values, codes = np.unique(raw, return_inverse=True)
    fields = (_image_field(tuple(images.shape[1:])), label_field("label", tuple(map(str, values.tolist()))))
    tensors = {"image": images, "label": torch.from_numpy(codes.astype(np.int64))}
    first = len(pairs[0][1])
    fixed = {"test": torch.arange(first, len(raw))} if test else {}
    return TensorTable(fields, "label", tensors, fixed=fixed)


def idx_fields(options: Mapping[str, Value]) -> tuple[Field, ...]:
    """The fields without reading the images."""
    train, test = _find(Path(str(options["path"])).expanduser())
    shape = idx_header(train.images).shape
    labels = np.unique(np.concatenate([read_idx(pair.labels) for pair in (train, test) if pair]))
    return (_image_field(_with_channel(shape[1:])), label_field("label", tuple(map(str, labels.tolist()))))


def _with_channel(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1, *shape) if len(shape) == 2 else shape


def _image_field(shape: tuple[int, ...]) -> Field:
    return Field("image", "image", shape)


def _find(path: Path) -> tuple[_Pair, _Pair | None]:
    """The training files and, where there are any, the test files."""
    if not path.exists():
        raise DataError("there is no such file or folder", file=path)
    folder = path if path.is_dir() else path.parent
    candidates = sorted(
        (p for p in folder.iterdir() if p.is_file() and _is_images(p)), key=lambda p: (p.suffix == ".gz", p.name)
    )
    if path.is_file():
        candidates = [path, *(p for p in candidates if _TEST.search(p.name) and p != path)]
    train = next((p for p in candidates if not _TEST.search(p.name)), None) or next(iter(candidates), None)
    if train is None:
        raise DataError("there is no file such as train-images-idx3-ubyte or its .gz in this folder", file=path)
    test = next((p for p in candidates if _TEST.search(p.name) and p != train), None)
    return _pair(train), _pair(test) if test else None


def _is_images(path: Path) -> bool:
    return bool(_IMAGES.search(path.name)) and not path.name.startswith(".")


def _pair(images: Path) -> _Pair:
    """The labels that belong to a file of images: same name, ``labels`` and ``idx1``; gzipped or not."""
    name = re.sub(r"images", "labels", images.name, flags=re.IGNORECASE)
    name = re.sub(r"idx[34]", "idx1", name, flags=re.IGNORECASE)
    stem = name.removesuffix(".gz")
    for candidate in (name, stem, stem + ".gz"):
        labels = images.with_name(candidate)
        if labels != images and labels.is_file():
            return _Pair(images, labels)
    raise DataError(f"the labels that belong to it ({name}) are not there", file=images)


def _load(pair: _Pair) -> tuple[torch.Tensor, NDArray[np.generic]]:
    images, labels = read_idx(pair.images), read_idx(pair.labels)
    if images.ndim not in (3, 4) or images.dtype != np.uint8:
        raise DataError("images are expected as bytes in three or four dimensions", file=pair.images)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError("labels are expected as one whole number an image", file=pair.labels)
    if len(images) != len(labels):
        text = f"{len(images):,} images but {len(labels):,} labels in {pair.labels.name}"
        raise DataError(text, file=pair.images)
    tensor = torch.from_numpy(images.view())
    return (tensor.unsqueeze(1) if tensor.ndim == 3 else tensor), labels
