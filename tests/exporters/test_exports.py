"""Every format: loaded again it answers as the network does, and nothing half-written is left behind."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import onnxruntime
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import deepgui
from deepgui import api
from deepgui.exporters import python_files, verify, weights
from deepgui.exporters.export import export
from deepgui.exporters.exportable import Exportable, answer
from deepgui.exporters.verify import ExportError, probe


def batches(subject: Exportable) -> list[tuple[tuple[torch.Tensor, ...], tuple[torch.Tensor, ...]]]:
    asked = probe(subject)
    return list(zip(asked.batches, asked.answers, strict=True))


def test_onnx_answers_the_same_for_every_batch_size(subject: Exportable, tmp_path: Path) -> None:
    result = export(subject, "onnx", tmp_path / "net")
    assert result.paths == (tmp_path / "net.onnx",)
    assert result.max_difference <= 1e-5
    assert "onnxruntime" in result.checked_with
    session = onnxruntime.InferenceSession(str(result.paths[0]), providers=["CPUExecutionProvider"])
    assert [i.name for i in session.get_inputs()] == [n.label for n in subject.inputs]
    for batch, expected in batches(subject):
        got = session.run(None, {n.label: t.numpy() for n, t in zip(subject.inputs, batch, strict=True)})
        for a, b in zip(got, expected, strict=True):
            assert torch.allclose(torch.from_numpy(a), b, atol=1e-5)


def test_a_program_of_torch_export_answers_the_same(subject: Exportable, tmp_path: Path) -> None:
    result = export(subject, "torch", tmp_path / "net.pt2")
    module = torch.export.load(result.paths[0]).module()
    for batch, expected in batches(subject):
        for a, b in zip(answer(module, batch), expected, strict=True):
            assert torch.allclose(a, b, atol=1e-5)


def test_python_answers_the_same_in_a_python_without_deepgui(subject: Exportable, tmp_path: Path) -> None:
    result = export(subject, "python", tmp_path / "net.py")
    assert result.paths == (tmp_path / "net.py",)
    assert result.max_difference <= 1e-5
    assert "without DeepGUI" in result.checked_with


def test_weights_load_into_a_fresh_network(subject: Exportable, tmp_path: Path) -> None:
    result = export(subject, "weights", tmp_path / "net")
    assert [p.name for p in result.paths] == ["net.safetensors", "net.pt"]
    assert result.max_difference == 0
    state = load_file(result.paths[0])
    assert state.keys() == torch.load(result.paths[1], weights_only=True).keys() == subject.module.state_dict().keys()


def test_weights_and_source_belong_together(pictures_subject: Exportable, tmp_path: Path) -> None:
    source, state = tmp_path / "net.py", tmp_path / "net.safetensors"
    export(pictures_subject, "python", source)
    export(pictures_subject, "weights", state)
    code = (
        "import sys; sys.modules['deepgui'] = None\n"
        "from safetensors.torch import load_file; import net\n"
        f"net.{python_files.class_in(source.read_text())}().load_state_dict(load_file('net.safetensors'))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


@pytest.mark.parametrize(
    ("to", "out", "names"),
    [
        ("onnx", "x.onnx", ["x.onnx"]),
        ("onnx", "net.v2", ["net.v2.onnx"]),
        ("onnx", "folder", ["Pictures.onnx"]),
        ("torch", "new/deep/x", ["x.pt2"]),
        ("weights", "x.pth", ["x.pth"]),
        ("weights", "net.v2", ["net.v2.safetensors", "net.v2.pt"]),
        ("weights", "folder", ["Pictures.safetensors", "Pictures.pt"]),
        ("python", "folder", ["Pictures.py", "train.py", "predict.py", "Pictures.safetensors"]),
        ("python", "new", ["Pictures.py", "train.py", "predict.py", "Pictures.safetensors"]),
    ],
)
def test_where_the_files_go(pictures_subject: Exportable, tmp_path: Path, to, out: str, names: list[str]) -> None:
    (tmp_path / "folder").mkdir()
    result = export(pictures_subject, to, tmp_path / out)
    assert [p.name for p in result.paths] == names
    assert all(p.is_file() and p.stat().st_mode & 0o044 for p in result.paths)
    assert not [p for p in tmp_path.rglob(".*") if "deepgui" in p.name]


@pytest.mark.parametrize(
    ("to", "out", "said"),
    [
        ("onnx", "x.pt", "written to a .onnx file"),
        ("torch", "x.onnx", "written to a .pt2 file"),
        ("torch", "x.zip", "written to a .pt2 file"),
        ("weights", "x.onnx", ".safetensors, .pt or .pth"),
        ("python", "my-net.py", "cannot be imported; name it like my_net.py"),
        ("python", "taken", "is a file"),
        ("tensorflow", "x", "choose from python, weights, onnx, torch"),
    ],
)
def test_a_place_that_cannot_be_is_refused(pictures_subject: Exportable, tmp_path: Path, to, out, said: str) -> None:
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(ValueError, match=said):
        export(pictures_subject, to, tmp_path / out)
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


def test_an_export_that_answers_otherwise_is_not_kept(
    pictures_subject: Exportable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = weights.save
    monkeypatch.setattr(weights, "save", lambda state, path: honest({k: t + 0.01 for k, t in state.items()}, path))
    (tmp_path / "w.pt").write_text("the last good one")
    for to, out in (("weights", "w.pt"), ("python", "net.py")):
        with pytest.raises(ExportError, match="answers differently from the trained network"):
            export(pictures_subject, to, tmp_path / out)  # type: ignore[arg-type]
    assert (tmp_path / "w.pt").read_text() == "the last good one"
    assert [p.name for p in tmp_path.iterdir()] == ["w.pt"]


def test_source_that_needs_deepgui_is_not_kept(
    pictures_subject: Exportable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "import deepgui\nclass Net: pass\n"
    monkeypatch.setattr(python_files, "to_python", lambda network, registry: source)
    with pytest.raises(ExportError, match="must not need deepgui"):
        export(pictures_subject, "python", tmp_path / "net.py")
    assert not list(tmp_path.iterdir())


def test_a_network_that_onnx_cannot_express_for_every_batch_size_is_refused(tmp_path: Path) -> None:
    net = deepgui.Network()
    net.add("Output", net.add("squeeze", net.add("Input", shape=(4,)), dim=0))
    with pytest.raises(ExportError, match=r"^[^\n]+$"):
        export(api.exportable(net), "onnx", tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_a_network_that_fails_on_a_batch_is_refused(tmp_path: Path, pictures_subject: Exportable) -> None:
    broken = replace(pictures_subject, module=nn.Sequential(nn.Flatten(), nn.Linear(3, 1)))
    with pytest.raises(ExportError, match=r"^The network fails on a batch of 3 examples: [^\n]+$"):
        export(broken, "onnx", tmp_path / "x.onnx")


def test_the_original_is_never_changed(pictures_subject: Exportable, tmp_path: Path) -> None:
    module = pictures_subject.module.train()
    before = {name: t.clone() for name, t in module.state_dict().items()}
    for to in ("onnx", "torch", "weights"):
        export(pictures_subject, to, tmp_path / "x")  # type: ignore[arg-type]
    assert module.training
    assert all(torch.equal(t, before[name]) for name, t in module.state_dict().items())


def test_fresh_weights_are_those_of_the_seed(tmp_path: Path, pictures_subject: Exportable) -> None:
    assert pictures_subject.fresh
    torch.manual_seed(pictures_subject.project.training.seed)
    twin = deepgui.compile(pictures_subject.project)
    assert all(torch.equal(t, twin.state_dict()[n]) for n, t in pictures_subject.state().items())
    torch.manual_seed(9)
    expected = torch.rand(1)
    torch.manual_seed(9)
    api.exportable(pictures_subject.project)
    assert torch.equal(torch.rand(1), expected)


def test_comparison_knows_nan_infinity_and_scale(pictures_subject: Exportable) -> None:
    nan = torch.tensor([[float("nan"), float("inf"), 1e6]])
    assert verify._difference((nan,), (nan.clone(),), "it") == 0
    assert verify._difference((nan,), (nan + torch.tensor([0, 0, 0.5]),), "it") == 0.5
    for other in (torch.tensor([[0.0, float("inf"), 1e6]]), torch.tensor([[float("nan"), -float("inf"), 1e6]])):
        with pytest.raises(ExportError, match="answers differently"):
            verify._difference((nan,), (other,), "it")
    with pytest.raises(ExportError, match="shape 1×2 where the network gives 1×3"):
        verify._difference((nan,), (nan[:, :2],), "it")


def test_tied_weights_are_written(tmp_path: Path, pictures_subject: Exportable) -> None:
    linear = nn.Linear(2, 2)
    twin = nn.Sequential(linear, linear)
    state = replace(pictures_subject, module=twin).state()
    weights.save(state, tmp_path / "w.safetensors")
    assert load_file(tmp_path / "w.safetensors").keys() == twin.state_dict().keys()


@pytest.mark.parametrize("to", ["onnx", "torch"])
def test_what_is_only_known_when_it_runs_is_named(to: str, tmp_path: Path) -> None:
    net = deepgui.Network("chosen")
    x, edges = net.add("Input", shape=(5,)), net.add("Input", shape=(2,), dtype="int64", per="edge_index")
    left = net.add("TopKPooling", x, edges)
    net.add("Output", net.add("global_mean_pool", left["x"], left["batch"]))
    with pytest.raises(ExportError, match=r"how many nodes TopKPooling keeps is only known .* Python source"):
        export(api.exportable(net.project()), to, tmp_path / "net")
    assert list(tmp_path.iterdir()) == []
    assert export(api.exportable(net.project()), "python", tmp_path / "net.py").max_difference == 0
