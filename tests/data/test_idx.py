"""IDX files, gzipped or not, whole or damaged."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from deepgui.data.dataset import prepare
from deepgui.data.errors import DataError
from deepgui.data.idx import read_idx
from deepgui.data.sources import open_source, source_fields
from deepgui.project.values import DataConfig


def idx_bytes(array: np.ndarray, code: int = 8) -> bytes:
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write(path: Path, array: np.ndarray, zipped: bool = False) -> Path:
    data = idx_bytes(array)
    path.write_bytes(gzip.compress(data) if zipped else data)
    return path


def folder(tmp_path: Path, *, zipped: bool = False, test: bool = True, shift: int = 0) -> Path:
    random = np.random.default_rng(0)
    ending = ".gz" if zipped else ""
    for name, count in (("train", 40), ("t10k", 12)) if test else (("train", 40),):
        images = random.integers(0, 256, (count, 5, 4), dtype=np.uint8)
        labels = (np.arange(count) % 4 + shift).astype(np.uint8)
        write(tmp_path / f"{name}-images-idx3-ubyte{ending}", images, zipped)
        write(tmp_path / f"{name}-labels-idx1-ubyte{ending}", labels, zipped)
    return tmp_path


@pytest.mark.parametrize("zipped", [False, True])
def test_a_folder_gives_images_labels_and_the_files_own_test_split(tmp_path, zipped) -> None:
    config = DataConfig("idx", {"path": str(folder(tmp_path, zipped=zipped))}, normalize="none")
    dataset = prepare(config, "classification")
    assert [(f.name, f.kind, f.shape) for f in dataset.fields] == [
        ("image", "image", (1, 5, 4)),
        ("label", "label", ()),
    ]
    assert [len(s) for s in dataset.splits.values()] == [34, 6, 12]
    assert dataset.test.rows.tolist() == list(range(40, 52))
    first = read_idx(next(tmp_path.glob("train-images*")))[0]
    row = dataset.train.rows.tolist().index(0) if 0 in dataset.train.rows else None
    table = open_source(config)
    assert np.allclose(table.get(dataset.train.rows[:1])["image"].max(), dataset.train.all()["image"][0].max())
    if row is not None:
        assert np.allclose(dataset.train.all()["image"][row, 0].numpy() * 255, first)
    assert source_fields(config) == dataset.fields


def test_the_images_file_itself_can_be_named(tmp_path) -> None:
    folder(tmp_path)
    config = DataConfig("idx", {"path": str(tmp_path / "train-images-idx3-ubyte")})
    assert len(open_source(config)) == 52


def test_without_test_files_the_test_split_is_cut_from_the_rest(tmp_path) -> None:
    dataset = prepare(DataConfig("idx", {"path": str(folder(tmp_path, test=False))}))
    assert [len(s) for s in dataset.splits.values()] == [28, 6, 6]


def test_labels_that_do_not_start_at_zero_keep_their_names(tmp_path) -> None:
    table = open_source(DataConfig("idx", {"path": str(folder(tmp_path, shift=1))}))
    assert table.fields[1].classes == ("1", "2", "3", "4")
    assert table.labels().min() == 0


def test_numbers_wider_than_a_byte_are_big_endian(tmp_path) -> None:
    path = tmp_path / "x"
    path.write_bytes(idx_bytes(np.array([1, -2, 70000], dtype=">i4"), 0x0C))
    assert read_idx(path).tolist() == [1, -2, 70000]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda data: data[:-3], "only 797 are there"),
        (lambda data: data + b"x", "there are more"),
        (lambda data: data[:10], "cut off"),
        (lambda data: b"", "not an IDX file"),
        (lambda data: b"PK\x03\x04" + data, "not an IDX file"),
        (lambda data: data[:4] + b"\xff" * 12 + data[16:], "announces"),
    ],
)
def test_damaged_files_are_named(tmp_path, damage, says) -> None:
    folder(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=says) as e:
        open_source(DataConfig("idx", {"path": str(tmp_path)}))
    assert "train-images-idx3-ubyte" in str(e.value)


@pytest.mark.parametrize("cut", [slice(0, 20), slice(0, -9), slice(0, 3)])
def test_damaged_gzip_is_named(tmp_path, cut) -> None:
    folder(tmp_path, zipped=True)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[cut])
    with pytest.raises(DataError, match="train-images"):
        open_source(DataConfig("idx", {"path": str(tmp_path)}))


def test_what_is_not_there_is_said(tmp_path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        open_source(DataConfig("idx", {"path": str(tmp_path / "none")}))
    with pytest.raises(DataError, match="train-images-idx3-ubyte"):
        open_source(DataConfig("idx", {"path": str(tmp_path)}))
    folder(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match="labels that belong to it"):
        open_source(DataConfig("idx", {"path": str(tmp_path)}))


def test_images_and_labels_must_agree_in_number(tmp_path) -> None:
    folder(tmp_path)
    write(tmp_path / "train-labels-idx1-ubyte", np.zeros(39, dtype=np.uint8))
    with pytest.raises(DataError, match="40 images but 39 labels"):
        open_source(DataConfig("idx", {"path": str(tmp_path)}))
