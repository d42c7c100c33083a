"""Data of one's own beside the project's: what is checked and measured, and files that are not quite alike."""

from __future__ import annotations

from pathlib import Path

import pytest

import deepgui
from deepgui.project.values import DataConfig, TrainingConfig


def table(count: int, head: str = "Width,Height,Kind") -> str:
    lines = [f"{i % 9},{(i * 5) % 7},{'wide' if i % 9 > 4 else 'narrow'}" for i in range(count)]
    return "\n".join([head, *lines] if head else lines) + "\n"


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A project on a CSV file, and a run of it."""
    folder = tmp_path_factory.mktemp("known")
    (folder / "data.csv").write_text(table(90))
    net = deepgui.Network("kinds")
    x = net.add("Input", shape=(2,))
    net.add("Output", net.add("Linear", x, out_features=2))
    config = DataConfig("csv", {"path": str(folder / "data.csv")})
    project = net.project(data=config, training=TrainingConfig(epochs=8, device="cpu", optimizer_options={"lr": 0.1}))
    deepgui.save(project, folder / "kinds.deepgui")
    *_, last = deepgui.train(project, runs=folder / "runs")
    return folder / "kinds.deepgui", Path(last.as_dict()["run"])


@pytest.mark.parametrize("count", [1, 40])
def test_other_data_is_measured_as_a_whole(shell, known, count: int) -> None:
    project, run = known
    Path("new.csv").write_text(table(count))
    found = shell("eval", project, "--run", run, "--data", "new.csv", "--json").json
    assert (found["examples"], found["split"]) == (count, "all")
    assert found["metrics"]["test_accuracy"] > 0.9
    people = shell("eval", project, "--run", run, "--data", "new.csv").out
    assert people.startswith(f"{count} example{'s' * (count > 1)}, all of new.csv\n")


def test_a_split_of_other_data_can_be_asked_for(shell, known) -> None:
    project, run = known
    Path("new.csv").write_text(table(40))
    found = shell("eval", project, "--run", run, "--data", "new.csv", "--split", "val", "--json").json
    assert (found["examples"], found["split"]) == (6, "val")
    assert "val_accuracy" in found["metrics"]
    assert shell("eval", project, "--run", run, "--json").json["split"] == "test"


def test_names_that_differ_in_case_and_blanks_are_found(shell, known) -> None:
    project, run = known
    lines = (line.split(",") for line in table(20, "WIDTH, height ,kind").splitlines())
    Path("new.csv").write_text("".join(",".join(reversed(line)) + "\n" for line in lines))
    found = shell("eval", project, "--run", run, "--data", "new.csv", "--json")
    assert found.status == 0, found.err
    assert found.json["metrics"]["test_accuracy"] > 0.9
    Path("ask.csv").write_text("height , width\n3,8\n3,1\n")
    asked = shell("predict", project, "--run", run, "--input", "ask.csv", "--json").json
    assert [p["class"] for p in asked["predictions"]] == ["wide", "narrow"]


@pytest.mark.parametrize("command", ["eval", "predict"])
def test_a_header_that_is_not_recognised_is_said_with_both_lists_of_names(shell, known, command: str) -> None:
    project, run = known
    Path("new.csv").write_text(table(20, "w,h,k"))
    words = ("--data", "new.csv") if command == "eval" else ("--input", "new.csv")
    answer = shell(command, project, "--run", run, *words)
    assert answer.status == 2
    assert answer.sentence == (
        "deepgui: new.csv: the first row has none of the names that are looked for: it has w, h, k, but "
        "Width, Height are needed; correct the names, or take that row out if the columns are in this order."
    )


def test_an_evaluation_without_the_column_to_compare_with_says_so(shell, known) -> None:
    project, run = known
    Path("new.csv").write_text("width,height\n3,4\n")
    answer = shell("eval", project, "--run", run, "--data", "new.csv")
    assert answer.sentence == (
        "deepgui: new.csv: there is no column 'Kind' to compare the answers with: an evaluation needs it."
    )


def test_a_project_is_checked_against_other_data(shell, known) -> None:
    project, _ = known
    assert shell("check", project).status == 0
    Path("wide.csv").write_text("a,b,c,y\n" + "1,2,3,u\n3,4,5,v\n" * 20)
    answer = shell("check", project, "--data", "wide.csv", "--json")
    assert answer.status == 1
    assert any("3" in p["message"] and "2" in p["message"] for p in answer.json["problems"])
    assert shell("check", project, "--data", "nowhere.csv").sentence.endswith("there is no such file or folder.")
