"""Every sample opens without a problem, trains, exports, and is what its script draws; some learn what they promise."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from PIL import Image

import deepgui
from deepgui import api, paths
from deepgui.compiler.catalogue import catalogue
from deepgui.compiler.report import check
from deepgui.probes.observe import preview
from deepgui.project.file import to_text
from deepgui.training.events import Finished
from deepgui.training.preflight import preflight
from deepgui.training.store import RunStore
from deepgui.training.trainer import RunSpec, Trainer

FILES = sorted(paths.samples().glob("*.deepgui"))
PROMISED = {"digits_cnn": 0.985, "wine_mlp": 0.97, "moons_mlp": 0.97}
"""Accuracy on the test split of those that are trained to the end here; benchmarks/ has the figures of all."""
STEPS = 6


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    sys.path.insert(0, str(paths.samples()))
    yield importlib.import_module("make_samples")
    sys.path.remove(str(paths.samples()))


def test_all_promised_samples_are_there(script: ModuleType) -> None:
    assert {path.stem for path in FILES} == script.SAMPLES.keys()


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_script_draws_this_very_file(script: ModuleType, path: Path) -> None:
    assert to_text(script.sample(path.stem)) == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_no_problem_and_something_to_read_and_see(path: Path) -> None:
    project = deepgui.load(path)
    for network in project.networks.values():
        assert check(network, catalogue(project.blocks)).problems == ()
    assert preflight(project, "", catalogue(project.blocks)) == ()
    assert 2 <= project.notes.count(".") <= 12
    for network in project.networks.values():
        assert network.layout.keys() == network.nodes.keys()
    with Image.open(path.parent / "pictures" / f"{path.stem}.png") as picture:
        assert picture.size == (840, 492)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_cards_do_not_touch(path: Path) -> None:
    for network in deepgui.load(path).networks.values():
        layout = list(network.layout.values())
        for i, a in enumerate(layout):
            assert all(abs(a.x - b.x) >= 200 or abs(a.y - b.y) >= 120 for b in layout[i + 1 :])


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_it_trains_shows_what_it_makes_and_exports(path: Path, tmp_path: Path) -> None:
    project = deepgui.load(path)
    project = replace(project, training=replace(project.training, max_steps=STEPS))
    folder = RunStore(tmp_path / "runs").create(project)
    trainer = Trainer(RunSpec(project, folder=folder))
    *_, last = trainer
    assert isinstance(last, Finished), last
    assert last.steps == STEPS
    for what in trainer.objective.previews:
        assert preview(trainer.objective, trainer.networks, what) is not None
    for form in ("python", "weights"):
        assert all(file.exists() for file in api.export(project, form, tmp_path / form, run=folder).paths)


@pytest.mark.parametrize("name", PROMISED)
def test_it_learns_what_it_promises(name: str) -> None:
    *_, last = Trainer(RunSpec(deepgui.load(paths.samples() / f"{name}.deepgui")))
    finished = last.as_dict()
    assert finished["event"] == "finished"
    assert finished["metrics"]["test_accuracy"] >= PROMISED[name]
