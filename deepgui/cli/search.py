"""``deepgui search``: try settings and parameters within their ranges, and say which were best."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections import Counter
from contextlib import closing
from typing import Any

from deepgui import api
from deepgui.cli import output
from deepgui.cli.errors import DONE, FAILED, CommandError
from deepgui.cli.evaluate import store_of
from deepgui.cli.stopping import stopping_gently
from deepgui.project.search import label, merged, parse, value_at
from deepgui.project.values import Project
from deepgui.training.compare import say
from deepgui.training.events import EpochFinished, Event
from deepgui.training.search import Search, Trial, TrialFinished, TrialStarted


def run(arguments: Namespace) -> int:
    """Search. Status 1 if no trial came to its end."""
    project = _project(arguments)
    with closing(Search(project, store_of(arguments).root, arguments.metric)) as search:
        with stopping_gently(search):
            for event in search.run(arguments.trials, arguments.timeout):
                _show(event, search, as_json=arguments.json)
        best = search.best
        if best is not None and arguments.out is not None:
            api.save(search.best_project(), arguments.out)
        if arguments.json:
            output.print_json(_summary(search, arguments))
        elif best is not None:
            _report(search, best, arguments)
    if best is None:
        raise CommandError("no trial came to its end.", FAILED)
    return DONE


def _project(arguments: Namespace) -> Project:
    names = ("epochs", "max_steps", "batch_size", "device", "seed")
    changes = {name: getattr(arguments, name) for name in names}
    project = api.with_settings(api.load(arguments.project), changes, data=arguments.data)
    return merged(project, dict(parse(text) for text in arguments.over))


def _show(event: Event, search: Search, *, as_json: bool) -> None:
    if as_json:
        if isinstance(event, (TrialStarted, EpochFinished, TrialFinished)):
            output.print_json(event.as_dict())
    elif isinstance(event, TrialFinished):
        trial = next(trial for trial in search.trials if trial.number == event.trial)
        print(_line(search, trial, best=event.best), file=sys.stderr, flush=True)


def _line(search: Search, trial: Trial, *, best: bool) -> str:
    what = f"{search.metric} {output.number(trial.value)}" if trial.value is not None else trial.message
    tried = ", ".join(f"{label(search.project, path)} {say(value)}" for path, value in trial.values.items())
    return f"trial {trial.number:>3}  {trial.state:<9}  {what}  {tried}{'  (best)' if best else ''}"


def _summary(search: Search, arguments: Namespace) -> dict[str, Any]:
    trials, best = search.trials, search.best
    return {
        "event": "finished",
        "search": search.name,
        "metric": search.metric,
        "trials": trials,
        "best": best,
        "importance": search.importance(),
        "project": arguments.out if best is not None else None,
    }


def _report(search: Search, best: Trial, arguments: Namespace) -> None:
    out, importance = output.console(), search.importance()
    states = Counter(trial.state for trial in search.trials)
    out.print(", ".join(f"{count} {state}" for state, count in states.items()))
    out.print(f"best: trial {best.number}, {search.metric} {output.number(best.value)}, run {best.run}\n")
    table = output.table("", "best", "now", "importance", right=("importance",))
    for path, value in best.values.items():
        share = f"{importance[path]:.0%}" if path in importance else "-"
        table.add_row(label(search.project, path), say(value), say(value_at(search.project, path)), share)
    out.print(table)
    if arguments.out is not None:
        out.print(f"\nthe project with the best settings is {arguments.out}")
