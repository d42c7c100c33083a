"""ONNX with a free batch dimension, by torch's own exporter."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import onnx
import torch

from deepgui.exporters.exportable import Batch, Exportable
from deepgui.exporters.program import one_file, program_of, quiet, unsaid
from deepgui.exporters.verify import ExportError, Probe
from deepgui.graph.values import Node

STAGED = "network.onnx"


def places(subject: Exportable, out: Path) -> dict[str, Path]:
    """``out`` itself, with .onnx added if it has no suffix; a folder gets ``NAME.onnx``."""
    return {STAGED: one_file(subject, out, ".onnx")}


def write(subject: Exportable, asked: Probe, folder: Path, places: Mapping[str, Path]) -> tuple[float, str]:
    """Write the model, check it against the standard, run it in another runtime, compare."""
    path = folder / STAGED
    program = program_of(subject, asked)
    inputs, outputs = _names(subject.inputs, set()), _names(subject.outputs, {n.label for n in subject.inputs})
    try:
        with quiet():
            made = torch.onnx.export(
                program, dynamo=True, input_names=inputs, output_names=outputs, verbose=False, optimize=True
            )
    except Exception as error:
        raise ExportError(f"ONNX cannot express the network: {unsaid(subject, error)}") from error
    assert made is not None
    made.save(path)
    onnx.checker.check_model(path)
    if not asked.draws:
        ask, runtime = _runtime(path)
        return asked.compare(ask, places[STAGED].name), runtime
    ask, runtime = _runtime(path)
    ask(asked.batches[0])  # the file as it is runs, too
    ask, runtime = _runtime(_with_given_noise(path, len(asked.noise[0])))
    given = zip(asked.batches, asked.noise, strict=True)
    return asked.compare_all([ask((*batch, *noise)) for batch, noise in given], places[STAGED].name), runtime


RANDOM = frozenset({"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli"})
"""Operators of ONNX that draw random numbers. Every runtime draws others, so no seed makes two of them agree."""


def _with_given_noise(path: Path, draws: int) -> Path:
    """A copy of a model that is given its random numbers as further inputs, in the order in which it draws them.

    Raises:
        ExportError: it does not draw as often as the network.
    """
    model = onnx.load(path)
    types = {v.name: v.type.tensor_type.elem_type for v in model.graph.value_info}
    drawing = [node for node in model.graph.node if node.op_type in RANDOM]
    if len(drawing) != draws:
        raise ExportError(
            f"ONNX draws random numbers {len(drawing)} times where the network draws {draws}: they cannot be compared."
        )
    for node in drawing:
        kind = types.get(node.output[0], onnx.TensorProto.FLOAT)
        model.graph.node.remove(node)
        model.graph.input.append(onnx.helper.make_tensor_value_info(node.output[0], kind, None))
    copied = path.with_name("given_noise.onnx")
    onnx.save(model, copied)
    return copied


def _names(nodes: tuple[Node, ...], taken: set[str]) -> list[str]:
    return [f"{n.label}_out" if n.label in taken else n.label for n in nodes]


def _runtime(path: Path) -> tuple[Callable[[Batch], Batch], str]:
    """onnxruntime if it is installed, else the reference implementation of the standard."""
    session: Any
    if importlib.util.find_spec("onnxruntime"):
        import onnxruntime

        session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
        names, runtime = [i.name for i in session.get_inputs()], "onnxruntime"
    else:
        from onnx.reference import ReferenceEvaluator

        session = ReferenceEvaluator(str(path))
        names, runtime = list(session.input_names), "onnx.reference"

    def ask(batch: Batch) -> Batch:
        feeds = {name: tensor.numpy() for name, tensor in zip(names, batch, strict=True)}
        return tuple(torch.from_numpy(array) for array in session.run(None, feeds))

    return ask, runtime
