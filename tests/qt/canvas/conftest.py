"""A canvas with a small catalogue, and a hand that drives it by mouse and keyboard events."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from deepgui.catalog.spec import Infer, LayerSpec, ParamSpec, PortSpec, Registry
from deepgui.graph import edits
from deepgui.graph.values import Network, Point, Wire
from deepgui.project.document import Document
from deepgui.project.values import Project
from deepgui.qt.canvas import CanvasView
from deepgui.qt.canvas.hits import PortRef
from deepgui.qt.session import Session

NONE = Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton
IN, OUT = PortSpec("input"), PortSpec("output")


def catalogue() -> Registry:
    return Registry(
        [
            LayerSpec("Input", "deepgui.Input", "input", "Input and output", (), (OUT,), (ParamSpec("shape", "ints"),)),
            LayerSpec("Output", "deepgui.Output", "output", "Input and output", (IN,), ()),
            LayerSpec(
                "Conv2d",
                "torch.nn.Conv2d",
                "module",
                "Convolution",
                (PortSpec("input", layouts=("N C H W",)),),
                params=(
                    ParamSpec("in_channels", "int", required=True, infer=Infer("input", 1)),
                    ParamSpec("out_channels", "int", required=True),
                    ParamSpec("kernel_size", "ints", required=True),
                    ParamSpec("padding", "ints", default=0),
                ),
                summary="Applies a 2D convolution.",
            ),
            LayerSpec("ReLU", "torch.nn.ReLU", "module", "Activation", (IN,), summary="Rectified linear unit."),
            LayerSpec(
                "Linear", "torch.nn.Linear", "module", "Linear", (IN,), params=(ParamSpec("out_features", "int"),)
            ),
            LayerSpec("add", "torch.add", "function", "Math", (IN, PortSpec("other"))),
            LayerSpec("cat", "torch.cat", "function", "Shape", (PortSpec("tensors", variadic=True),)),
            LayerSpec(
                "LSTM",
                "torch.nn.LSTM",
                "module",
                "Recurrent",
                (IN, PortSpec("hx", optional=True)),
                (OUT, PortSpec("h_n"), PortSpec("c_n")),
            ),
        ]
    )


def chain(*kinds: str, gap: float = 280.0) -> Network:
    """Nodes in a row, 280 apart, each wired to the next; ids are the snake-case kinds."""
    network, last = Network("net"), ""
    for place, kind in enumerate(kinds):
        network, node = edits.add_node(network, kind, at=Point(place * gap, 0))
        if last:
            network = edits.connect(network, Wire(last, "output", node.id, "input"))
        last = node.id
    return network


class Hand:
    """A user at the canvas."""

    def __init__(self, view: CanvasView) -> None:
        self.view = view
        self.session = view.session

    @property
    def network(self) -> Network:
        return self.session.network

    def look(self, network: Network) -> None:
        """Put another network on the canvas, at 100 %."""
        self.session.open(Document(Project("test", {"network": network})))
        self.view.camera.zoom_to(1.0)
        self.view.centerOn(self.view.mirror.bounds().center())

    def port(self, node: str, side: str, port: str = "", index: int = 0) -> QPoint:
        """Where a port is in the view."""
        name = port or ("input" if side == "in" else "output")
        at = self.view.mirror.port_point(PortRef(node, side, name, index))  # type: ignore[arg-type]
        assert at is not None, f"{node} shows no port {name}[{index}]"
        return self.view.mapFromScene(at)

    def body(self, node: str) -> QPoint:
        return self.view.mapFromScene(self.view.mirror.nodes[node].rect.center() + QPointF(10, 0))

    def scene(self, x: float, y: float) -> QPoint:
        return self.view.mapFromScene(QPointF(x, y))

    def press(self, at: QPoint, keys: Qt.KeyboardModifier = NONE, button: Qt.MouseButton = LEFT) -> None:
        QTest.mousePress(self.view.viewport(), button, keys, at)

    def move(self, at: QPoint, keys: Qt.KeyboardModifier = NONE, button: Qt.MouseButton = LEFT) -> None:
        where = self.view.viewport().mapToGlobal(at)
        event = QMouseEvent(QEvent.Type.MouseMove, QPointF(at), QPointF(where), Qt.MouseButton.NoButton, button, keys)
        QApplication.sendEvent(self.view.viewport(), event)

    def release(self, at: QPoint, keys: Qt.KeyboardModifier = NONE, button: Qt.MouseButton = LEFT) -> None:
        QTest.mouseRelease(self.view.viewport(), button, keys, at)

    def click(self, at: QPoint, keys: Qt.KeyboardModifier = NONE) -> None:
        self.press(at, keys)
        self.release(at, keys)

    def drag(self, start: QPoint, end: QPoint, keys: Qt.KeyboardModifier = NONE, button: Qt.MouseButton = LEFT) -> None:
        """Press, move in three steps, release."""
        self.press(start, keys, button)
        for share in (0.3, 0.7, 1.0):
            self.move(start + (end - start) * share, keys, button)
        self.release(end, keys, button)

    def key(self, key: Qt.Key, keys: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(self.view, key, keys)

    def steps(self) -> int:
        """How many steps of undo there are."""
        return len(self.session.document._past)

    def assert_mirrored(self) -> None:
        """What the canvas shows is what the network says."""
        mirror, network = self.view.mirror, self.network
        assert set(mirror.nodes) == set(network.nodes)
        assert set(mirror.wires) == set(network.wires)
        for node, place in network.layout.items():
            assert (mirror.nodes[node].x, mirror.nodes[node].y) == place
        for wire, item in mirror.wires.items():
            output = mirror.port_point(PortRef(wire.source, "out", wire.output))
            into = mirror.port_point(PortRef(wire.target, "in", wire.input, wire.index))
            assert item.a == output
            assert item.b == into
        assert len(mirror._node_cells) == len(network.nodes)
        assert len(mirror._wire_cells) == len(network.wires)


@pytest.fixture
def hand(qtbot, caplog) -> Iterator[Hand]:  # type: ignore[no-untyped-def]
    """A canvas in a window of 1200 x 700 with the small catalogue. A mistake in an event handler fails the test."""
    session = Session(Document(Project("test", {"network": Network("net")})))
    session.show_catalogue(catalogue())
    view = CanvasView(session)
    qtbot.addWidget(view)
    view.resize(1200, 700)
    with caplog.at_level(logging.ERROR, logger="deepgui"):
        view.show()
        qtbot.waitExposed(view)
        view.setFocus()
        yield Hand(view)
    mistakes = [r for phase in ("setup", "call") for r in caplog.get_records(phase)]
    assert not mistakes, caplog.text
