"""``deepgui prune`` and its neighbours on a run, from a shell."""

from __future__ import annotations

import numpy as np
import torch
from safetensors.torch import load_file


def test_prune_tells_and_writes(shell, trained, tmp_path):
    project, run = trained
    asked = ("prune", project, "--run", run)
    told = shell(*asked, "--json").json
    assert [row["share"] for row in told["rows"]] == [0, 0.25, 0.5, 0.75, 0.9]
    assert shell(*asked).out.splitlines()[0].split()[:5] == ["pruned", "zeros", "non-zero", "bytes", "compressed"]
    assert shell(*asked, "--share", 0.5, "-o", "half.safetensors").status == 0
    weights = load_file(tmp_path / "half.safetensors")
    nonzero = sum(int(t.count_nonzero()) for t in weights.values())
    assert nonzero == told["rows"][2]["size"]["nonzero"]
    again = shell("train", project, "--start-from", "half.safetensors", "--max-steps", 1, "--json")
    assert again.status == 0, "pruned weights can be trained on"


def test_prune_refuses_what_it_cannot_do(shell, trained):
    project, run = trained
    assert "one --share" in shell("prune", project, "--run", run, "-o", "w.pt").sentence
    assert "below 1" in shell("prune", project, "--run", run, "--share", 1).sentence
    assert ".safetensors" in shell("prune", project, "--run", run, "--share", 0.5, "-o", "w.zip").sentence


def test_quantise_tells_and_writes(shell, trained, tmp_path):
    project, run = trained
    asked = ("quantise", project, "--run", run)
    answer = shell(*asked, "-o", "small.ts")
    assert "In 8 bits: 2 × Linear." in answer.out
    assert torch.jit.load(tmp_path / "small.ts")(torch.randn(3, 13)).shape == (3, 3)
    told = shell(*asked, "--static", "--json").json
    assert told["quantised"]["way"] == "static"
    assert sum(told["quantised"]["layers"].values()) == 2
    assert ".ts" in shell(*asked, "-o", "small.onnx").sentence


def test_explain_writes_what_it_tells(shell, trained, tmp_path):
    project, run = trained
    asked = ("explain", project, "--run", run, "--examples", 2, 5, "-o", "why")
    told = shell(*asked, "--json").json
    assert len(told["answers"]) == len(told["scores"]) == 2
    assert told["gap"] < 0.02, "ReLU has corners"
    kept = np.load(tmp_path / "why" / "attributions.npz")
    assert kept["attributions"].shape == kept["values"].shape == (2, 13)
    header, *rows = (tmp_path / "why" / "attributions.csv").read_text().splitlines()
    assert len(header.split(",")) == 13
    assert len(rows) == 2
    assert "no answer 'grape'" in shell(*asked, "--answer", "grape").sentence
    assert "convolution" in shell(*asked, "--method", "grad-cam").sentence
    assert "no number 4000" in shell("explain", project, "--run", run, "--examples", 4000, "-o", "why").sentence
