"""The dock Try it: every kind of question can be put with mouse and keys, before, during and after training."""

from __future__ import annotations

import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QComboBox, QPushButton

import deepgui
from deepgui.catalog.builtin import registry
from deepgui.paths import samples
from deepgui.project.document import Document
from deepgui.project.values import DataConfig, Project, TrainingConfig
from deepgui.qt.checking import Checking
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.session import Session
from deepgui.qt.try_out.answers import AnswerView
from deepgui.qt.try_out.bars import ChanceBars
from deepgui.qt.try_out.dock import TryDock
from deepgui.qt.try_out.pad import Pad
from deepgui.use import asking
from deepgui.use.model import of_training
from deepgui.use.trial import Ink

LONG = 60_000


def sample(name: str, **training: object) -> Project:
    project = deepgui.load(samples() / f"{name}.deepgui")
    return replace(project, training=replace(project.training, device="cpu", **training))


def letters(context: int = 16) -> Project:
    net = deepgui.Network("text")
    x = net.add("Embedding", net.add("Input", shape=(context,), dtype="int64"), num_embeddings=128, embedding_dim=8)
    net.add("Output", net.add("Linear", x, out_features=128))
    data = DataConfig("python_text", {"context": context, "stride": 400})
    return net.project(data=data, training=TrainingConfig(objective="next_token", device="cpu"))


@pytest.fixture
def show(qtbot):
    controllers: list[RunController] = []

    def make(what: Project, wait: bool = True) -> TryDock:
        session = Session(Document(what))
        session.use_catalogue(registry(), Checking(registry()))
        controller = RunController(session)
        controllers.append(controller)
        dock = TryDock(session, controller)
        qtbot.addWidget(dock)
        dock.resize(760, 260)
        dock.show()
        if wait:
            qtbot.waitUntil(lambda: dock.trial is not None, timeout=LONG)
        return dock

    yield make
    for controller in controllers:
        assert controller.shutdown()


def draw(qtbot, pad: Pad) -> None:
    frame = pad.frame().toRect()
    top, bottom = QPoint(frame.center().x(), frame.top() + 12), QPoint(frame.center().x(), frame.bottom() - 12)
    qtbot.mousePress(pad, Qt.MouseButton.LeftButton, pos=top)
    pad._stroke(pad._place(QPointF(bottom)), Qt.MouseButton.LeftButton)
    qtbot.mouseRelease(pad, Qt.MouseButton.LeftButton, pos=bottom)


def answered(dock: TryDock) -> bool:
    return (
        not dock.asker.busy("trial_answer") and dock.page.answer.pages.currentWidget() is not dock.page.answer.numbers
    )


def test_without_data_the_dock_says_what_to_do(qtbot, show):
    net = deepgui.Network("none")
    net.add("Output", net.add("Input", shape=(2,)))
    dock = show(net.project(), wait=False)
    qtbot.waitUntil(lambda: "Choose data first" in dock.note.text.text(), timeout=LONG)
    assert dock.note.isVisible()


def test_a_drawn_digit_is_told_before_and_while_it_trains(qtbot, show):
    dock = show(sample("digits_cnn", epochs=40))
    page = dock.page
    assert page.answer.numbers.text().startswith("Draw with the mouse")
    draw(qtbot, page.pad)
    bars = page.answer.bars
    qtbot.waitUntil(lambda: len(bars.names) == 10, timeout=LONG)
    untrained = bars.chances
    assert sum(untrained) == pytest.approx(1, abs=1e-4)
    dock.controller.start()
    qtbot.waitUntil(lambda: dock.controller.state == "running", timeout=LONG)
    qtbot.waitUntil(lambda: bars.chances != untrained, timeout=LONG)
    while_training = bars.chances
    qtbot.waitUntil(lambda: bars.chances != while_training, timeout=LONG)
    dock.controller.stop()
    qtbot.waitUntil(lambda: not dock.controller.active, timeout=LONG)
    qtbot.mouseClick(dock.findChild(QPushButton, "try_clear"), Qt.MouseButton.LeftButton)
    assert page.pad.empty
    draw(qtbot, page.pad)
    trainer = dock.controller.run.trainer
    learnt = of_training(trainer.objective, trainer.networks, dock.session.project.data)
    (said,) = asking.predict(learnt, {dock.trial.fed.name: torch.from_numpy(page.pad.read())[None]})
    qtbot.waitUntil(lambda: bars.chances == pytest.approx(said.chances, abs=1e-5), timeout=LONG)


