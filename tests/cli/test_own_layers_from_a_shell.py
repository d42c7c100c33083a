"""A project with layers written in Python: refused until trusted, then checked, trained, evaluated and exported."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from own_sources import SWIGLU

import deepgui
from deepgui.graph.values import Network, Node, Wire
from deepgui.project import own
from deepgui.project.values import DataConfig, Project, TrainingConfig


@pytest.fixture
def gated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A classifier of wine with a layer of its own, and nothing trusted."""
    monkeypatch.setenv("DEEPGUI_HOME", str(tmp_path / "home"))
    nodes = {
        "input": Node("input", "Input", {"shape": (13,)}),
        "gated": Node("gated", "SwiGLU"),
        "linear": Node("linear", "Linear", {"out_features": 3}),
        "output": Node("output", "Output"),
    }
    wires = (
        Wire("input", "output", "gated", "x"),
        Wire("gated", "output", "linear", "input"),
        Wire("linear", "output", "output", "input"),
    )
    project = Project(
        "gated",
        {"network": Network("network", nodes, wires)},
        DataConfig("wine"),
        TrainingConfig(max_steps=3, device="cpu"),
    )
    source = SWIGLU + f"\n# {tmp_path}\n"
    path = tmp_path / "gated.deepgui"
    deepgui.save(own.with_layer(project, "SwiGLU", source), path)
    return path


def test_every_job_asks_for_trust_and_does_its_work_once_it_has_it(shell, gated: Path, tmp_path: Path) -> None:
    for words in (("train", gated), ("export", gated, "--to", "python", "-o", "out.py")):
        answer = shell(*words)
        assert answer.status == 1
        assert "not trusted yet" in answer.sentence
    found = shell("check", gated, "--json").json
    assert [p["code"] for p in found["problems"]] == ["own-code"]
    assert shell("check", gated, "--trust").status == 0
    trained = shell("train", gated, "--runs", "runs", "--json")
    assert trained.status == 0
    run = trained.events[-1]["run"]
    assert shell("eval", gated, "--run", run, "--json").status == 0
    for to, out in (("python", "out.py"), ("onnx", "out.onnx"), ("torch", "out.pt2")):
        answer = shell("export", gated, "--to", to, "-o", out, "--run", run)
        assert (answer.status, answer.err) == (0, ""), to
    lines = "import sys; sys.modules['deepgui'] = None; import out, torch; print(out.Gated()(torch.zeros(2, 13)).shape)"
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.strip() == "torch.Size([2, 3])"


def test_a_layer_of_the_file_beside_trains_as_it_is_now(shell, gated: Path, tmp_path: Path) -> None:
    project = deepgui.load(gated)
    code = own.layers(project)["SwiGLU"]
    project = replace(
        project, blocks={"SwiGLU": replace(project.blocks["SwiGLU"], code=replace(code, file="gated_layers.py"))}
    )
    deepgui.save(project, gated)
    (tmp_path / "gated_layers.py").write_text(code.source.replace("hidden: int = 8", "hidden: int = 16"))
    found = shell("check", gated, "--trust", "--json").json
    assert next(n for n in found["nodes"] if n["id"] == "gated")["params"]["hidden"] == 16
