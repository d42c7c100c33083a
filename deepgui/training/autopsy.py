"""Why a training failed: the failure is lived through again until the layer is found that is to blame."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from deepgui.compiler.catalogue import catalogue
from deepgui.compiler.cost import cost
from deepgui.training import failures, memory
from deepgui.training.devices import deterministic
from deepgui.training.events import Failed
from deepgui.training.ledger import NotFiniteError
from deepgui.training.lookback import LookBack
from deepgui.training.mover import NotFiniteGradientError
from deepgui.training.objectives.base import Batch

if TYPE_CHECKING:
    from deepgui.training.trainer import Trainer

Judge = Callable[[failures.Scene], failures.Verdict]


@dataclass(frozen=True)
class Autopsy:
    """A training that has ended with an exception.

    Attributes:
        batch: the one that was being learnt from, if any.
        look_back: a recent state to go back to.
    """

    trainer: Trainer
    batch: Batch | None
    look_back: LookBack

    def of(self, error: Exception) -> Failed:
        """What to say of it. Never raises."""
        try:
            with deterministic(self.trainer.config.deterministic):
                return self._explained(error)
        except Exception:  # looking for the cause lives through the failure again, which can fail in any way too
            verdict = failures.unexpected(error)
            if isinstance(error, NotFiniteError):
                return Failed(verdict.message, "", error.step, "not_finite")
            return Failed(verdict.message, "", self.trainer.step, verdict.reason)

    def _explained(self, error: Exception) -> Failed:
        verdict, step = failures.explain(error), self.trainer.step
        if failures.is_memory(error):
            verdict = self._out_of_memory(error)
        elif isinstance(error, NotFiniteError):
            step = error.step
            batch = self.look_back.batch_of(error.step, self.trainer) or self.batch
            verdict = self._placed(batch, lambda scene: failures.not_finite(error, scene))
        elif isinstance(error, NotFiniteGradientError):
            step += 1
            verdict = failures.gradient_not_finite(error.weights, step, self._scene(self.batch))
        elif failures.is_not_deterministic(error):
            verdict = failures.not_deterministic(error, self._scene(None), str(self.trainer.device))
        elif verdict is None and self.batch is not None:
            verdict = self._placed(self.batch, lambda scene: failures.at_runtime(error, scene))
        if verdict is None:
            verdict = failures.unexpected(error)
        return Failed(verdict.message, verdict.node, step, verdict.reason)

    def _placed(self, batch: Batch | None, judge: Judge) -> failures.Verdict:
        """The verdict on the network in which the failure comes again; one that is not the first is named."""
        first, *others = self.trainer.keys
        if not others:
            return judge(self._scene(batch))
        for role in self.trainer.keys:
            scene = self._scene(batch, role)
            if scene.inputs and scene.guilty() is not None:
                verdict = judge(scene)
                if role == first:
                    return verdict
                return failures.Verdict(f"{self.trainer.keys[role]}: {verdict.message}", "", verdict.reason)
        return judge(self._scene(batch))

    def _out_of_memory(self, error: Exception) -> failures.Verdict:
        traceback.clear_frames(error.__traceback__)  # they hold the tensors of the step that failed
        trainer, scene = self.trainer, self._scene(self.batch)
        for parameter in scene.module.parameters():
            parameter.grad = None
        if trainer.device.type == "cuda":
            torch.cuda.empty_cache()
        found = cost(scene.network, catalogue(trainer.spec.project.blocks))
        advice = memory.way_out(found, trainer.config, str(trainer.device))
        batch_size = trainer.config.batch_size
        return failures.no_memory(scene, found.largest_node, str(trainer.device), batch_size, advice)

    def _scene(self, batch: Batch | None, role: str = "") -> failures.Scene:
        """What is needed to live through a failure again; ``role``: of the network, empty for the first."""
        trainer, project = self.trainer, self.trainer.spec.project
        role = role or next(iter(trainer.keys))
        inputs = trainer.objective.arguments(trainer.objective.complete(batch), role) if batch else []
        module, network = trainer.networks.modules[role], project.networks[trainer.keys[role]]
        return failures.Scene(module, network, project.blocks, inputs)  # type: ignore[arg-type]
