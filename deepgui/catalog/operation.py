"""What is said about one of PyTorch's functions to make it a node: names, and what its signature does not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

TORCH: Final = ...
"""Stands for: the default is PyTorch's."""

MATH = "Math"
REDUCTION = "Reduction"
SHAPE = "Shape"
SELECTION = "Selection"
COMPARISON = "Comparison"
CREATION = "Creation"
SIGNAL = "Signal"
ATTENTION = "Attention"

COMPOSED = "deepgui.catalog.composed"
INTEGERS = ("int64", "int32")
AT = {"dim": "The dimension; 0 is the batch."}
"""The help of ``dim``."""


@dataclass(frozen=True)
class Operation:
    """What is said about one function.

    Attributes:
        target: qualified name; those of :mod:`deepgui.catalog.composed` are written as an expression.
        settings: arguments that are parameters of the node, with the default to offer.
        aliases: other words people search for.
        inputs: arguments that are tensors; by default those tensors that have no default.
        outputs: names of the results, if there are several.
        repeat: the parameters that say how many results there are (:attr:`PortSpec.repeat`).
        counts: parameters of ours that only say how many results there are, with their default.
        numbers: inputs for which a number can stand in.
        must: settings that have to be set although PyTorch has a default.
        choices, types, helps, dtypes: corrections by argument.
        kind: by default the function's name.
        doc, doc_of: the help, or the function that has it, if this one has none.
    """

    target: str
    category: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    repeat: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    numbers: tuple[str, ...] = ()
    must: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    types: Mapping[str, Any] = field(default_factory=dict)
    helps: Mapping[str, str] = field(default_factory=dict)
    dtypes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    symbol: str = ""
    kind: str = ""
    summary: str = ""
    doc: str = ""
    doc_of: str = ""


def words(text: str) -> tuple[str, ...]:
    """Words between commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())
