"""Nodes are selected, moved and edited; the view is panned, zoomed and fitted."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMenu, QPushButton, QWidget

from deepgui.graph import edits
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.values import Network, Point, Wire
from deepgui.qt import theme
from deepgui.qt.checking import Checking

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier
MIDDLE = Qt.MouseButton.MiddleButton


@pytest.fixture
def three(hand):
    network, last = Network("net"), ""
    for place, kind in enumerate(("Input", "ReLU", "Output")):
        network, node = edits.add_node(network, kind, at=Point(place * 280, 0))
        if last:
            network = edits.connect(network, Wire(last, "output", node.id, "input"))
        last = node.id
    hand.look(network)
    return hand


def test_a_move_is_live_and_one_step_of_undo(three) -> None:
    before = three.session.project
    start = three.body("relu")
    three.press(start)
    three.move(start + QPoint(20, 80))
    assert three.view.mirror.nodes["relu"].y > 50
    assert three.session.project is before
    three.move(start + QPoint(50, 120))
    three.release(start + QPoint(50, 120))
    assert three.steps() == 1
    assert three.network.layout["relu"] == Point(328, 120)
    three.assert_mirrored()
    three.session.document.undo()
    assert three.session.project is before
    three.assert_mirrored()


def test_moving_snaps_to_where_the_wire_runs_straight_and_alt_moves_freely(three) -> None:
    start = three.body("relu")
    three.drag(start, start + QPoint(3, 9))
    assert three.network.layout == three.session.network.layout
    assert three.network.layout["relu"].y == 0
    three.drag(start, start + QPoint(3, 9), ALT)
    assert three.network.layout["relu"] == Point(283, 9)


def test_escape_in_the_middle_of_a_move_leaves_the_value_untouched(three) -> None:
    before = three.session.project
    start = three.body("relu")
    three.press(start)
    three.move(start + QPoint(90, 90))
    three.key(Qt.Key.Key_Escape)
    three.release(start + QPoint(90, 90))
    assert three.session.project is before
    three.assert_mirrored()


def test_the_selection_moves_together(three) -> None:
    three.key(Qt.Key.Key_A, CTRL)
    start = three.body("input")
    three.drag(start, start + QPoint(80, 160))
    assert [p.y for p in three.network.layout.values()] == [160, 160, 160]


def test_clicks_select_shift_adds_and_ctrl_toggles(three) -> None:
    three.click(three.body("input"))
    assert three.session.selection == {"input"}
    three.click(three.body("relu"), SHIFT)
    assert three.session.selection == {"input", "relu"}
    three.click(three.body("input"), CTRL)
    assert three.session.selection == {"relu"}
    three.click(three.scene(0, 250))
    assert three.session.selection == set()


def test_a_rubber_band_selects_adds_and_toggles(three) -> None:
    three.drag(three.scene(-60, -60), three.scene(320, 100))
    assert three.session.selection == {"input", "relu"}
    three.drag(three.scene(500, -60), three.scene(800, 100), SHIFT)
    assert three.session.selection == {"input", "relu", "output"}
    three.drag(three.scene(-60, -60), three.scene(100, 100), CTRL)
    assert three.session.selection == {"relu", "output"}
    three.press(three.scene(-60, -60))
    three.move(three.scene(100, 100))
    three.key(Qt.Key.Key_Escape)
    assert three.session.selection == {"relu", "output"}


def test_middle_drag_and_space_drag_pan_without_editing(three) -> None:
    before = three.session.project
    seen = three.view.visible_rect().topLeft()
    three.drag(QPoint(600, 350), QPoint(500, 300), button=MIDDLE)
    assert three.view.visible_rect().topLeft() - seen == QPointF(100, 50)
    QTest.keyPress(three.view, Qt.Key.Key_Space)
    three.drag(QPoint(500, 300), QPoint(600, 350))
    QTest.keyRelease(three.view, Qt.Key.Key_Space)
    assert three.view.visible_rect().topLeft() == seen
    assert not three.view.overlays.search.isVisible()
    assert three.session.project is before


def wheel(hand, at: QPoint, turn: int) -> None:
    none = Qt.KeyboardModifier.NoModifier
    where = QPointF(hand.view.viewport().mapToGlobal(at))
    phase = Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(QPointF(at), where, QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton, none, phase, False)
    QApplication.sendEvent(hand.view.viewport(), event)


def test_the_wheel_zooms_at_the_cursor(three) -> None:
    at = QPoint(300, 200)
    held = three.view.mapToScene(at)
    for turn in (120, 120, -120, 240, -600):
        wheel(three, at, turn)
        away = three.view.mapToScene(at) - held
        assert abs(away.x()) * three.view.zoom <= 2.5
        assert abs(away.y()) * three.view.zoom <= 2.5
    assert three.view.zoom != 1.0


def test_fit_all_and_fit_selection(three) -> None:
    three.view.camera.scroll_by(3000, 3000)
    three.key(Qt.Key.Key_Home)
    assert three.view.visible_rect().contains(three.view.mirror.bounds())
    three.session.select(["output"])
    three.key(Qt.Key.Key_F)
    assert (three.view.visible_rect().center() - three.view.mirror.nodes["output"].rect.center()).manhattanLength() < 4


def test_delete_and_delete_with_healing(three) -> None:
    three.session.select(["relu"])
    three.key(Qt.Key.Key_Delete, CTRL)
    assert three.network.wires == (Wire("input", "output", "output", "input"),)
    three.key(Qt.Key.Key_Z, CTRL)
    three.session.select(["relu"])
    three.key(Qt.Key.Key_Delete)
    assert list(three.network.nodes) == ["input", "output"]
    assert three.network.wires == ()
    three.assert_mirrored()


def test_a_clicked_wire_can_be_deleted(three) -> None:
    three.click(three.scene(232, 24))
    assert three.view.picked_wires == {Wire("input", "output", "relu", "input")}
    three.key(Qt.Key.Key_Delete)
    assert three.network.wires == (Wire("relu", "output", "output", "input"),)
    assert three.view.picked_wires == set()


def test_copy_paste_keeps_wires_among_the_copies_and_on_request_the_inputs(three) -> None:
    three.session.select(["relu", "output"])
    three.key(Qt.Key.Key_C, CTRL)
    three.key(Qt.Key.Key_V, CTRL)
    assert three.session.selection == {"relu_2", "output_2"}
    assert Wire("relu_2", "output", "output_2", "input") in three.network.wires
    assert not three.network.into("relu_2")
    three.key(Qt.Key.Key_V, CTRL | SHIFT)
    assert three.network.into("relu_3") == (Wire("input", "output", "relu_3", "input"),)
    assert three.steps() == 2
    three.assert_mirrored()


def test_cut_is_undone_in_one_step_and_pastes_back(three) -> None:
    three.session.select(["relu"])
    three.key(Qt.Key.Key_X, CTRL)
    assert "relu" not in three.network.nodes
    assert three.steps() == 1
    three.key(Qt.Key.Key_V, CTRL)
    assert len(three.network.nodes) == 3


@pytest.mark.parametrize("junk", ["", "hello", "{}", '{"deepgui": 1}', "[" * 100_000, '{"a": ' * 5000, "\x00{"])
def test_anything_on_the_clipboard_is_survived(three, junk: str) -> None:
    before = three.session.project
    QGuiApplication.clipboard().setText(junk)
    three.key(Qt.Key.Key_V, CTRL)
    assert three.session.project is before


def test_a_copy_comes_into_view_and_not_under_the_map(three) -> None:
    view, minimap = three.view, three.view.overlays.minimap
    view.camera.zoom_to(1.0)
    relu = view.mirror.nodes["relu"].rect
    view.look_at(relu.center() - QPointF(view.width() / 2 - 150, view.height() / 2 - 80))
    assert minimap.isVisible()
    assert view.mapFromScene(relu.translated(32, 32)).boundingRect().intersects(minimap.geometry())
    three.session.select(["relu"])
    three.key(Qt.Key.Key_D, CTRL)
    copy = view.mapFromScene(view.mirror.nodes["relu_2"].rect).boundingRect()
    assert view.viewport().rect().contains(copy)
    assert not (minimap.isVisible() and copy.intersects(minimap.geometry()))


def test_duplicate_nudge_and_rename(three) -> None:
    three.session.select(["relu"])
    three.key(Qt.Key.Key_D, CTRL)
    assert three.network.layout["relu_2"] == Point(312, 32)
    steps = three.steps()
    three.key(Qt.Key.Key_Right)
    three.key(Qt.Key.Key_Right)
    three.key(Qt.Key.Key_Down)
    assert three.network.layout["relu_2"] == Point(328, 40)
    assert three.steps() == steps + 1
    three.key(Qt.Key.Key_F2)
    line = three.view.findChild(QLineEdit, "rename_edit")
    assert line.isVisible()
    QTest.keyClicks(line, "my act")
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert three.network.nodes["relu_2"].label == "my_act"
    assert not line.isVisible()


def test_a_rename_given_up_changes_nothing(three) -> None:
    before = three.session.project
    QTest.mouseDClick(three.view.viewport(), Qt.MouseButton.LeftButton, pos=three.body("relu"))
    line = three.view.findChild(QLineEdit, "rename_edit")
    QTest.keyClicks(line, "other")
    QTest.keyClick(line, Qt.Key.Key_Escape)
    assert three.session.project is before


@pytest.mark.parametrize("way", ["tab", "shift+a", "double-click", "space"])
def test_search_opens_in_every_customary_way_and_places_the_best_match(hand, way: str) -> None:
    if way == "double-click":
        QTest.mouseDClick(hand.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(300, 300))
    else:
        key = {"tab": Qt.Key.Key_Tab, "shift+a": Qt.Key.Key_A, "space": Qt.Key.Key_Space}[way]
        hand.key(key, SHIFT if way == "shift+a" else Qt.KeyboardModifier.NoModifier)
    popup = hand.view.overlays.search
    assert popup.isVisible()
    assert popup.window().focusWidget() is popup.edit
    QTest.keyClicks(popup.edit, "conv")
    QTest.keyClick(popup.edit, Qt.Key.Key_Return)
    assert [n.kind for n in hand.network.nodes.values()] == ["Conv2d"]
    assert not popup.isVisible()
    assert hand.view.focusWidget() in (hand.view, None)


def test_the_search_is_moved_through_by_arrow_keys(hand) -> None:
    hand.key(Qt.Key.Key_Tab)
    popup = hand.view.overlays.search
    second = popup.keys[1]
    QTest.keyClick(popup.edit, Qt.Key.Key_Down)
    QTest.keyClick(popup.edit, Qt.Key.Key_Return)
    assert [n.kind for n in hand.network.nodes.values()] == [second]


def test_find_centres_on_the_node(three) -> None:
    three.view.camera.scroll_by(4000, 0)
    three.key(Qt.Key.Key_F, CTRL)
    QTest.keyClicks(three.view.overlays.finder.edit, "outp")
    QTest.keyClick(three.view.overlays.finder.edit, Qt.Key.Key_Return)
    assert three.session.selection == {"output"}
    assert three.view.visible_rect().contains(three.view.mirror.nodes["output"].rect)


def test_placing_from_the_palette_goes_on_from_the_selection(hand) -> None:
    hand.view.place("Input")
    hand.view.place("Conv2d")
    hand.view.place("ReLU")
    assert hand.network.wires == (
        Wire("input", "output", "conv2d", "input"),
        Wire("conv2d", "output", "relu", "input"),
    )
    rects = [item.rect for item in hand.view.mirror.nodes.values()]
    assert not any(a.intersects(b) for a in rects for b in rects if a is not b)
    hand.view.place("NoSuchLayer")
    assert len(hand.network.nodes) == 3


def test_lay_out_is_an_edit_that_can_be_undone(three) -> None:
    before = three.session.project
    three.session.edit("Move", lambda n: edits.move(n, {"output": Point(-900, 333)}))
    moved = three.session.project
    three.key(Qt.Key.Key_L)
    x = {n: p.x for n, p in three.network.layout.items()}
    assert x["input"] < x["relu"] < x["output"]
    three.session.document.undo()
    assert three.session.project is moved
    three.session.document.undo()
    assert three.session.project is before


def test_a_fix_of_the_training_changes_that_and_not_the_drawing(three) -> None:
    before = three.session.project
    three.view.act.mend(Fix("Set the batch size to 8", training=(("batch_size", 8),)))
    assert three.session.project.training.batch_size == 8
    assert three.session.network is before.main
    three.session.document.undo()
    assert three.session.project is before


def test_the_badge_shows_the_problem_and_its_fix_mends_it(three) -> None:
    fix = Fix("Remove it", lambda n: edits.remove_nodes(n, ["relu"]))

    class Report:
        nodes: dict = {}
        problems = (Problem("x", "This is wrong.", node="relu", fix=fix),)

    three.session.report = Report()
    three.session.report_changed.emit(Report())
    item = three.view.mirror.nodes["relu"]
    assert item.card.severity == "error"
    three.click(three.scene(item.x + 180, 4))
    mending = three.view.findChild(QPushButton, "fix_button")
    assert mending.isVisible()
    assert mending.text() == "Remove it"
    QTest.mouseClick(mending, Qt.MouseButton.LeftButton)
    assert "relu" not in three.network.nodes
    assert three.steps() == 1


@pytest.mark.parametrize("place", [(300, 24), (232, 24), (184, 24), (0, 250)])
def test_every_place_has_a_context_menu(three, place: tuple[float, float], qtbot) -> None:
    at = three.scene(*place)
    where = three.view.viewport().mapToGlobal(at)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, where)
    QApplication.sendEvent(three.view.viewport(), event)
    menu = three.view.findChild(QMenu, "canvas_menu")
    assert menu is not None
    assert len(menu.actions()) >= 3
    menu.close()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_unknown_kinds_are_shown_movable_and_keep_their_ports(hand) -> None:
    network, _ = edits.add_node(Network("net"), "Input", at=Point(0, 0))
    network, strange = edits.add_node(network, "FromTheFuture", {"depth": 3}, at=Point(280, 0))
    hand.look(edits.connect(network, Wire("input", "output", strange.id, "left")))
    item = hand.view.mirror.nodes[strange.id]
    assert not item.card.known
    assert item.card.severity == "error"
    assert [s.port for s in item.card.inputs] == ["left"]
    hand.drag(hand.body(strange.id), hand.body(strange.id) + QPoint(0, 80))
    assert hand.network.layout[strange.id] == Point(280, 80)
    hand.assert_mirrored()
    assert not hand.view.grab().isNull()


@pytest.mark.parametrize("name", ["dark", "light"])
@pytest.mark.parametrize("zoom", [0.05, 0.3, 0.6, 1.0, 3.0])
def test_every_zoom_and_theme_paints_something(three, name: str, zoom: float) -> None:
    theme.use(name)
    try:
        three.view.camera.zoom_to(zoom)
        image = three.view.viewport().grab().toImage()
        colors = {image.pixel(x, y) for x in range(0, image.width(), 9) for y in range(0, image.height(), 7)}
        assert len(colors) > 1
    finally:
        theme.use("dark")


def test_an_empty_and_a_tiny_canvas_paint(hand) -> None:
    assert not hand.view.grab().isNull()
    hand.view.resize(170, 130)
    hand.view.place("LSTM")
    hand.key(Qt.Key.Key_Tab)
    assert hand.view.rect().contains(hand.view.overlays.search.geometry())
    assert not hand.view.grab().isNull()


def test_another_document_replaces_everything(three) -> None:
    three.look(Network("net"))
    assert three.view.mirror.nodes == {}
    assert three.view.mirror.wires == {}
    three.assert_mirrored()


def test_shapes_and_inferred_sizes_come_from_the_report(hand) -> None:
    from deepgui.catalog.builtin import registry

    hand.session.use_catalogue(registry(), Checking(registry()))
    network, a = edits.add_node(Network("net"), "Input", {"shape": (1, 28, 28)}, at=Point(0, 0))
    network, b = edits.add_node(network, "Conv2d", {"out_channels": 16, "kernel_size": 3}, at=Point(280, 0))
    network, c = edits.add_node(network, "Output", at=Point(560, 0))
    network = edits.connect(network, Wire(a.id, "output", b.id, "input"))
    wire = Wire(b.id, "output", c.id, "input")
    hand.look(edits.connect(network, wire))
    hand.session._check()
    assert hand.view.mirror.wires[wire].label == "N×16×26×26"
    card = hand.view.mirror.nodes[b.id].card
    assert [(d.text, d.inferred) for d in card.details] == [("1 →", True), ("16", False), ("3×3", False)]
    assert card.count == "160"
    hand.session.edit("Set", lambda n: edits.set_params(n, b.id, {"padding": 1}))
    hand.session._check()
    assert hand.view.mirror.wires[wire].label == "N×16×28×28"
    hand.view.grab()


def test_the_map_shows_only_when_something_is_out_of_view_and_leads_there(three) -> None:
    three.view.fit_all()
    minimap = three.view.findChild(QWidget, "minimap")
    assert not minimap.isVisible()
    three.view.camera.scroll_by(4000, 0)
    assert minimap.isVisible()
    QTest.mouseClick(minimap, Qt.MouseButton.LeftButton, pos=minimap.rect().center())
    assert (three.view.visible_rect().center() - three.view.mirror.bounds().center()).manhattanLength() < 20
