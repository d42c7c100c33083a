"""ONNX with a free batch dimension, by torch's own exporter."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import onnx
import torch

from deepgui.exporters.exportable import Batch, Exportable
from deepgui.exporters.program import one_file, program_of, quiet
from deepgui.exporters.verify import ExportError, Probe, first_line
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
        raise ExportError(f"ONNX cannot express the network: {first_line(error)}") from error
    assert made is not None
    made.save(path)
    onnx.checker.check_model(path)
    ask, runtime = _runtime(path)
    return asked.compare(ask, places[STAGED].name), runtime


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
