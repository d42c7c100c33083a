"""What an import says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from deepgui.project.values import Project

TOLERANCE = 1e-5
"""Largest accepted difference, relative to the largest answer where that exceeds one."""


class ImportFailed(ValueError):
    """Nothing was imported: one plain sentence that says why and, where that helps, what to do.

    Attributes:
        where: the submodule that is the reason; None if that is not known.
    """

    def __init__(self, message: str, where: str | None = None) -> None:
        super().__init__(message)
        self.where = where


class Inexpressible(Exception):
    """One operation has no place in a drawing as it was called; the message says why, without saying where."""


@dataclass(frozen=True)
class Note:
    """One thing that a person should know about an import.

    Attributes:
        severity: ``error``: a part could not be expressed, and the drawing lacks it. ``code``: a part is a layer in
            Python instead of a drawing. ``note``: it is expressed, but not quite as it was.
        operation: the module or function, by PyTorch's or ONNX's name.
        where: the submodule or ONNX node that it belongs to; empty for the network as a whole.
        message: why, as a plain sentence part.
    """

    severity: Literal["error", "code", "note"]
    operation: str
    where: str
    message: str

    def __str__(self) -> str:
        place = f" in {self.where}" if self.where else ""
        return f"{self.operation}{place}: {self.message}."


@dataclass(frozen=True)
class ImportReport:
    """How an import went.

    Attributes:
        way: how the original was read: ``recorded``, ``torch.export`` or ``onnx``.
        nodes, parameters: what the drawing has.
        largest_difference: between the answers of the original and of the compiled drawing on random inputs;
            None if they could not be compared.
        largest_answer: the largest number that the original answered, which the difference is seen against.
        compared_with: what was compared, for a person.
        notes: what could not be expressed, and what was expressed otherwise.
    """

    way: str
    nodes: int = 0
    parameters: int = 0
    largest_difference: float | None = None
    largest_answer: float = 0.0
    compared_with: str = ""
    notes: tuple[Note, ...] = ()

    @property
    def errors(self) -> tuple[Note, ...]:
        """The parts that could not be expressed."""
        return tuple(n for n in self.notes if n.severity == "error")

    @property
    def code(self) -> tuple[Note, ...]:
        """The parts that are layers in Python, since no drawing could say them."""
        return tuple(n for n in self.notes if n.severity == "code")

    @property
    def close(self) -> bool:
        """Whether both were asked, and answered the same but for rounding."""
        if self.largest_difference is None:
            return False
        return self.largest_difference <= TOLERANCE * max(1.0, self.largest_answer)

    @property
    def ok(self) -> bool:
        """Whether the drawing computes what the original does, as far as that could be checked."""
        return not self.errors and self.close


@dataclass(frozen=True)
class Imported:
    """A drawing made from something else, and the weights that its compiled module takes."""

    project: Project
    state_dict: Mapping[str, Tensor]
    report: ImportReport
