"""Series with classes in the archives' own format."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from deepgui.data.dataset import Dataset, prepare
from deepgui.data.errors import DataError
from deepgui.data.legend import Legend
from deepgui.project.values import DataConfig

HEADER = "#About it\n@problemName Toy\n@timeStamps false\n@univariate false\n@classLabel true up down\n@data\n"


def write(folder: Path, train: list[str], test: list[str] = (), header: str = HEADER) -> Path:
    (folder / "Toy_TRAIN.ts").write_text(header + "\n".join(train) + "\n")
    if test:
        (folder / "Toy_TEST.ts").write_text(header + "\n".join(test) + "\n")
    return folder


def read(path: Path, known: Legend | None = None, normalize: str = "none", **fractions: float) -> Dataset:
    fractions = {"validation": 0.0, "test": 0.0, **fractions}
    return prepare(DataConfig("ucr", {"path": str(path)}, normalize=normalize, **fractions), known=known)


UP, DOWN = "1,2,3:10,20,30:up", "3,2,1:30,20,10:down"


def test_channels_steps_and_classes(tmp_path: Path) -> None:
    dataset = read(write(tmp_path, [UP, DOWN], [DOWN]))
    assert dataset.field("series").shape == (3, 2)
    assert dataset.target.classes == ("down", "up")
    train, test = dataset.train.all(), dataset.test.all()
    assert train["series"][0].tolist() == [[1, 10], [2, 20], [3, 30]]
    assert train["label"].tolist() == [1, 0]
    assert test["series"].tolist() == [[[3, 30], [2, 20], [1, 10]]]
    assert dataset.inputs == ("series",)


def test_one_of_the_two_files_finds_the_other(tmp_path: Path) -> None:
    write(tmp_path, [UP, DOWN], [DOWN])
    (tmp_path / "Other_TRAIN.ts").write_text(HEADER + UP)
    for name in ("Toy_TRAIN.ts", "Toy_TEST.ts"):
        assert [len(s) for s in read(tmp_path / name).splits.values()] == [2, 0, 1]
    with pytest.raises(DataError, match="several data sets in this folder"):
        read(tmp_path)


def test_a_file_alone_is_split_as_the_project_says(tmp_path: Path) -> None:
    (tmp_path / "toy.ts").write_text(HEADER + "\n".join([UP, DOWN] * 10))
    assert [len(s) for s in read(tmp_path / "toy.ts", validation=0.2, test=0.2).splits.values()] == [12, 4, 4]


def test_shorter_series_are_padded_with_what_scaling_makes_zero(tmp_path: Path) -> None:
    dataset = read(write(tmp_path, [UP, "1,3:20,40:down"]), normalize="standard")
    got = dataset.train.all()
    assert got["padding"].tolist() == [[False] * 3, [False, False, True]]
    assert got["length"].tolist() == [3, 2]
    assert got["series"][1, 2].abs().max() < 1e-6
    assert dataset.normalizer["series"].shift == (2.0, 24.0)  # padding is no value
    assert dataset.inputs == ("series", "padding", "length")


def test_missing_values_are_counted_and_filled_with_the_mean(tmp_path: Path) -> None:
    dataset = read(write(tmp_path, ["1,?,3:10,20,30:up", "5,NaN,7:10,20,30:down"]))
    assert dataset.train.all()["series"][0, :, 0].tolist() == [1, 4, 3]
    assert dataset.summary()["missing"] == {"series": 2}


def test_other_series_come_in_the_length_that_the_network_takes(tmp_path: Path) -> None:
    dataset = read(write(tmp_path, [UP, "1,3:20,40:down"]))
    known = Legend(dataset.fields[:3], dataset.target, dataset.normalizer)
    other = tmp_path / "other"
    other.mkdir()
    found = read(write(other, ["1,2,3,4:1,2,3,4:down", "1:2:down"]), known)
    assert found.field("series").shape == (3, 2)
    assert found.train.all()["length"].tolist() == [3, 1]
    assert found.target.classes == ("down", "up")


def test_numbers_to_predict(tmp_path: Path) -> None:
    header = "@problemName Toy\n@targetlabel true\n@data\n"
    dataset = read(write(tmp_path, ["1,2:0.5", "3,4:-1"], header=header))
    assert dataset.target.kind == "number"
    assert dataset.train.all()["target"].tolist() == [[0.5], [-1.0]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("1,2,3\n", "no line @data"),
        (HEADER, "no series after @data"),
        (HEADER + f"{UP}\n1,2,x:1,2,3:up", "row 8: 'x' stands where a number belongs"),
        (HEADER + "1,2,3", "row 7: there is no class after a colon"),
        (HEADER + "1,2:1,2:left", "row 7: class 'left' is not among those of the header: up, down"),
        (HEADER + f"{UP}\n\n1,2,3:up", "row 9: 1 channel where the first series has 2"),
        (HEADER + "::up", "row 7: the series is empty"),
        (HEADER + "1,inf:1,2:up", "row 7: a value is infinite"),
        (HEADER.replace("@timeStamps false", "@timeStamps true") + UP, "time stamps are not read"),
        (HEADER.replace("@classLabel true up down", "@classLabel false") + UP, "no classes"),
    ],
)
def test_unusable_files_get_one_sentence(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "bad.ts"
    path.write_text(content)
    with pytest.raises(DataError, match=said):
        read(path)


def test_files_that_do_not_belong_together(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Toy_TEST\.ts: the series are not like those of Toy_TRAIN\.ts"):
        read(write(tmp_path, [UP, DOWN], ["1,2,3:up"]))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"no \.ts file"):
        read(tmp_path / "empty")
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "none.ts")


def test_series_are_scaled_per_channel(tmp_path: Path) -> None:
    dataset = read(write(tmp_path, [UP, DOWN]), normalize="standard")
    values = dataset.train.all()["series"]
    assert torch.allclose(values.mean((0, 1)), torch.zeros(2), atol=1e-6)
    assert torch.allclose(values.std((0, 1), correction=0), torch.ones(2))
