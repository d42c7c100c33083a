"""What can be wrong with a network, said so that a person can act on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from deepgui.graph.values import Network

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Fix:
    """An edit that mends a problem.

    Attributes:
        label: what the button says ("Insert Flatten").
        apply: the edit of the network.
        training: settings of the training to change instead, by name.
    """

    label: str
    apply: Callable[[Network], Network] = field(default=lambda network: network, compare=False, repr=False)
    training: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Problem:
    """Something wrong at a node or port.

    Attributes:
        code: stable id of the kind of problem (``unconnected-input``), for tests and help.
        message: one plain sentence.
        node: id of the node, or empty for the network as a whole.
        port: the port, if the problem sits at one.
        expected, received: short texts such as ``N×C×H×W`` and ``N×64``.
        reason: why, in plain words; may be empty.
        fix: an edit that mends it, if one does.
        inside: where in the block that the node uses, as a path inward (``2.conv``, ``conv``); empty if at the node.
    """

    code: str
    message: str
    node: str = ""
    port: str = ""
    expected: str = ""
    received: str = ""
    reason: str = ""
    severity: Severity = "error"
    fix: Fix | None = None
    inside: str = ""

    @property
    def path(self) -> str:
        """The way to it from the drawing it was found in: ``stage.2.conv``."""
        return f"{self.node}.{self.inside}" if self.inside else self.node


class NetworkError(ValueError):
    """Raised where a network must be valid and is not. ``problems`` has at least one error."""

    def __init__(self, problems: tuple[Problem, ...] | list[Problem]) -> None:
        self.problems = tuple(problems)
        errors = [p for p in self.problems if p.severity == "error"] or list(self.problems)
        more = f" {len(errors) - 1} more: deepgui check lists them." if len(errors) > 1 else ""
        super().__init__(f"{errors[0].message}{more}" if errors else "The network is not valid.")
