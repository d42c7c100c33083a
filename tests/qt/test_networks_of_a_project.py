"""A project of several networks: each has a tab, is drawn, checked and looked at by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

import deepgui
from deepgui import paths
from deepgui.graph import edits
from deepgui.project.values import renamed_network, with_network
from deepgui.qt import app
from deepgui.qt.canvas.networks import NetworkBar
from deepgui.qt.main_window import MainWindow


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    monkeypatch.setenv("DEEPGUI_HOME", str(tmp_path / "home"))
    made = app.make_window()
    made.resize(1280, 720)
    made.show()
    made.finish_loading()
    made.open_sample(paths.samples() / "digits_gan.deepgui")
    yield made
    made.shut_down()
    made.deleteLater()


def bar(window: MainWindow) -> NetworkBar:
    found = window.findChild(NetworkBar)
    assert found is not None
    return found


def tabs(window: MainWindow) -> list[str]:
    return [bar(window).tabs.tabText(i) for i in range(bar(window).tabs.count())]


def test_each_network_has_a_tab_and_is_checked_by_itself(window: MainWindow, qtbot: QtBot) -> None:
    session = window.session
    assert tabs(window) == ["generator", "discriminator"]
    assert bar(window).isVisible()
    first = session.network
    bar(window).tabs.setCurrentIndex(1)
    assert session.network is session.project.networks["discriminator"]
    qtbot.waitUntil(lambda: session.report is not None and session.report.nodes.keys() == session.network.nodes.keys())
    bar(window).tabs.setCurrentIndex(0)
    assert session.network is first


def test_an_edit_goes_to_the_network_in_view(window: MainWindow) -> None:
    session = window.session
    before = session.project.networks
    session.show_network("discriminator")
    session.edit("Add", lambda net: edits.add_node(net, "ReLU")[0])
    assert session.project.networks["generator"] is before["generator"]
    assert len(session.project.networks["discriminator"].nodes) == len(before["discriminator"].nodes) + 1


def test_what_stands_against_training_is_said_where_it_is(window: MainWindow, qtbot: QtBot) -> None:
    session = window.session
    session.show_network("discriminator")
    given = next(iter(session.network.of_kind("Input")))
    session.edit("Shape", lambda net: edits.set_params(net, given.id, {"shape": (1, 9, 9)}))

    def said() -> list[tuple[str, str]]:
        return [(p.code, p.node) for p in session.report.problems] if session.report else []

    qtbot.waitUntil(lambda: ("input-shape", given.id) in said(), timeout=5000)
    session.show_network("generator")
    qtbot.waitUntil(lambda: ("input-shape", "") in said(), timeout=5000)
    words = next(p.message for p in session.report.problems if p.code == "input-shape")
    assert words.startswith("discriminator: ")


def test_a_network_is_renamed_removed_and_comes_back(window: MainWindow) -> None:
    session = window.session
    before = session.project
    session.show_network("discriminator")
    bar(window).rename("discriminator", "judge")
    assert tabs(window) == ["generator", "judge"]
    assert session.key == "judge"
    bar(window).remove("judge")
    assert tabs(window) == ["generator"]
    assert session.key == "generator"
    assert bar(window).isVisible(), "the objective still needs a discriminator"
    session.document.undo()
    session.document.undo()
    assert session.project == before
    assert tabs(window) == ["generator", "discriminator"]


def test_a_missing_role_is_offered(window: MainWindow) -> None:
    session = window.session
    bar(window).remove("discriminator")
    assert bar(window).missing() == ("discriminator",)
    bar(window).plus.click()
    assert session.key == "discriminator"
    assert not session.network.nodes


def test_a_project_of_one_network_has_no_tabs(window: MainWindow) -> None:
    window.open_sample(paths.samples() / "wine_mlp.deepgui")
    assert not bar(window).isVisible()


def test_what_names_a_network_follows_its_new_name() -> None:
    project = deepgui.load(paths.samples() / "digits_gan.deepgui")
    inputs = {"discriminator/image": "image", "noise": "noise"}
    project = replace(
        project,
        data=replace(project.data, inputs=inputs),
        training=replace(project.training, networks={"discriminator": "discriminator"}),
    )
    named = renamed_network(project, "discriminator", "judge")
    assert named.data.inputs == {"judge/image": "image", "noise": "noise"}
    assert named.training.networks == {"discriminator": "judge"}
    with pytest.raises(ValueError, match="there is a network judge already"):
        renamed_network(with_network(named, "x", named.main), "x", "judge")
