"""Elements of the wrong type: whole numbers where weights are multiplied, real ones where rows are looked up."""

from __future__ import annotations

from collections.abc import Iterator

from deepgui.compiler.advice.case import Case
from deepgui.graph import edits
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.shapes import TensorType

_WHOLE = ("int64", "int32", "int16", "int8", "uint8", "bool")
_WEIGHING = ("Linear", "Convolution", "Normalization", "Recurrent", "Attention")


def wrong_dtypes(case: Case) -> Iterator[Problem]:
    """Ports that take other elements than arrive."""
    for port in case.spec.active_inputs(case.node.params):
        for arriving in case.types.get(port.name, ()):
            if port.dtypes and arriving.dtype not in port.dtypes:
                yield _wrong(case, port.name, arriving, port.dtypes)
    first = case.first
    weighs = case.spec.category in _WEIGHING and case.spec.kind != "Identity" and not case.spec.inputs[0].dtypes
    if weighs and first is not None and first.dtype in _WHOLE:
        yield _wrong(case, case.first_port, first, ("float32",))


def _wrong(case: Case, port: str, arriving: TensorType, wanted: tuple[str, ...]) -> Problem:
    whole = wanted[0] in _WHOLE
    return case.problem(
        "wrong-dtype",
        f"{case.node.kind} takes {' or '.join(wanted)}, but {arriving.dtype} arrives ({arriving.shape}).",
        port,
        expected=wanted[0],
        received=str(arriving),
        reason="Rows are looked up by whole numbers: connect it to an Input of whole numbers, such as words or classes."
        if whole
        else "Its weights are real numbers: let the Input be float32, or look whole numbers up in an Embedding.",
        fix=_of_input(case, port, wanted[0])
        or (None if whole else case.insert("to(float32)", case.wire(port), ("to", {"dtype": "float32"}))),
    )


def _of_input(case: Case, port: str, dtype: str) -> Fix | None:
    wire = case.wire(port)
    source = case.network.nodes.get(wire.source) if wire else None
    if source is None or source.kind != "Input":
        return None
    return Fix(
        f"Set dtype of {source.label} to {dtype}", lambda net: edits.set_params(net, source.id, {"dtype": dtype})
    )
