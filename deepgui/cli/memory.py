"""How much memory a network takes: its weights, what a batch leaves behind, and training it."""

from __future__ import annotations

from deepgui.compiler.report import Report
from deepgui.graph.shapes import TensorType
from deepgui.project.values import TrainingConfig

_BYTES = {"float64": 8, "int64": 8, "complex64": 8, "float16": 2, "bfloat16": 2, "int16": 2, "uint8": 1, "bool": 1}
_STATES = {"SGD": 0, "Adagrad": 1, "RMSprop": 1, "Rprop": 2, "Adafactor": 0, "LBFGS": 20, "Muon": 1}
"""Tensors of the size of the weights that an optimiser keeps; Adam's family keeps two."""


def forecast(report: Report, training: TrainingConfig) -> dict[str, int]:
    """Bytes: ``weights``, ``activations`` of one batch, ``training`` (weights, gradients, optimiser, activations)."""
    weights = report.parameters * 4
    outputs = (t for node in report.nodes.values() for t in node.outputs.values())
    activations = sum(_size(t, training.batch_size) for t in outputs)
    states = _STATES.get(training.optimizer, 2)
    if training.optimizer == "SGD" and training.optimizer_options.get("momentum"):
        states = 1
    return {
        "weights": weights,
        "activations": activations,
        "training": weights * (2 + states) + activations,
        "batch_size": training.batch_size,
    }


def _size(kind: TensorType, batch: int) -> int:
    return kind.numel(batch) * _BYTES.get(kind.dtype, 4)
