"""Every sample opens without a problem, learns what its notes promise, and is what its script draws."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

import deepgui
from deepgui import paths
from deepgui.project.file import to_text
from deepgui.training.trainer import RunSpec, Trainer

FILES = sorted(paths.samples().glob("*.deepgui"))
PROMISED = {"digits_cnn": 0.985, "wine_mlp": 0.97, "moons_mlp": 0.97}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_samples", paths.samples() / "make_samples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_all_promised_samples_are_there() -> None:
    assert {path.stem for path in FILES} == PROMISED.keys()


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_script_draws_this_very_file(script: ModuleType, path: Path) -> None:
    assert to_text(script.SAMPLES[path.stem]()) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_no_problem_and_something_to_read_and_see(path: Path) -> None:
    project = deepgui.load(path)
    assert deepgui.check(project).problems == ()
    assert 2 <= project.notes.count(".") <= 12
    assert project.main.layout.keys() == project.main.nodes.keys()
    with Image.open(path.parent / "pictures" / f"{path.stem}.png") as picture:
        assert picture.size == (840, 492)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_cards_do_not_touch(path: Path) -> None:
    layout = list(deepgui.load(path).main.layout.values())
    for i, a in enumerate(layout):
        assert all(abs(a.x - b.x) >= 200 or abs(a.y - b.y) >= 120 for b in layout[i + 1 :])


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_it_learns_what_it_promises(path: Path) -> None:
    *_, last = Trainer(RunSpec(deepgui.load(path)))
    finished = last.as_dict()
    assert finished["event"] == "finished"
    assert finished["metrics"]["test_accuracy"] >= PROMISED[path.stem]
