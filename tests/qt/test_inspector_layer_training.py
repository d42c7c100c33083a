"""How a layer learns is set in the inspector, kept in the project and seen on the canvas."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox
from pytestqt.qtbot import QtBot
from qt.frame_helpers import chain, session_of, small_cnn

from deepgui.graph.values import Block
from deepgui.project.values import LayerTraining
from deepgui.qt.canvas import CanvasView
from deepgui.qt.inspector.panel import Inspector
from deepgui.qt.widgets import Switch


def opened(qtbot: QtBot, network, *ids: str, **settings):
    session = session_of(network, **settings)
    inspector = Inspector(session)
    qtbot.addWidget(inspector)
    inspector.show()
    session.select(ids)
    return inspector, session


def choose(inspector: Inspector, name: str, text: str) -> None:
    combo = inspector.findChild(QComboBox, name)
    combo.setCurrentIndex(combo.findText(text))
    combo.activated.emit(combo.currentIndex())


def test_a_layer_is_frozen_slowed_down_and_begun_otherwise(qtbot: QtBot) -> None:
    inspector, session = opened(qtbot, small_cnn(), "conv2d")
    inspector.findChild(Switch, "param_frozen").click()
    rate = inspector.findChild(QAbstractSpinBox, "param_lr").lineEdit()
    rate.selectAll()
    qtbot.keyClicks(rate, "0.1")
    choose(inspector, "param_init", "normal_")
    std = inspector.findChild(QAbstractSpinBox, "param_std").lineEdit()
    std.selectAll()
    qtbot.keyClicks(std, "0.02")
    assert session.project.training.layers == {"conv2d": LayerTraining(True, 0.1, "normal_", {"std": 0.02})}
    choose(inspector, "param_init", "PyTorch's own")
    inspector.findChild(Switch, "param_frozen").click()
    rate.selectAll()
    qtbot.keyClicks(rate, " ")
    assert session.project.training.layers == {}, "what says nothing is not kept"


def test_several_layers_are_frozen_in_one_step(qtbot: QtBot) -> None:
    inspector, session = opened(qtbot, small_cnn(), "conv2d", "linear")
    inspector.findChild(Switch, "param_frozen").click()
    assert session.project.training.layers == dict.fromkeys(("conv2d", "linear"), LayerTraining(frozen=True))
    session.document.undo()
    assert session.project.training.layers == {}


@pytest.mark.parametrize("node", ["relu", "input", "flatten"])
def test_what_has_no_weights_has_nothing_to_set(qtbot: QtBot, node: str) -> None:
    inspector, _ = opened(qtbot, small_cnn(), node)
    switch = inspector.findChild(Switch, "param_frozen")
    assert switch is None or not switch.isVisible()


def blocks():
    inner = chain(("Input", {}), ("Linear", {"out_features": 4}), ("Output", {}))
    outer = chain(("Input", {"shape": (4,)}), ("Stage", {"repeat": 2}), ("Output", {}))
    return outer, {"Stage": Block(inner)}


def test_a_layer_inside_the_second_of_a_row(qtbot: QtBot) -> None:
    network, inner = blocks()
    inspector, session = opened(qtbot, network, blocks=inner)
    session.enter("stage", 1)
    session.select(["linear"])
    inspector.findChild(Switch, "param_frozen").click()
    assert session.project.training.layers == {"stage.1.linear": LayerTraining(frozen=True)}


def test_what_the_block_around_says_is_told(qtbot: QtBot) -> None:
    network, inner = blocks()
    inspector, session = opened(qtbot, network, "stage", blocks=inner)
    inspector.findChild(Switch, "param_frozen").click()
    session.enter("stage", 0)
    session.select(["linear"])
    assert inspector.findChild(object, "layer_training_note").text() == "The block around it is frozen."


def test_frozen_layers_are_marked_on_the_canvas_and_unmarked_again(qtbot: QtBot) -> None:
    session = session_of(small_cnn())
    view = CanvasView(session)
    qtbot.addWidget(view)
    view.resize(900, 300)
    view.show()

    def picture() -> QImage:
        return view.grab().toImage()

    def cards() -> set[str]:
        return {node for node, item in view.mirror.nodes.items() if item.card.frozen}

    before = picture()
    said = {
        "conv2d": LayerTraining(frozen=True),
        "relu": LayerTraining(frozen=True),
        "gone": LayerTraining(frozen=True),
    }
    freeze = lambda layers: lambda p: replace(p, training=replace(p.training, layers=layers))  # noqa: E731
    session.edit_project("Freeze", freeze(said))
    assert cards() == {"conv2d"}, "a ReLU has nothing to freeze"
    assert picture() != before
    session.document.undo()
    assert cards() == set()
    assert picture() == before


def test_inside_a_frozen_block_all_is_marked(qtbot: QtBot) -> None:
    network, inner = blocks()
    session = session_of(network, blocks=inner)
    view = CanvasView(session)
    qtbot.addWidget(view)
    layers = {"stage": LayerTraining(frozen=True)}
    session.edit_project("Freeze", lambda p: replace(p, training=replace(p.training, layers=layers)))
    session.enter("stage", 0)
    assert {node for node, item in view.mirror.nodes.items() if item.card.frozen} == {"linear"}
