"""Any sequence of gestures: nothing raises, the canvas shows the network, undoing gives the first value back."""

from __future__ import annotations

import gc
import random
import weakref

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from deepgui.graph import edits
from deepgui.graph.values import Network, Point, Wire
from deepgui.qt.canvas.node_item import NodeItem

KEYS = [
    (Qt.Key.Key_Delete, Qt.KeyboardModifier.NoModifier),
    (Qt.Key.Key_Delete, Qt.KeyboardModifier.ControlModifier),
    (Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier),
    (Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier),
    (Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier),
    (Qt.Key.Key_X, Qt.KeyboardModifier.ControlModifier),
    (Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier),
    (Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier),
    (Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier),
    (Qt.Key.Key_L, Qt.KeyboardModifier.NoModifier),
    (Qt.Key.Key_F, Qt.KeyboardModifier.NoModifier),
    (Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier),
    (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier),
    (Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier),
    (Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier),
]
HELD = [
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
]


def start() -> Network:
    network, last = Network("net"), ""
    for place, kind in enumerate(("Input", "Conv2d", "LSTM", "cat", "FromTheFuture", "Output")):
        network, node = edits.add_node(network, kind, at=Point(place % 3 * 280, place // 3 * 200))
        if last:
            into = "tensors" if kind == "cat" else "input"
            network = edits.connect(network, Wire(last, "output", node.id, into))
        last = node.id
    return network


class Monkey:
    """Does something at random; mostly at places where there is something."""

    def __init__(self, hand, seed: int) -> None:
        self.hand = hand
        self.random = random.Random(seed)

    def spot(self) -> QPoint:
        mirror, view = self.hand.view.mirror, self.hand.view
        choice = self.random.random()
        if mirror.nodes and choice < 0.75:
            item = self.random.choice(list(mirror.nodes.values()))
            if choice < 0.5 and item.card.slots:
                return view.mapFromScene(item.port_point(self.random.choice(item.card.slots)))
            return view.mapFromScene(item.rect.center())
        if mirror.wires and choice < 0.85:
            return view.mapFromScene(self.random.choice(list(mirror.wires.values())).middle)
        return QPoint(self.random.randrange(view.width()), self.random.randrange(view.height()))

    def act(self) -> None:
        hand, view, roll = self.hand, self.hand.view, self.random.random()
        if roll < 0.5:
            button = self.random.choice([Qt.MouseButton.LeftButton] * 6 + [Qt.MouseButton.MiddleButton])
            hand.drag(self.spot(), self.spot(), self.random.choice(HELD), button)
        elif roll < 0.58:
            hand.press(self.spot())
            hand.move(self.spot())
            hand.key(*self.random.choice(KEYS))
            hand.move(self.spot())
            hand.release(self.spot())
        elif roll < 0.68:
            hand.click(self.spot(), self.random.choice(HELD))
        elif roll < 0.75:
            hand.view.place(self.random.choice(list(hand.session.registry)))
        elif roll < 0.79:
            view.act.rename(
                self.random.choice(["", *hand.network.nodes]), self.random.choice(["", "x", "class", "ö 1"])
            )
        elif roll < 0.84:
            view.camera.zoom_by(self.random.choice([0.5, 0.8, 1.25, 2.0]), self.spot())
        else:
            hand.key(*self.random.choice(KEYS))
        if view.overlays.search.isVisible():
            QTest.keyClicks(view.overlays.search.edit, self.random.choice(["re", "conv", "cat", "zzz", ""]))
            key = self.random.choice([Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Down])
            QTest.keyClick(view.overlays.search.edit, key)
            view.overlays.search.close_up()


@pytest.mark.parametrize("seed", range(3))
def test_any_gestures_undone_to_the_start_give_the_first_value_back(hand, seed: int) -> None:
    hand.look(start())
    hand.view.fit_all()
    first = hand.session.project
    monkey = Monkey(hand, seed)
    for step in range(300):
        monkey.act()
        assert hand.view.hands.gesture is None
        hand.assert_mirrored()
        if step % 25 == 0:
            hand.view.grab()
        if len(hand.network.nodes) > 60:
            hand.session.select(list(hand.network.nodes)[5:])
            hand.view.delete()
    while hand.session.document.undo():
        pass
    assert hand.session.project is first
    hand.assert_mirrored()


def test_items_of_removed_nodes_are_let_go(hand) -> None:
    hand.look(start())
    hand.view.grab()
    gone = weakref.WeakSet()

    class Watched(NodeItem):
        __slots__ = ("__weakref__",)

    for node, item in list(hand.view.mirror.nodes.items()):
        watched = Watched(item.card, item.x, item.y, item.order)
        hand.view.mirror.nodes[node] = watched
        gone.add(watched)
    del item, watched
    hand.view.select_all()
    hand.view.delete()
    hand.view.grab()
    gc.collect()
    assert len(gone) == 0
    assert len(hand.view.scene().items()) == 0
    assert not hand.view.mirror.wires


def test_undoing_and_redoing_a_hundred_times_adds_no_items(hand) -> None:
    hand.look(start())
    hand.view.select_all()
    hand.view.duplicate()
    nodes, children = len(hand.view.mirror.nodes), len(hand.view.children())
    for _ in range(100):
        hand.session.document.undo()
        hand.session.document.redo()
    assert len(hand.view.mirror.nodes) == nodes
    assert len(hand.view.children()) == children
    hand.assert_mirrored()
