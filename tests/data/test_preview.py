"""What a look at the data shows, and what it warns of."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
import torch
from PIL import Image

from deepgui.data import preview
from deepgui.data.columns import TableForm
from deepgui.data.dataset import Dataset, Split, prepare
from deepgui.data.fields import Field, label_field
from deepgui.data.normalize import Normalizer
from deepgui.data.preview import Preview
from deepgui.data.preview_examples import SIDE, picture, sample
from deepgui.data.progress import GivenUp, listening
from deepgui.data.sources import sources
from deepgui.data.table import TensorTable
from deepgui.project.values import DataConfig


def made(fields: dict[Field, torch.Tensor], target: str, cut: tuple[int, int]) -> Dataset:
    """A data set of these tensors, cut at two rows."""
    table = TensorTable(tuple(fields), target, {field.name: values for field, values in fields.items()})
    rows = torch.tensor_split(torch.arange(len(table)), cut)
    splits = [Split(n, table, r, Normalizer()) for n, r in zip(("train", "validation", "test"), rows, strict=True)]
    inputs = tuple(f.name for f in fields if f.name != target) or (target,)
    return Dataset(tuple(fields), inputs, next(f for f in fields if f.name == target), *splits, Normalizer())


def vectors(values: list[list[float]], labels: list[int], cut: tuple[int, int], classes=("a", "b")) -> Dataset:
    names = tuple(f"x{i}" for i in range(len(values[0])))
    fields = {
        Field("features", "vector", (len(names),), columns=names): torch.tensor(values),
        label_field("kind", classes): torch.tensor(labels),
    }
    return made(fields, "kind", cut)


def said(found: Preview, about: str) -> list[str]:
    return [r.text for r in found.remarks if r.about == about]


def noise(count: int, width: int = 2, seed: int = 0) -> list[list[float]]:
    chance = random.Random(seed)
    return [[chance.gauss(0, 1) for _ in range(width)] for _ in range(count)]


@pytest.mark.parametrize("id", [s.id for s in sources().values() if "path" not in [p.name for p in s.params]])
def test_every_source_that_needs_no_file_can_be_looked_at(id) -> None:
    spec = sources()[id]
    dataset = prepare(DataConfig(id), spec.suits[0])
    found = preview.of(dataset)
    assert {e.split for e in found.examples} == {s.name for s in found.splits if s.examples}
    assert all(e.label for e in found.examples if dataset.target.kind in ("label", "number"))
    assert json.loads(json.dumps(found.as_dict()))["target"] == dataset.target.name
    assert dataset.target.name in preview.summary(found)


def test_examples_take_turns_over_the_classes_and_name_their_row() -> None:
    found = preview.of(prepare(DataConfig("iris")), each=2)
    train = [e for e in found.examples if e.split == "train"]
    assert [e.label for e in train] == ["setosa", "versicolor", "virginica"] * 2
    cells = dict(train[0].samples[0].cells)
    assert list(cells) == list(prepare(DataConfig("iris")).fields[0].columns)
    raw = prepare(DataConfig("iris")).train.table.get(torch.tensor([train[0].row]))["features"][0]
    assert [float(text) for text in cells.values()] == pytest.approx(raw.tolist(), abs=1e-4)


def test_rows_of_a_text_table_are_shown_as_they_stand_in_the_file(tmp_path) -> None:
    path = tmp_path / "t.csv"
    lines = [f"{'' if i % 6 == 0 else i / 4},{('red', 'blue')[i % 2]},{i % 3}" for i in range(60)]
    path.write_text("\n".join(["size,colour,kind", *lines]))
    config = DataConfig("csv", {"path": str(path), "missing": "mean", "indicator": True})
    found = preview.of(prepare(config))
    for example in found.examples:
        size, colour, kind = lines[example.row].split(",")
        assert dict(example.samples[0].cells) == {"size": size and f"{float(size):.6g}", "colour": colour}
        assert example.label == kind
    size, colour = found.columns
    assert (size.missing, size.kind, colour.kind) == (10, "number", "category")
    assert {name for name, _ in colour.frequent} == {"red", "blue"}
    assert sum(size.counts) == size.count
    assert [use.role for use in found.uses] == ["number", "category", "target"]


def test_class_balance_is_of_all_examples_and_a_large_one_is_said() -> None:
    labels = [0] * 90 + [1] * 6 + [0, 1] * 2
    found = preview.of(vectors(noise(100), labels, (96, 98)))
    assert found.splits[0].classes == {"a": 90, "b": 6}
    assert said(found, "balance") == [
        "the classes are unbalanced: 90 examples of a, 6 of b; saying always a would be right in 94%."
    ]
    assert not said(preview.of(vectors(noise(100), [0, 1] * 50, (60, 80))), "balance")


def test_a_class_that_a_split_lacks_is_said() -> None:
    found = preview.of(vectors(noise(60), [0] * 40 + [0, 1] * 10, (40, 50), ("a", "b", "never")))
    assert said(found, "absent") == [
        "class 'b' does not occur in train: it cannot be learnt.",
        "class 'never' has no example at all.",
    ]
    few = preview.of(vectors(noise(60), [1] * 3 + [0] * 37 + [0, 1] * 10, (40, 50)))
    assert said(few, "few") == ["there are fewer than 5 training examples of b (3)."]


def test_duplicates_within_and_between_splits_are_found_with_their_rows() -> None:
    values = noise(60)
    values[50], values[55], values[3] = values[7], values[8], values[2]
    labels = [0, 1] * 30
    labels[55] = 1 - labels[8]
    found = preview.of(vectors(values, labels, (40, 48)))
    pairs = {(d.first, d.second): d for d in found.duplicates}
    assert pairs["train", "test"].rows == ((7, 50), (8, 55))
    assert pairs["train", "test"].differing == 2
    assert pairs["train", "train"].rows == ((2, 3),)
    assert set(pairs) == {("train", "test"), ("train", "train")}
    text = "2 examples of test are also in train (examples 8 and 51, 9 and 56), 2 of them with another target"
    assert f"{text}: what is measured there is memory." in said(found, "duplicates")


def test_pictures_that_stand_in_train_and_test_are_found_in_memory_and_in_files(tmp_path, monkeypatch) -> None:
    chance = np.random.default_rng(0)
    for split, count in (("train", 6), ("test", 4)):
        for name in ("ants", "bees"):
            (tmp_path / split / name).mkdir(parents=True)
            for i in range(count):
                pixels = chance.integers(0, 255, (9, 9), np.uint8)
                Image.fromarray(pixels).save(tmp_path / split / name / f"{i}.png")
    (tmp_path / "test/bees/0.png").write_bytes((tmp_path / "train/ants/2.png").read_bytes())
    config = DataConfig("image_folder", {"path": str(tmp_path)}, validation=0)
    kept = preview.of(prepare(config, "classification"))
    assert [(d.first, d.second, d.count, d.differing) for d in kept.duplicates] == [("train", "test", 1, 1)]
    monkeypatch.setattr("deepgui.data.reading.fits", lambda *_: False)
    streamed = preview.of(prepare(DataConfig("image_folder", {"path": str(tmp_path), "color": "gray"}, validation=0)))
    assert streamed.duplicates == kept.duplicates
    assert streamed.examples[0].samples[0].values.shape == (9, 9)


def test_a_column_that_gives_the_answer_away_is_said() -> None:
    labels = [i % 2 for i in range(60)]
    values = [[*row, 3.0 - label] for row, label in zip(noise(60), labels, strict=True)]
    found = preview.of(vectors(values, labels, (40, 50)))
    assert [r.column for r in found.remarks if r.about == "leak"] == ["x2"]
    assert not said(preview.of(vectors(noise(60), labels, (40, 50))), "leak")


def test_a_column_that_is_the_number_in_other_units_is_said() -> None:
    rows = noise(60, 2)
    number = torch.tensor([[32 + 1.8 * row[1]] for row in rows])
    field = Field("features", "vector", (2,), columns=("pressure", "celsius"))
    found = preview.of(
        made({field: torch.tensor(rows), Field("fahrenheit", "number", (1,)): number}, "fahrenheit", (40, 50))
    )
    assert [(r.about, r.column) for r in found.remarks] == [("leak", "celsius")]


def test_constant_columns_and_counters_are_said() -> None:
    values = [[5.0, float(i), *row] for i, row in enumerate(noise(60))]
    found = preview.of(vectors(values, [i * 7 % 2 for i in range(60)], (40, 50)))
    assert [(r.about, r.column) for r in found.remarks] == [("counter", "x1"), ("constant", "x0")]
    assert "x0 is 5 in every training example" in said(found, "constant")[0]


def test_a_column_that_is_mostly_missing_is_said(tmp_path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b,y\n" + "".join(f"{i if i % 5 == 0 else ''},{i * 3 % 7},{i % 2}\n" for i in range(60)))
    found = preview.of(prepare(DataConfig("csv", {"path": str(path), "missing": "mean"})))
    assert said(found, "missing") == ["a is missing in 48 of 60 rows: most of it would be made up."]


def test_of_much_data_a_sample_is_looked_at_and_that_is_said(monkeypatch) -> None:
    monkeypatch.setattr(preview, "IN_MEMORY", 20)
    monkeypatch.setattr("deepgui.data.preview_duplicates.IN_MEMORY", 50)
    found = preview.of(vectors(noise(100), [0, 1] * 50, (80, 90)))
    assert found.splits[0].looked_at == 20
    assert found.columns[0].count == 20
    assert found.notes == (
        "a sample of the examples was looked at: 20 of 80 in train",
        "duplicates were looked for among 50% of the examples",
    )


def test_looking_can_be_given_up() -> None:
    def heed(progress) -> None:
        raise GivenUp

    with pytest.raises(GivenUp), listening(heed):
        preview.of(vectors(noise(100), [0, 1] * 50, (80, 90)))


def test_pictures_are_made_small_and_of_bytes() -> None:
    wide = torch.rand(3, 100, 400)
    assert picture(wide).shape == (SIDE // 4, SIDE, 3)
    grey = picture(torch.tensor([[[0.0, 1.0], [0.5, 0.25]]]))
    assert grey.tolist() == [[0, 255], [128, 64]]
    assert picture(torch.tensor([[[-40.0, 0.0]]])).tolist() == [[0, 255]]
    assert picture(torch.rand(5, 4, 4)).shape == (4, 4)


@pytest.mark.parametrize(
    ("field", "values", "text"),
    [
        (Field("y", "labels", (3,), classes=("a", "b", "c")), torch.tensor([1.0, 0, 1]), "a, c"),
        (Field("y", "labels", (1,), classes=("a",)), torch.tensor([0.0]), "none"),
        (Field("t", "number", (1,)), torch.tensor([2.5]), "2.5"),
        (Field("t", "tokens", (3,), "int64", ("x", "y")), torch.tensor([1, 0, 1]), "y x y"),
        (Field("p", "padding", (3,), "bool"), torch.tensor([False, False, True]), "2 of 3"),
        (Field("s", "series", (8, 2)), torch.zeros(8, 2), "8 steps of 2"),
        (Field("e", "edges", (2,), "int64"), torch.zeros(2, 5), "5 edges"),
        (
            Field("b", "boxes", (2, 5), classes=("cell", "dot")),
            torch.tensor([[1.0, 0.5, 0.5, 0.1, 0.1], [-1, 0, 0, 0, 0]]),
            "1 box: dot",
        ),
        (Field("m", "classmap", (2, 2), "int64", ("sky", "sea")), torch.tensor([[1, 1], [-100, 1]]), "sea"),
        (
            Field("v", "vector", (2,), form=TableForm.of_numbers(("a", "b"), 2)),
            torch.tensor([1.0, float("nan")]),
            "1, ",
        ),
    ],
    ids=lambda value: value.kind if isinstance(value, Field) else "",
)
def test_each_kind_of_field_is_said_in_a_few_words(field, values, text) -> None:
    assert sample(field, values).text == text
