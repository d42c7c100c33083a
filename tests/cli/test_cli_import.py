"""``deepgui import``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file

import deepgui
from deepgui.cli import main

MODEL = """
import torch
from torch import nn

def net():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 2))

class Odd(nn.Module):
    def forward(self, x):
        return torch.special.bessel_j0(x)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "brought_model.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_module_becomes_a_project_with_weights_beside_it(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "brought_model:net", "-o", "net.deepgui", "--input-shape", "1,3,8,8", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["ok"]
    assert said["report"]["largest_difference"] == 0
    module = deepgui.compile(deepgui.load(here / "net.deepgui"))
    module.load_state_dict(load_file(here / "net.safetensors"))


def test_what_cannot_be_drawn_comes_in_as_code_and_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "brought_model:Odd", "-o", "odd.deepgui", "--input-shape", "1,3"]) == 0
    assert "special_bessel_j0" in capsys.readouterr().out
    assert any(block.code is not None for block in deepgui.load(here / "odd.deepgui").blocks.values())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere.onnx", "-o", "x.deepgui"], "No such file"),
        (["brought_model:net", "-o", "x.deepgui"], "--input-shape 1,3,224,224"),
        (["brought_model:missing", "-o", "x.deepgui", "--input-shape", "1,3"], "could not be loaded"),
        (["brought_model:net", "-o", "x.deepgui", "--input-shape", "1,x"], "must be like 1,3,224,224"),
        (["brought_model:net", "-o", "x.deepgui", "--input-shape", "1,4,8,8"], "fails on a batch of 2 examples"),
        (["brought_model:net", "-o", "x.txt", "--input-shape", "1,3,8,8"], "NAME.deepgui"),
        (["what is this", "-o", "x.deepgui"], "neither an ONNX file nor"),
    ],
)
def test_unusable_sources_are_refused_in_a_sentence(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["import", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    assert len(error.strip().splitlines()) == 1
