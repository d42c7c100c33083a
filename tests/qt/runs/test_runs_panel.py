"""The panel of runs: what it lists, draws and compares, and what can be done with a run from there."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QLineEdit

from deepgui import builder
from deepgui.catalog.builtin import registry
from deepgui.project import file
from deepgui.project.document import Document
from deepgui.project.values import DataConfig, Project, TrainingConfig
from deepgui.qt import theme
from deepgui.qt.checking import Checking
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.files import Files
from deepgui.qt.runs.panel import ABOUT, CURVES, DIFFERENCES, RunsPanel
from deepgui.qt.session import Session
from deepgui.training import store
from deepgui.training.events import Finished
from deepgui.training.store import RunStore
from deepgui.training.trainer import RunSpec, Trainer


def moons(width: int = 4, **training: object) -> Project:
    net = builder.Network("net")
    hidden = net.add("Tanh", net.add("Linear", net.add("Input", shape=(2,)), out_features=width))
    net.add("Output", net.add("Linear", hidden, out_features=2))
    return net.project(data=DataConfig("moons"), training=TrainingConfig(**{"epochs": 2, "device": "cpu", **training}))


def train(project: Project, root: Path) -> Path:
    folder = RunStore(root).create(project)
    *_, last = Trainer(RunSpec(project, folder=folder))
    assert isinstance(last, Finished)
    return folder


class Person:
    """Answers what is asked."""

    def __init__(self) -> None:
        self.save, self.sure = "discard", True
        self.asked: list[object] = []
        self.complaints: list[str] = []

    def save_changes(self, name: str) -> str:
        self.asked.append(name)
        return self.save

    def delete_runs(self, names: list[str]) -> bool:
        self.asked.append(names)
        return self.sure

    def complain(self, sentence: str) -> None:
        self.complaints.append(sentence)


@pytest.fixture
def show(qtbot, tmp_path, monkeypatch):
    """The panel of a project in a file of its own, in a window."""
    monkeypatch.setenv("DEEPGUI_HOME", str(tmp_path / "home"))
    made: list[tuple[RunController, Files]] = []

    def make(project: Project, path: Path | None = tmp_path / "moons.deepgui") -> RunsPanel:
        session = Session(Document(project, path))
        session.use_catalogue(registry(), Checking(registry()))
        controller, files = RunController(session), Files(session, Person())
        made.append((controller, files))
        panel = RunsPanel(session, controller, files)
        qtbot.addWidget(panel)
        panel.resize(900, 300)
        panel.show()
        qtbot.waitUntil(lambda: panel.shelf.loaded, timeout=30_000)
        return panel

    yield make
    for controller, files in made:
        assert controller.shutdown()
        files.close()


@pytest.fixture
def two(tmp_path) -> tuple[Path, Path]:
    """Two runs beside the project's file: a narrow network, then a wide one."""
    root = tmp_path / "moons.runs"
    return train(moons(), root), train(moons(16, epochs=6, batch_size=64), root)


def cells(panel: RunsPanel, row: int) -> dict[str, str]:
    model = panel.rows
    return {heading.name: model.index(row, i).data() for i, heading in enumerate(model.headings)}


def drawn(panel: RunsPanel) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {name: curve for name, curve in panel.curves.curves().items() if len(curve[0])}


def test_nothing_trained_yet_says_what_to_do(show):
    panel = show(moons())
    assert panel.empty.isVisible()
    assert "Ctrl+Enter" in panel.empty.text.text()


def test_runs_stand_in_the_table_with_what_came_of_them(show, two):
    panel = show(moons())
    assert [run.folder for run in panel.rows.runs] == [two[1], two[0]]
    info = store.read_run(two[1])
    first = cells(panel, 0)
    assert (first["state"], first["steps"]) == ("completed", f"{info.steps:,}")
    assert first["val_accuracy"] == f"{info.metrics['val_accuracy']:.4g}"
    assert panel.count.full_text() == "2 runs"
    assert panel.chosen == (info,), "the newest is chosen"


def test_a_click_on_a_heading_sorts_and_what_is_chosen_stays(qtbot, show, two):
    panel = show(moons())
    panel.table.choose([two[0]])
    column = [h.name for h in panel.rows.headings].index("steps")
    head = panel.table.horizontalHeader()
    for order, folders in ((Qt.SortOrder.AscendingOrder, list(two)), (Qt.SortOrder.DescendingOrder, [two[1], two[0]])):
        panel.table.sortByColumn(column, order)
        assert [run.folder for run in panel.rows.runs] == folders
        assert head.sortIndicatorSection() == column
        assert [run.folder for run in panel.chosen] == [two[0]]


