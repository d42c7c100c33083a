"""The window as a whole: files, the unsaved guard, themes, samples, and starting without torch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from qt.frame_helpers import small_cnn

from deepgui import paths
from deepgui.graph import edits
from deepgui.project import file, recent
from deepgui.project.autosave import Autosave, recoverable
from deepgui.project.document import Document
from deepgui.project.values import Project
from deepgui.qt import app, theme
from deepgui.qt.main_window import MainWindow
from deepgui.qt.start_page import first_sentence, samples


class Answers:
    """A person who has made up their mind."""

    def __init__(self) -> None:
        self.save = "cancel"
        self.path: Path | None = None
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.replaced: list[str] = []
        self.instead: Path | None = None

    def save_changes(self, name: str) -> str:
        self.asked.append(name)
        return self.save

    def stop_training(self) -> bool:
        return True

    def open_path(self, folder: Path) -> Path | None:
        return self.path

    def save_path(self, suggestion: Path) -> Path | None:
        return self.path

    def replace(self, name: str) -> bool:
        self.replaced.append(name)
        self.path = self.instead
        return False

    def complain(self, sentence: str) -> None:
        self.complaints.append(sentence)


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MainWindow]:
    monkeypatch.setenv("DEEPGUI_HOME", str(tmp_path / "home"))
    made = app.make_window()
    made.files.dialogs = Answers()
    made.resize(1280, 720)
    made.show()
    yield made
    made.shut_down()
    made.hide()
    made.deleteLater()
    theme.use("dark")


def draw(window: MainWindow) -> None:
    window.session.edit("Add", lambda net: edits.add_node(net, "ReLU")[0])


def test_a_sample_opens_from_the_start_page_as_a_copy(window: MainWindow, qtbot: QtBot) -> None:
    card = window.findChild(object, "sample_wine_mlp")
    card.click()
    assert not window.at_start_page
    assert len(window.session.network.nodes) == 6
    assert window.session.document.path is None
    assert "•" not in window.windowTitle()


def test_save_as_then_open_brings_the_same_back(window: MainWindow, tmp_path: Path) -> None:
    answers = window.files.dialogs
    window.files.new()
    window.session.edit("Draw", lambda net: small_cnn())
    assert "•" in window.windowTitle()
    drawn = window.session.network
    answers.path = tmp_path / "mine"
    assert window.files.save()
    assert "•" not in window.windowTitle()
    assert window.windowTitle().startswith("mine.deepgui")
    assert window.session.project.name == "mine"
    window.files.new()
    assert window.open(tmp_path / "mine.deepgui")
    assert window.session.network.meaning() == drawn.meaning()
    assert recent.recent()[0] == tmp_path / "mine.deepgui"


def test_a_dot_in_a_name_is_not_taken_for_a_suffix(window: MainWindow, tmp_path: Path) -> None:
    window.files.new()
    draw(window)
    window.files.dialogs.path = tmp_path / "net.v2"
    assert window.files.save_as()
    assert [path.name for path in tmp_path.glob("net*")] == ["net.v2.deepgui"]


def test_a_file_hidden_behind_a_missing_suffix_is_not_replaced_unasked(window: MainWindow, tmp_path: Path) -> None:
    answers = window.files.dialogs
    window.files.new()
    draw(window)
    there = tmp_path / "mine.deepgui"
    there.write_text("precious")
    answers.path = tmp_path / "mine"
    assert not window.files.save_as()
    assert answers.replaced == ["mine.deepgui"]
    answers.path, answers.instead = tmp_path / "mine", tmp_path / "other"
    assert window.files.save_as()
    assert there.read_text() == "precious"
    assert (tmp_path / "other.deepgui").exists()


def test_the_dot_beside_the_name_goes_with_saving(window: MainWindow, tmp_path: Path) -> None:
    window.files.new()
    window.files.dialogs.path = tmp_path / "mine.deepgui"
    assert window.files.save()
    draw(window)
    assert "•" in window.workbench.toolbar.name.full_text()
    assert window.files.save()
    assert "•" not in window.workbench.toolbar.name.full_text()


def test_unsaved_work_is_guarded(window: MainWindow, tmp_path: Path) -> None:
    answers = window.files.dialogs
    window.files.new()
    draw(window)
    drawn = window.session.project
    answers.save = "cancel"
    assert not window.files.new()
    assert not window.close()
    assert window.session.project is drawn
    answers.save, answers.path = "save", None
    assert not window.files.new()
    assert window.session.project is drawn
    answers.path = tmp_path / "kept.deepgui"
    assert window.files.new()
    assert file.read(tmp_path / "kept.deepgui").main.nodes.keys() == drawn.main.nodes.keys()
    draw(window)
    answers.save = "discard"
    assert window.files.new()
    assert window.session.network.nodes == {}


def test_undo_back_to_the_saved_value_is_clean(window: MainWindow) -> None:
    window.files.new()
    draw(window)
    window.actions_by_id["undo"].trigger()
    assert "•" not in window.windowTitle()
    assert window.close()


def test_a_broken_file_is_refused_in_a_sentence(window: MainWindow, tmp_path: Path) -> None:
    bad = tmp_path / "bad.deepgui"
    bad.write_text('{"format": "deepgui", "version": 999}')
    window.files.new()
    draw(window)
    before = window.session.project
    assert not window.files.open(bad)
    assert window.files.dialogs.complaints
    assert window.session.project is before


def test_lost_work_is_offered_and_recovered(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    document = Document(Project("lost", {"network": small_cnn()}))
    document.saved = Project("other")
    keeper = Autosave(document)
    keeper.flush()
    kept = next((paths.user_data() / "recovery").glob("*.json"))
    entry = json.loads(kept.read_text())
    kept.write_text(json.dumps({**entry, "pid": 2**22 + 1}))  # a process that is gone
    window.show_start_page()
    window.findChild(object, "recover_0").click()
    assert window.session.network.meaning() == small_cnn().meaning()
    assert "•" in window.windowTitle()
    assert recoverable() == []
    window.session.document.mark_saved(Path("x"))


def test_theme_switch_repaints_and_is_remembered(window: MainWindow) -> None:
    window.files.new()
    dark = window.grab().toImage().pixelColor(4, 100)
    window.actions_by_id["theme"].trigger()
    light = window.grab().toImage().pixelColor(4, 100)
    assert light.lightness() > 200 > dark.lightness()
    assert window.settings.text("theme") == "light"
    assert QApplication.instance().styleSheet().count("$") == 0


def test_actions_follow_what_can_be_done(window: MainWindow) -> None:
    actions = window.actions_by_id
    assert not actions["save"].isEnabled()
    assert not actions["undo"].isEnabled()
    window.files.new()
    draw(window)
    assert actions["save"].isEnabled()
    assert actions["undo"].text() == "&Undo Add"
    assert not actions["stop"].isEnabled()
    window.session.document.mark_saved(Path("x"))


def test_palette_places_and_problem_shows_on_the_canvas(window: MainWindow) -> None:
    window.files.new()
    window.finish_loading()
    window.workbench.palette_panel.place_requested.emit("Linear")
    assert [n.kind for n in window.session.network.nodes.values()] == ["Linear"]
    assert set(window.session.selection) == {"linear"}
    window.session.document.mark_saved(Path("x"))


def test_every_control_has_a_name(window: MainWindow) -> None:
    from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QComboBox, QLineEdit, QTextEdit

    window.files.open_copy(paths.samples() / "digits_cnn.deepgui")
    window.finish_loading()
    window.session.select(
        ["conv1"] if "conv1" in window.session.network.nodes else list(window.session.network.nodes)[1:2]
    )
    for kind in (QAbstractButton, QComboBox, QLineEdit, QTextEdit, QAbstractItemView):
        for widget in window.findChildren(kind):
            part_of_qt = type(widget.parent()).__module__.startswith("PySide6")  # the line of a spin box, say
            if not part_of_qt and widget.focusPolicy() and not widget.objectName().startswith("qt_"):
                assert widget.objectName(), (type(widget), widget.accessibleName(), widget.parent())


def test_window_state_is_remembered(window: MainWindow, qtbot: QtBot) -> None:
    window.files.new()
    window.workbench.docks["log"].close()
    window.shut_down()
    again = app.make_window()
    again.files.new()
    assert again.workbench.docks["log"].isHidden()
    assert not again.workbench.docks["palette"].isHidden()
    again.shut_down()
    again.deleteLater()


SCRIPT = """
import sys
from deepgui.qt import app
from deepgui.qt.main_window import MainWindow
seen = []
def look(window):
    seen.append([m for m in ("torch", "pyqtgraph", "qtawesome", "sklearn", "networkx") if m in sys.modules])
