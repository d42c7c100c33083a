"""A training in its thread: pausing, single steps, changes while it runs, and what readers see meanwhile."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch

from deepgui.data.progress import Progress, tell
from deepgui.training import preflight
from deepgui.training.control import Control
from deepgui.training.events import Finished, NumberChanged, Scalars, Started, StateChanged, Warned
from deepgui.training.feed import Column, Feed
from deepgui.training.run import Run
from deepgui.training.store import read_run
from deepgui.training.trainer import RunSpec, Trainer


@pytest.fixture
def run(wine):
    runs = []

    def make(observers=(), **settings):
        runs.append(Run(RunSpec(wine(**{"epochs": 100_000, **settings})), observers))
        return runs[-1]

    yield make
    for each in runs:
        each.control.stop()
        assert each.join(30)


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


def steps_of(run):
    return len(run.feed.column("train_loss")[0])


def test_stop_while_the_data_is_read_ends_without_a_step(wine, new_run, monkeypatch):
    control = Control()

    def reading(*_):
        control.stop()
        tell(Progress(1, 5_000, "pictures read"))
        raise AssertionError("it goes on reading")

    project = wine()
    folder = new_run(project)
    monkeypatch.setattr(preflight, "prepare", reading)
    *_, last = Trainer(RunSpec(project, folder=folder), control)
    assert last == Finished(str(folder), {}, 0, 0.0, "stopped")
    assert read_run(folder).status == "stopped"


def test_pause_single_step_resume_stop(run):
    training = run()
    assert training.state == "idle"
    training.start()
    until(lambda: training.state == "running" and steps_of(training) > 50)
    training.control.pause()
    until(lambda: training.state == "paused")
    paused_at = steps_of(training)
    assert training.trainer.step == paused_at, "all curves are there when it stands still"
    time.sleep(0.1)
    assert training.trainer.step == paused_at
    for number in (1, 2, 3):
        training.control.step()
        until(lambda n=number: steps_of(training) == paused_at + n)
        time.sleep(0.03)
        assert training.trainer.step == paused_at + number
    training.control.resume()
    until(lambda: steps_of(training) > paused_at + 50)
    assert training.state == "running"
    training.control.stop()
    assert training.join(30)
    assert training.state == "finished"
    steps, values = training.feed.column("train_loss")
    assert np.array_equal(steps, np.arange(1, len(steps) + 1))
    assert np.isfinite(values).all()
    states = [e.state for e in training.feed.drain() if isinstance(e, StateChanged)]
    assert states == ["preparing", "paused", "running", "stopping"]


def test_single_step_from_the_start_runs_exactly_one(run):
    training = run()
    training.control.step()
    training.start()
    until(lambda: training.state == "paused" and steps_of(training) == 1)
    time.sleep(0.05)
    assert training.trainer.step == 1


def test_learning_rate_changes_between_steps_and_is_recorded(run):
    training = run()
    training.start()
    until(lambda: steps_of(training) > 10)
    training.control.pause()
    until(lambda: training.state == "paused")
    at = training.trainer.step
    training.control.set("lr", 0.5)
    training.control.set("nonsense", 1.0)
    training.control.step()
    until(lambda: steps_of(training) == at + 1)
    assert training.feed.column("lr")[1][-2:].tolist() == [0.001, 0.5]
    events = training.feed.drain()
    assert [e for e in events if isinstance(e, NumberChanged)] == [NumberChanged(at, "lr", 0.5)]
    assert any("nonsense" in e.message for e in events if isinstance(e, Warned))


def test_requests_are_served_in_the_training_thread_also_while_paused(run):
    training = run()
    training.start()
    until(lambda: steps_of(training) > 0)
    training.control.pause()
    until(lambda: training.state == "paused")
    seen = []
    training.control.request(lambda trainer: seen.append((threading.current_thread().name, trainer.step)))
    training.control.request(lambda trainer: 1 / 0)
    until(lambda: any(isinstance(e, Warned) and "division" in e.message for e in training.feed.drain()))
    assert seen == [("training", training.trainer.step)]
    assert training.state == "paused"


def test_observers_look_rarely_and_a_broken_one_is_dropped(run):
    seen: list[float] = []

    def watch(trainer):
        seen.append(time.monotonic())
        time.sleep(0.02)

    def broken(trainer):
        raise ValueError("no picture")

    training = run([watch, broken])
    training.start()
    until(lambda: len(seen) >= 6)
    training.control.stop()
    training.join(30)
    assert min(np.diff(seen)) > 0.15, "twenty milliseconds of looking are a tenth of two hundred"
    warned = [e.message for e in training.feed.drain() if isinstance(e, Warned) and "no picture" in e.message]
    assert len(warned) == 1


def test_progress_and_score_are_there_to_read(run):
    training = run(epochs=30)
    training.start()
    assert training.join(60)
    progress = training.feed.latest("progress")
    assert (progress.step, progress.total_steps) == (120, 120)
    assert training.feed.latest("score").confusion.shape == (3, 3)
    assert isinstance(next(e for e in training.feed.drain() if isinstance(e, Started)), Started)
    assert len(training.feed.column("val_loss")[0]) == 30


def test_threads_are_given_back_after_training(wine):
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        list(Trainer(RunSpec(wine(max_steps=2))))
        assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)


def test_stop_before_the_start_ends_at_step_zero(wine):
    control = Control()
    control.stop()
    last = list(Trainer(RunSpec(wine()), control))[-1]
    assert (last.reason, last.steps) == ("stopped", 0)


def test_columns_grow_under_a_reader_without_tearing():
    column = Column()
    stop = threading.Event()
    wrong = []

    def read():
        held = column.view()
        copy = (held[0].copy(), held[1].copy())
        while not stop.is_set():
            steps, values = column.view()
            if len(steps) != len(values) or not np.array_equal(steps * 0.5, values):
                wrong.append(len(steps))
            if not np.array_equal(held[1], copy[1]):
                wrong.append(-1)
            held, copy = (steps, values), (steps.copy(), values.copy())

    reader = threading.Thread(target=read)
    reader.start()
    for first in range(0, 60_000, 7):
        steps = np.arange(first, first + 7)
        column.extend(steps, steps * 0.5)
    stop.set()
    reader.join()
    assert not wrong
    assert len(column) == 60_004 - 60_004 % 7 or len(column) % 7 == 0


def test_readers_cannot_write_into_a_column():
    feed = Feed()
    feed.post(Scalars((1, 2), {"train_loss": (3.0, 2.0)}))
    steps, values = feed.column("train_loss")
    with pytest.raises(ValueError, match="read-only"):
        values[0] = 0.0
    assert (steps.tolist(), values.tolist(), feed.names) == ([1, 2], [3.0, 2.0], ("train_loss",))
    assert len(feed.column("unknown")[0]) == 0
    assert feed.drain() == []
