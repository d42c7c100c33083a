"""Folders of pictures: splits, strange modes and files, and images too many to keep."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from deepgui.data import table as table_module
from deepgui.data.dataset import prepare
from deepgui.data.errors import DataError
from deepgui.data.image_files import ImageShape, read_header, read_image
from deepgui.data.reading import FileTable
from deepgui.data.sources import open_source, source_fields
from deepgui.data.table import TensorTable
from deepgui.project.values import DataConfig

RANDOM = np.random.default_rng(0)


def picture(path: Path, size: tuple[int, int] = (6, 4), mode: str = "RGB", value: int | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = RANDOM.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    if value is not None:
        pixels[:] = value
    Image.fromarray(pixels).convert(mode).save(path)
    return path


def folder(root: Path, parts: tuple[str, ...] = ("",), each: int = 6, **style) -> Path:
    for part in parts:
        for label, name in enumerate(("ants", "bees")):
            for i in range(each):
                picture(root / part / name / f"{i}.png", value=100 * label + i, **style)
    return root


def config(root: Path, **options) -> DataConfig:
    return DataConfig("image_folder", {"path": str(root), **options}, normalize="none")


def test_classes_are_folders_and_values_lie_between_zero_and_one(tmp_path) -> None:
    table = open_source(config(folder(tmp_path)))
    assert isinstance(table, TensorTable)
    assert table.fields[0].shape == (3, 4, 6)
    assert table.fields[1].classes == ("ants", "bees")
    got = table.get(torch.tensor([0, 7]))
    assert got["label"].tolist() == [0, 1]
    assert torch.allclose(got["image"][1], torch.full((3, 4, 6), 101 / 255))


def test_split_folders_become_the_splits(tmp_path) -> None:
    dataset = prepare(config(folder(tmp_path, ("train", "val"))))
    assert dataset.validation.rows.tolist() == list(range(12, 24))
    assert len(dataset.train) + len(dataset.test) == 12
    dataset = prepare(config(folder(tmp_path, ("test",), each=2)))
    assert [len(s) for s in dataset.splits.values()] == [12, 12, 4]


def test_an_archive_unpacked_into_a_folder_of_its_own(tmp_path) -> None:
    folder(tmp_path / "data" / "photos", ("train", "val"))
    (tmp_path / "data" / ".DS_Store").write_bytes(b"x")
    assert open_source(config(tmp_path / "data")).fields[1].classes == ("ants", "bees")


def test_hidden_and_other_files_are_skipped_and_said_so(tmp_path) -> None:
    folder(tmp_path)
    (tmp_path / "ants" / ".hidden.png").write_bytes(b"x")
    (tmp_path / "ants" / "readme.txt").write_text("x")
    (tmp_path / ".git").mkdir()
    table = open_source(config(tmp_path))
    assert len(table) == 12
    assert table.notes == ("1 file that is not read as images left out, such as readme.txt",)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "L", "CMYK", "I;16", "F"])
def test_every_mode_becomes_rgb_or_grey(tmp_path, mode) -> None:
    source = Image.fromarray(np.full((4, 6), 200, dtype=np.uint8))
    if mode == "I;16":
        image = Image.fromarray(np.full((4, 6), 200 * 257, dtype=np.uint16))
    else:
        image = source.convert("RGB").convert(mode) if mode == "P" else source.convert(mode)
    path = tmp_path / ("a.tif" if mode in ("CMYK", "F") else "a.png")
    image.save(path)
    expected = 255 if mode == "1" else 200
    for gray in (True, False):
        got = read_image(path, ImageShape(4, 6, gray))
        assert got.shape == (1 if gray else 3, 4, 6)
        assert got.dtype == torch.uint8
        if mode != "1":
            assert (got.int() - expected).abs().max() <= 4  # a palette has few greys
    assert read_header(path).gray == (mode in ("LA", "1", "L", "I;16", "F"))


def test_transparent_parts_become_white(tmp_path) -> None:
    Image.new("RGBA", (3, 3), (255, 0, 0, 0)).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", ImageShape(3, 3, False)).min() == 255


def test_orientation_of_the_camera_is_applied(tmp_path) -> None:
    image = Image.fromarray(np.repeat(np.arange(8, dtype=np.uint8)[None] * 30, 4, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.png", exif=exif)
    assert read_header(tmp_path / "a.png")[:2] == (8, 4)
    assert read_image(tmp_path / "a.png", ImageShape(8, 4, True))[0, :, 0].tolist() == [i * 30 for i in range(8)]


@pytest.mark.parametrize(("fit", "edge"), [("stretch", 9), ("crop", 9), ("pad", 0)])
def test_images_of_different_size_need_a_size(tmp_path, fit, edge) -> None:
    folder(tmp_path)
    picture(tmp_path / "ants" / "wide.jpg", (40, 10), value=9)
    with pytest.raises(DataError, match="set size"):
        open_source(config(tmp_path))
    table = open_source(config(tmp_path, size=(8, 8), fit=fit))
    wide = next(i for i in range(len(table)) if int(table.get(torch.tensor([i]))["image"][0, 0, 4, 4] * 255) == 9)
    assert round(float(table.get(torch.tensor([wide]))["image"][0, 0, 0, 4]) * 255) == edge


def test_broken_images_are_named_before_training(tmp_path) -> None:
    folder(tmp_path)
    (tmp_path / "ants" / "bad.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"bad\.png: this is not an image"):
        open_source(config(tmp_path))
    whole = picture(tmp_path / "ants" / "bad.png", (60, 60)).read_bytes()
    (tmp_path / "ants" / "bad.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"bad\.png: the image cannot be decoded"):
        open_source(config(tmp_path, size=(4, 6)))
    (tmp_path / "ants" / "bad.png").unlink()
    (tmp_path / "bees" / "empty.jpg").write_bytes(b"")
    (tmp_path / "bees" / "text.jpg").write_text("x")
    with pytest.raises(DataError, match=r"2 files cannot be read \(empty\.jpg, text\.jpg\)"):
        open_source(config(tmp_path, size=(4, 6)))


def test_unusable_folders_get_one_sentence(tmp_path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        open_source(config(tmp_path / "none"))
    with pytest.raises(DataError, match="every class needs a folder"):
        open_source(config(tmp_path))
    folder(tmp_path)
    (tmp_path / "cats").mkdir()
    with pytest.raises(DataError, match="no image of class 'cats'"):
        open_source(config(tmp_path))
    (tmp_path / "cats" / "a.gif").write_bytes(b"GIF89a")
    with pytest.raises(DataError, match=r"\.gif files are not read"):
        open_source(config(tmp_path))


def test_a_class_that_is_only_tested_is_refused(tmp_path) -> None:
    folder(tmp_path, ("train", "test"))
    picture(tmp_path / "test" / "wasps" / "a.png")
    with pytest.raises(DataError, match="class 'wasps' does not appear in train"):
        open_source(config(tmp_path))


def test_fields_are_known_without_decoding(tmp_path, monkeypatch) -> None:
    folder(tmp_path)
    monkeypatch.setattr("deepgui.data.image_folder.read_image", None)
    assert source_fields(config(tmp_path))[0].shape == (3, 4, 6)


def test_what_does_not_fit_is_read_when_asked_for_and_looks_the_same(tmp_path, monkeypatch) -> None:
    folder(tmp_path)
    small = prepare(DataConfig("image_folder", {"path": str(tmp_path)}))
    monkeypatch.setattr(table_module, "FITS_BYTES", 100)
    (tmp_path / "ants" / "0.png").touch()
    large = prepare(DataConfig("image_folder", {"path": str(tmp_path)}))
    assert isinstance(large.train.table, FileTable)
    assert not large.train.fits
    assert large.normalizer["image"].shift == pytest.approx(small.normalizer["image"].shift)
    everything = torch.arange(len(small.train))
    assert torch.allclose(large.train.get(everything)["image"], small.train.all()["image"], atol=1e-5)
    assert torch.equal(large.train.labels(), small.train.all()["label"])
