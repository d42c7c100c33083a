"""What a layer can compute, but hardly as it was meant."""

from __future__ import annotations

from collections.abc import Iterator

from deepgui.catalog.spec import Value
from deepgui.compiler.advice.case import Case
from deepgui.graph.problems import Problem
from deepgui.graph.shapes import Dim, TensorType
from deepgui.graph.values import Node

_CHANNELS = (1, 3, 4)
_OVER_TIME = ("Conv1d", "ConvTranspose1d", "BatchNorm1d", "InstanceNorm1d", "MaxPool1d", "AvgPool1d")
_FEATURES_LAST = (
    "Embedding",
    "LSTM",
    "GRU",
    "RNN",
    "MultiheadAttention",
    "TransformerEncoderLayer",
    "TransformerEncoder",
)
_RECURRENT = ("LSTM", "GRU", "RNN")


def doubts(case: Case) -> Iterator[Problem]:
    """Warnings about a layer that PyTorch takes as it is."""
    first = case.first
    if first is None:
        return
    yield from _linear_on_picture(case, first)
    yield from _channels_last(case, first)
    yield from _features_last(case, first)
    yield from _channels_first(case, first)
    yield from _batch_as_time(case, first)
    yield from _flattened_batch(case)


def _linear_on_picture(case: Case, arriving: TensorType) -> Iterator[Problem]:
    """Behind convolutions; channels last, as ConvNeXt and Swin have it, comes through permute or LayerNorm."""
    source = case.source(case.first_port)
    pictures = source is not None and _gives_pictures(case, source)
    if case.spec.kind == "Linear" and len(arriving.dims) == 4 and pictures:
        yield case.problem(
            "linear-on-picture",
            f"it works on the last dimension of {arriving.shape} only.",
            case.first_port,
            expected="N×features",
            received=arriving.shape,
            severity="warning",
            reason="A Linear layer behind convolutions usually sees all their values at once, which takes a Flatten.",
            fix=case.insert("Flatten", case.wire(case.first_port), ("Flatten", {})),
        )


def _gives_pictures(case: Case, node: Node) -> bool:
    spec = case.registry.get(node.kind)
    picture = spec is not None and spec.category in ("Pooling", "Convolution")
    return picture or node.kind == "Input" or node.kind.startswith("BatchNorm")


def _channels_last(case: Case, arriving: TensorType) -> Iterator[Problem]:
    """Pictures as image files have them, ``H×W×C``, straight into a layer that reads ``C×H×W``."""
    source = case.source(case.first_port)
    if source is None or source.kind != "Input" or len(arriving.dims) != 4 or not arriving.batch_first:
        return
    high, wide, last = (d.const for d in arriving.dims[1:])
    if case.spec.inputs[0].layouts == ("N C H W",) and last in _CHANNELS and min(high, wide) > 4:
        yield case.problem(
            "channels-last",
            f"{arriving.shape} is read as {high} channels of {wide}×{last} pixels.",
            case.first_port,
            expected=f"N×{last}×{high}×{wide}",
            received=arriving.shape,
            severity="warning",
            reason="PyTorch has the channels in front of height and width; image files have them last.",
            fix=case.insert("permute(0, 3, 1, 2)", case.wire(case.first_port), ("permute", {"dims": (0, 3, 1, 2)})),
        )


def _features_last(case: Case, arriving: TensorType) -> Iterator[Problem]:
    source = case.source(case.first_port)
    if case.spec.kind in _OVER_TIME and source is not None and _gives_features_last(case, source.kind, arriving):
        steps, size = arriving.dims[1:]
        yield _turned(case, arriving, f"{arriving.shape} is read as {steps} channels of {size} steps.")


def _gives_features_last(case: Case, kind: str, arriving: TensorType) -> bool:
    return len(arriving.dims) == 3 and kind in (*_FEATURES_LAST, "Linear") and arriving.batch_first


def _channels_first(case: Case, arriving: TensorType) -> Iterator[Problem]:
    source = case.source(case.first_port)
    recurrent = case.spec.kind in (*_RECURRENT, "MultiheadAttention", "TransformerEncoderLayer")
    over_time = source is not None and source.kind in _OVER_TIME and len(arriving.dims) == 3 and arriving.batch_first
    if recurrent and over_time and case.facts.params.get("batch_first"):
        channels, steps = arriving.dims[1:]
        yield _turned(case, arriving, f"{arriving.shape} is read as {channels} steps of {steps} features.")


def _turned(case: Case, arriving: TensorType, message: str) -> Problem:
    n, a, b = arriving.dims
    return case.problem(
        "steps-and-features",
        message,
        case.first_port,
        expected=TensorType((n, b, a)).shape,
        received=arriving.shape,
        severity="warning",
        reason="Convolutions and poolings have the channels first and time last; recurrent layers, attention and"
        " Embedding have time first and the features last. A transpose leads from one to the other.",
        fix=case.insert("transpose(1, 2)", case.wire(case.first_port), ("transpose", {"dim0": 1, "dim1": 2})),
    )


def _batch_as_time(case: Case, arriving: TensorType) -> Iterator[Problem]:
    """A batch where ``batch_first`` says that time is, and the other way round."""
    first = case.facts.params.get("batch_first")
    if not isinstance(first, bool) or len(arriving.dims) != 3:
        return
    place = 0 if arriving.dims[0] == Dim(1, 0) else 1 if arriving.dims[1] == Dim(1, 0) else None
    if place is not None and place != (0 if first else 1):
        name = "batch_first"
        value: Value = not first
        yield case.problem(
            "batch-as-time",
            f"batch_first is {first}, so the batch N of {arriving.shape} is taken for time and the examples are mixed.",
            case.first_port,
            expected="N first" if first else "time first, N second",
            received=arriving.shape,
            severity="warning",
            reason=f"Dimension {place} is the batch here: set batch_first to {value}.",
            fix=case.set(name, value),
        )


def _flattened_batch(case: Case) -> Iterator[Problem]:
    if case.spec.kind not in ("Flatten", "flatten"):
        return
    for type_ in case.facts.outputs.values():
        mixed = type_.dims and any(t.batch_first for ts in case.types.values() for t in ts)
        if mixed and not type_.batch_first:
            arriving = case.first
            yield case.problem(
                "batch-mixed",
                f"the examples of a batch are mixed ({type_.shape}).",
                case.first_port,
                expected="N×…",
                received=arriving.shape if arriving else type_.shape,
                reason="Flatten from dimension 0 joins the batch with the rest; an example begins at dimension 1.",
                fix=case.set("start_dim", 1),
            )
