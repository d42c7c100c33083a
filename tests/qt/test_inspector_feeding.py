"""What an Input is fed with is said in the inspector and chosen there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from deepgui import paths
from deepgui.qt import app
from deepgui.qt.inspector.feeding_section import FeedingSection
from deepgui.qt.main_window import MainWindow


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    monkeypatch.setenv("DEEPGUI_HOME", str(tmp_path / "home"))
    made = app.make_window()
    made.resize(1280, 720)
    made.show()
    made.finish_loading()
    yield made
    made.shut_down()
    made.deleteLater()


def opened(window: MainWindow, qtbot: QtBot, sample: str, label: str) -> FeedingSection:
    window.open_sample(paths.samples() / f"{sample}.deepgui")
    session = window.session
    qtbot.waitUntil(lambda: session.offer is not None, timeout=20000)
    session.select(n.id for n in session.network.of_kind("Input") if n.label == label)
    found = window.findChild(FeedingSection)
    assert found is not None
    return found


def test_an_input_says_what_it_gets_and_takes_another_field(window: MainWindow, qtbot: QtBot) -> None:
    section = opened(window, qtbot, "names_gru", "tokens")
    assert section.isVisible()
    assert section.fields.currentText() == "in order: tokens"
    assert [section.fields.itemData(i) for i in range(section.fields.count())] == [
        "",
        "tokens",
        "padding",
        "length",
        "tongue",
    ]
    section.choose("length")
    session = window.session
    node = next(n.id for n in session.network.of_kind("Input") if n.label == "tokens")
    assert session.project.data.inputs == {node: "length"}
    qtbot.waitUntil(lambda: any(p.code == "input-shape" for p in session.report.problems), timeout=5000)
    section.choose("")
    assert session.project.data.inputs == {}


def test_what_the_objective_makes_can_be_fed_too(window: MainWindow, qtbot: QtBot) -> None:
    section = opened(window, qtbot, "digits_gan", "noise")
    assert section.fields.currentText() == "in order: noise"
    assert "image" in [section.fields.itemData(i) for i in range(section.fields.count())]