def test_chosen_runs_are_drawn_over_each_other(qtbot, show, two):
    panel = show(moons())
    panel.table.choose(two)
    qtbot.waitUntil(lambda: len(drawn(panel)) == 2, timeout=30_000)
    assert panel.curves.metric == "val_loss"
    for name, folder in zip(drawn(panel), two, strict=True):
        steps, values = store.history(folder, "val_loss")
        assert np.array_equal(drawn(panel)[name][0], steps)
        assert np.array_equal(drawn(panel)[name][1], values)
    tokens = {series.token for series in panel.curves.plot.series}
    assert tokens == {panel.rows.color(folder) for folder in two}
    assert len(tokens) == 2
    panel.curves.choose("train_loss")
    qtbot.waitUntil(lambda: len(drawn(panel)) == 2, timeout=30_000)
    assert all(series.smooth for series in panel.curves.plot.series)
    panel.table.choose([two[1]])
    qtbot.waitUntil(lambda: len(drawn(panel)) == 1, timeout=30_000)
    assert panel.curves.metric == "train_loss", "a metric stays chosen"


def test_differences_of_settings_results_and_drawings_are_said(qtbot, show, two):
    panel = show(moons())
    panel.tabs.setCurrentIndex(DIFFERENCES)
    assert "two runs or more" in panel.differences.toPlainText()
    panel.table.choose(two)
    qtbot.waitUntil(lambda: "linear: out_features 4 → 16" in panel.differences.toPlainText(), timeout=30_000)
    text = panel.differences.toPlainText()
    assert text.index("batch size") < text.index("val accuracy")
    panel.table.choose([two[0]])
    assert "two runs or more" in panel.differences.toPlainText()


def test_title_tags_and_note_are_written_in_place(qtbot, show, two):
    panel = show(moons())
    for name, text in (("run", "the wide one"), ("tags", "wide, first try"), ("note", "learns well")):
        column = [h.name for h in panel.rows.headings].index(name)
        index = panel.rows.index(panel.rows.row_of(two[1]), column)
        panel.table.edit(index)
        editor = panel.table.findChild(QLineEdit)
        editor.setText(text)
        qtbot.keyClick(editor, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda name=name, text=text: cells(panel, 0)[name] == text, timeout=30_000)
    said = store.read_run(two[1]).remarks
    assert (said.title, said.tags, said.note) == ("the wide one", ("wide", "first try"), "learns well")
    panel.tabs.setCurrentIndex(ABOUT)
    assert panel.about.note.toPlainText() == "learns well"
    panel.about.note.setPlainText("line one\nline two")
    panel.table.choose([two[0]])
    qtbot.waitUntil(lambda: store.read_run(two[1]).remarks.note == "line one\nline two", timeout=30_000)
    qtbot.waitUntil(lambda: cells(panel, 0)["note"] == "line one", timeout=30_000)
    note = panel.rows.index(0, len(panel.rows.headings) - 1)
    assert not note.flags() & Qt.ItemFlag.ItemIsEditable, "a cell would lose the second line"


def test_deleting_asks_first(qtbot, show, two):
    panel = show(moons())
    person = panel.files.dialogs
    panel.table.choose(two)
    person.sure = False
    qtbot.keyClick(panel.table, Qt.Key.Key_Delete)
    assert all(folder.is_dir() for folder in two)
    person.sure = True
    panel.table.choose([two[0]])
    panel.delete_button.click()
    assert not two[0].exists()
    qtbot.waitUntil(lambda: [run.folder for run in panel.rows.runs] == [two[1]], timeout=30_000)
    panel.table.choose([two[1]])
    panel.delete_button.click()
    qtbot.waitUntil(panel.empty.isVisible, timeout=30_000)


def test_a_drawing_opens_as_it_was_after_asking_about_changes(qtbot, show, two):
    panel = show(moons())
    session, person = panel.session, panel.files.dialogs
    session.edit_project("x", lambda p: replace(p, notes="changed"))
    panel.table.choose([two[1]])
    person.save = "cancel"
    panel.open_button.click()
    assert session.project.notes == "changed"
    person.save = "discard"
    panel.open_button.click()
    assert session.project.main.nodes["linear"].params["out_features"] == 16
    assert session.document.path is None
    assert not session.document.dirty
    qtbot.waitUntil(lambda: len(panel.rows.runs) == 2, timeout=30_000)
    assert [run.folder for run in panel.chosen] == [two[1]], "its siblings stay on the shelf, and it stays chosen"


