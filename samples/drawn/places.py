"""Where nodes stand: the grid that all samples share."""

from __future__ import annotations

from deepgui.graph.values import Point

COLUMN, ROW = 280.0, 176.0


def place(column: float, row: float) -> Point:
    """A place on the grid."""
    return Point(column * COLUMN, row * ROW)
