"""``deepgui train``: events as JSON lines, a progress bar on a terminal, or a line per epoch elsewhere."""

from __future__ import annotations

import signal
import sys
from argparse import Namespace
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from deepgui import api
from deepgui.cli import look_ahead, output
from deepgui.cli.errors import DONE, FAILED, CommandError
from deepgui.cli.evaluate import store_of
from deepgui.cli.stopping import stopping_gently
from deepgui.project.values import Project
from deepgui.training import detached, tensorboard
from deepgui.training.control import Control
from deepgui.training.detached import Listening
from deepgui.training.events import EpochFinished, Event, Failed, Finished, Scalars, Started, Warned
from deepgui.training.tensorboard import LiveLog, following
from deepgui.training.trainer import Trainer

_CLASSIFICATION = ("train_loss", "val_loss", "val_accuracy", "test_accuracy")
_REGRESSION = ("train_loss", "val_loss", "val_rmse", "test_rmse")


class View(AbstractContextManager[Any], Protocol):
    """Shows a training's events."""

    def show(self, event: Event) -> None: ...


def run(arguments: Namespace) -> int:
    """Train the project. Status 1 if the run failed or was interrupted."""
    if arguments.find_lr or arguments.overfit_batch:
        return look_ahead.run(arguments, _changed(api.load(arguments.project), arguments))
    if arguments.tensorboard:
        tensorboard.need()
    control = Control()
    with output.waiting("preparing"):
        trainer = make_trainer(arguments, control)
    place = trainer.spec.place
    if place is not None and place.rank > 0:
        return _along(trainer)
    folder = trainer.spec.resume or trainer.spec.folder
    assert folder is not None
    if arguments.detach:
        return _let_go(trainer, folder, arguments)
    view = view_of(trainer.config.objective, as_json=arguments.json)
    last: Event | None = None
    with stopping_gently(control), Listening(folder, control), view:
        for event in _events(trainer, logged=arguments.tensorboard):
            view.show(event)
            last = event
    return outcome(last, quiet=arguments.json)


def view_of(objective: str, *, as_json: bool) -> View:
    """What shows a training's events where this command was given."""
    if as_json:
        return JsonLines(objective)
    return Bar() if output.console(stderr=True).is_terminal else Lines()


def _let_go(trainer: Trainer, folder: Path, arguments: Namespace) -> int:
    """Train in a process of its own."""
    if trainer.spec.place is not None or arguments.tensorboard:
        raise CommandError("--detach goes neither with torchrun nor with --tensorboard.")
    again = trainer.spec.project if trainer.spec.resume is not None else None
    pid = detached.start(folder, arguments.devices, again)
    if arguments.json:
        output.print_json({"run": folder, "pid": pid})
    else:
        output.console().print(f"Process {pid} trains; deepgui attach {folder} shows it.")
    return DONE


def _along(trainer: Trainer) -> int:
    """Train beside the first process that torchrun has started; that one speaks, and tells when to stop."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    *_, last = trainer
    return DONE if isinstance(last, Finished) and last.reason != "stopped" else FAILED


def _events(trainer: Trainer, *, logged: bool) -> Iterable[Event]:
    """What the trainer says; with TensorBoard's files written on the way."""
    if not logged:
        return trainer
    folder = trainer.spec.resume or trainer.spec.folder
    assert folder is not None
    return following(trainer, LiveLog(folder))


def make_trainer(arguments: Namespace, control: Control) -> Trainer:
    """A trainer for the project as the options change it; for ``--resume``, for the run's own project."""
    from deepgui.training import devices
    from deepgui.training.store import run_project

    if (
        arguments.device is not None
    ):  # asked for here, so an argument that cannot be used; else a problem of the project
        devices.check_precision(devices.resolve(arguments.device), arguments.precision or "fp32")
    project = api.load(arguments.project)
    store = store_of(arguments)
    resume = store.open(arguments.resume).folder if arguments.resume else None
    if resume is not None:
        project = run_project(resume)
    project = _changed(project, arguments)
    if arguments.start_from:
        file = Path(arguments.start_from)
        start = file if file.is_file() else store.open(arguments.start_from).folder
        project = api.with_settings(project, {"start_from": str(start.absolute())})
    return api.trainer(project, store.root, resume, control, arguments.devices)


def _changed(project: Project, arguments: Namespace) -> Project:
    names = ("epochs", "max_steps", "batch_size", "device", "precision", "seed")
    changes = {name: getattr(arguments, name) for name in names}
    return api.with_settings(project, changes, arguments.lr, arguments.data)


def outcome(last: Event | None, *, quiet: bool) -> int:
    """Say how a training ended; the exit status. Raises CommandError if it failed or was stopped."""
    if isinstance(last, Failed):
        raise CommandError(last.message, FAILED)
    if not isinstance(last, Finished):
        raise CommandError("the training ended without a result.", FAILED)
    if not quiet:
        out = output.console()
        for name, value in last.metrics.items():
            out.print(f"{name:<16} {value:.6g}")
        out.print(f"{last.steps:,} steps in {last.seconds:.1f} s, run {last.run}")
    if last.reason == "stopped" and not last.metrics:
        raise CommandError("stopped before the first step; nothing was trained.", FAILED)
    if last.reason == "stopped":
        raise CommandError(f"stopped at step {last.steps:,}; go on with --resume {last.run}", FAILED)
    return DONE


class JsonLines(nullcontext[None]):
    """One event a line on stdout."""

    def __init__(self, objective: str) -> None:
        super().__init__()
        self._promised = _REGRESSION if objective == "regression" else _CLASSIFICATION

    def show(self, event: Event) -> None:
        """Print the event; the last one has every promised metric, null where there is no such split."""
        plain = event.as_dict()
        if isinstance(event, Finished):
            plain["metrics"] = {**dict.fromkeys(self._promised), **plain["metrics"]}
        output.print_json(plain)


class Lines(nullcontext[None]):
    """A line per epoch on stderr, for logs."""

    def show(self, event: Event) -> None:
        text = describe(event)
        if text:
            print(text, file=sys.stderr, flush=True)


class Bar:
    """A progress bar on stderr, with the newest loss and the time left; epochs scroll by above it."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=output.console(stderr=True),
        )
        self._task = self._progress.add_task("training", total=None, epoch="-", loss="-")

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._progress.stop()

    def show(self, event: Event) -> None:
        if isinstance(event, Started):
            self._progress.update(self._task, total=event.total_steps, completed=event.resumed_from or 0, epoch="1")
        elif isinstance(event, Scalars) and "train_loss" in event.columns and event.steps:
            loss = f"{event.columns['train_loss'][-1]:.4f}"
            self._progress.update(self._task, completed=event.steps[-1], loss=loss)
        elif isinstance(event, EpochFinished):
            self._progress.update(self._task, epoch=str(event.epoch + 1))
        text = describe(event)
        if text:
            self._progress.console.print(text)


def describe(event: Event) -> str:
    """An event worth a line for people; empty for the others."""
    if isinstance(event, Started):
        again = f", going on from step {event.resumed_from:,}" if event.resumed_from is not None else ""
        return f"{event.parameters:,} parameters on {event.device}, {event.total_steps:,} steps{again}; run {event.run}"
    if isinstance(event, EpochFinished):
        shown = "  ".join(f"{name} {value:.4f}" for name, value in event.metrics.items() if name != "lr")
        return f"epoch {event.epoch:>3}  {shown}{'  (best)' if event.best else ''}"
    return f"warning: {event.message}" if isinstance(event, Warned) else ""
