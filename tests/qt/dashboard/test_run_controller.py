"""Starting, steering and ending a run from the window."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepgui.catalog.builtin import registry
from deepgui.data import image_folder, reading
from deepgui.graph import edits
from deepgui.graph.values import Network, Wire
from deepgui.project.document import Document
from deepgui.project.values import DataConfig, Project, TrainingConfig
from deepgui.qt.checking import Checking
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.dashboard.dock import TrainingDock
from deepgui.qt.dashboard.transport import duration, pace
from deepgui.qt.session import Session


def moons(epochs: int = 3, hidden: int = 8, outputs: int = 2) -> Project:
    network, before = Network("net"), ""
    layers = (
        ("Input", {"shape": (2,)}),
        ("Linear", {"out_features": hidden}),
        ("Tanh", {}),
        ("Linear", {"out_features": outputs}),
        ("Output", {}),
    )
    for kind, params in layers:
        network, node = edits.add_node(network, kind, params)
        if before:
            network = edits.connect(network, Wire(before, "output", node.id, "input"))
        before = node.id
    training = TrainingConfig(epochs=epochs, optimizer_options={"lr": 0.02}, restore_best=False)
    return Project("moons", {"network": network}, DataConfig("moons"), training)


@pytest.fixture
def open_session(qtbot):
    controllers: list[RunController] = []

    def make(project: Project) -> tuple[Session, RunController]:
        session = Session(Document(project))
        session.use_catalogue(registry(), Checking(registry()))
        controller = RunController(session)
        controllers.append(controller)
        return session, controller

    yield make
    for controller in controllers:
        assert controller.shutdown()


def dock_of(qtbot, session: Session, controller: RunController) -> TrainingDock:
    dock = TrainingDock(session, controller)
    qtbot.addWidget(dock)
    dock.resize(900, 260)
    dock.show()
    qtbot.waitUntil(lambda: dock.settings.offers is not None, timeout=30_000)
    return dock


def finish(qtbot, controller: RunController) -> None:
    qtbot.waitUntil(lambda: not controller.active, timeout=60_000)
    qtbot.wait(50)


def test_a_run_from_the_button_to_the_end(qtbot, open_session):
    session, controller = open_session(moons())
    dock = dock_of(qtbot, session, controller)
    states: list[str] = []
    controller.state_changed.connect(states.append)
    dock.transport.train_button.click()
    finish(qtbot, controller)
    assert [s for s in states if s != "stopping"] == ["preparing", "running", "finished"]
    assert "test accuracy" in dock.transport.status.full_text()
    steps, losses = controller.feed.column("train_loss")
    drawn = dock.plots.loss_plot.values_at(float(steps[-1]))
    assert drawn["train_loss"] == pytest.approx(losses[-1])
    assert "val_loss" in drawn
    assert dock.plots.metric_plot.values_at(1.0).keys() == {"train_accuracy", "val_accuracy"}
    assert dock.transport.progress.value() == 1000
    assert not controller._timer.isActive()


def test_pictures_are_counted_while_they_are_read_and_stop_is_at_once(qtbot, open_session, tmp_path, monkeypatch):
    for name in ("ants", "bees"):
        (tmp_path / name).mkdir()
        for i in range(10):
            Image.fromarray(np.full((4, 4), i, np.uint8)).save(tmp_path / name / f"{i}.png")
    allowed, read, real = threading.Semaphore(7), list[Path](), image_folder.read_image

    def slow(path, form):
        assert allowed.acquire(timeout=60)
        read.append(path)
        return real(path, form)

    monkeypatch.setattr(image_folder, "read_image", slow)
    monkeypatch.setattr(reading, "threads", lambda: 1)
    session, controller = open_session(replace(moons(), data=DataConfig("image_folder", {"path": str(tmp_path)})))
    dock = dock_of(qtbot, session, controller)
    dock.transport.train_button.click()
    told = dock.transport.status.full_text
    qtbot.waitUntil(lambda: told() == "Preparing the data: 7 of 20 pictures read …", timeout=30_000)
    assert (dock.transport.progress.value(), dock.transport.progress.maximum()) == (7, 20)
    dock.transport.stop_button.click()
    assert controller.state == "idle", "nobody waits for the picture that is being read"
    allowed.release(100)
    qtbot.waitUntil(lambda: not controller.worker.busy, timeout=30_000)
    assert len(read) == 8
    dock.transport.train_button.click()
    qtbot.waitUntil(lambda: not controller.active, timeout=60_000)
    assert len(read) == 28, "the next training reads them all"


def test_the_status_says_what_is_lacking(qtbot, open_session):
    whole = moons()
    session, controller = open_session(Project("empty", {"network": Network("net")}))
    status = dock_of(qtbot, session, controller).transport.status
    assert status.full_text() == "Draw a network and choose data to train."
    session.edit_project("All", lambda project: replace(whole, data=DataConfig("")))
    qtbot.waitUntil(lambda: status.full_text() == "Choose data to train on.")
    session.edit_project("Data", lambda project: whole)
    qtbot.waitUntil(lambda: status.full_text() == "Ready to train.")
    session.edit("Cut", lambda network: replace(network, wires=frozenset()))
    qtbot.waitUntil(lambda: status.full_text().startswith("Mend the errors"))


def test_pause_step_learning_rate_resume_stop(qtbot, open_session):
    session, controller = open_session(moons(epochs=100_000))
    dock = dock_of(qtbot, session, controller)
    controller.start()
    qtbot.waitUntil(lambda: controller.progress.step > 5, timeout=60_000)
    dock.transport.pause_button.click()
    qtbot.waitUntil(lambda: controller.state == "paused")
    assert dock.transport.train_button.text() == "Resume"
    qtbot.wait(100)
    step = controller.run.trainer.step
    dock.transport.step_button.click()
    qtbot.waitUntil(lambda: controller.run.trainer.step == step + 1)
    dock.transport.lr_field.setText("0.005")
    dock.transport.lr_field.setModified(True)
    dock.transport.lr_field.editingFinished.emit()
    qtbot.waitUntil(lambda: bool(controller.marks))
    assert controller.marks[0].value == 0.005
    assert session.project.training.optimizer_options["lr"] == 0.02, "a live change is the run's, not the project's"
    dock.transport.train_button.click()
    qtbot.waitUntil(lambda: controller.run.trainer.step > step + 5)
    dock.transport.stop_button.click()
    finish(qtbot, controller)
    assert controller.finished.reason == "stopped"
    assert dock.transport.status.full_text().startswith("Stopped · test accuracy")
    assert any(controller.run.spec.folder.glob("checkpoints/*"))


def test_what_stands_against_training_is_said_with_its_fix(qtbot, open_session):
    session, controller = open_session(moons(outputs=5))
    dock = dock_of(qtbot, session, controller)
    with qtbot.waitSignal(controller.refused, timeout=30_000) as refused:
        dock.transport.train_button.click()
    assert controller.run is None
    assert controller.state == "idle"
    assert refused.args[0].message in dock.banner.text.text()
    assert dock.banner.fix.isVisible()
    dock.banner.fix.click()
    assert not dock.banner.isVisible()
    dock.transport.train_button.click()
    finish(qtbot, controller)
    assert controller.state == "finished"


def test_training_without_data_is_refused_at_once(qtbot, open_session):
    session, controller = open_session(replace(moons(), data=DataConfig()))
    dock = dock_of(qtbot, session, controller)
    assert not controller.start()
    assert "no data" in dock.banner.text.text()


def test_a_failure_names_its_layer(qtbot, open_session):
    project = moons()
    wire = project.main.into("tanh")[0]
    network, node = edits.insert_on_wire(project.main, wire, "log")
    session, controller = open_session(replace(project, networks={"network": network}))
    dock = dock_of(qtbot, session, controller)
    with qtbot.waitSignal(controller.failed, timeout=60_000) as failed:
        controller.start()
    finish(qtbot, controller)
    message, guilty = failed.args
    assert guilty == node.id
    assert controller.state == "failed"
    assert message in dock.banner.text.text()
    dock.banner.show_node.click()
    assert session.selection == {guilty}


def test_settings_are_edits_of_the_project(qtbot, open_session):
    session, controller = open_session(moons())
    dock = dock_of(qtbot, session, controller)
    fields = dock.settings._main
    fields["epochs"].type("7")
    assert session.project.training.epochs == 7
    fields["epochs"].type("many")
    assert session.project.training.epochs == 7
    session.edit_project("x", lambda p: replace(p, training=replace(p.training, batch_size=99)))
    assert fields["batch_size"].text() == "99"
    session.document.undo()
    session.document.undo()
    assert session.project.training.epochs == 3
    assert fields["epochs"].text() == "3"


def test_choosing_an_optimiser_brings_its_settings_and_keeps_what_fits(qtbot, open_session):
    session, controller = open_session(moons())
    dock = dock_of(qtbot, session, controller)
    dock.settings._set("optimizer", "SGD")
    training = session.project.training
    assert (training.optimizer, training.optimizer_options) == ("SGD", {"lr": 0.02})
    dock.settings._options["optimizer", "momentum"][1].type("0.9")
    assert session.project.training.optimizer_options == {"lr": 0.02, "momentum": 0.9}
    dock.settings._set("optimizer", "Adam")
    assert session.project.training.optimizer_options == {"lr": 0.02}
    assert ("optimizer", "momentum") not in dock.settings._options


def test_closing_while_it_trains_stops_with_a_checkpoint(qtbot, open_session):
    _session, controller = open_session(moons(epochs=100_000))
    controller.start()
    qtbot.waitUntil(lambda: controller.progress.step > 5, timeout=60_000)
    run = controller.run
    assert controller.shutdown()
    assert not run.alive
    assert (run.spec.folder / "checkpoints" / "last.pt").is_file()


def test_stopping_before_the_run_is_made(qtbot, open_session):
    _session, controller = open_session(moons())
    controller.start()
    controller.stop()
    assert controller.state == "idle"
    qtbot.waitUntil(lambda: not controller.worker.busy, timeout=30_000)
    qtbot.wait(50)
    assert controller.run is None


def test_a_view_that_fails_is_reported_once_and_stops_nothing(qtbot, open_session):
    _session, controller = open_session(moons(epochs=30))
    messages: list[tuple] = []
    controller.message.connect(lambda *m: messages.append(m))

    class Broken:
        def refresh(self) -> None:
            raise RuntimeError("no paint")

    controller.register(Broken())
    controller.start()
    finish(qtbot, controller)
    assert controller.state == "finished"
    assert len([m for m in messages if "no paint" in m[1]]) == 1


def test_times_in_words():
    assert [duration(s) for s in (3, 65, 3700, 300_000)] == ["3 s", "1 min 05 s", "1 h 01 min", "3 days"]
    assert [pace(p) for p in (0, 0.1, 3.21, 1234)] == ["", "10 s a step", "3.2 steps/s", "1,234 steps/s"]


def test_a_failure_looks_like_one_and_an_offer_does_not(qtbot, open_session):
    session, controller = open_session(moons())
    dock = dock_of(qtbot, session, controller)
    controller.failed.emit("The loss is not a number any more.", "")
    assert dock.banner.property("role") == "banner-error"
    dock.banner.offer("The last training can go on.", ready=True)
    assert dock.banner.property("role") == "banner"


def test_pressing_train_leaves_the_keyboard_at_the_buttons(qtbot, open_session):
    session, controller = open_session(moons(epochs=2000))
    dock = dock_of(qtbot, session, controller)
    dock.activateWindow()
    dock.transport.train_button.setFocus()
    qtbot.waitUntil(dock.transport.train_button.hasFocus)
    dock.transport.train_button.click()
    assert dock.transport.stop_button.hasFocus(), "not the field of the learning rate"
    qtbot.waitUntil(lambda: controller.progress.step > 5, timeout=60_000)
    assert dock.transport.stop_button.hasFocus()
