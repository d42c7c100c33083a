"""A search tries what was marked, cuts short what leads nowhere, goes on where it was left, and finds the best."""

from __future__ import annotations

import sys
from contextlib import closing
from dataclasses import replace

import pytest

from deepgui.project.ranges import Choices, Range
from deepgui.project.search import SearchError, merged, value_at
from deepgui.training import store
from deepgui.training.events import EpochFinished
from deepgui.training.search import STOPPED, Search, TrialFinished, TrialStarted
from deepgui.training.store import RunStore

LR = "training.optimizer_options.lr"
WIDTH = "network.linear.out_features"
BYPASS = "network.dropout.bypass"


def ended(search, trials, **options):
    return [event for event in search.run(trials, **options) if isinstance(event, TrialFinished)]


def test_every_combination_that_can_be_counted_is_tried_once(wine, tmp_path):
    project = merged(wine(epochs=1), {BYPASS: Choices((True, False)), WIDTH: Choices((4, 8))})
    with closing(Search(project, tmp_path)) as search:
        assert len(ended(search, 10)) == 4
        assert len({tuple(trial.values.values()) for trial in search.trials}) == 4
        assert ended(search, 10) == []
        best = search.best
        assert best.value == min(trial.value for trial in search.trials)
    for info in RunStore(tmp_path).list():
        trial = search.trials[int(info.remarks.title.removeprefix("trial "))]
        made = store.run_project(info.folder)
        assert {path: value_at(made, path) for path in trial.values} == trial.values
        assert made.search == {}
        assert info.remarks.tags == (f"search {search.name[-4:]}",)
        assert info.metrics["val_loss"] == pytest.approx(trial.value)


def test_the_project_as_it_is_comes_first(wine, tmp_path):
    project = merged(wine(epochs=1), {LR: Range(1e-4, 0.5, log=True), WIDTH: Range(4, 64)})
    with closing(Search(project, tmp_path)) as search:
        started = [event for event in search.run(2) if isinstance(event, TrialStarted)]
    assert started[0].values == {LR: 1e-3, WIDTH: 16}
    assert started[1].values != started[0].values


def test_what_leads_nowhere_is_cut_short(wine, tmp_path):
    project = merged(wine(epochs=8, batch_size=16), {LR: Range(1e-5, 0.1, log=True)})
    with closing(Search(project, tmp_path)) as search:
        said = list(search.run(12))
        trials = search.trials
        importance = search.importance()
        found = search.best_project()
    finished = [event for event in said if isinstance(event, TrialFinished)]
    pruned = [trial for trial in trials if trial.state == "pruned"]
    assert pruned
    assert len(trials) == len(finished) == 12
    for trial in pruned:
        info = store.read_run(RunStore(tmp_path).open(trial.run).folder)
        assert info.status == "pruned"
        assert len(store.history(info.folder, "val_loss")[0]) < 8
    best = min((t for t in trials if t.state == "completed"), key=lambda t: t.value)
    assert [event.trial for event in finished if event.best][-1] == best.number
    assert value_at(found, LR) == best.values[LR]
    assert found.search == project.search
    assert importance == pytest.approx({LR: 1.0})


def test_more_is_better_of_accuracy(wine, tmp_path):
    project = merged(wine(epochs=3), {LR: Choices((1e-5, 0.05))})
    with closing(Search(project, tmp_path, "val_accuracy")) as search:
        ended(search, 2)
        assert search.best.values == {LR: 0.05}


def test_a_search_goes_on_where_it_was_left(wine, tmp_path):
    project = merged(wine(epochs=1), {LR: Range(1e-4, 0.5, log=True)})
    with closing(Search(project, tmp_path)) as search:
        ended(search, 2)
        before = search.trials
    with closing(Search(merged(wine(epochs=1, optimizer_options={"lr": 0.2}), project.search), tmp_path)) as search:
        assert search.trials == before, "the value that is varied makes no other search"
        ended(search, 2)
        assert search.trials[:2] == before
        assert len({trial.values[LR] for trial in search.trials}) == 4
    with closing(Search(merged(wine(epochs=2), project.search), tmp_path)) as other:
        assert other.trials == ()


