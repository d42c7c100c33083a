"""The palette offers layers by drag, double-click and keyboard."""

from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from qt.frame_helpers import session_of, small_cnn

from deepgui.qt.palette.panel import KIND, LAYER_MIME, Palette, drag_card
from deepgui.qt.shelf import offered


def make(qtbot: QtBot) -> tuple[Palette, list[str]]:
    palette = Palette(session_of(small_cnn()))
    qtbot.addWidget(palette)
    placed: list[str] = []
    palette.place_requested.connect(placed.append)
    return palette, placed


def test_typing_and_enter_places_the_best_match(qtbot: QtBot) -> None:
    palette, placed = make(qtbot)
    qtbot.keyClicks(palette.search, "c2")
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert placed == ["Conv2d"]
    qtbot.keyClick(palette.search, Qt.Key.Key_Down)
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert len(placed) == 2
    assert placed[1] != "Conv2d"


def test_escape_brings_the_families_back(qtbot: QtBot) -> None:
    palette, _ = make(qtbot)
    qtbot.keyClicks(palette.search, "lstm")
    qtbot.keyClick(palette.search, Qt.Key.Key_Escape)
    assert palette.search.text() == ""
    assert palette.tree.model().index(0, 0).data() == "Everyday"


def test_dragging_carries_the_kind(qtbot: QtBot) -> None:
    palette, _ = make(qtbot)
    qtbot.keyClicks(palette.search, "relu")
    index = palette.tree.model().index(0, 0)
    data = palette.tree.model().mimeData([index])
    assert data.hasFormat(LAYER_MIME)
    assert bytes(data.data(LAYER_MIME)).decode("utf-8") == "ReLU"
    assert not drag_card("ReLU", "Activation", 2.0).isNull()


def test_every_kind_is_under_its_family_once(qtbot: QtBot) -> None:
    palette, _ = make(qtbot)
    model = palette.tree.model()
    families = [model.index(row, 0) for row in range(1, model.rowCount())]
    kinds = [model.index(row, 0, family).data(KIND) for family in families for row in range(model.rowCount(family))]
    assert sorted(kinds) == sorted(offered(palette._session))
    assert "ResidualBasic" in kinds


def test_nothing_found_is_said(qtbot: QtBot) -> None:
    palette, placed = make(qtbot)
    palette.show()
    qtbot.keyClicks(palette.search, "qqqqq")
    assert not palette.tree.isVisible()
    qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert placed == []
