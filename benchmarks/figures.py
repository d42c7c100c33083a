"""What the rows of benchmarks/rows.py share: a figure with its target, and training a project to its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deepgui.project.values import Project
from deepgui.training.events import Finished
from deepgui.training.trainer import RunSpec, Trainer


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        name: what to call it on the command line.
        figure: what is measured, with its unit.
        target: the figure to reach; ``highest`` if it must not be exceeded.
        measure: gets the folder with the real data; returns the figure.
    """

    name: str
    figure: str
    target: float
    measure: Callable[[Path], float]
    highest: bool = False

    def reached(self, value: float) -> bool:
        """Whether a figure is as good as the target."""
        return value <= self.target if self.highest else value >= self.target


def trained(project: Project) -> tuple[Trainer, Mapping[str, float]]:
    """Train to the end; the trainer and the metrics of the weights that were kept. Raises RuntimeError if it fails."""
    trainer = Trainer(RunSpec(project))
    *_, last = trainer
    if not isinstance(last, Finished):
        raise RuntimeError(getattr(last, "message", str(last)))
    return trainer, last.metrics
