"""Showing the whole drawing in views of any size."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QToolButton

from deepgui.graph import edits
from deepgui.graph.values import Network, Point


def grid(across: int, down: int) -> Network:
    network = Network("net")
    for x in range(across):
        for y in range(down):
            network, _ = edits.add_node(network, "ReLU", at=Point(280.0 * x, 100.0 * y))
    return network


@pytest.mark.parametrize("size", [(900, 640), (900, 170), (420, 170), (300, 500)])
@pytest.mark.parametrize(("across", "down"), [(6, 1), (6, 2), (4, 4), (1, 6)])
def test_everything_is_in_view_and_nothing_under_the_zoom(hand, size, across, down):
    view = hand.view
    hand.look(grid(across, down))
    view.resize(*size)
    view.fit_all()
    zoom = view.findChild(QToolButton, "zoom_indicator").geometry()
    assert view.viewport().rect().contains(zoom)
    for item in view.mirror.nodes.values():
        shown = view.mapFromScene(item.rect).boundingRect()
        assert view.viewport().rect().contains(shown)
        assert not shown.intersects(zoom)
