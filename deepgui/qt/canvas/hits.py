"""What lies under the mouse. Knows no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from deepgui.graph.values import Wire
from deepgui.qt.canvas.card import Side


class PortRef(NamedTuple):
    """One place where a wire can end."""

    node: str
    side: Side
    port: str
    index: int = 0


@dataclass(frozen=True)
class Hit:
    """What was found: a port, a problem's badge, a node, a wire, or nothing."""

    node: str = ""
    port: PortRef | None = None
    wire: Wire | None = None
    badge: bool = False

    @property
    def empty(self) -> bool:
        return not self.node and self.wire is None


NOTHING = Hit()
