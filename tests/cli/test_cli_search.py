"""``deepgui search``."""

from __future__ import annotations

from pathlib import Path

import deepgui

OVER = ("--over", "training.optimizer_options.lr=0.00001,0.05", "--epochs", 3)


def test_a_search_ends_with_the_best_project(shell, wine: Path, tmp_path: Path) -> None:
    answer = shell("search", wine, *OVER, "--trials", 5, "-o", tmp_path / "best.deepgui", "--json")
    assert (answer.status, answer.err) == (0, "")
    *events, last = answer.events
    assert [event["event"] for event in events].count("trial_finished") == 2
    assert last["event"] == "finished"
    assert last["best"]["values"] == {"training.optimizer_options.lr": 0.05}
    assert Path(last["best"]["run"]).is_dir()
    best = deepgui.load(tmp_path / "best.deepgui")
    assert best.training.optimizer_options["lr"] == 0.05
    assert list(best.search) == ["training.optimizer_options.lr"]
    assert len(shell("runs", wine, "--json").json["runs"]) == 2
    again = shell("search", tmp_path / "best.deepgui", "--epochs", 3, "--runs", tmp_path / "wine.runs", "--json")
    assert [event["event"] for event in again.events] == ["finished"], "all combinations were tried already"


def test_people_get_a_line_a_trial_and_a_table(shell, wine: Path) -> None:
    answer = shell("search", wine, *OVER)
    assert answer.status == 0
    assert answer.err.count("trial ") == 2
    assert "(best)" in answer.err
    assert "optimizer lr" in answer.out
    assert "best: trial" in answer.out


def test_what_cannot_be_searched_is_said_in_a_sentence(shell, wine: Path) -> None:
    for words, said in (
        ((), "Nothing is marked"),
        (("--over", "lr"), "must be like"),
        (("--over", "training.lr=1..2"), "There is no setting training.lr"),
        (("--trials", "0"), "--trials must be at least 1"),
    ):
        answer = shell("search", wine, *words)
        assert answer.status == 2
        assert said in answer.sentence
    assert not wine.with_suffix(".runs").exists()
