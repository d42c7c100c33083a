"""A training that was left before its end can be taken up again from the window."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deepgui import builder
from deepgui.catalog.builtin import registry
from deepgui.project.document import Document
from deepgui.project.values import DataConfig, Project, TrainingConfig
from deepgui.qt.checking import Checking
from deepgui.qt.dashboard.controller import RunController
from deepgui.qt.dashboard.dock import TrainingDock
from deepgui.qt.session import Session
from deepgui.training.events import Scalars
from deepgui.training.recorder import Recorder
from deepgui.training.store import RunStore, default_root, read_run
from deepgui.training.trainer import RunSpec, Trainer

EPOCHS = 40


def moons(lr: float = 0.02) -> Project:
    net = builder.Network("net")
    hidden = net.add("Tanh", net.add("Linear", net.add("Input", shape=(2,)), out_features=8))
    net.add("Output", net.add("Linear", hidden, out_features=2))
    training = TrainingConfig(epochs=EPOCHS, optimizer_options={"lr": lr}, device="cpu")
    return net.project(data=DataConfig("moons"), training=training)


def leave(folder: Path, project: Project, steps: int, status: str = "stopped") -> None:
    """Train for some steps in a run's folder, and have it left there in this way."""
    short = replace(project, training=replace(project.training, max_steps=steps))
    for _ in Trainer(RunSpec(short, folder=folder)):
        pass
    path = folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "status": status}))


@pytest.fixture
def window(qtbot, tmp_path):
    """Opens a project with a file of its own in a new session: session, controller and training dock."""
    controllers: list[RunController] = []

    def make(project: Project, path: Path | None = tmp_path / "moons.deepgui"):
        session = Session(Document(project, path))
        session.use_catalogue(registry(), Checking(registry()))
        controller = RunController(session)
        controllers.append(controller)
        dock = TrainingDock(session, controller)
        qtbot.addWidget(dock)
        dock.resize(900, 260)
        dock.show()
        qtbot.waitUntil(lambda: not controller.worker.busy, timeout=30_000)
        qtbot.wait(50)
        return session, controller, dock

    yield make
    for controller in controllers:
        assert controller.shutdown()


def settle(qtbot, controller: RunController) -> None:
    qtbot.waitUntil(lambda: not controller.active, timeout=60_000)
    qtbot.wait(50)
    qtbot.waitUntil(lambda: not controller.worker.busy, timeout=30_000)
    qtbot.wait(50)


def test_stop_then_go_on_reaches_the_planned_end(qtbot, window):
    _session, controller, dock = window(moons())
    assert dock.banner.isHidden()
    dock.transport.step_button.click()
    qtbot.waitUntil(lambda: controller.state == "paused", timeout=60_000)
    dock.transport.stop_button.click()
    qtbot.waitUntil(lambda: dock.banner.go_on.isVisible(), timeout=60_000)
    total, folder = controller.started.total_steps, controller.run.spec.folder
    done = controller.finished.steps
    assert 0 < done < total
    assert dock.banner.text.text() == (
        f"The last training was stopped and can go on from epoch 1 of {EPOCHS}, step {done}."
    )
    dock.banner.go_on.click()
    settle(qtbot, controller)
    assert (controller.started.resumed_from, controller.started.run) == (done, str(folder))
    assert (controller.finished.reason, controller.finished.steps) == ("completed", total)
    steps, _ = controller.feed.column("train_loss")
    assert np.array_equal(steps, np.arange(1, total + 1)), "curves from before are there, and once only"
    assert dock.banner.isHidden(), "a run at its end is not offered"
    assert len(RunStore(folder.parent).list()) == 1


def test_marks_of_a_changed_learning_rate_come_back_with_the_curves(qtbot, window):
    _session, controller, dock = window(moons())
    dock.transport.step_button.click()
    qtbot.waitUntil(lambda: controller.state == "paused", timeout=60_000)
    controller.set_lr(0.01)
    qtbot.waitUntil(lambda: bool(controller.marks), timeout=30_000)
    changed = controller.marks
    controller.step()
    qtbot.waitUntil(lambda: len(controller.feed.column("lr")[0]) > changed[0].step, timeout=30_000)
    controller.stop()
    qtbot.waitUntil(lambda: dock.banner.go_on.isVisible(), timeout=60_000)
    dock.banner.go_on.click()
    settle(qtbot, controller)
    assert controller.finished.reason == "completed"
    assert controller.marks == changed
    assert dock.plots.loss_plot.chart.marks == (changed[0].step,)


