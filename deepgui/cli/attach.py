"""``deepgui attach``: watch a training that another process does, and tell it what to do."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from deepgui.cli import output
from deepgui.cli.errors import DONE, CommandError
from deepgui.cli.train import outcome, view_of
from deepgui.project.file import SUFFIX
from deepgui.training import detached
from deepgui.training.events import Event
from deepgui.training.store import RunInfo, RunStore, default_root

_TOLD = {
    "stop": "It stops after this step.",
    "pause": "It stands still before the next step.",
    "resume": "It goes on.",
    "step": "It takes one step.",
}


def run(arguments: Namespace) -> int:
    """Tell a run what the options say; without them, show it until it ends or Ctrl+C is pressed."""
    info = _found(arguments)
    orders = [what for what in _TOLD if getattr(arguments, what)]
    for what in orders:
        detached.order(info.folder, what)
        output.console(stderr=True).print(_TOLD[what])
    for name, value in (_number(text) for text in arguments.set):
        detached.order(info.folder, "set", name, value)
        output.console(stderr=True).print(f"{name} becomes {value:g}.")
    return DONE if orders or arguments.set else _watch(info, as_json=arguments.json)


def _watch(info: RunInfo, *, as_json: bool) -> int:
    last: Event | None = None
    view = view_of(info.objective, as_json=as_json)
    try:
        with view:
            for event in detached.follow(info.folder):
                view.show(event)
                last = event
    except KeyboardInterrupt:
        output.console(stderr=True).print(f"The training goes on; deepgui attach {info.folder} --stop ends it.")
        return DONE
    return outcome(last, quiet=as_json)


def _found(arguments: Namespace) -> RunInfo:
    """The run that is meant: by its folder or name, or the newest one of a project."""
    name: str = arguments.target
    if not name.endswith(SUFFIX):
        return RunStore(arguments.runs or default_root(None)).open(name)
    project = Path(name)
    return RunStore(arguments.runs or default_root(project)).open("last")


def _number(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise CommandError(f"--set must be like lr=0.001, not {text!r}.") from None