def test_asking_does_not_change_what_is_learnt(qtbot, show):
    def losses(asks: bool) -> list[float]:
        dock = show(sample("digits_cnn", epochs=1))
        if asks:
            draw(qtbot, dock.page.pad)
        else:
            dock.hide()
        dock.controller.start()
        qtbot.waitUntil(lambda: dock.controller.state == "finished", timeout=LONG)
        return dock.controller.feed.column("train_loss")[1].tolist()

    assert losses(True) == losses(False)


def test_an_example_shows_its_truth_and_a_file_its_picture(qtbot, show, tmp_path):
    dock = show(sample("digits_cnn"))
    page = dock.page
    page._example()
    qtbot.waitUntil(lambda: answered(dock) and page.answer.beside.text().startswith("truth: "), timeout=LONG)
    name = dock.trial.fed.name
    assert np.allclose(page.pad.read(), dock.trial.examples[name][0].numpy(), atol=0.003)
    Image.fromarray(np.full((8, 8), 102, np.uint8)).save(tmp_path / "grey.png")
    page.open(tmp_path / "grey.png")
    qtbot.waitUntil(lambda: np.allclose(page.pad.read(), 0.4, atol=0.003), timeout=LONG)
    (tmp_path / "no.png").write_bytes(b"no picture")
    page.open(tmp_path / "no.png")
    qtbot.waitUntil(lambda: "not an image" in page.answer.numbers.text(), timeout=LONG)


def test_a_row_is_edited_with_sliders_fields_and_example(qtbot, show):
    dock = show(sample("wine_mlp"))
    page = dock.page
    qtbot.waitUntil(lambda: answered(dock), timeout=LONG)
    assert len(page.fields) == 13
    assert page.answer.beside.text() == f"truth: {dock.trial.truths[0]}"
    before = page.answer.bars.chances
    number = page.fields[0][0]
    number.slider.setValue(number.slider.maximum())
    assert number.box.value() > float(dock.trial.examples["features"][:, 0].max())
    qtbot.waitUntil(lambda: page.answer.bars.chances != before, timeout=LONG)
    assert "changed by hand" in page.which.text()
    assert page.answer.beside.text() == ""


def test_categories_are_chosen_by_name(qtbot, show, tmp_path):
    rows = [f"{'red' if i % 2 else 'blue'},{i},{'a' if i % 3 else 'b'}" for i in range(60)]
    (tmp_path / "t.csv").write_text("colour,size,kind\n" + "\n".join(rows) + "\n")
    net = deepgui.Network("t")
    net.add("Output", net.add("Linear", net.add("Input", shape=(3,)), out_features=2))
    data = DataConfig("csv", {"path": str(tmp_path / "t.csv"), "target": "kind"})
    dock = show(net.project(data=data, training=TrainingConfig(device="cpu")))
    page = dock.page
    choice = page.findChild(QComboBox, "try_choice_colour")
    assert [choice.itemText(i) for i in range(choice.count())] == ["blue", "red"]
    qtbot.waitUntil(lambda: answered(dock), timeout=LONG)
    before = page.answer.bars.chances
    choice.setCurrentIndex(1 - choice.currentIndex())
    choice.changed.emit()
    qtbot.waitUntil(lambda: page.answer.bars.chances != before, timeout=LONG)


def test_a_typed_name_is_classified_and_strange_letters_are_refused(qtbot, show):
    dock = show(sample("names_gru"))
    page = dock.page
    qtbot.keyClicks(page.typed, "mira")
    qtbot.waitUntil(lambda: answered(dock), timeout=LONG)
    assert page.answer.bars.names == dock.trial.answer.classes
    page.typed.clear()
    assert "Type something" in page.answer.numbers.text()


