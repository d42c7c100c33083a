"""Runs as TensorBoard's event files: a finished one on request, one under way while it trains."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deepgui.training.compare import flat, say, setting_label
from deepgui.training.events import EpochFinished, Event, Failed, Finished, Scalars, Started
from deepgui.training.store import RunError, RunInfo, columns, history, read_run

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

FOLDER = "tensorboard"
"""Where a run that is followed live keeps its event files; ``tensorboard --logdir NAME.runs`` finds them."""
log = logging.getLogger(__name__)


def need() -> None:
    """Ask for TensorBoard before anything else is done. Raises RunError if it is not installed."""
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError:
        raise RunError("TensorBoard is not installed: pip install deepgui[tensorboard].") from None


def _writer(target: Path, purge_step: int | None = None) -> SummaryWriter:
    """``purge_step``: what earlier files say from this step on counts no more."""
    need()
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(target), purge_step=purge_step)  # type: ignore[no-untyped-call]


def export(folder: Path, target: Path) -> int:
    """Write a run's curves, settings and result into ``target``; returns how many points the curves have.

    Points have the time that they would have been measured at, had all steps taken equally long.

    Raises:
        RunError: TensorBoard is not installed or the run has no metrics.
        OSError: the files cannot be written.
    """
    info = read_run(folder)
    curves = {name: history(folder, name) for name in columns(folder)}
    last = max((int(steps[-1]) for steps, _ in curves.values() if len(steps)), default=1)
    pace = info.seconds / max(1, last)
    count = 0
    with _writer(target) as writer:  # type: ignore[no-untyped-call]
        for name, (steps, values) in curves.items():
            for step, value in zip(steps.tolist(), values.tolist(), strict=True):
                writer.add_scalar(name, value, step, walltime=info.started + pace * step)  # type: ignore[no-untyped-call]
                count += 1
        _add_result(writer, info)
    return count


class LiveLog:
    """Writes what a training says as it says it: call it with every event, from the thread that trains.

    A small network says thousands of losses a second, and writing each would take longer than the steps. Of every
    message the newest step is written, about thirty a second; :func:`export` has all of them. Whatever goes wrong
    here is logged once and leaves the training alone.
    """

    def __init__(self, folder: Path) -> None:
        """``folder``: the run's. Raises RunError if TensorBoard is not installed."""
        self._folder = folder
        self._target = folder / FOLDER
        self._open: SummaryWriter | None = None
        need()

    def __call__(self, event: Event) -> None:
        try:
            self._take(event)
        except (OSError, RunError) as error:
            log.warning("TensorBoard's files cannot be written: %s", error)
            self._open = None
            self._take = _ignore  # type: ignore[method-assign]

    def _take(self, event: Event) -> None:
        if isinstance(event, Started):
            again = None if event.resumed_from is None else event.resumed_from + 1
            self._open = _writer(self._target, again)
        writer = self._open
        if writer is None:
            return
        if isinstance(event, Scalars):
            for name, values in event.columns.items():
                if values:
                    writer.add_scalar(name, values[-1], event.steps[-1])  # type: ignore[no-untyped-call]
        elif isinstance(event, EpochFinished):
            writer.flush()  # type: ignore[no-untyped-call]
        elif isinstance(event, (Finished, Failed)):
            self.close()

    def close(self) -> None:
        """The training is over: write what came of it."""
        if self._open is not None:
            _add_result(self._open, read_run(self._folder))
            self._open.close()  # type: ignore[no-untyped-call]
            self._open = None


def _ignore(event: Event) -> None:
    """What a log does that cannot write."""


def following(events: Iterable[Event], heed: LiveLog) -> Iterator[Event]:
    """The same events, each of which the log has taken."""
    try:
        for event in events:
            heed(event)
            yield event
    finally:
        heed.close()


def _add_result(writer: SummaryWriter, info: RunInfo) -> None:
    """Settings as a table of text; settings and metrics where TensorBoard compares runs by them."""
    from torch.utils.tensorboard.summary import hparams

    settings = dict(flat(info.config))
    lines = ["| setting | value |", "| --- | --- |"]
    lines += [f"| {setting_label(name)} | {say(value)} |" for name, value in settings.items()]
    if info.remarks.note:
        lines[:0] = [info.remarks.note, ""]
    writer.add_text("settings", "\n".join(lines))  # type: ignore[no-untyped-call]
    metrics = {name: value for name, value in info.metrics.items() if value is not None and np.isfinite(value)}
    known = {name: value for name, value in settings.items() if isinstance(value, (bool, int, float, str))}
    file = writer._get_file_writer()  # type: ignore[no-untyped-call]
    for summary in hparams(known, {f"result/{name}": value for name, value in metrics.items()}):  # type: ignore[no-untyped-call]
        file.add_summary(summary)
    for name, value in metrics.items():
        writer.add_scalar(f"result/{name}", value, info.steps)  # type: ignore[no-untyped-call]
