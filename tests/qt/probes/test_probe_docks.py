"""Probe docks show what the network computes, also before training, and only while somebody sees them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QDockWidget, QMainWindow

from deepgui.catalog.builtin import registry
from deepgui.graph import edits, grouping
from deepgui.graph.values import Network, Wire
from deepgui.probes.pictures import FeatureMaps
from deepgui.project.document import Document
from deepgui.project.values import DataConfig, Project, TrainingConfig
from deepgui.qt.checking import Checking
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.probes import colors
from deepgui.qt.probes.boundary import BoundaryDock
from deepgui.qt.probes.confusion import ConfusionDock
from deepgui.qt.probes.feature_maps import FeatureMapDock
from deepgui.qt.probes.mosaic import Mosaic
from deepgui.qt.session import Session

CNN = (
    ("Input", {"shape": (1, 8, 8)}),
    ("Conv2d", {"out_channels": 6, "kernel_size": 3}),
    ("Flatten", {}),
    ("Linear", {"out_features": 10}),
    ("Output", {}),
)
MLP = (("Input", {"shape": (2,)}), ("Linear", {"out_features": 4}), ("Tanh", {}), ("Linear", {"out_features": 2}))


def project(source: str, layers: tuple, epochs: int = 2) -> Project:
    network, before = Network("net"), ""
    for kind, params in layers if layers[-1][0] == "Output" else (*layers, ("Output", {})):
        network, node = edits.add_node(network, kind, params)
        if before:
            network = edits.connect(network, Wire(before, "output", node.id, "input"))
        before = node.id
    return Project("p", {"network": network}, DataConfig(source), TrainingConfig(epochs=epochs))


@pytest.fixture
def show(qtbot):
    controllers: list[RunController] = []

    def make(kind: type, what: Project):
        session = Session(Document(what))
        session.use_catalogue(registry(), Checking(registry()))
        controller = RunController(session)
        controllers.append(controller)
        dock = kind(session, controller)
        qtbot.addWidget(dock)
        dock.resize(400, 360)
        dock.show()
        return dock

    yield make
    for controller in controllers:
        assert controller.shutdown()


def has_picture(dock) -> bool:
    return dock._stack.currentIndex() == 1


def test_feature_maps_before_any_training(qtbot, show):
    dock = show(FeatureMapDock, project("digits", CNN))
    qtbot.waitUntil(lambda: has_picture(dock), timeout=30_000)
    assert dock.name.full_text() == "conv2d · Conv2d"
    assert dock.mosaic._maps.shape == (6, 6, 6)
    assert dock.example.text().startswith("Example 1 of")
    dock.next.click()
    qtbot.waitUntil(lambda: dock.example.text().startswith("Example 2 of"), timeout=10_000)
    dock.previous.click()
    dock.previous.click()
    qtbot.waitUntil(lambda: dock.example.text().startswith("Example 270 of"), timeout=10_000)


def test_the_selected_layer_is_shown(qtbot, show):
    dock = show(FeatureMapDock, project("digits", CNN))
    qtbot.waitUntil(lambda: has_picture(dock), timeout=30_000)
    dock.session.select(["input"])
    qtbot.waitUntil(lambda: dock.name.full_text() == "input · Input", timeout=10_000)
    assert dock._drawn[0].colors
    dock.session.select(["output"])
    qtbot.waitUntil(lambda: dock.pages.currentWidget() is dock.bars, timeout=10_000)
    assert len(dock.bars._names) == 10
    dock.session.select([])
    assert dock.watch().node == "linear", "what was looked at stays"


def test_maps_move_while_it_trains_and_stay_afterwards(qtbot, show):
    dock = show(FeatureMapDock, project("digits", CNN, epochs=6))
    qtbot.waitUntil(lambda: has_picture(dock), timeout=30_000)
    initial = dock._drawn[0]
    dock.controller.start()
    qtbot.waitUntil(lambda: dock.controller.state == "finished", timeout=60_000)
    qtbot.waitUntil(lambda: dock._drawn[0] is not None and dock._drawn[0].step == 40 * 6, timeout=10_000)
    assert not np.array_equal(dock._drawn[0].maps, initial.maps)


def test_what_was_learnt_stays_when_layers_are_renamed_and_put_into_a_block(qtbot, show):
    dock = show(FeatureMapDock, project("digits", CNN))
    session = dock.session
    dock.controller.start()
    qtbot.waitUntil(lambda: dock.controller.state == "finished", timeout=60_000)
    qtbot.waitUntil(lambda: dock._drawn[0] is not None and dock._drawn[0].step == 40 * 2, timeout=10_000)
    learnt = dock._drawn[0]
    session.edit("name", lambda net: edits.rename_node(net, "conv2d", "edges"))
    qtbot.waitUntil(lambda: dock._drawn[0] is not learnt, timeout=10_000)
    assert np.array_equal(dock._drawn[0].maps, learnt.maps)
    assert dock._drawn[0].step == learnt.step
    renamed = dock._drawn[0]
    block, network, _ = grouping.make_block(session.network, ["linear"], "Head")
    session.edit_project("block", lambda p: replace(p, networks={"network": network}, blocks={"Head": block}))
    qtbot.waitUntil(lambda: dock._drawn[0] is not renamed, timeout=10_000)
    assert dock._drawn[0].step == learnt.step


def test_an_edit_shows_the_new_network(qtbot, show):
    dock = show(FeatureMapDock, project("digits", CNN))
    qtbot.waitUntil(lambda: has_picture(dock), timeout=30_000)
    dock.session.edit("more", lambda net: edits.set_params(net, "conv2d", {"out_channels": 9}))
    qtbot.waitUntil(lambda: len(dock.mosaic._maps) == 9, timeout=10_000)


def test_a_hidden_dock_watches_nothing(qtbot, show):
    dock = show(FeatureMapDock, project("digits", CNN))
    assert dock.board.watched
    dock.hide()
    assert not dock.board.watched
    dock.show()
    assert dock.board.watched


def test_a_dock_under_another_tab_watches_nothing(qtbot, show):
    content = show(ConfusionDock, project("digits", CNN))
    window = QMainWindow()
    qtbot.addWidget(window)
    first, second = QDockWidget("a", window), QDockWidget("b", window)
    first.setWidget(content)
    for dock in (first, second):
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
    window.tabifyDockWidget(first, second)
    window.show()
    second.raise_()
    qtbot.waitUntil(lambda: not content.board.watched)
    first.raise_()
    qtbot.waitUntil(lambda: bool(content.board.watched))
    content.setParent(None)


def test_without_data_it_says_what_to_do(qtbot, show):
    dock = show(FeatureMapDock, Project("p", project("digits", CNN).networks))
    dock.refresh()
    assert not has_picture(dock)
    assert dock._empty.text.text().startswith("Choose data")


def test_a_broken_drawing_says_why(qtbot, show):
    broken = edits.set_params(project("digits", CNN).main, "conv2d", {"kernel_size": 30})
    dock = show(FeatureMapDock, Project("p", {"network": broken}, DataConfig("digits")))
    qtbot.waitUntil(lambda: "conv2d" in dock._empty.text.text(), timeout=30_000)


def test_confusion_counts_and_words(qtbot, show):
    dock = show(ConfusionDock, project("digits", CNN))
    qtbot.waitUntil(lambda: has_picture(dock), timeout=30_000)
    data = dock._drawn
    assert f"{data.accuracy:.1%}" in dock.head.full_text()
    frame, cell = dock.matrix._geometry()
    place = QPointF(frame.left() + 2.5 * cell, frame.top() + 4.5 * cell)
    assert dock.matrix.cell_at(place) == (4, 2)
    assert dock.matrix.words(4, 2).startswith(f"{data.matrix[4, 2]} of {data.matrix[4].sum()} examples of 4")


def test_boundary_and_the_neurons_of_a_hidden_layer(qtbot, show):
    dock = show(BoundaryDock, project("moons", MLP))
    qtbot.waitUntil(lambda: has_picture(dock), timeout=30_000)
    assert not dock.neurons.isVisible()
    centre = dock.plane._frame().center()
    assert "%" in dock.plane.words_at(centre)
    dock.session.select(["linear"])
    qtbot.waitUntil(dock.neurons.isVisible, timeout=10_000)
    assert len(dock.neurons._maps) == 4
    assert not dock.plane.grab().isNull()


def test_boundary_of_other_data_says_what_it_needs(qtbot, show):
    dock = show(BoundaryDock, project("digits", CNN))
    qtbot.waitUntil(lambda: "two numbers" in dock._empty.text.text(), timeout=30_000)


def test_the_mosaic_paints_values_where_it_says(qtbot):
    mosaic = Mosaic()
    qtbot.addWidget(mosaic)
    mosaic.resize(300, 200)
    maps = np.zeros((5, 4, 4), np.float32)
    maps[3, 1, 2] = 1.0
    mosaic.show_maps(FeatureMaps(0, maps, 5, (5, 4, 4), 0.0, 1.0))
    image = mosaic.grab().toImage()
    table = colors.table("sequential")
    bright, dark = QColor.fromRgb(int(table[255])), QColor.fromRgb(int(table[0]))
    place = mosaic._tile(3).topLeft() + QPointF(2.5, 1.5) * mosaic._scale()
    assert mosaic.value_at(place) == (3, 1, 2, 1.0)
    assert image.pixelColor(place.toPoint()) == bright
    assert image.pixelColor((mosaic._tile(0).topLeft() + QPointF(5, 5)).toPoint()) == dark
