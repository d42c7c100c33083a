"""A run stands on its own: what it learnt of its data is kept with it, and the data may move or change."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

import deepgui
from deepgui.project.values import DataConfig, TrainingConfig

COLOURS = ("blue", "green", "red")


def rows(count: int, *, colours: tuple[str, ...] = COLOURS) -> list[tuple[str, str, str]]:
    """(kind, colour, size): red and large ones are big."""
    chance = random.Random(count)
    found = []
    for _ in range(count):
        size, colour = chance.gauss(50, 20), chance.choice(colours)
        found.append(("big" if size + 30 * (colour == "red") > 60 else "small", colour, f"{size:.2f}"))
    return found


def text(*lines: tuple[str, ...]) -> str:
    return "".join(",".join(line) + "\n" for line in lines)


@pytest.fixture
def table_run(shell, tmp_path: Path):
    """Trains on a table without a header whose first column is the target; gives project, run and data file."""

    def make(header: bool = False, **options: str) -> tuple[Path, Path, Path]:
        data = tmp_path / "data.csv"
        head = [("kind", "colour", "size")] if header else []
        data.write_text(text(*head, *rows(200)))
        net = deepgui.Network("kinds")
        x = net.add("Input", shape=(2 if options.get("category_as") == "code" else 4,))
        x = net.add("ReLU", net.add("Linear", x, out_features=12))
        net.add("Output", net.add("Linear", x, out_features=2))
        config = DataConfig("csv", {"path": str(data), "target": "1", **options})
        training = TrainingConfig(optimizer_options={"lr": 0.02}, epochs=12, device="cpu")
        deepgui.save(net.project(data=config, training=training), tmp_path / "kinds.deepgui")
        run = shell("train", tmp_path / "kinds.deepgui", "--json").events[-1]["run"]
        return tmp_path / "kinds.deepgui", Path(run), data

    return make


def ask(shell, project: Path, run: Path, content: str) -> list[str]:
    Path("ask.csv").write_text(content)
    found = shell("predict", project, "--run", run, "--input", "ask.csv", "--json")
    assert found.status == 0, found.err
    return [p["class"] for p in found.json["predictions"]]


ASKED = [("small", "blue", "20.5"), ("big", "red", "75"), ("small", "green", "31"), ("big", "red", "80")]


@pytest.mark.parametrize("category_as", ["one_hot", "code"])
def test_rows_without_names_are_read_as_in_training(shell, table_run, category_as: str) -> None:
    project, run, data = table_run(category_as=category_as)
    data.unlink()
    wanted = [row[0] for row in ASKED]
    assert ask(shell, project, run, text(*ASKED)) == wanted  # with the target, which is not looked at
    assert ask(shell, project, run, text(*(row[1:] for row in ASKED))) == wanted  # the inputs alone


def test_rows_with_names_are_read_by_name(shell, table_run) -> None:
    project, run, data = table_run(header=True, target="kind")
    data.unlink()
    named = text(("size", "note", "colour"), *((size, "?", colour) for _, colour, size in ASKED))
    assert ask(shell, project, run, named) == [row[0] for row in ASKED]
    Path("ask.csv").write_text(text(("size", "color"), ("3", "red")))
    answer = shell("predict", project, "--run", run, "--input", "ask.csv")
    assert (answer.status, answer.sentence) == (
        2,
        "deepgui: ask.csv: there is no column 'colour'; the columns are size, color.",
    )


def test_a_value_that_training_did_not_have_is_named(shell, table_run) -> None:
    project, run, _ = table_run(header=True, target="kind")
    Path("ask.csv").write_text(text(("colour", "size"), ("red", "3"), ("mauve", "4")))
    answer = shell("predict", project, "--run", run, "--input", "ask.csv")
    assert answer.status == 2
    assert answer.sentence == (
        "deepgui: ask.csv, row 3: column 'colour' holds 'mauve', which was not in the training data:"
        " it had blue, green, red."
    )


@pytest.mark.parametrize("to", ["python", "weights", "onnx", "torch"])
def test_a_run_is_exported_without_its_data(shell, trained: tuple[Path, Path], monkeypatch, to: str) -> None:
    from deepgui.data import dataset

    def gone(*_: object) -> None:
        raise deepgui.data.errors.DataError("there is no such file")

    project, run = trained
    before = shell("export", project, "--to", to, "-o", "before", "--run", run, "--json")
    monkeypatch.setattr(dataset, "open_source", gone)
    monkeypatch.setattr(dataset, "_datasets", type(dataset._datasets)(2))
    after = shell("export", project, "--to", to, "-o", "after", "--run", run, "--json")
    assert before.status == after.status == 0, after.err
    assert "real inputs" in before.json["checked_with"]
    assert "random inputs" in after.json["checked_with"]
    for script in ("train.py", "predict.py") if to == "python" else ():
        assert Path("before", script).read_text() == Path("after", script).read_text()
    assert shell("eval", project, "--run", run).sentence == "deepgui: there is no such file."


def test_other_data_is_measured_as_the_run_knows_it(shell, table_run) -> None:
    """Neither its scale, nor which classes and categories it happens to have, is that of the training data."""
    project, run, _ = table_run(header=True, target="kind")
    whole = shell("eval", project, "--run", run, "--split", "test", "--json").json
    assert whole["metrics"]["test_accuracy"] > 0.8
    small = [row for row in rows(150, colours=("red", "green")) if row[0] == "small"]
    Path("small.csv").write_text(text(("kind", "colour", "size"), *small))
    found = shell("eval", project, "--run", run, "--data", "small.csv", "--json")
    assert found.status == 0, found.err
    assert found.json["classes"] == ["big", "small"]
    assert found.json["confusion"][0] == [0, 0]
    assert found.json["metrics"]["test_accuracy"] > 0.7

    Path("huge.csv").write_text(text(("kind", "colour", "size"), *small, *(("huge", "red", "99"),) * 20))
    answer = shell("eval", project, "--run", run, "--data", "huge.csv")
    assert "the network does not know the class 'huge' of kind" in answer.sentence


def test_what_was_learnt_of_the_data_is_plain_json(trained: tuple[Path, Path]) -> None:
    _, run = trained
    known = json.loads((run / "data.json").read_text("utf-8"))
    assert known["target"]["classes"] == ["class_0", "class_1", "class_2"]
    assert len(known["normalizer"]["fields"]["features"]["shift"]) == 13


def test_a_damaged_record_is_one_sentence(shell, wine: Path) -> None:
    run = Path(shell("train", wine, "--epochs", 1, "--json").events[-1]["run"])
    for content in ("{", "[]", '{"format": 1}', '{"format": 2}', "null"):
        (run / "data.json").write_text(content)
        answer = shell("export", wine, "--to", "weights", "-o", "w", "--run", run)
        assert answer.status == 2
        assert "data.json: this is damaged, so the run cannot be used" in answer.sentence
