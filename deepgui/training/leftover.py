"""Trainings that were left before their end: what of them can be taken up again, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepgui.graph.problems import Problem
from deepgui.project.file import meaning_hash
from deepgui.project.values import Project
from deepgui.training.store import RunError, RunInfo, RunStore, default_root, read_run

_LEFT = frozenset(("interrupted", "stopped"))


@dataclass(frozen=True)
class Leftover:
    """A run with steps left and a checkpoint to take them from.

    Attributes:
        stopped: by a person; otherwise its process died.
        meaning: hash of what was trained; only a project with the same one can go on with it.
        epoch: of the checkpoint, counted from 1; epochs: planned.
        step: steps done at the checkpoint.
    """

    folder: Path
    stopped: bool
    meaning: str
    epoch: int
    epochs: int
    step: int


def newest(project_path: Path | None, meaning: str) -> Leftover | None:
    """The newest run of a project, if it was left before its end. Raises OSError.

    Projects without a file share a place for their runs, so there only runs of the same meaning count. A project
    may have been trained before it was saved: that place is searched too.
    """
    root, shared = default_root(project_path), default_root(None)
    runs = RunStore(root).list() if root != shared else []
    runs += [run for run in RunStore(shared).list() if run.meaning == meaning]
    return leftover(max(runs, key=lambda run: run.started)) if runs else None


def leftover(run: RunInfo) -> Leftover | None:
    """What can be taken up of a run; None if it is under way, at its end, failed, or has no readable checkpoint."""
    from deepgui.training import checkpoints  # imports torch, and most runs need no look inside

    if run.status not in _LEFT or run.last_checkpoint is None:
        return None
    try:
        position = checkpoints.position(run.last_checkpoint)
    except checkpoints.CheckpointError:
        return None
    training = run.config.get("training", {})
    epochs, max_steps = int(training.get("epochs", 0)), training.get("max_steps")
    if position.epoch >= epochs or (max_steps is not None and position.step >= max_steps):
        return None
    return Leftover(run.folder, run.status == "stopped", run.meaning, position.epoch + 1, epochs, position.step)


def refusal(folder: Path, project: Project) -> Problem | None:
    """Why this project cannot go on with the run in ``folder``, or None."""
    try:
        run = read_run(folder)
    except RunError as error:
        return Problem("no-run", str(error), reason="Train anew instead.")
    if run.status == "running":
        return Problem("run-under-way", "This training is under way in another window.", reason="Stop it there first.")
    if run.meaning != meaning_hash(project):
        return Problem(
            "earlier-drawing",
            "That training belongs to an earlier drawing.",
            reason="Undo what was changed since to go on with it, or train anew.",
        )
    return None
