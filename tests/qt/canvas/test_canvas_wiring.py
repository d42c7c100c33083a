"""Wires are drawn, refused, moved, broken and inserted into by mouse."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest

from deepgui.graph import edits
from deepgui.graph.values import Network, Point, Wire
from deepgui.qt.canvas.hits import PortRef

CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier


def chain(*kinds: str) -> Network:
    network, last = Network("net"), ""
    for place, kind in enumerate(kinds):
        network, node = edits.add_node(network, kind, at=Point(place * 280, 0))
        if last:
            network = edits.connect(network, Wire(last, "output", node.id, "input"))
        last = node.id
    return network


def apart(*kinds: str) -> Network:
    return edits.disconnect(chain(*kinds), chain(*kinds).wires)


def test_a_wire_is_drawn_from_an_output_and_undone_in_one_step(hand) -> None:
    hand.look(apart("Input", "ReLU"))
    before = hand.session.project
    hand.drag(hand.port("input", "out"), hand.port("relu", "in"))
    assert hand.network.wires == (Wire("input", "output", "relu", "input"),)
    hand.assert_mirrored()
    hand.session.document.undo()
    assert hand.session.project is before
    hand.assert_mirrored()


def test_a_wire_is_drawn_from_an_input_too(hand) -> None:
    hand.look(apart("Input", "ReLU"))
    hand.drag(hand.port("relu", "in"), hand.port("input", "out"))
    assert hand.network.wires == (Wire("input", "output", "relu", "input"),)


def test_a_wire_dropped_on_a_body_takes_the_first_free_input(hand) -> None:
    network = apart("Input", "ReLU", "add")
    hand.look(edits.connect(network, Wire("input", "output", "add", "input")))
    hand.drag(hand.port("relu", "out"), hand.body("add"))
    assert Wire("relu", "output", "add", "other") in hand.network.wires


def test_a_cycle_is_refused_and_the_reason_shown(hand) -> None:
    hand.look(chain("Input", "ReLU", "Linear"))
    before = hand.session.project
    hand.press(hand.port("linear", "out"))
    hand.move(hand.port("relu", "out"))
    hand.move(hand.port("relu", "in"))
    assert "cycle" in hand.view.hands.gesture.hint
    focus = hand.view.hands.gesture.focus
    assert not focus.accepts(PortRef("relu", "in", "input"))
    assert focus.accepts(PortRef("other", "in", "input"))
    hand.release(hand.port("relu", "in"))
    assert hand.session.project is before


def test_two_outputs_do_not_go_together(hand) -> None:
    hand.look(apart("Input", "ReLU"))
    before = hand.session.project
    hand.drag(hand.port("input", "out"), hand.port("relu", "out"))
    assert hand.session.project is before


def test_a_variadic_input_offers_an_open_place_after_each_wire(hand) -> None:
    hand.look(apart("Input", "ReLU", "cat"))
    hand.drag(hand.port("input", "out"), hand.port("cat", "in", "tensors", 0))
    hand.drag(hand.port("relu", "out"), hand.port("cat", "in", "tensors", 1))
    assert [w.index for w in hand.network.into("cat")] == [0, 1]
    assert len(hand.view.mirror.nodes["cat"].card.inputs) == 3
    hand.assert_mirrored()


def test_ctrl_drag_moves_the_end_of_a_wire_in_one_step(hand) -> None:
    hand.look(edits.disconnect(chain("Input", "ReLU", "Linear"), (Wire("relu", "output", "linear", "input"),)))
    steps = hand.steps()
    hand.drag(hand.port("relu", "in"), hand.port("linear", "in"), CTRL)
    assert hand.network.wires == (Wire("input", "output", "linear", "input"),)
    assert hand.steps() == steps + 1
    hand.drag(hand.port("linear", "in"), hand.scene(300, 250), CTRL)
    assert hand.network.wires == ()


def test_putting_a_lifted_wire_back_changes_nothing(hand) -> None:
    hand.look(chain("Input", "ReLU"))
    before = hand.session.project
    away = hand.port("relu", "in")
    hand.press(away, CTRL)
    hand.move(away + QPoint(60, 60), CTRL)
    hand.move(away, CTRL)
    hand.release(away, CTRL)
    assert hand.session.project is before


def test_alt_click_breaks_the_wires_of_a_port(hand) -> None:
    network = chain("Input", "ReLU")
    network, _ = edits.add_node(network, "Linear", at=Point(280, 200))
    hand.look(edits.connect(network, Wire("input", "output", "linear", "input")))
    hand.click(hand.port("input", "out"), ALT)
    assert hand.network.wires == ()


def test_a_wire_dropped_on_empty_canvas_offers_what_fits_and_connects_it(hand) -> None:
    hand.look(chain("Input"))
    hand.drag(hand.port("input", "out"), hand.scene(400, 100))
    popup = hand.view.overlays.search
    assert popup.isVisible()
    assert "Input" not in popup.keys  # it has no input that the wire could end at
    QTest.keyClicks(popup.edit, "relu")
    QTest.keyClick(popup.edit, Qt.Key.Key_Return)
    assert hand.network.wires == (Wire("input", "output", "relu", "input"),)
    assert hand.session.selection == {"relu"}
    assert hand.network.layout["relu"] == Point(400, 80)
    assert hand.steps() == 1


def test_from_an_input_only_kinds_with_an_output_are_offered(hand) -> None:
    hand.look(chain("Output"))
    hand.drag(hand.port("output", "in"), hand.scene(-300, 100))
    assert "Output" not in hand.view.overlays.search.keys
    QTest.keyClicks(hand.view.overlays.search.edit, "linear")
    QTest.keyClick(hand.view.overlays.search.edit, Qt.Key.Key_Return)
    assert hand.network.wires == (Wire("linear", "output", "output", "input"),)


def test_escape_lets_go_of_a_wire_and_of_the_search(hand) -> None:
    hand.look(chain("Input"))
    before = hand.session.project
    hand.press(hand.port("input", "out"))
    hand.move(hand.scene(300, 200))
    hand.key(Qt.Key.Key_Escape)
    hand.release(hand.scene(300, 200))
    assert not hand.view.overlays.search.isVisible()
    hand.drag(hand.port("input", "out"), hand.scene(300, 200))
    QTest.keyClick(hand.view.overlays.search.edit, Qt.Key.Key_Escape)
    assert not hand.view.overlays.search.isVisible()
    assert hand.session.project is before


def drop(hand, kind: str, at: QPoint) -> None:
    data = QMimeData()
    data.setData("application/x-deepgui-layer", kind.encode())
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    event = QDropEvent(QPointF(at), Qt.DropAction.CopyAction, data, buttons, keys)
    hand.view.dropEvent(event)


def test_a_layer_dropped_from_the_palette_stands_at_the_cursor(hand) -> None:
    drop(hand, "Conv2d", hand.scene(104, 24))
    place = hand.network.layout["conv2d"]
    assert abs(place.x + 92 - 104) <= 8
    assert abs(place.y + 24 - 24) <= 8
    drop(hand, "NoSuchLayer", hand.scene(300, 24))
    assert list(hand.network.nodes) == ["conv2d"]


def test_a_layer_dropped_on_a_wire_is_inserted_with_room(hand) -> None:
    hand.look(chain("Input", "ReLU", "Output"))
    drop(hand, "Linear", hand.scene(232, 24))
    assert set(hand.network.wires) == {
        Wire("input", "output", "linear", "input"),
        Wire("linear", "output", "relu", "input"),
        Wire("relu", "output", "output", "input"),
    }
    rects = [item.rect for item in hand.view.mirror.nodes.values()]
    assert not any(a.intersects(b) for a in rects for b in rects if a is not b)
    assert hand.steps() == 1
    hand.assert_mirrored()


def test_an_unconnected_node_dropped_on_a_wire_is_spliced_in(hand) -> None:
    network, _ = edits.add_node(chain("Input", "ReLU"), "Linear", at=Point(150, 200))
    hand.look(network)
    hand.drag(hand.body("linear"), hand.scene(242, 30))
    assert set(hand.network.wires) == {
        Wire("input", "output", "linear", "input"),
        Wire("linear", "output", "relu", "input"),
    }
    assert hand.steps() == 1
    hand.assert_mirrored()
