"""The data in the window: a glance, a window of its own, roles of columns, and downloads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QTableWidget, QToolButton
from pytestqt.qtbot import QtBot

from deepgui.catalog.builtin import registry
from deepgui.data import known_sets
from deepgui.data.preview_examples import Example, Sample
from deepgui.data.progress import Progress, tell
from deepgui.graph.values import Network
from deepgui.project.document import Document
from deepgui.project.values import DataConfig, Project, TrainingConfig
from deepgui.qt import theme
from deepgui.qt.checking import Checking
from deepgui.qt.inspector.data_bars import ClassBars
from deepgui.qt.inspector.data_preview import DataPreview
from deepgui.qt.inspector.data_section import DataSection
from deepgui.qt.inspector.data_tiles import Tile, drawable
from deepgui.qt.session import Session

Open = Callable[..., DataSection]


@pytest.fixture
def section(qtbot: QtBot):
    """Opens the data section of a project with this data, and closes it."""
    made: list[DataSection] = []

    def show(config: DataConfig, objective: str = "classification") -> DataSection:
        training = TrainingConfig(objective=objective)
        session = Session(Document(Project("p", {"network": Network("net")}, config, training)))
        session.use_catalogue(registry(), Checking(registry()))
        found = DataSection(session)
        qtbot.addWidget(found)
        found.resize(300, 700)
        found.show()
        found.refresh()
        made.append(found)
        return found

    yield show
    for found in made:
        found.close_worker()


def settled(qtbot: QtBot, section: DataSection) -> None:
    """Wait until the data was read, and then looked at."""
    for _ in range(2):
        qtbot.waitUntil(lambda: not section._timer.isActive() and not section._worker.busy, timeout=30_000)
        qtbot.wait(20)


def opened(qtbot: QtBot, section: DataSection) -> DataPreview:
    settled(qtbot, section)
    section.glance.more.click()
    assert section.dialog is not None
    return section.dialog


def texts(widget) -> list[str]:
    return [w.text() for w in widget.findChildren(QLabel) if w.text()]


CARS = "id,doors,price,colour\n" + "".join(
    f"{i},{2 + i % 3},{(i * 37) % 100}.5,{('red', 'blue')[i % 2]}\n" for i in range(60)
)


@pytest.fixture
def cars(tmp_path: Path) -> Path:
    (tmp_path / "cars.csv").write_text(CARS)
    return tmp_path / "cars.csv"


def test_pictures_classes_and_splits_are_shown(qtbot: QtBot, section: Open) -> None:
    found = section(DataConfig("digits"))
    settled(qtbot, found)
    assert len(found.glance.findChildren(Tile)) == 6
    dialog = opened(qtbot, found)
    assert dialog.objectName() == "data_preview"
    assert "label: 10 classes" in " ".join(texts(dialog))
    tiles = dialog.examples.findChildren(Tile)
    assert {tile.accessibleName() for tile in tiles} == set("0123456789")
    dialog.findChild(QToolButton, "data_split_test").click()
    qtbot.wait(10)
    assert len(dialog.examples.findChildren(Tile)) == 40
    assert "Classes in train: 0 124" in dialog.findChild(ClassBars).accessibleName()
    for name in theme.THEMES:
        theme.use(name)
        assert not dialog.grab().isNull()
        assert not found.grab().isNull()


def test_a_table_is_shown_and_a_suspicious_column_left_out(qtbot: QtBot, section: Open, cars: Path) -> None:
    found = section(DataConfig("csv", {"path": str(cars)}))
    dialog = opened(qtbot, found)
    table = dialog.findChild(QTableWidget, "data_examples")
    assert [table.horizontalHeaderItem(i).text() for i in range(5)] == ["row", "id", "doors", "price", "colour"]
    line = int(table.item(3, 0).text())
    assert [table.item(3, i).text() for i in range(1, 5)] == CARS.splitlines()[line].split(",")
    assert "id counts the rows" in found.findChild(QLabel, "data_remarks").text()
    dialog.findChild(QPushButton, "ignore_id").click()
    assert found._session.project.data.options["roles"] == "id=ignore"
    settled(qtbot, found)
    assert found.findChild(QLabel, "data_remarks").isHidden()
    assert dialog.findChild(QComboBox, "role_id").currentText() == "ignore"
    found._session.document.undo()
    settled(qtbot, found)
    assert dialog.findChild(QComboBox, "role_id").currentText() == "auto (number)"


def choose(dialog: DataPreview, column: str, role: str) -> None:
    combo = dialog.findChild(QComboBox, f"role_{column}")
    combo.setCurrentIndex(combo.findData(role))
    combo.activated.emit(combo.currentIndex())


def test_the_target_is_chosen_at_its_column_and_given_back(qtbot: QtBot, section: Open, cars: Path) -> None:
    found = section(DataConfig("csv", {"path": str(cars)}, target="colour"))
    dialog = opened(qtbot, found)
    choose(dialog, "doors", "target")
    data = found._session.project.data
    assert (data.options["target"], data.target) == ("doors", "")
    settled(qtbot, found)
    combo = dialog.findChild(QComboBox, "role_doors")
    assert combo.currentText() == "target"
    assert combo.findData("ignore") < 0
    assert "doors: 3 classes" in " ".join(texts(dialog))
    choose(dialog, "id", "category")
    settled(qtbot, found)
    choose(dialog, "id", "")
    settled(qtbot, found)
    assert "roles" not in found._session.project.data.options


def test_a_table_that_cannot_be_read_is_mended_at_its_columns(qtbot: QtBot, section: Open, cars: Path) -> None:
    cars.write_text(CARS.replace("\n7,", "\nseven,"))
    found = section(DataConfig("csv", {"path": str(cars)}))
    settled(qtbot, found)
    assert "holds 'seven' where a number belongs" in found.preview.text()
    dialog = opened(qtbot, found)
    assert "holds 'seven'" in dialog.findChild(QLabel, "data_preview_error").text()
    assert dialog.tabs.currentWidget() is dialog.columns
    assert not dialog.tabs.isTabEnabled(dialog.tabs.indexOf(dialog.examples))
    choose(dialog, "id", "ignore")
    settled(qtbot, found)
    assert dialog.tabs.isTabEnabled(dialog.tabs.indexOf(dialog.examples))
    assert dialog.findChild(QLabel, "data_preview_error").isHidden()
    assert "60 examples" in found.preview.text()


def test_data_without_columns_that_vanishes_says_so_in_the_open_window(qtbot: QtBot, section: Open) -> None:
    found = section(DataConfig("iris"))
    dialog = opened(qtbot, found)
    found._session.edit_project("gone", lambda p: Project("p", p.networks, DataConfig("idx", {"path": "/nowhere"})))
    settled(qtbot, found)
    assert "there is no such file" in dialog.findChild(QLabel, "data_preview_error").text()
    assert dialog.tabs.isHidden()


def test_data_that_does_not_suit_the_objective_is_shown_all_the_same(qtbot: QtBot, section: Open) -> None:
    found = section(DataConfig("diabetes"))
    dialog = opened(qtbot, found)
    assert found.preview.text() == "Progression is no class: choose regression, or another target."
    assert dialog.findChild(QTableWidget, "data_examples").rowCount() == 24


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A download that goes on only as far as it is allowed to."""
    allowed = threading.Semaphore(0)

    def arrive(remote, folder, what):
        for done in range(1, 4):
            tell(Progress(done, 3, "kB of Tiny Shakespeare downloaded"))
            while not allowed.acquire(timeout=0.02):
                tell(Progress(done, 3, "kB of Tiny Shakespeare downloaded"))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / remote.name).write_text("To be, or not to be, that is the question.\n" * 100)
        return folder / remote.name

    monkeypatch.setenv("DEEPGUI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(known_sets, "fetch", arrive)
    return allowed


def test_a_known_set_is_offered_cancelled_and_fetched(qtbot: QtBot, section: Open, network) -> None:
    found = section(DataConfig("tinyshakespeare"), "next_token")
    download = found.download
    qtbot.waitUntil(lambda: download.isVisible(), timeout=30_000)
    assert download.start.text() == "Download 1 MB"
    assert "Licence: public domain" in " ".join(texts(download))
    assert found.preview.isHidden()
    download.start.click()
    network.release()
    qtbot.waitUntil(lambda: download.bar.value() == 2, timeout=30_000)
    assert "2 of 3 kB of Tiny Shakespeare downloaded" in " ".join(texts(download))
    download.cancel.click()
    qtbot.waitUntil(lambda: download.start.isVisible(), timeout=30_000)
    assert "Stopped." in " ".join(texts(download))
    download.start.click()
    network.release(10)
    qtbot.waitUntil(lambda: "examples:" in found.preview.text(), timeout=30_000)
    assert not download.isVisible()
    settled(qtbot, found)
    assert found.glance.more.isVisible()


def test_a_download_that_fails_says_why_and_can_be_tried_again(qtbot: QtBot, section: Open, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise known_sets.DataError("no connection to example.org")

    monkeypatch.setattr(known_sets, "fetch", broken)
    monkeypatch.setenv("DEEPGUI_HOME", "/nowhere/at/all")
    found = section(DataConfig("mnist"))
    qtbot.waitUntil(lambda: found.download.isVisible(), timeout=30_000)
    found.download.start.click()
    qtbot.waitUntil(lambda: found.download.start.isVisible() and "no connection" in " ".join(texts(found.download)))
    assert "set path to a folder that has MNIST" in " ".join(texts(found.download))


def test_every_kind_of_example_is_painted(qtbot: QtBot) -> None:
    image = Sample("image", "image", "3×8×8", np.zeros((8, 8, 3), np.uint8))
    boxes = Sample("boxes", "boxes", "1 box", np.array([[0, 0.5, 0.5, 0.5, 0.5]], np.float32))
    mask = Sample("mask", "classmap", "sky", np.eye(8, dtype=np.int64) * 2)
    curve = Sample("series", "series", "9 steps", np.sin(np.arange(18.0)).reshape(9, 2))
    words = Sample("tokens", "tokens", "to be")
    for samples, seen in (((image, boxes), True), ((image, mask), True), ((curve,), True), ((words,), False)):
        example = Example("train", 3, "a", samples)
        assert drawable(example) == seen
        tile = Tile(example, QSize(60, 60))
        qtbot.addWidget(tile)
        pixels = tile.grab().toImage()
        assert (len({pixels.pixel(x, y) for x in range(8, 52) for y in range(8, 52)}) > 1) == seen
        assert "example 4" in tile.toolTip()
