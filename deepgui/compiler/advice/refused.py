"""What is left to say where nothing better is known: PyTorch's own complaint, in the shapes that people see."""

from __future__ import annotations

import re
from collections.abc import Sequence

from deepgui.compiler.advice.case import Case
from deepgui.compiler.advice.layouts import layout_text
from deepgui.compiler.facts import BATCHES
from deepgui.graph.problems import Problem
from deepgui.graph.shapes import TensorType


def refused(case: Case) -> Problem:
    """PyTorch does not take what arrives."""
    if "overflow" in case.facts.error.lower():
        return _too_large(case)
    arriving = [t for ts in case.types.values() for t in ts]
    if not arriving:
        return case.problem("refused", f"{case.facts.error}.")
    shapes = " and ".join(t.shape for t in arriving)
    layouts = case.spec.inputs[0].layouts if case.spec.inputs else ()
    return case.problem(
        "refused",
        f"{case.node.kind} cannot take {shapes}.",
        case.first_port,
        expected=layout_text(layouts) or "see the reason",
        received=shapes,
        reason=f"PyTorch says: {in_symbols(case.facts.error, arriving)}",
    )


def in_symbols(words: str, arriving: Sequence[TensorType]) -> str:
    """PyTorch's words with N for the batch size of the trial, and shapes as they are written here."""
    words = re.sub(r"torch\.Size\(\[([\d, ]*)\]\)|(?<![\w.])\[([\d, ]+)\]", _shape, words)
    for n in BATCHES:
        counts = {t.numel(n): t.numel(n) // n for t in arriving if t.batch_first and t.numel(n) % n == 0}
        for count, each in counts.items():
            words = re.sub(rf"\b{count}\b", f"{each}·N" if each != 1 else "N", words)
        words = re.sub(rf"\b{n}\b", "N", words)
    return words


def _shape(match: re.Match[str]) -> str:
    return "×".join((match[1] or match[2] or "").replace(" ", "").split(","))


def _too_large(case: Case) -> Problem:
    """Sizes whose product PyTorch cannot count to."""
    sizes = {n: v for n, v in case.facts.params.items() if isinstance(v, int) and not isinstance(v, bool)}
    name = max(sizes, key=lambda n: sizes[n], default="")
    what = f"{name} = {sizes[name]:,}" if name else " and ".join(t.shape for ts in case.types.values() for t in ts)
    return case.problem(
        "too-large",
        f"{what} makes tensors that are too large for PyTorch.",
        expected="sizes that memory can hold",
        received=what,
        reason=f"PyTorch says: {case.facts.error}. Use smaller sizes.",
    )
