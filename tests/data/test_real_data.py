"""Real files with their real traps; skipped where they are absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from deepgui.data.dataset import Dataset, prepare
from deepgui.data.errors import DataError
from deepgui.project.values import DataConfig

ROOT = Path(os.environ.get("DEEPGUI_SHARED_DATA") or Path(__file__).parents[2].parent / "shared" / "data")


def place(name: str) -> str:
    if not (ROOT / name).exists():
        pytest.skip(f"{name} is not on this machine")
    return str(ROOT / name)


def csv(name: str, objective: str = "", **options) -> Dataset:
    return prepare(DataConfig("csv", {"path": place(f"tabular/{name}"), **options}), objective)


def test_mnist() -> None:
    dataset = prepare(DataConfig("idx", {"path": place("mnist")}), "classification")
    assert [len(s) for s in dataset.splits.values()] == [51000, 9000, 10000]
    assert dataset.normalizer["image"].shift[0] == pytest.approx(0.1307, abs=1e-3)
    assert dataset.normalizer["image"].scale[0] == pytest.approx(0.3081, abs=1e-3)
    assert dataset.test.labels()[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert dataset.train.all()["image"].shape == (51000, 1, 28, 28)
    assert dataset.notes == ("the test examples are the source's own",)


def test_cifar_folder_with_its_own_test_images() -> None:
    dataset = prepare(DataConfig("image_folder", {"path": place("cifar10-jpg/subset")}))
    assert [len(s) for s in dataset.splits.values()] == [4250, 750, 1000]
    assert dataset.fields[0].shape == (3, 32, 32)
    assert set(dataset.summary()["splits"]["test"]["classes"].values()) == {100}


def test_hymenoptera_leaves_the_stray_gif_out() -> None:
    config = DataConfig("image_folder", {"path": place("hymenoptera/hymenoptera_data")})
    with pytest.raises(DataError, match="set size"):
        prepare(config)
    dataset = prepare(DataConfig("image_folder", {**config.options, "size": (64, 64)}))
    assert len(dataset.train.table) == 244 + 153
    assert len(dataset.validation) == 153
    assert dataset.notes == (
        "1 file that is not read as images left out, such as imageNotFound.gif",
        "the validation examples are the source's own",
    )


@pytest.mark.parametrize(
    ("name", "examples", "width", "classes"),
    [
        ("wine.csv", 178, 13, 3),
        ("pima-indians-diabetes.csv", 768, 8, 2),
        ("winequality-red.csv", 1599, 11, 6),
        ("winequality-white.csv", 4898, 11, 7),
    ],
)
def test_tables_without_header(name, examples, width, classes) -> None:
    dataset = csv(name, "classification")
    assert len(dataset.train.table) == examples
    assert dataset.fields[0].shape == (width,)
    assert len(dataset.target.classes) == classes


def test_california_housing_with_a_text_column_and_holes() -> None:
    with pytest.raises(DataError, match="207 values are missing in 'total_bedrooms'"):
        csv("california-housing.csv", target="median_house_value")
    dataset = csv("california-housing.csv", "regression", target="median_house_value", missing="fill")
    assert len(dataset.train.table) == 20640
    assert dataset.fields[0].columns[-5:] == tuple(
        f"ocean_proximity={v}" for v in ("<1H OCEAN", "INLAND", "ISLAND", "NEAR BAY", "NEAR OCEAN")
    )
    for split in dataset.splits.values():
        assert all(values.isfinite().all() for values in split.all().values())


def test_penguins() -> None:
    dropped = csv("seaborn-penguins.csv", target="species", missing="drop")
    assert len(dropped.train.table) == 333
    filled = csv("seaborn-penguins.csv", target="species", missing="fill")
    assert len(filled.train.table) == 344
    assert filled.target.classes == ("Adelie", "Chinstrap", "Gentoo")


def test_titanic_says_which_texts_it_leaves_out() -> None:
    with pytest.raises(DataError, match="column 'Ticket' holds 'A/5 21171'"):
        csv("titanic-kaggle-train.csv", target="Survived", missing="fill", roles="Ticket=number")
    dataset = csv("titanic-kaggle-train.csv", target="Survived", missing="fill", ignore="PassengerId")
    assert (len(dataset.train.table), len(dataset.target.classes)) == (891, 2)
    assert [note.split("'")[1] for note in dataset.notes] == ["Name", "Ticket", "Cabin"]


def test_beijing_air_with_na() -> None:
    path = place("timeseries/pollution.csv")
    options = {"path": path, "target": "pm2.5", "missing": "drop", "ignore": "No"}
    dataset = prepare(DataConfig("csv", options), "regression")
    assert len(dataset.train.table) == 43824 - 2067
    assert torch.isfinite(dataset.train.all()["features"]).all()


def test_free_spoken_digits_with_their_official_test_recordings() -> None:
    options = {"path": place("fsdd"), "test_numbers": "0-4", "rate": 8000}
    dataset = prepare(DataConfig("wav_folder", options), "classification")
    assert [len(s) for s in dataset.splits.values()] == [2295, 405, 300]
    assert dataset.target.classes == tuple("0123456789")
    assert dataset.fields[0].shape == (1, 40, 63)
    assert set(dataset.summary()["splits"]["test"]["classes"].values()) == {30}
    assert dataset.notes[0].startswith("20 recordings are longer than 1 s")


def test_blood_cells_with_two_boxes_of_no_area() -> None:
    dataset = prepare(DataConfig("boxes_folder", {"path": place("bccd"), "size": (60, 80)}))
    assert [len(s) for s in dataset.splits.values()] == [205, 87, 72]
    kinds = dataset.train.table.get(torch.arange(364))["boxes"][:, :, 0].long()
    counts = {name: int((kinds == code).sum()) for code, name in enumerate(dataset.target.classes)}
    assert counts == {"Platelets": 361, "RBC": 4153, "WBC": 372}
    assert dataset.notes[0].startswith("2 boxes are left out for having no area in the image")
    table = prepare(DataConfig("boxes_folder", {"path": place("bccd/test.csv"), "size": (60, 80)})).train.table
    assert torch.equal(table.get(torch.arange(364))["boxes"][:, :, 0].long() >= 0, kinds >= 0)
