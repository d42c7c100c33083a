"""``deepgui data``: what there is, what is in it, and fetching it."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepgui.data import known_sets
from deepgui.data.progress import Progress, tell


def test_sources_and_known_sets_are_listed(shell) -> None:
    found = shell("data", "--json").json
    assert {"digits", "csv"} <= {s["id"] for s in found["sources"]}
    assert {k["id"]: k["here"] for k in found["known"]}["mnist"] is False
    people = shell("data").out
    assert "wine" in people
    assert "CC BY-SA 4.0" in people


def test_a_look_at_a_project_and_at_a_source(shell, wine: Path) -> None:
    found = shell("data", wine, "--json").json
    assert (found["source"], found["target"], found["examples"]) == ("wine", "cultivar", 178)
    assert sum(found["splits"]["train"]["examples"].values()) == 124
    people = shell("data", wine).out
    assert people.startswith("features 13 → cultivar: 3 classes; 124 train, 27 validation, 27 test")
    assert "class_1" in people
    assert "alcohol" in people
    assert shell("data", "wine").out == people


def test_a_look_at_a_file_with_holes_and_options(shell) -> None:
    Path("t.csv").write_text(
        "id,a,colour,y\n"
        + "".join(f"{i},{'' if i % 9 == 0 else i * 7 % 13},{'red' if i % 2 else 'blue'},{i % 5}.5\n" for i in range(60))
    )
    found = shell("data", "t.csv", "--json").json
    assert found["roles"] == {"id": "number", "a": "number", "colour": "category", "y": "target"}
    assert [(r["about"], r["column"]) for r in found["remarks"]] == [("counter", "id")]
    people = shell("data", "t.csv", "--set", "target=colour", "--set", "roles=id=ignore", "--set", "indicator=true").out
    assert "→ colour: 2 classes" in people
    assert "counts the rows" not in people
    assert shell("data", "t.csv", "--set", "targt=a").sentence.endswith("did you mean target?")
    assert "name=value" in shell("data", "t.csv", "--set", "target").sentence
    assert shell("data", "t.csv", "fetch").status == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nowhere.csv"], "there is no such file or folder"),
        (["fetch"], "say which set to fetch: mnist, "),
        (["fetch", "Fashion-MNST"], "did you mean fashion_mnist?"),
        (
            ["mnist"],
            "MNIST is not on this machine yet: download it (12 MB) in the data section or with deepgui data fetch",
        ),
    ],
)
def test_what_cannot_be_looked_at_is_one_sentence(shell, words, says) -> None:
    answer = shell("data", *words)
    assert answer.status == 2
    assert says in answer.sentence


def test_a_known_set_is_fetched(shell, monkeypatch, tmp_path) -> None:
    def arrive(remote, folder, what):
        tell(Progress(1, 2, "kB"))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / remote.name).write_text("To be, or not to be, that is the question.\n" * 50)
        return folder / remote.name

    monkeypatch.setenv("DEEPGUI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(known_sets, "fetch", arrive)
    assert shell("data", "fetch", "tinyshakespeare").out.startswith("Tiny Shakespeare is in ")
    assert shell("data", "--json").json["known"][4]["here"] is True
    people = shell("data", "tinyshakespeare").out
    assert "or not to be" in people
