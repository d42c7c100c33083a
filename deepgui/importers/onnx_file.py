"""``from_onnx``: an ONNX file becomes a torch module, each operation a submodule, and that is drawn like any other."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from deepgui.graph.edits import fresh_id, identifier, snake
from deepgui.importers import onnx_layers, onnx_shapes
from deepgui.importers.comparison import difference, random_batch
from deepgui.importers.module import BATCHES, draw_module, with_code
from deepgui.importers.onnx_ops import OPERATIONS, PREPARED, SETTINGS, WEIGHTS
from deepgui.importers.report import Imported, ImportFailed
from deepgui.importers.sources import example

_FILLED_BY = (onnx_layers, onnx_shapes)
"""Importing them registers the operators that they compute."""

OLDEST = 7
"""The first opset in which operators broadcast as they do today."""


def import_onnx(path: Path, shapes: Sequence[tuple[tuple[int, ...], str]] = ()) -> Imported:
    """Draw an ONNX file with its initialisers as weights. Nothing in the file is executed but its arithmetic.

    Args:
        shapes: shape, batch first, and element type of each input; needed where the file leaves more open than
            the batch.

    Raises:
        ImportFailed: the file cannot be read, or uses operators that are not known: all of them are named.
    """
    model = _read(path)
    module = OnnxModule(model)
    module.eval()
    examples = _examples(model, shapes)
    imported = draw_module(module, (), examples, identifier(path.stem))
    if imported.report.errors:
        imported = with_code(module, (), examples, identifier(path.stem)) or imported
    report = replace(imported.report, way="onnx")
    if imported.report.largest_difference is not None:
        report = replace(report, **_compared(path, module, imported, examples))
    return replace(imported, report=report)


def _read(path: Path) -> onnx.ModelProto:
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except OSError as error:
        raise ImportFailed(f"{path}: {error.strerror or error}.") from error
    except Exception as error:  # protobuf and the checker raise whatever they like
        line = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ImportFailed(f"{path} is not a valid ONNX file: {line.rstrip('.')}.") from error
    version = max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=0)
    if version < OLDEST:
        raise ImportFailed(f"{path} has opset {version}; at least {OLDEST} is needed.")
    unknown = sorted({_spoken(n) for n in model.graph.node if _spoken(n) not in OPERATIONS})
    if unknown:
        raise ImportFailed(f"{path} uses operators that cannot be drawn: {', '.join(unknown)}.")
    return model


def _batch_written(model: onnx.ModelProto) -> int:
    """The batch size that a file fixes; 0 if it leaves it open."""
    dims = [i.type.tensor_type.shape.dim for i in _inputs(model)]
    return next((d[0].dim_value for d in dims if d), 0)


def _spoken(node: onnx.NodeProto) -> str:
    return node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"


def _inputs(model: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    stored = {i.name for i in model.graph.initializer}
    return [i for i in model.graph.input if i.name not in stored]


def _examples(model: onnx.ModelProto, shapes: Sequence[tuple[tuple[int, ...], str]]) -> dict[str, Tensor]:
    inputs = _inputs(model)
    if shapes and len(shapes) != len(inputs):
        raise ImportFailed(f"The file has {len(inputs)} inputs, but {len(shapes)} shapes are given.")
    found = {}
    for place, value in enumerate(inputs):
        kind = value.type.tensor_type
        dtype = str(np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)))
        sizes = [d.dim_value if d.HasField("dim_value") else 0 for d in kind.shape.dim]
        if shapes:
            sizes = list(shapes[place][0])
        if not sizes or any(size < 1 for size in sizes[1:]):
            raise ImportFailed(f"The file leaves the size of {value.name} open; name it, --input-shape 1,3,224,224.")
        found[identifier(value.name)] = example((sizes[0] or 1, *sizes[1:]), dtype)
    return found


class OnnxModule(nn.Module):
    """Computes an ONNX graph with torch's functions, each operation in a submodule with its initialisers."""

    def __init__(self, model: onnx.ModelProto) -> None:
        super().__init__()
        graph = model.graph
        stored = {i.name: torch.from_numpy(numpy_helper.to_array(i).copy()) for i in graph.initializer}
        self._arguments = {identifier(i.name): i.name for i in _inputs(model)}
        self.batch = _batch_written(model)
        self._results = [o.name for o in graph.output]
        self._steps: list[tuple[str, list[str], list[str]]] = []
        version = max(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
        taken: set[str] = set(dir(self))
        uses = [name for node in graph.node for name in node.input] + self._results
        nodes, skipped = list(graph.node), set()
        for place, node in enumerate(nodes):
            if place in skipped:
                continue
            bias = _bias_behind(node, nodes, stored, uses)
            operation = Operation(node, stored, version, stored[bias[1]] if bias else None)
            if bias:
                skipped.add(bias[0])
            name = fresh_id(taken, _name(node, stored))
            taken.add(name)
            self.add_module(name, operation)
            results = list(nodes[bias[0]].output) if bias else list(node.output)
            self._steps.append((name, operation.wired, results))
        self._stored = {n: t for n, t in stored.items() if n in self._results}

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        values: dict[str, Any] = {self._arguments[name]: tensor for name, tensor in inputs.items()} | self._stored
        size = len(next(iter(inputs.values())))
        for name, wired, results in self._steps:
            operation = self.get_submodule(name)
            assert isinstance(operation, Operation)
            operation.batches = (self.batch, size)
            found = operation(*(values.get(i) for i in wired))
            values.update(zip(results, found if isinstance(found, tuple) else (found,), strict=False))
        return {identifier(name): values[name] for name in self._results}


def _bias_behind(
    node: onnx.NodeProto, nodes: list[onnx.NodeProto], stored: Mapping[str, Tensor], uses: list[str]
) -> tuple[int, str] | None:
    """The Add that gives a product with a stored matrix its bias, and the bias's name: together they are a Linear."""
    if node.op_type != "MatMul" or node.input[1] not in stored or stored[node.input[1]].dim() != 2:
        return None
    if uses.count(node.output[0]) != 1:
        return None
    for place, other in enumerate(nodes):
        if other.op_type == "Add" and node.output[0] in other.input:
            bias = next(i for i in other.input if i != node.output[0])
            if bias in stored and stored[bias].shape == stored[node.input[1]].shape[1:]:
                return place, bias
    return None


def _name(node: onnx.NodeProto, stored: Mapping[str, Tensor]) -> str:
    """After a stored input that is called like a layer's weight (``layer1.0.conv.weight``), else after the operator."""
    for name in node.input:
        match = re.fullmatch(r"([A-Za-z_][\w.]*)\.(weight|bias|running_mean|running_var|in_proj_weight)", name)
        if name in stored and match:
            return identifier(match[1])
    return snake(node.op_type)


class Operation(nn.Module):
    """One ONNX operation. Its stored inputs are parameters (numbers with a fraction) or buffers."""

    def __init__(
        self, node: onnx.NodeProto, stored: Mapping[str, Tensor], version: int, bias: Tensor | None = None
    ) -> None:
        super().__init__()
        self.kind = _spoken(node)
        self.version = version
        self.settings = {a.name: _setting(a) for a in node.attribute}
        self.outputs = len(node.output)
        self.batches = (0, 0)  # the file's own batch size, if it is written into it, and that of this call
        self.wired: list[str] = []
        self._places: list[str | None] = []
        names = WEIGHTS.get(self.kind, ())
        for place, name in enumerate(node.input):
            if name not in stored:
                self.wired.append(name)
                self._places.append(None if name else "")
                continue
            own = names[place] if place < len(names) and names[place] else f"input_{place}"
            self._keep(own, stored[name])
            self._places.append(own)
        if bias is not None:
            self._keep("bias", bias)
            self._places.append("bias")
        self.layer = PREPARED[self.kind](self, self._kept()) if self.kind in PREPARED else None

    def _keep(self, name: str, tensor: Tensor) -> None:
        if tensor.is_floating_point() and tensor.numel() > 1 and self.kind not in SETTINGS:
            self.register_parameter(name, nn.Parameter(tensor))
        else:
            self.register_buffer(name, tensor)

    def _kept(self) -> list[Tensor | None]:
        return [getattr(self, place) if place else None for place in self._places]

    def forward(self, *given: Tensor | None) -> Any:
        """The operation's result, a tuple of several."""
        arriving = iter(given)
        inputs = []
        for place in self._places:
            value = next(arriving) if not place else getattr(self, place)
            inputs.append(value)
        return OPERATIONS[self.kind](self, *inputs)


def _setting(attribute: onnx.AttributeProto) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, onnx.TensorProto):
        return torch.from_numpy(numpy_helper.to_array(value).copy())
    if isinstance(value, (onnx.GraphProto, onnx.SparseTensorProto)):
        raise ImportFailed(f"The setting {attribute.name} holds a graph, which cannot be drawn.")
    return list(value) if not isinstance(value, (int, float, str)) else value


def _compared(path: Path, module: OnnxModule, imported: Imported, examples: dict[str, Tensor]) -> dict[str, Any]:
    """The drawing against onnxruntime where it is installed: the comparison that the report names."""
    if not importlib.util.find_spec("onnxruntime"):
        return {}
    import onnxruntime

    from deepgui.compiler.build import build
    from deepgui.compiler.catalogue import catalogue

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]
    made = build(imported.project.main, catalogue(imported.project.blocks)).eval()
    made.load_state_dict(dict(imported.state_dict))
    worst = largest = 0.0
    for size in (module.batch,) if module.batch else BATCHES:
        tensors = [random_batch(t, size) for t in examples.values()]
        expected = [
            torch.from_numpy(a) for a in session.run(None, dict(zip(names, (t.numpy() for t in tensors), strict=True)))
        ]
        with torch.no_grad():
            got = made(*tensors)
        worst = max(worst, difference(expected, [got] if isinstance(got, Tensor) else list(got)))
        largest = max([largest, *(float(t.double().abs().max()) for t in expected if t.numel())])
    said = "random numbers, onnxruntime"
    return {"largest_difference": worst, "largest_answer": largest, "compared_with": said}
