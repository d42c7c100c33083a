"""Where one looked in each drawing: going into a block fits it, and coming back finds everything as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from PySide6.QtCore import QPointF

from deepgui.qt.session import Level

if TYPE_CHECKING:
    from deepgui.qt.canvas.view import CanvasView


class _Look(NamedTuple):
    """The scene point in the middle of the view, and the zoom."""

    middle: QPointF
    zoom: float


class Travel:
    """Follows the session from drawing to drawing."""

    def __init__(self, view: CanvasView) -> None:
        self._view = view
        self._levels: tuple[Level, ...] = ()
        self._looks: dict[tuple[str, ...], _Look] = {}
        view.session.level_changed.connect(self._on_level)
        view.session.document_replaced.connect(self._forget)

    def _forget(self) -> None:
        self._levels = self._view.session.levels
        self._looks.clear()

    def _on_level(self) -> None:
        before, self._levels = self._levels, self._view.session.levels
        if _nodes(before) == _nodes(self._levels) and before:
            return  # another one of the row, or the same under another name: the same drawing
        middle = self._view.mapToScene(self._view.viewport().rect().center())
        self._looks[_nodes(before)] = _Look(middle, self._view.zoom)
        self._view.arrive()
        known = self._looks.get(_nodes(self._levels))
        if known is not None and len(self._levels) < len(before):
            self._view.camera.zoom_to(known.zoom)
            self._view.look_at(known.middle)
        else:
            self._view.fit_all()


def _nodes(levels: tuple[Level, ...]) -> tuple[str, ...]:
    """The way without the places in rows and the names of blocks."""
    return tuple(level.node or f"={level.block}" for level in levels)
