"""A network that draws random numbers is compared with the same ones in both, and the result says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import onnxruntime
import pytest
import torch

import deepgui
from deepgui import api
from deepgui.exporters import onnx_file
from deepgui.exporters.export import TARGETS, export
from deepgui.exporters.exportable import Exportable
from deepgui.exporters.verify import ExportError


def autoencoder() -> deepgui.Network:
    net = deepgui.Network("autoencoder")
    x = net.add("Input", shape=(6,))
    mean, spread = net.add("Linear", x, out_features=3), net.add("Linear", x, out_features=3)
    code = net.add("add", mean, net.add("mul", net.add("randn_like", mean), net.add("exp", spread)))
    net.add("Output", net.add("Linear", code, out_features=6))
    return net


def several() -> deepgui.Network:
    """Two uniform draws, a normal and a coin, of which the last depends on what was drawn before."""
    net = deepgui.Network("several")
    x = net.add("Input", shape=(6,))
    first = net.add("add", net.add("rand_like", x), net.add("randn_like", x))
    coin = net.add("bernoulli", net.add("Sigmoid", net.add("Linear", first, out_features=6)))
    net.add("Output", net.add("mul", net.add("add", coin, x), net.add("rand_like", coin)))
    return net


@pytest.mark.parametrize("to", TARGETS)
@pytest.mark.parametrize("make", [autoencoder, several])
def test_exports_of_networks_with_noise_agree(make: Callable[[], deepgui.Network], to: str, tmp_path: Path) -> None:
    result = export(api.exportable(make().project()), to, tmp_path / "net")  # type: ignore[arg-type]
    assert result.max_difference <= 1e-5
    assert result.checked_with.endswith("the same noise for both")


def test_the_file_draws_its_own_noise(tmp_path: Path) -> None:
    (path,) = export(api.exportable(autoencoder().project()), "onnx", tmp_path / "net").paths
    assert "RandomNormalLike" in {node.op_type for node in onnx.load(path).graph.node}
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    given = {session.get_inputs()[0].name: torch.ones(4, 6).numpy()}
    first, second = session.run(None, given)[0], session.run(None, given)[0]
    assert first.shape == (4, 6)
    assert abs(first - second).max() > 1e-3


def test_a_file_that_uses_its_noise_otherwise_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject: Exportable = api.exportable(autoencoder().project())
    given = onnx_file._with_given_noise

    def tampered(path: Path, draws: int) -> Path:
        found = given(path, draws)
        model = onnx.load(found)
        (noise,) = (i.name for i in model.graph.input if i.name != "x" and "rand" in i.name)
        for node in model.graph.node:
            if noise in node.input:
                node.op_type = "Sub" if node.op_type == "Mul" else node.op_type
        onnx.save(model, found)
        return found

    monkeypatch.setattr(onnx_file, "_with_given_noise", tampered)
    with pytest.raises(ExportError, match="answers differently"):
        export(subject, "onnx", tmp_path / "net.onnx")
    assert not (tmp_path / "net.onnx").exists()