def test_a_stopped_run_goes_on_from_here(qtbot, show, tmp_path):
    project = moons(epochs=300)
    folder = train(replace(project, training=replace(project.training, max_steps=5)), tmp_path / "moons.runs")
    store.update_info(folder, status="stopped")
    panel = show(project)
    panel.table.choose([folder])
    assert panel.continue_button.isEnabled()
    with qtbot.waitSignal(panel.training_asked):
        panel.continue_button.click()
    qtbot.waitUntil(lambda: panel.controller.state == "running", timeout=60_000)
    qtbot.waitUntil(lambda: cells(panel, 0)["state"] == "under way", timeout=30_000)
    assert not panel.continue_button.isEnabled()
    assert not panel.delete_button.isEnabled()
    panel.controller.stop()
    qtbot.waitUntil(lambda: cells(panel, 0)["state"] == "stopped", timeout=60_000)
    assert store.read_run(folder).steps > 5


def test_a_run_under_way_is_followed_and_nothing_is_read_out_of_sight(qtbot, show):
    panel = show(moons(epochs=5000))
    panel.controller.start()
    qtbot.waitUntil(lambda: bool(drawn(panel)), timeout=60_000)
    before = len(next(iter(drawn(panel).values()))[0])
    qtbot.waitUntil(lambda: len(next(iter(drawn(panel).values()))[0]) > before, timeout=60_000)
    (folder,) = (run.folder for run in panel.rows.runs)
    panel.hide()
    panel.shelf.look()
    assert not panel.shelf._timer.isActive()
    panel.controller.stop()
    qtbot.waitUntil(lambda: not panel.controller.active, timeout=60_000)
    assert cells(panel, 0)["state"] == "under way", "nobody looked"
    panel.show()
    qtbot.waitUntil(lambda: cells(panel, 0)["state"] == "stopped", timeout=30_000)
    steps, _ = store.history(folder, "val_loss")
    qtbot.waitUntil(lambda: len(next(iter(drawn(panel).values()))[0]) == len(steps), timeout=30_000)
    assert np.array_equal(next(iter(drawn(panel).values()))[0], steps)


def test_curves_leave_as_a_table_a_picture_and_for_tensorboard(qtbot, show, two, tmp_path):
    panel = show(moons())
    panel.table.choose(two)
    qtbot.waitUntil(lambda: len(drawn(panel)) == 2, timeout=30_000)
    panel.ask_path = lambda title, name, kinds: tmp_path / "curves.csv"
    panel.exports["csv"].trigger()
    rows = list(csv.reader((tmp_path / "curves.csv").open()))
    assert rows[0] == ["step", *drawn(panel)]
    assert len(rows) - 1 == len(np.unique(np.concatenate([steps for steps, _ in drawn(panel).values()])))
    for name in ("plot.png", "plot.svg"):
        panel.ask_path = lambda title, given, kinds, name=name: tmp_path / name
        panel.exports["picture"].trigger()
    image = QImage(str(tmp_path / "plot.png"))
    assert image.width() >= 2 * panel.curves.plot.chart.width()
    colors = {image.pixelColor(x, y).name() for x in range(0, image.width(), 2) for y in range(0, 60, 2)}
    for run in panel.chosen:
        assert theme.theme().tokens[panel.rows.color(run.folder)] in colors, "its name stands over the plot"
    svg = (tmp_path / "plot.svg").read_text()
    assert svg.count("<polyline") >= 2
    assert "<image" not in svg
    panel.table.choose([two[0]])
    panel.ask_path = lambda title, name, kinds: tmp_path / "tb"
    with qtbot.waitSignal(panel.told, timeout=30_000) as told:
        panel.exports["tensorboard"].trigger()
    assert "tensorboard --logdir" in told.args[0]
    assert list((tmp_path / "tb" / two[0].name).glob("events.out.*"))
    panel.ask_path = lambda title, name, kinds: tmp_path / "no" / "curves.csv"
    panel.exports["csv"].trigger()
    assert "did not work" in panel.files.dialogs.complaints[-1]


def test_tensorboards_files_are_written_while_it_trains(qtbot, show):
    panel = show(moons())
    panel.live_log.trigger()
    panel.controller.start()
    qtbot.waitUntil(lambda: bool(panel.rows.runs) and cells(panel, 0)["state"] == "completed", timeout=60_000)
    assert list((panel.rows.run_at(0).folder / "tensorboard").glob("events.out.*"))


def test_projects_without_a_file_see_runs_of_their_name(qtbot, show, tmp_path):
    panel = show(moons(), None)
    shared = store.default_root(None)
    mine = train(moons(), shared)
    train(replace(moons(), name="other"), shared)
    qtbot.waitUntil(lambda: [run.folder for run in panel.rows.runs] == [mine], timeout=30_000)


def test_another_project_has_other_runs(qtbot, show, two, tmp_path):
    panel = show(moons())
    file.write(moons(), tmp_path / "other.deepgui")
    panel.session.open(Document(moons(), tmp_path / "other.deepgui"))
    qtbot.waitUntil(panel.empty.isVisible, timeout=30_000)
    assert panel.tabs.currentIndex() == CURVES
