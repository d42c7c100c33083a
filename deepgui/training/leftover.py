"""Trainings that were left before their end: what of them can be taken up again, and where."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from deepgui.graph.problems import Problem
from deepgui.project.decode import FileError
from deepgui.project.file import SUFFIX, meaning_hash, read
from deepgui.project.values import Project
from deepgui.training.store import RunError, RunInfo, RunStore, default_root, read_run

FREE = (
    "epochs",
    "max_steps",
    "early_stopping",
    "restore_best",
    "checkpoint_minutes",
    "clip_grad_norm",
    "device",
)
"""Training settings that may be others when a run goes on: the next step can be taken with any of them.

A schedule of the learning rate that was laid out over another number of epochs or steps is laid out anew.
"""
_LEFT = frozenset(("interrupted", "stopped", "failed"))
_DISMISSED = "dismissed"
_MOST = 20


@dataclass(frozen=True)
class Leftover:
    """A run with steps left and a checkpoint to take them from.

    Attributes:
        status: ``stopped`` by a person, ``failed``, or ``interrupted`` if its process died.
        meaning: hash of what was trained. earlier: the project as it was, None if it cannot be read any more.
        epoch: of the checkpoint, counted from 1.
        step: steps done at the checkpoint.
    """

    folder: Path
    status: str
    meaning: str
    earlier: Project | None
    epoch: int
    step: int

    def fits(self, project: Project) -> bool:
        """Whether the project can go on with this run: the same network and data, and steps left to do."""
        training = project.training
        left = self.epoch <= training.epochs and (training.max_steps is None or self.step < training.max_steps)
        return left and _same(self.meaning, self.earlier, project)

    def dismiss(self) -> None:
        """Say no more of it, unless it is taken up and left once more."""
        with contextlib.suppress(OSError):  # a folder that cannot be written to is offered again
            (self.folder / _DISMISSED).write_text(str(self.step), encoding="ascii")

    @property
    def dismissed(self) -> bool:
        try:
            return (self.folder / _DISMISSED).read_text(encoding="ascii") == str(self.step)
        except (OSError, ValueError):
            return False


def _earlier(folder: Path) -> Project | None:
    try:
        return read(folder / f"project{SUFFIX}")
    except FileError:
        return None


def _same(meaning: str, earlier: Project | None, project: Project) -> bool:
    """Whether a project trains what was trained, but for the settings that are free."""
    if meaning_hash(project) == meaning:
        return True
    if earlier is None:
        return False
    kept = {name: getattr(earlier.training, name) for name in FREE}
    return meaning_hash(replace(project, training=replace(project.training, **kept))) == meaning


def newest(project_path: Path | None, project: Project) -> Leftover | None:
    """The newest run of a project, if it was left before its end and not dismissed. Raises OSError.

    Projects without a file share a place for their runs, so there only runs of the same meaning count. A project
    may have been trained before it was saved: that place is searched too.
    """
    root, shared = default_root(project_path), default_root(None)
    runs = RunStore(root).list() if root != shared else []
    recent = sorted(RunStore(shared).list(), key=lambda run: run.started, reverse=True)
    own = (run for run in recent[:_MOST] if _same(run.meaning, _earlier(run.folder), project))
    runs += islice(own, 1)
    found = leftover(max(runs, key=lambda run: run.started)) if runs else None
    return None if found is None or found.dismissed else found


def leftover(run: RunInfo) -> Leftover | None:
    """What can be taken up of a run; None if it is under way, at its end, or has no readable checkpoint."""
    from deepgui.training import checkpoints  # imports torch, and most runs need no look inside

    if run.status not in _LEFT or run.last_checkpoint is None:
        return None
    try:
        position = checkpoints.position(run.last_checkpoint)
    except checkpoints.CheckpointError:
        return None
    earlier = _earlier(run.folder)
    return Leftover(run.folder, run.status, run.meaning, earlier, position.epoch + 1, position.step)


def refusal(folder: Path, project: Project) -> Problem | None:
    """Why this project cannot go on with the run in ``folder``, or None."""
    try:
        run = read_run(folder)
    except RunError as error:
        return Problem("no-run", str(error), reason="Train anew instead.")
    if run.status == "running":
        return Problem("run-under-way", "This training is under way in another window.", reason="Stop it there first.")
    if not _same(run.meaning, _earlier(folder), project):
        return Problem(
            "earlier-drawing",
            "That training belongs to an earlier drawing.",
            reason="Undo what was changed since to go on with it, or train anew.",
        )
    return None
