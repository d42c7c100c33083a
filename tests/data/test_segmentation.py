"""Images with the class of every pixel: masks of numbers, of colours and with borders; generated shapes."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from deepgui.data import table as table_module
from deepgui.data.dataset import prepare
from deepgui.data.errors import DataError
from deepgui.data.reading import FileTable
from deepgui.data.recognise import recognise
from deepgui.data.sources import open_source
from deepgui.project.values import DataConfig

VALUES = np.array([[0, 0, 1, 1], [0, 0, 2, 2]], dtype=np.uint8)


def save(path: Path, pixels: np.ndarray, mode: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    if mode == "P":
        image = Image.fromarray(pixels, "P")
        image.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0])
    image.save(path)
    return path


def folder(root: Path, mask: np.ndarray = VALUES, count: int = 4, mode: str | None = None, ending: str = "") -> Path:
    for i in range(count):
        save(root / "images" / f"{i}.jpg", np.full((*mask.shape[:2], 3), 60 * i, dtype=np.uint8))
        save(root / "masks" / f"{i}{ending}.png", mask, mode)
    return root


def config(root: Path, **options) -> DataConfig:
    return DataConfig("segmentation_folder", {"path": str(root), **options}, normalize="none")


def first_map(root: Path, **options) -> list[list[int]]:
    return open_source(config(root, **options)).get(torch.tensor([0]))["classmap"][0].tolist()


@pytest.mark.parametrize("mode", ["L", "P"])
def test_values_are_classes(tmp_path, mode) -> None:
    table = open_source(config(folder(tmp_path, mode=mode, ending="_mask"), classes="sky, tree, lake, road"))
    field = table.fields[1]
    assert (field.kind, field.shape, field.classes) == ("classmap", (2, 4), ("sky", "tree", "lake", "road"))
    assert table.target == "classmap"
    got = table.get(torch.tensor([1]))
    assert got["classmap"][0].tolist() == VALUES.tolist()
    assert got["classmap"].dtype == torch.int64
    assert torch.allclose(got["image"], torch.tensor(60 / 255), atol=0.01)


def test_any_two_values_are_background_and_object(tmp_path) -> None:
    table = open_source(config(folder(tmp_path, np.array([[0, 255]], dtype=np.uint8))))
    assert table.fields[1].classes == ("background", "object")
    assert first_map(tmp_path) == [[0, 1]]


def test_colours_are_classes(tmp_path) -> None:
    mask = np.zeros((1, 3, 3), dtype=np.uint8)
    mask[0, 1], mask[0, 2] = (255, 0, 0), (0, 0, 255)
    table = open_source(config(folder(tmp_path, mask)))
    assert table.fields[1].classes == ("#000000", "#0000ff", "#ff0000")
    assert first_map(tmp_path, classes="nothing, blue, red") == [[0, 2, 1]]


def test_a_border_belongs_to_no_class(tmp_path) -> None:
    mask = VALUES.copy()
    mask[0, 0] = 255
    table = open_source(config(folder(tmp_path, mask)))
    assert table.fields[1].classes == ("0", "1", "2")
    assert "pixels of the value 255" in table.notes[0]
    assert first_map(tmp_path)[0][0] == torch.nn.CrossEntropyLoss().ignore_index


@pytest.mark.parametrize(("fit", "row"), [("stretch", [0, 0, 1, 1]), ("crop", [0, 0, 1, 1]), ("pad", [-100] * 4)])
def test_masks_are_resized_with_their_images_without_mixing_classes(tmp_path, fit, row) -> None:
    assert first_map(folder(tmp_path), size=(4, 4), fit=fit)[0] == row


def test_splits_above_and_below_the_two_folders(tmp_path) -> None:
    folder(tmp_path / "a" / "train")
    folder(tmp_path / "a" / "val", count=2)
    assert open_source(config(tmp_path / "a")).fixed["validation"].tolist() == [4, 5]
    for part in ("test", "train"):
        for i in range(3):
            save(tmp_path / "b" / "images" / part / f"{i}.png", VALUES)
            save(tmp_path / "b" / "labels" / part / f"{i}.png", VALUES)
    assert open_source(config(tmp_path / "b")).fixed["test"].tolist() == [0, 1, 2]


def test_what_does_not_fit_together_is_named(tmp_path) -> None:
    with pytest.raises(DataError, match="no two folders 'images' and 'masks'"):
        open_source(config(tmp_path))
    folder(tmp_path)
    with pytest.raises(DataError, match=r"masks.0\.png: the mask has the value 2, but classes names 2 for 3"):
        open_source(config(tmp_path, classes="a, b"))
    save(tmp_path / "masks" / "1.png", VALUES[:1])
    with pytest.raises(DataError, match=r"1\.png: the mask has the size 1×4, its image 1\.jpg 2×4"):
        open_source(config(tmp_path))
    (tmp_path / "masks" / "1.png").unlink()
    assert open_source(config(tmp_path)).notes == ("1 image without a mask is left out, such as 1.jpg",)
    save(tmp_path / "masks" / "9.png", VALUES)
    with pytest.raises(DataError, match=r"9\.png: there is no image of this mask's name"):
        open_source(config(tmp_path))


def test_a_mask_saved_with_losses_is_refused(tmp_path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    with pytest.raises(DataError, match=r"different colours, too many to be classes: was it saved with losses"):
        open_source(config(folder(tmp_path, noise)))


def test_truncated_masks_are_named(tmp_path) -> None:
    folder(tmp_path, np.random.default_rng(0).integers(0, 3, (60, 60), dtype=np.uint8))
    path = tmp_path / "masks" / "2.png"
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(DataError, match=r"2\.png: the image cannot be decoded"):
        open_source(config(tmp_path))


def test_what_does_not_fit_in_memory_stays_in_its_files(tmp_path, monkeypatch) -> None:
    small = open_source(config(folder(tmp_path)))
    rows = torch.tensor([3, 0])
    expected = small.get(rows)
    monkeypatch.setattr(table_module, "FITS_BYTES", 10)
    (tmp_path / "masks" / "0.png").touch()
    large = prepare(config(tmp_path)).train.table
    assert isinstance(large, FileTable)
    large = pickle.loads(pickle.dumps(large))
    assert all(torch.equal(large.get(rows)[name], values) for name, values in expected.items())


def test_shapes_lie_in_their_boxes_and_nowhere_else() -> None:
    table = open_source(DataConfig("shapes", {"n": 40, "size": 48, "task": "both"}))
    got = table.get(torch.arange(40))
    assert got["image"].shape == (40, 3, 48, 48)
    for classmap, boxes in zip(got["classmap"], got["boxes"], strict=True):
        rest = classmap.clone()
        for kind, x, y, width, height in boxes[boxes[:, 0] >= 0].tolist():
            left, right = round((x - width / 2) * 48), round((x + width / 2) * 48)
            top, bottom = round((y - height / 2) * 48), round((y + height / 2) * 48)
            inside = classmap[top:bottom, left:right] == kind + 1
            assert inside.any(0).all()
            assert inside.any(1).all()
            rest[top:bottom, left:right][inside] = 0
        assert not rest.any()
    assert set(got["classmap"].unique().tolist()) == {0, 1, 2, 3}


@pytest.mark.parametrize(("task", "names"), [("segmentation", ["classmap"]), ("detection", ["boxes"])])
def test_shapes_give_what_the_task_needs(task, names) -> None:
    table = open_source(DataConfig("shapes", {"n": 10, "task": task}))
    assert [f.name for f in table.fields] == ["image", *names]
    assert table.target == names[0]
    dataset = prepare(DataConfig("shapes", {"n": 10, "task": task}))
    assert set(dataset.normalizer) == {"image"}, "classes and places have no scale"


def learnt(root: Path, other: Path, **options) -> list[list[int]]:
    """The first map of ``other`` as a network knows it that learnt from ``root``."""
    dataset = prepare(config(root, **options))
    again = prepare(config(other, **options), known=dataset.legend([dataset.field("image")]))
    assert again.target.classes == dataset.target.classes
    return again.train.table.get(torch.tensor([0]))["classmap"][0].tolist()


def test_other_masks_mean_the_classes_that_were_learnt(tmp_path) -> None:
    folder(tmp_path / "a", np.array([[0, 3, 9]], dtype=np.uint8))
    folder(tmp_path / "b", np.array([[0, 9, 9]], dtype=np.uint8))
    assert learnt(tmp_path / "a", tmp_path / "b") == [[0, 2, 2]]
    with pytest.raises(DataError, match=r"the mask has the value 3, but the network knows background, object"):
        learnt(tmp_path / "b", tmp_path / "a")
    folder(tmp_path / "c", np.array([[1, 1, 1]], dtype=np.uint8))
    assert learnt(tmp_path / "b", tmp_path / "c") == [[1, 1, 1]]
    colors = np.zeros((1, 3, 3), dtype=np.uint8)
    colors[0, :, 0] = (0, 100, 200)
    folder(tmp_path / "d", colors)
    folder(tmp_path / "e", colors[:, 1:].repeat(2, 1)[:, :3])
    assert learnt(tmp_path / "d", tmp_path / "e") == [[1, 1, 2]]
    with pytest.raises(DataError, match="classes names 3 for 2"):
        learnt(tmp_path / "d", tmp_path / "e", classes="one, two, three")


def test_images_with_masks_are_recognised(tmp_path) -> None:
    assert recognise(folder(tmp_path / "a")) == "segmentation_folder"
    assert recognise(folder(tmp_path / "b" / "train").parent) == "segmentation_folder"
