"""The command line in this process, projects to use it on, and one trained run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import deepgui
from deepgui.cli import main
from deepgui.project.values import DataConfig, Project, TrainingConfig


@dataclass(frozen=True)
class Answer:
    """What a command did."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on stdout."""
        return json.loads(self.out, parse_constant=_refuse)

    @property
    def events(self) -> list[dict[str, Any]]:
        """One object a line."""
        return [json.loads(line, parse_constant=_refuse) for line in self.out.splitlines()]

    @property
    def sentence(self) -> str:
        """The one line on stderr."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


def _refuse(word: str) -> None:
    raise AssertionError(f"{word} is not JSON")


Shell = Callable[..., Answer]


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Run ``deepgui`` with these words in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Answer:
        capsys.readouterr()
        status = main([str(word) for word in words])
        return Answer(status, *capsys.readouterr())

    return run


def mlp(name: str, inputs: int, outputs: int) -> deepgui.Network:
    net = deepgui.Network(name)
    x = net.add("Input", shape=(inputs,))
    x = net.add("ReLU", net.add("Linear", x, out_features=16))
    net.add("Output", net.add("Linear", x, out_features=outputs))
    return net


def wine_project() -> Project:
    training = TrainingConfig(optimizer_options={"lr": 0.01}, epochs=4, device="cpu")
    return mlp("wine", 13, 3).project(data="wine", training=training)


@pytest.fixture
def wine(tmp_path: Path) -> Path:
    """A project that tells three wines apart."""
    deepgui.save(wine_project(), tmp_path / "wine.deepgui")
    return tmp_path / "wine.deepgui"


@pytest.fixture
def diabetes(tmp_path: Path) -> Path:
    """A regression."""
    training = TrainingConfig(objective="regression", epochs=2, device="cpu")
    deepgui.save(mlp("diabetes", 10, 1).project(data="diabetes", training=training), tmp_path / "diabetes.deepgui")
    return tmp_path / "diabetes.deepgui"


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wine project's file and the folder of a run of it."""
    folder = tmp_path_factory.mktemp("trained")
    deepgui.save(wine_project(), folder / "wine.deepgui")
    *_, last = deepgui.train(wine_project(), runs=folder / "wine.runs")
    return folder / "wine.deepgui", Path(last.as_dict()["run"])


@pytest.fixture
def lenet(tmp_path: Path) -> Path:
    """A network for 28×28 pictures, without data of its own."""
    net = deepgui.Network("small")
    x = net.add("Input", shape=(1, 28, 28))
    x = net.add("MaxPool2d", net.add("Conv2d", x, out_channels=4, kernel_size=5), kernel_size=4)
    net.add("Output", net.add("Linear", net.add("Flatten", x), out_features=10))
    deepgui.save(net.project(data=DataConfig(), training=TrainingConfig(device="cpu")), tmp_path / "small.deepgui")
    return tmp_path / "small.deepgui"
