"""``deepgui prune`` and its neighbours on a run, from a shell."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from deepgui.paths import samples


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
    kept = np.load(tmp_path / "why" / "integrated.npz")
    assert kept["attributions"].shape == kept["values"].shape == (2, 13)
    header, *rows = (tmp_path / "why" / "integrated.csv").read_text().splitlines()
    assert len(header.split(",")) == 13
    assert len(rows) == 2
    assert "no answer 'grape'" in shell(*asked, "--answer", "grape").sentence
    assert "convolution" in shell(*asked, "--method", "grad-cam").sentence
    assert "no number 4000" in shell("explain", project, "--run", run, "--examples", 4000, "-o", "why").sentence


def test_attack_tells_and_writes(shell, trained, tmp_path):
    project, run = trained
    asked = ("attack", project, "--run", run, "--epsilon", 0.1, 2)
    lines = shell(*asked, "--method", "fgsm").out.splitlines()
    assert [line.split()[0] for line in lines] == ["epsilon", "0", "0.1", "2"]
    told = shell(*asked, "--examples", 1, 3, "-o", "bad", "--json").json
    clean, *_, worst = (row["metrics"]["loss"] for row in told["rows"])
    assert worst > clean
    assert len(told["before"]) == len(told["after"]) == len(told["true"]) == 2
    kept = np.load(tmp_path / "bad" / "attacked.npz")
    assert 0 < np.abs(kept["attacked"] - kept["clean"]).max() <= 2.001


def test_pictures_are_written_for_a_network_of_pictures(shell, tmp_path):
    project = tmp_path / "digits.deepgui"
    project.write_bytes((samples() / "digits_cnn.deepgui").read_bytes())
    run = shell("train", project, "--max-steps", 2, "--device", "cpu", "--json").events[-1]["run"]
    attack = shell("attack", project, "--run", run, "--epsilon", 0.1, "--examples", 7, "-o", "out", "--method", "fgsm")
    assert attack.status == 0, attack.err
    for method in ("saliency", "integrated", "grad-cam"):
        asked = ("explain", project, "--run", run, "--examples", 7, "-o", "out", "--method", method)
        assert shell(*asked).status == 0
    pictures = sorted(path.name for path in (tmp_path / "out").glob("*.png"))
    assert pictures == ["0007_fgsm.png", "0007_grad-cam.png", "0007_integrated.png", "0007_saliency.png"]
    wide, square = (Image.open(tmp_path / "out" / name).size for name in pictures[:2])
    assert wide[0] > 3 * wide[1]
    assert square[0] == square[1] >= 224
