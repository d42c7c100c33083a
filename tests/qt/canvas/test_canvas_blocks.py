"""Blocks on the canvas: made, entered, left and taken apart with the keys and gestures that people know."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from qt.canvas.conftest import Hand, chain

from deepgui.catalog.expr import Expr
from deepgui.graph import edits
from deepgui.graph.blocks import uses
from deepgui.graph.values import Wire

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
ROW = ("Input", "Conv2d", "ReLU", "Linear", "Output")


def grouped(hand: Hand, *ids: str, name: str = "") -> str:
    """Select nodes, press Ctrl+G and type a name; returns the id of the node that uses the block."""
    hand.session.select(ids)
    hand.key(Qt.Key.Key_G, CTRL)
    line = hand.view.findChild(QLineEdit, "rename_edit")
    assert line.isVisible()
    if name:
        QTest.keyClicks(line, name)
    QTest.keyClick(line, Qt.Key.Key_Return)
    (use,) = hand.session.selection
    return use


def said(hand: Hand) -> str:
    return hand.view.overlays._said


def test_ctrl_g_makes_a_block_in_one_step_and_its_name_can_be_typed_at_once(hand: Hand) -> None:
    hand.look(chain(*ROW))
    before = hand.session.project
    use = grouped(hand, "conv2d", "relu", name="Stage")
    project = hand.session.project
    assert list(project.blocks) == ["Stage"]
    assert (hand.network.nodes[use].kind, hand.network.nodes[use].label) == ("Stage", "stage")
    assert {w.source for w in hand.network.into(use)} == {"input"}
    assert project.blocks["Stage"].network.name == "Stage"
    hand.session.document.undo()
    hand.session.document.undo()
    assert hand.session.project is before
    hand.assert_mirrored()


def test_a_name_left_as_it_is_costs_no_further_step(hand: Hand) -> None:
    hand.look(chain(*ROW))
    steps = hand.steps()
    grouped(hand, "conv2d")
    grouped(hand, "relu")
    assert list(hand.session.project.blocks) == ["Block", "Block_2"]
    assert hand.steps() == steps + 2


def test_what_cannot_be_a_block_is_said_in_a_sentence(hand: Hand) -> None:
    hand.look(chain(*ROW))
    before = hand.session.project
    hand.key(Qt.Key.Key_G, CTRL)
    assert said(hand) == "Select the layers that the block should hold."
    hand.session.select(("conv2d", "linear"))
    hand.key(Qt.Key.Key_G, CTRL)
    assert said(hand).startswith("relu stands between the selected layers")
    assert hand.session.project is before


def test_ctrl_shift_g_takes_it_apart_without_loss(hand: Hand) -> None:
    network = edits.set_params(chain(*ROW), "conv2d", {"out_channels": 7})
    hand.look(network)
    grouped(hand, "conv2d", "relu")
    hand.key(Qt.Key.Key_G, CTRL | SHIFT)
    assert hand.network.nodes.keys() == network.nodes.keys()
    assert set(hand.network.wires) == set(network.wires)
    assert hand.network.nodes["conv2d"].params["out_channels"] == 7
    assert hand.session.selection == {"conv2d", "relu"}
    hand.key(Qt.Key.Key_G, CTRL | SHIFT)
    assert said(hand) == "Select a block to take it apart."


def test_a_block_can_be_made_inside_a_block(hand: Hand) -> None:
    hand.look(chain(*ROW))
    use = grouped(hand, "conv2d", "relu", name="Outer")
    hand.key(Qt.Key.Key_Return)
    assert hand.session.block is hand.session.project.blocks["Outer"]
    before = hand.session.project
    inner = grouped(hand, "relu", name="Inner")
    project = hand.session.project
    assert uses(project.main, project.blocks) == {"Outer", "Inner"}
    assert project.blocks["Outer"].network.nodes[inner].kind == "Inner"
    assert project.main is before.main
    hand.key(Qt.Key.Key_G, CTRL | SHIFT)
    assert "relu" in hand.session.project.blocks["Outer"].network.nodes
    for _ in range(3):
        hand.session.document.undo()
    assert hand.session.project is before
    assert hand.session.levels[0].node == use


def test_double_click_goes_in_and_escape_comes_back_to_where_one_looked(hand: Hand) -> None:
    hand.look(chain(*ROW))
    use = grouped(hand, "conv2d", "relu")
    hand.view.camera.zoom_by(0.7)
    hand.view.look_at(QPointF(333, 44))
    zoom, middle = hand.view.zoom, hand.view.mapToScene(hand.view.viewport().rect().center())
    QTest.mouseDClick(hand.view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, hand.body(use))
    assert set(hand.view.mirror.nodes) == set(hand.session.project.blocks["Block"].network.nodes)
    assert hand.view.visible_rect().contains(hand.view.mirror.bounds())
    hand.assert_mirrored()
    hand.key(Qt.Key.Key_Escape)
    assert hand.session.levels == ()
    assert hand.session.selection == {use}
    assert abs(hand.view.zoom - zoom) < 1e-6
    assert (hand.view.mapToScene(hand.view.viewport().rect().center()) - middle).manhattanLength() < 4


def test_a_double_click_on_a_layer_still_renames_it(hand: Hand) -> None:
    hand.look(chain(*ROW))
    at = hand.body("conv2d")
    QTest.mouseDClick(hand.view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assert hand.view.findChild(QLineEdit, "rename_edit").isVisible()
    assert hand.session.levels == ()


def test_what_is_typed_over_a_node_does_not_outlive_the_drawing(hand: Hand) -> None:
    hand.look(chain(*ROW))
    use = grouped(hand, "conv2d")
    hand.view.rename(use)
    hand.session.enter(use)
    assert not hand.view.findChild(QLineEdit, "rename_edit").isVisible()


def test_an_edit_inside_changes_every_use_and_a_unique_one_no_more(hand: Hand) -> None:
    hand.look(chain(*ROW))
    use = grouped(hand, "relu")
    hand.key(Qt.Key.Key_D, CTRL)
    (twin,) = hand.session.selection
    assert hand.network.nodes[twin].kind == hand.network.nodes[use].kind == "Block"
    hand.key(Qt.Key.Key_U)
    assert hand.network.nodes[twin].kind == "Block_2"
    hand.session.enter(twin)
    hand.session.select(("relu",))
    hand.key(Qt.Key.Key_Delete)
    assert "relu" not in hand.session.project.blocks["Block_2"].network.nodes
    assert "relu" in hand.session.project.blocks["Block"].network.nodes


def test_make_unique_from_inside_stays_inside(hand: Hand) -> None:
    hand.look(chain(*ROW))
    use = grouped(hand, "relu")
    hand.key(Qt.Key.Key_D, CTRL)
    hand.session.enter(use)
    hand.key(Qt.Key.Key_U)
    assert [level.block for level in hand.session.levels] == ["Block_2"]
    assert hand.session.main.nodes[use].kind == "Block_2"


def test_a_row_is_asked_for_and_stepped_through(hand: Hand) -> None:
    hand.look(chain(*ROW))
    use = grouped(hand, "relu")
    hand.key(Qt.Key.Key_R)
    line = hand.view.findChild(QLineEdit, "rename_edit")
    QTest.keyClicks(line, "×3")
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert hand.network.nodes[use].params["repeat"] == 3
    assert hand.view.mirror.nodes[use].card.repeat == "×3"
    hand.key(Qt.Key.Key_Return)
    hand.key(Qt.Key.Key_PageDown)
    assert hand.session.levels[0].step == f"{use}.1"
    hand.key(Qt.Key.Key_PageUp)
    hand.key(Qt.Key.Key_PageUp)
    assert hand.session.levels[0].step == f"{use}.2"
    hand.session.edit_project("Shorter", lambda p: with_repeat(p, use, 2))
    assert hand.session.levels[0].step == f"{use}.1"
    hand.key(Qt.Key.Key_Escape)
    hand.view.blocks.repeat(use, "=2 * 2")
    assert hand.network.nodes[use].params["repeat"] == Expr("2 * 2")
    hand.view.blocks.repeat(use, "many")
    assert "whole number" in said(hand)
    hand.view.blocks.repeat(use, "1")
    assert "repeat" not in hand.network.nodes[use].params


def with_repeat(project: object, use: str, count: int) -> object:
    from deepgui.project.values import edit_network, main_key

    return edit_network(project, main_key(project), lambda net: edits.set_params(net, use, {"repeat": count}))


def test_ctrl_b_bypasses_the_selection_and_once_more_lets_it_take_part(hand: Hand) -> None:
    hand.look(chain(*ROW))
    hand.session.select(("input", "relu", "linear"))
    hand.key(Qt.Key.Key_B, CTRL)
    assert [n.id for n in hand.network.nodes.values() if n.bypass] == ["relu", "linear"]
    assert hand.view.mirror.nodes["relu"].card.bypassed
    hand.session.edit("One back", lambda net: edits.bypass(net, "relu", False))
    hand.key(Qt.Key.Key_B, CTRL)
    assert hand.network.nodes["relu"].bypass is True
    hand.key(Qt.Key.Key_B, CTRL)
    assert not any(n.bypass for n in hand.network.nodes.values())


def picture(hand: Hand) -> QImage:
    image = QImage(hand.view.viewport().size(), QImage.Format.Format_RGB32)
    painter = QPainter(image)
    hand.view.render(painter)
    painter.end()
    return image


def test_bypass_sharing_and_being_inside_can_be_seen(hand: Hand) -> None:
    hand.look(chain("Input", "Linear", "ReLU", "Linear", "Output"))
    plain = picture(hand)
    hand.view.blocks.share("linear_2", "linear")
    shared = picture(hand)
    assert shared != plain
    hand.session.document.undo()
    hand.view.blocks.bypass(("relu",))
    assert picture(hand) != plain
    use = grouped(hand, "relu")
    hand.session.enter(use)
    corner = picture(hand).pixelColor(0, 300)
    hand.session.leave()
    assert picture(hand).pixelColor(0, 300) != corner


def test_a_block_is_placed_by_the_search_and_never_inside_itself(hand: Hand) -> None:
    hand.look(chain(*ROW))
    use = grouped(hand, "relu", name="Stage")
    hand.view.open_search(QPointF(0, 400))
    assert "Stage" in hand.view.overlays.search.keys
    hand.view.overlays.search.close_up()
    hand.view.place_at("Stage", QPointF(0, 400))
    assert len(hand.network.of_kind("Stage")) == 2
    hand.session.enter(use)
    before = hand.session.project
    hand.view.place("Stage")
    assert said(hand) == "Stage cannot contain itself: it would never end."
    assert hand.session.project is before


def test_a_wire_inside_is_part_of_the_same_history(hand: Hand) -> None:
    hand.look(chain(*ROW))
    use = grouped(hand, "conv2d", "relu")
    hand.session.enter(use)
    before = hand.session.project
    wire = Wire("conv2d", "output", "relu", "input")
    hand.view.act.disconnect((wire,))
    assert wire not in hand.network.wires
    hand.session.leave()
    hand.session.document.undo()
    assert hand.session.project is before