def test_a_text_appears_piece_by_piece_and_stops_when_asked(qtbot, show):
    dock = show(letters())
    page = dock.page
    qtbot.keyClicks(page.prompt, "import ")
    qtbot.waitUntil(lambda: len(page.answer.bars.names) == 10, timeout=LONG)
    qtbot.mouseClick(page.go, Qt.MouseButton.LeftButton)
    assert page.go.text() == "Stop"
    lengths: set[int] = set()

    def grown() -> bool:
        lengths.add(len(page.written.toPlainText()))
        return len(lengths) > 4

    qtbot.waitUntil(grown, timeout=LONG)
    assert page.written.toPlainText().startswith("import ")
    qtbot.mouseClick(page.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not dock.asker.busy("trial_answer"), timeout=LONG)
    text = page.written.toPlainText()
    qtbot.wait(150)
    assert page.written.toPlainText() == text
    assert page.go.text() == "Generate"


def test_a_recording_is_opened_and_seen(qtbot, show, tmp_path):
    net = deepgui.Network("tones")
    x = net.add("AdaptiveAvgPool2d", net.add("Input", shape=(1, 16, 32)), output_size=4)
    net.add("Output", net.add("Linear", net.add("Flatten", x), out_features=6))
    dock = show(net.project(data=DataConfig("tones", {"n": 60, "mels": 16}), training=TrainingConfig(device="cpu")))
    page = dock.page
    assert "recording" in page.blank.text()
    path = Path(tmp_path / "a.wav")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((np.sin(np.arange(4000) / 9) * 20000).astype("<i2").tobytes())
    page.open(path)
    qtbot.waitUntil(lambda: answered(dock), timeout=LONG)
    assert page.name.full_text() == "a.wav"
    assert page.views.currentWidget() is page.wall
    assert page.answer.bars.names[0] == "sine"


@pytest.mark.parametrize("name", ["digits_vae", "digits_gan"])
def test_turning_a_number_of_the_code_changes_the_picture(qtbot, show, name):
    dock = show(sample(name))
    page = dock.page
    qtbot.waitUntil(lambda: page.wall._wall is not None, timeout=LONG)
    page._to_middle()
    qtbot.waitUntil(lambda: not dock.asker.busy("trial_answer"), timeout=LONG)
    before = page.wall._wall.pixels[0].copy()
    page.knobs[0].slider.setValue(1000)
    qtbot.waitUntil(lambda: not np.array_equal(page.wall._wall.pixels[0], before), timeout=LONG)
    assert page.knobs[0].said.text() == "+3.00"


def test_of_more_classes_than_fit_the_likeliest_are_shown(qtbot):
    bars = ChanceBars()
    qtbot.addWidget(bars)
    bars.resize(300, 100)
    chances = np.linspace(0, 1, 40) / 20
    bars.show_chances([str(k) for k in range(40)], chances.tolist())
    assert bars.shown() == [39, 38, 37, 36]


def test_the_right_button_wipes_and_white_paper_takes_dark_ink(qtbot):
    pad = Pad()
    qtbot.addWidget(pad)
    pad.resize(200, 200)
    pad.show()
    pad.prepare((3, 16, 16), Ink(light=False))
    assert (pad.read() == 1).all()
    draw(qtbot, pad)
    inked = pad.read()
    assert inked.shape == (3, 16, 16)
    assert inked.min() < 0.3
    pad.brush = 30
    centre = pad.frame().center().toPoint()
    qtbot.mousePress(pad, Qt.MouseButton.RightButton, pos=centre)
    assert pad.read().min() > inked.min()


def test_an_answer_view_takes_every_kind_of_answer(qtbot):
    from deepgui.use import answers

    view = AnswerView()
    qtbot.addWidget(view)
    view.show_answer(answers.Numbers((3.25,), ("price",)))
    assert view.said.full_text() == "3.25"
    view.show_answer(answers.Numbers(tuple(range(30))))
    assert "and 18 more" in view.numbers.text()
    view.show_answer(answers.Several(("cat", "dog"), (0.9, 0.2)))
    assert view.said.full_text() == "cat"
    view.show_answer(answers.Text("<b>bold</b>"))
    assert view.text.toPlainText() == "<b>bold</b>"
    regions = np.zeros((4, 4), np.int64)
    view.show_answer(answers.Regions(("none", "circle"), regions))
    assert view.said.full_text() == "none 100.0%"