make = app.make_window
def make_window():
    window = make()
    window.painted.connect(lambda: look(window))
    window.loader.loaded.connect(lambda: (seen.append("torch" in sys.modules), window.close()))
    return window
app.make_window = make_window
status = app.run()
print(status, seen)
"""


def test_torch_comes_after_the_first_picture(tmp_path: Path) -> None:
    import os

    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "DEEPGUI_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.strip() == "0 [[], True]", done.stderr
    assert list(tmp_path.glob("catalog-*.json"))


def test_panels_come_back_where_they_were_with_all_their_tabs(window: MainWindow, qtbot: QtBot) -> None:
    from PySide6.QtWidgets import QTabBar

    window.files.new()
    docks = window.workbench.docks
    docks["training"].close()
    docks["code"].setFloating(True)
    window.actions_by_id["reset_docks"].trigger()
    qtbot.wait(50)

    def bars() -> list[list[str]]:
        found = window.workbench.findChildren(QTabBar)
        mine = [bar for bar in found if bar.parent() is window.workbench and bar.isVisible()]
        return [[bar.tabText(n) for n in range(bar.count())] for bar in mine]

    below = ["Boundary", "Code", "Confusion", "Feature maps", "Log", "Problems", "Results", "Runs", "Training"]
    below.append("Try it")
    assert [sorted(names) for names in bars()] == [below]
    docks["log"].close()
    qtbot.wait(50)
    assert len(bars()) == 1
    assert "Log" not in bars()[0]


def test_docks_keep_their_share_until_somebody_drags_a_border(window: MainWindow, qtbot: QtBot) -> None:
    window.open_sample(paths.samples() / "digits_cnn.deepgui")
    window.finish_loading()
    bench = window.workbench
    training = bench.docks["training"]
    qtbot.waitUntil(lambda: training.height() > 0.36 * bench.height())
    small = training.height()
    window.resize(1280, 1000)
    qtbot.waitUntil(lambda: training.height() > small + 60)
    edge = QPoint(bench.width() // 2, training.geometry().top() - 2)
    qtbot.mousePress(bench, Qt.MouseButton.LeftButton, pos=edge)
    qtbot.mouseRelease(bench, Qt.MouseButton.LeftButton, pos=edge)
    bench.resizeDocks([training], [small - 20], Qt.Orientation.Vertical)
    window.resize(1280, 1010)
    qtbot.wait(30)
    assert training.height() < small, "what was dragged stays"


def test_a_small_window_has_room_for_plots_and_a_large_one_for_settings_too(window: MainWindow, qtbot: QtBot) -> None:
    window.open_sample(paths.samples() / "digits_cnn.deepgui")
    window.finish_loading()
    dock = window.workbench.docks["training"].widget()
    qtbot.waitUntil(lambda: dock.plots.loss_plot.chart.height() > 140)
    assert not dock.settings.isVisible()
    dock.transport.settings_button.click()
    assert dock.settings.isVisible(), "asked for, they come"
    window.resize(1440, 1000)
    qtbot.waitUntil(lambda: dock.height() > 300)
    assert dock.settings.isVisible()
    assert dock.plots.loss_plot.chart.height() > 140


def test_a_card_of_the_gallery_says_its_first_sentence_in_full(window: MainWindow) -> None:
    for sample in samples():
        assert sample.picture.is_file(), f"samples/make_samples.py has not drawn {sample.title}"
    assert first_sentence("Reads digits, 8 pixels wide. Watch it.\nThen more.") == "Reads digits, 8 pixels wide."
    assert (first_sentence("No full stop\nhere"), first_sentence("")) == ("No full stop", "")
