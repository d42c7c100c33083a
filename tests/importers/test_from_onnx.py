"""ONNX files become drawings with their weights; broken and unknown ones are refused in a sentence."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from importers.modules import CASES
from importers.survival import survives
from onnx import TensorProto, helper, numpy_helper

import deepgui
from deepgui.importers.onnx_file import OnnxModule, import_onnx
from deepgui.importers.report import ImportFailed

RNG = np.random.default_rng(0)


def stored(name: str, *shape: int) -> onnx.TensorProto:
    return numpy_helper.from_array(RNG.standard_normal(shape).astype(np.float32), name)


def model(
    path: Path, nodes: list[onnx.NodeProto], initializers: list[onnx.TensorProto], shape: tuple[str | int, ...]
) -> Path:
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        initializers,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(onnx.shape_inference.infer_shapes(made), path)
    return path


@pytest.mark.parametrize("name", ["residual", "inception", "squeeze_excite", "unet", "tensor_methods", "two_inputs"])
def test_what_torch_exports_comes_back(name: str, tmp_path: Path) -> None:
    make, examples = CASES[name]
    path = tmp_path / f"{name}.onnx"
    module = make().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, examples, path, dynamo=False, verbose=False)
    imported = import_onnx(path)
    assert imported.report.errors == ()
    assert imported.report.close
    assert "onnxruntime" in imported.report.compared_with
    batch = tuple(torch.cat([t, t.flip(0)]) for t in examples)
    assert survives(module, imported, batch, tmp_path) <= 1e-5


def test_our_own_export_comes_back(tmp_path: Path) -> None:
    net = deepgui.Network("lenet")
    x = net.add("Input", shape=(1, 12, 12))
    x = net.add("Conv2d", x, out_channels=4, kernel_size=3, padding=1)
    x = net.add("MaxPool2d", net.add("ReLU", net.add("BatchNorm2d", x)), kernel_size=2)
    net.add("Output", net.add("Linear", net.add("Flatten", x), out_features=10))
    from deepgui import api

    api.export(net, "onnx", tmp_path / "lenet.onnx")
    imported = import_onnx(tmp_path / "lenet.onnx")
    assert imported.report.ok
    kinds = [n.kind for n in imported.project.main.nodes.values()]
    assert {"Conv2d", "ReLU", "MaxPool2d", "Linear"} < set(kinds)


def test_a_product_and_a_sum_with_stored_weights_are_one_linear(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["p"]),
        helper.make_node("Add", ["p", "b"], ["q"]),
        helper.make_node("Gemm", ["q", "v", "c"], ["y"], transB=1),
    ]
    weights = [stored("w", 4, 6), stored("b", 6), stored("v", 3, 6), stored("c", 3)]
    path = model(tmp_path / "m.onnx", nodes, weights, ("n", 4))
    imported = import_onnx(path)
    assert imported.report.ok
    assert [n.kind for n in imported.project.main.nodes.values()] == ["Input", "Linear", "Linear", "Output"]


def test_shapes_computed_in_the_graph_become_settings(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"]),
        helper.make_node("Unsqueeze", ["n", "axes"], ["n1"]),
        helper.make_node("Concat", ["n1", "rest"], ["shape"], axis=0),
        helper.make_node("Reshape", ["x", "shape"], ["y"]),
    ]
    numbers = {"zero": np.array(0), "axes": np.array([0]), "rest": np.array([2, -1])}
    path = model(
        tmp_path / "m.onnx", nodes, [numpy_helper.from_array(a, n) for n, a in numbers.items()], ("n", 2, 3, 4)
    )
    imported = import_onnx(path)
    assert imported.report.ok
    assert [(n.kind, dict(n.params)) for n in imported.project.main.nodes.values()][1] == (
        "reshape",
        {"shape": (-1, 2, 12)},
    )


def test_recurrent_layers_take_their_gates_along(tmp_path: Path) -> None:
    for kind, gates in (("LSTM", 4), ("GRU", 3), ("RNN", 1)):
        more = {"linear_before_reset": 1} if kind == "GRU" else {}
        nodes = [
            helper.make_node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
            helper.make_node(kind, ["t", "w", "r", "b"], ["z"], hidden_size=5, direction="bidirectional", **more),
            helper.make_node("Transpose", ["z"], ["y"], perm=[2, 0, 1, 3]),
        ]
        weights = [stored("w", 2, 5 * gates, 3), stored("r", 2, 5 * gates, 5), stored("b", 2, 10 * gates)]
        imported = import_onnx(model(tmp_path / "m.onnx", nodes, weights, ("n", 6, 3)))
        assert imported.report.ok, (kind, imported.report)


def test_unknown_operators_are_all_named(tmp_path: Path) -> None:
    nodes = [helper.make_node("Hardmax", ["x"], ["a"]), helper.make_node("Det", ["a"], ["y"])]
    with pytest.raises(ImportFailed, match="cannot be drawn: Det, Hardmax"):
        import_onnx(model(tmp_path / "m.onnx", nodes, [], ("n", 3, 3)))


def test_broken_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    path = model(tmp_path / "m.onnx", [helper.make_node("Relu", ["x"], ["y"])], [], ("n", 3))
    whole = path.read_bytes()
    for cut in (1, len(whole) // 3, len(whole) - 4):
        path.write_bytes(whole[:cut])
        with pytest.raises(ImportFailed, match="is not a valid ONNX file"):
            import_onnx(path)
    path.write_bytes(bytes(RNG.integers(0, 256, 400, dtype=np.uint8)))
    with pytest.raises(ImportFailed, match="is not a valid ONNX file"):
        import_onnx(path)
    with pytest.raises(ImportFailed, match="No such file"):
        import_onnx(tmp_path / "none.onnx")


def test_an_open_size_is_asked_for(tmp_path: Path) -> None:
    path = model(tmp_path / "m.onnx", [helper.make_node("Relu", ["x"], ["y"])], [], ("n", 3, "h", "w"))
    with pytest.raises(ImportFailed, match="leaves the size of x open"):
        import_onnx(path)
    imported = import_onnx(path, [((1, 3, 8, 8), "float32")])
    assert imported.project.main.nodes["x"].params["shape"] == (3, 8, 8)


def test_the_torch_form_of_a_file_agrees_with_it(tmp_path: Path) -> None:
    import onnxruntime

    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], kernel_shape=[3, 3], auto_pad="SAME_UPPER", strides=[2, 2]),
        helper.make_node("AveragePool", ["c"], ["p"], kernel_shape=[2, 2], strides=[1, 1], pads=[1, 1, 1, 1]),
        helper.make_node("Clip", ["p", "low", "high"], ["y"]),
    ]
    weights = [stored("w", 4, 2, 3, 3), stored("b", 4)]
    weights += [numpy_helper.from_array(np.float32(v), n) for n, v in (("low", -0.5), ("high", 0.7))]
    path = model(tmp_path / "m.onnx", nodes, weights, ("n", 2, 8, 8))
    x = torch.randn(2, 2, 8, 8)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    expected = session.run(None, {"x": x.numpy()})[0]
    got = OnnxModule(onnx.load(path))(x=x)["y"]
    torch.testing.assert_close(got.detach(), torch.from_numpy(expected), atol=1e-5, rtol=1e-5)
    assert import_onnx(path).report.ok
