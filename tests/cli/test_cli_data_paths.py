"""``--data PATH``: the reader is chosen by what lies there."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepgui.data.errors import DataError
from deepgui.data.recognise import recognise, with_data
from deepgui.project.values import DataConfig

RNG = np.random.default_rng(0)


def idx_folder(folder: Path, count: int = 60) -> Path:
    folder.mkdir()
    images = RNG.integers(0, 255, (count, 28, 28), dtype=np.uint8)
    labels = (np.arange(count) % 10).astype(np.uint8)
    images[np.arange(count), labels, :] = 255
    for name, array in (("train-images-idx3-ubyte.gz", images), ("train-labels-idx1-ubyte.gz", labels)):
        head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
        (folder / name).write_bytes(gzip.compress(head + array.tobytes()))
    return folder


def image_folder(folder: Path) -> Path:
    for label in range(10):
        (folder / str(label)).mkdir(parents=True)
        for i in range(6):
            pixels = RNG.integers(0, 255, (28, 28), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / str(label) / f"{i}.png")
    return folder


def arrays(path: Path) -> Path:
    x = RNG.integers(0, 255, (60, 28, 28), dtype=np.uint8)
    np.savez(path, x=x, y=np.arange(60) % 10)
    return path


@pytest.mark.parametrize(
    ("make", "source"),
    [
        (lambda tmp: idx_folder(tmp / "idx"), "idx"),
        (lambda tmp: image_folder(tmp / "images"), "image_folder"),
        (lambda tmp: arrays(tmp / "a.npz"), "numpy"),
    ],
)
def test_training_on_what_is_there(shell, lenet: Path, tmp_path: Path, make, source: str) -> None:
    path = make(tmp_path)
    assert recognise(path) == source
    answer = shell("train", lenet, "--data", path, "--epochs", 1, "--json")
    assert answer.status == 0, answer.err
    assert answer.events[-1]["metrics"]["train_loss"] > 0
    found = shell("eval", lenet, "--run", answer.events[-1]["run"], "--data", path, "--json").json
    assert (found["examples"], found["split"]) == (60, "all"), "other data is measured as a whole"


def test_a_table_by_its_suffix(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,c\n1,2,x\n")
    assert recognise(tmp_path / "t.csv") == "csv"


def test_settings_that_still_make_sense_are_kept(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    before = DataConfig("csv", {"path": "old.csv", "delimiter": ";"}, target="b", validation=0.3)
    after = with_data(before, tmp_path / "t.csv")
    assert after.options == {"path": str(tmp_path / "t.csv"), "delimiter": ";"}
    assert (after.target, after.validation) == ("b", 0.3)
    other = with_data(DataConfig("digits", {"flat": True}, {"input": "pixels"}, "label"), tmp_path / "t.csv")
    assert (other.options, other.inputs, other.target) == ({"path": str(tmp_path / "t.csv")}, {}, "")


def test_what_no_reader_takes_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.docx").write_bytes(b"PK")
    (tmp_path / "one.png").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "t.csv").write_text("a,b\n")
    for name, said in (
        ("x.docx", "not a CSV, NumPy or IDX file"),
        ("one.png", "folder of images for each class"),
        ("folder", "did you mean t.csv"),
        ("none", "no such file or folder"),
    ):
        with pytest.raises(DataError, match=said):
            recognise(tmp_path / name)