def test_what_a_kill_leaves_is_offered_on_opening(qtbot, window, tmp_path):
    project = moons()
    folder = RunStore(tmp_path / "moons.runs").create(project)
    leave(folder, project, 30, "running")
    unsaved = Recorder(folder)
    unsaved.record(Scalars(tuple(range(31, 36)), {"train_loss": (9.0,) * 5}))
    unsaved.close()
    assert read_run(folder).status == "interrupted"
    _session, controller, dock = window(project)
    assert dock.banner.text.text().startswith("The last training was interrupted and can go on from epoch ")
    assert dock.banner.text.text().endswith(f" of {EPOCHS}, step 30.")
    dock.banner.go_on.click()
    settle(qtbot, controller)
    steps, losses = controller.feed.column("train_loss")
    assert np.array_equal(steps, np.arange(1, controller.started.total_steps + 1))
    assert losses.max() < 9.0, "what came after the checkpoint is lived through again"
    assert read_run(folder).status == "completed"


def test_the_offer_follows_the_drawing(qtbot, window, tmp_path):
    project = moons()
    folder = RunStore(tmp_path / "moons.runs").create(project)
    leave(folder, project, 5, "interrupted")
    session, controller, dock = window(project)
    assert dock.banner.go_on.isVisible()
    faster = replace(project.training, optimizer_options={"lr": 0.5})
    session.edit_project("x", lambda p: replace(p, training=faster))
    qtbot.waitUntil(lambda: "earlier drawing" in dock.banner.text.text(), timeout=30_000)
    assert not dock.banner.go_on.isVisible()
    with qtbot.waitSignal(controller.refused, timeout=30_000) as refused:
        controller.start(resume=folder)
    assert refused.args[0].code == "earlier-drawing"
    assert read_run(folder).status == "interrupted", "a refusal leaves the run as it was"
    dock.banner.close_button.click()
    session.document.undo()
    qtbot.waitUntil(lambda: dock.banner.go_on.isVisible(), timeout=30_000)
    session.edit_project("x", lambda p: replace(p, training=replace(p.training, epochs=77)))
    qtbot.waitUntil(lambda: " of 77, " in dock.banner.text.text(), timeout=30_000)
    assert dock.banner.go_on.isVisible(), "more epochs are no other drawing"
    dock.banner.dismiss.click()
    assert dock.banner.isHidden()
    session.edit_project("x", lambda p: replace(p, training=faster))
    settle(qtbot, controller)
    assert dock.banner.isHidden(), "dismissed is dismissed"
    session.open(Document(project, tmp_path / "moons.deepgui"))
    settle(qtbot, controller)
    assert dock.banner.isHidden(), "also when the project is opened again"


def test_a_person_who_stopped_and_changed_the_drawing_is_told_nothing(window, tmp_path):
    project = moons()
    leave(RunStore(tmp_path / "moons.runs").create(project), project, 5)
    _session, _controller, dock = window(moons(lr=0.3))
    assert dock.banner.isHidden()


def test_projects_without_a_file_are_offered_only_their_own_runs(window, tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPGUI_HOME", str(tmp_path / "home"))
    project, other = moons(), moons(lr=0.3)
    store = RunStore(default_root(None))
    leave(store.create(project), project, 5)
    leave(store.create(other), other, 9)
    assert "step 5." in window(project, None)[2].banner.text.text()
    assert window(moons(lr=0.7), None)[2].banner.isHidden()
    dock = window(other)[2]
    assert "step 9." in dock.banner.text.text(), "saved only after it was trained"


def test_opening_another_project_takes_the_offer_away(qtbot, window, tmp_path):
    project = moons()
    leave(RunStore(tmp_path / "moons.runs").create(project), project, 5)
    session, controller, dock = window(project)
    assert dock.banner.go_on.isVisible()
    session.open(Document(moons(), tmp_path / "other.deepgui"))
    assert dock.banner.isHidden()
    settle(qtbot, controller)
    assert dock.banner.isHidden()
    session.open(Document(project, tmp_path / "moons.deepgui"))
    qtbot.waitUntil(lambda: dock.banner.go_on.isVisible(), timeout=30_000)
