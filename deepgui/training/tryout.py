"""Single steps outside a run: what a look ahead needs. Nothing is kept, and random numbers go on as if it never was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import torch

from deepgui.project.values import Project
from deepgui.training import checkpoints
from deepgui.training.control import Control
from deepgui.training.devices import computing
from deepgui.training.objectives.base import Batch
from deepgui.training.trainer import RunSpec, Trainer

PLAIN: Mapping[str, Any] = MappingProxyType(
    {
        "scheduler": "",
        "scheduler_options": {},
        "warmup_steps": 0,
        "accumulate": 1,
        "max_steps": None,
        "ema": None,
        "compile": False,
    }
)
"""Settings of a training whose steps follow the learning rate and nothing else."""


@contextmanager
def tryout(project: Project, key: str = "", control: Control | None = None, **settings: Any) -> Iterator[Trainer]:
    """A trainer that is ready for its first step, with weights of its own.

    Args:
        settings: of the training, in place of the project's.

    Raises:
        NetworkError, DataError, OptimError, GivenUp, ...: as preparing a training does.
    """
    training = replace(project.training, **settings)
    trainer = Trainer(RunSpec(replace(project, training=training), key), control)
    with checkpoints.same_random_numbers(torch.device("cpu")):
        try:
            trainer.prepare()
            with checkpoints.same_random_numbers(trainer.device), computing(trainer.step_cost, give_way=False):
                trainer.networks.train()
                yield trainer
        finally:
            trainer.close()


def endless(trainer: Trainer) -> Iterator[Batch]:
    """Batches of one epoch after the other."""
    while True:
        yield from trainer.batches()
        trainer.position.epoch += 1
