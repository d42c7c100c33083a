"""Which runs can be taken up again, and where they stand."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest

from deepgui.training import store
from deepgui.training.leftover import leftover, newest, refusal
from deepgui.training.store import RunStore
from deepgui.training.trainer import RunSpec, Trainer

STEPS = 6  # four steps an epoch: in the second


def note(folder, **changes):
    path = folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}))


def with_training(project, **changes):
    return replace(project, training=replace(project.training, **changes))


@pytest.fixture
def left(wine, new_run):
    """A run of five epochs, left after some steps with a given status."""

    def make(status, steps=STEPS):
        project = wine(epochs=5)
        folder = new_run(project)
        short = replace(project, training=replace(project.training, max_steps=steps))
        for _ in Trainer(RunSpec(short, folder=folder)):
            pass
        note(folder, status=status)
        return folder, project

    return make


def test_where_a_run_stands(left):
    folder, _ = left("stopped")
    found = leftover(store.read_run(folder))
    assert (found.status, found.epoch, found.step) == ("stopped", 2, STEPS)
    for status in ("interrupted", "failed"):
        note(folder, status=status)
        assert leftover(store.read_run(folder)).status == status


@pytest.mark.parametrize("status", ["running", "completed", "early_stopping", "max_steps"])
def test_runs_under_way_or_at_their_end_are_not_left(left, status):
    assert leftover(store.read_run(left(status)[0])) is None


def test_a_run_that_a_living_process_trains_is_not_taken_up(left):
    folder, project = left("running")  # by this very process
    before = (folder / "run.json").read_text("utf-8")
    *_, last = Trainer(RunSpec(project, resume=folder))
    assert (last.reason, "still being trained" in last.message) == ("project", True)
    assert (folder / "run.json").read_text("utf-8") == before
    note(folder, host="a machine that is gone")
    *_, last = Trainer(RunSpec(project, resume=folder))
    assert last.reason == "completed"


def test_stopped_after_the_last_step_is_the_end(left):
    folder, project = left("stopped", steps=20)
    found = leftover(store.read_run(folder))
    assert not found.fits(project)
    assert found.fits(with_training(project, epochs=7)), "more epochs were wished since"


def test_only_what_changes_network_or_steps_keeps_a_project_from_going_on(left):
    folder, project = left("stopped")
    found = leftover(store.read_run(folder))
    for change in ({"epochs": 9}, {"early_stopping": 3}, {"max_steps": 17}, {"clip_grad_norm": 1.0}, {"device": "cpu"}):
        changed = with_training(project, **change)
        assert found.fits(changed), change
        assert refusal(folder, changed) is None
    for change in ({"batch_size": 5}, {"optimizer": "SGD"}, {"seed": 3}, {"max_steps": STEPS}, {"epochs": 1}):
        assert not found.fits(with_training(project, **change)), change
    *_, last = Trainer(RunSpec(with_training(project, epochs=3), folder=folder, resume=folder))
    assert (last.reason, last.steps) == ("completed", 12)


def test_a_dismissed_run_stays_dismissed_until_it_goes_on(left, tmp_path):
    _, project = left("stopped")
    (tmp_path / "runs").rename(tmp_path / "wine.runs")
    path = tmp_path / "wine.deepgui"
    found = newest(path, project)
    found.dismiss()
    assert newest(path, project) is None
    (found.folder / "dismissed").write_text("3")  # where it stood when it was dismissed is passed
    assert newest(path, project) is not None


def test_a_damaged_or_missing_checkpoint_is_nothing_to_go_on_from(left):
    folder, _ = left("interrupted")
    path = folder / "checkpoints" / "last.pt"
    path.write_bytes(path.read_bytes()[:100])
    assert leftover(store.read_run(folder)) is None
    path.unlink()
    assert leftover(store.read_run(folder)) is None


def test_only_the_newest_run_counts(left, tmp_path):
    older, project = left("interrupted")
    path = tmp_path / "wine.deepgui"
    (tmp_path / "runs").rename(tmp_path / "wine.runs")
    assert newest(path, project).folder.name == older.name
    finished = RunStore(tmp_path / "wine.runs").create(project)
    note(finished, status="completed")
    assert newest(path, project) is None


def test_a_run_under_way_elsewhere_is_left_alone(left, tmp_path):
    folder, project = left("running")
    assert refusal(folder, project).code == "run-under-way"
    note(folder, status="stopped")
    assert refusal(folder, project) is None
    other = replace(project, training=replace(project.training, seed=7))
    assert refusal(folder, other).code == "earlier-drawing"
    assert refusal(tmp_path / "nowhere", project).code == "no-run"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no zombies")
def test_a_dead_process_that_nobody_waited_for_does_not_train(left):
    folder, _ = left("running")
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    note(folder, pid=process.pid, process_started=psutil.Process(process.pid).create_time())
    assert store.read_run(folder).status == "running"
    process.kill()
    end = time.monotonic() + 10
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert store.read_run(folder).status == "interrupted"
    process.communicate()
