"""Which runs can be taken up again, and where they stand."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace

import psutil
import pytest

from deepgui.project.file import meaning_hash
from deepgui.training import store
from deepgui.training.leftover import leftover, newest, refusal
from deepgui.training.store import RunStore
from deepgui.training.trainer import RunSpec, Trainer

STEPS = 6  # four steps an epoch: in the second


def note(folder, **changes):
    path = folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}))


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
    assert (found.stopped, found.epoch, found.epochs, found.step) == (True, 2, 5, STEPS)
    note(folder, status="interrupted")
    assert not leftover(store.read_run(folder)).stopped


@pytest.mark.parametrize("status", ["running", "completed", "early_stopping", "failed", "max_steps"])
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
    assert leftover(store.read_run(left("stopped", steps=20)[0])) is None


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
    meaning = meaning_hash(project)
    assert newest(path, meaning).folder.name == older.name
    finished = RunStore(tmp_path / "wine.runs").create(project)
    note(finished, status="completed")
    assert newest(path, meaning) is None


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