def test_a_trial_that_was_cut_off_is_made_again(wine, tmp_path):
    project = merged(wine(epochs=40), {LR: Choices((0.01, 0.02))})
    with closing(Search(project, tmp_path)) as search:
        events = search.run(2)
        first = next(event for event in events if isinstance(event, TrialStarted))
        next(event for event in events if isinstance(event, EpochFinished))
        events.close()  # as a crash would
    with closing(Search(project, tmp_path)) as search:
        again = [event for event in search.run(2) if isinstance(event, TrialStarted)]
    assert [event.values for event in again].count(first.values) == 1
    assert len(again) == 2
    assert store.read_run(RunStore(tmp_path).open(first.run).folder).status == "interrupted"


def test_stopping_ends_the_trial_and_the_search(wine, tmp_path):
    project = merged(wine(epochs=10_000), {LR: Choices((0.01, 0.02, 0.03))})
    with closing(Search(project, tmp_path)) as search:
        finished = []
        for event in search.run(3):
            if isinstance(event, EpochFinished):
                search.stop()
            if isinstance(event, TrialFinished):
                finished.append(event)
    assert [(event.state, event.message) for event in finished] == [("failed", STOPPED)]
    assert RunStore(tmp_path).list()[0].status == "stopped"


def test_no_trial_begins_after_the_time_is_up(wine, tmp_path):
    project = merged(wine(epochs=1), {LR: Range(1e-4, 0.1)})
    with closing(Search(project, tmp_path)) as search:
        assert ended(search, 5, timeout=0.0) == []


def test_settings_that_cannot_be_fail_alone(wine, tmp_path):
    project = merged(wine(epochs=1), {WIDTH: Choices((0, 8))})
    with closing(Search(project, tmp_path)) as search:
        states = {event.state: event for event in ended(search, 2)}
    assert states.keys() == {"failed", "completed"}
    assert "out_features" in states["failed"].message
    assert len(RunStore(tmp_path).list()) == 1, "what cannot begin leaves no run"


def test_a_search_in_which_all_fails_ends_with_the_reason(wine, tmp_path):
    project = merged(wine(epochs=1), {WIDTH: Range(-90, 0)})
    with closing(Search(project, tmp_path)) as search, pytest.raises(SearchError, match=r"one after the other.*out_f"):
        ended(search, 50)
    assert len(search.trials) == 5


@pytest.mark.parametrize(
    ("search", "metric", "words"),
    [
        ({}, "val_loss", "Nothing is marked"),
        ({"network.lin.p": Range(0, 1)}, "val_loss", "no node lin"),
        ({LR: Range(2, 1)}, "val_loss", "smaller to a larger"),
        ({LR: Range(0.1, 1.0)}, "test_accuracy", "search by val_accuracy"),
    ],
)
def test_a_search_that_cannot_be_is_refused_before_it_begins(wine, tmp_path, search, metric, words):
    with pytest.raises(SearchError, match=words):
        Search(merged(wine(), search), tmp_path, metric)
    assert list(tmp_path.iterdir()) == []


def test_a_metric_that_no_training_has_is_named_with_those_there_are(wine, tmp_path):
    project = merged(wine(epochs=1), {LR: Range(0.1, 1.0)})
    with closing(Search(project, tmp_path, "val_rmse")) as search, pytest.raises(SearchError, match="val_accuracy"):
        ended(search, 3)
    assert RunStore(tmp_path).list()[0].status == "interrupted"


def test_without_a_validation_split_there_is_nothing_to_choose_by(wine, tmp_path):
    project = merged(wine(), {LR: Range(0.1, 1.0)})
    with pytest.raises(SearchError, match="no validation split"):
        Search(replace(project, data=replace(project.data, validation=0.0)), tmp_path)


def test_without_optuna_a_sentence_says_what_to_install(wine, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(SearchError, match=r"pip install deepgui\[search\]"):
        Search(merged(wine(), {LR: Range(0.1, 1.0)}), tmp_path)
