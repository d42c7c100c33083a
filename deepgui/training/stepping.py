"""One training step: for everyone whose turn it is, forward, backward, and the move of the optimiser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from deepgui.project.values import TrainingConfig
from deepgui.training.averaging import Average
from deepgui.training.devices import PRECISIONS
from deepgui.training.evaluate import together
from deepgui.training.mover import Mover
from deepgui.training.objectives.base import Batch, Networks, Objective, Outcome
from deepgui.training.optim import NO_FACTORS, Length, Schedule
from deepgui.training.team import Team


class Stepper:
    """Everything that changes when weights move.

    Attributes:
        networks: as they are run.
        movers: turn → who moves in it. The learning rate that is shown and changed is the first network's.
    """

    def __init__(
        self,
        networks: Networks,
        objective: Objective,
        config: TrainingConfig,
        device: torch.device,
        length: Length,
        factors: Mapping[Tensor, float] = NO_FACTORS,
        team: Team | None = None,
    ) -> None:
        """``length`` counts batches, ``factors`` are of weights with a learning rate of their own, ``team`` are the
        processes that train together.

        Raises OptimError for settings that PyTorch refuses.
        """
        self.objective = objective
        self.networks = networks
        self.movers = {
            turn: Mover(
                [networks.modules[role] for role in objective.learns(turn)],
                objective.config_of(turn, config),
                device,
                length,
                factors,
            )
            for turn in objective.turns
        }
        own = next(turn for turn in objective.turns if objective.roles[0] in objective.learns(turn))
        self._first = self.movers[own]
        self._alone = len(self.movers) == 1
        self.average = Average(together(networks.modules), config.ema) if config.ema is not None else None
        self._length, self._gathers = length.steps_per_epoch, config.accumulate
        self._dtype = None if config.precision == "fp32" else PRECISIONS[config.precision]
        self._device_type = device.type
        self._searches = config.optimizer == "LBFGS"
        self._team = team
        if team is not None:
            for mover in self.movers.values():
                mover.average = team.average

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return self._first.lr

    @property
    def schedule(self) -> Schedule:
        """The first network's."""
        return self._first.schedule

    @property
    def parameters(self) -> list[Tensor]:
        """All weights that move."""
        return [p for mover in self.movers.values() for p in mover.parameters]

    def __call__(self, batch: Batch, index: int, step: int) -> Outcome:
        """Learn from one batch: the ``index``-th of its epoch, ``step`` steps after the start."""
        if self.average is None and self._team is None:
            return self._turn("", self._first, batch, index) if self._alone else self._turns(batch, index, step)
        outcome = self._turn("", self._first, batch, index) if self._alone else self._turns(batch, index, step)
        if self.average is not None and ((index + 1) % self._gathers == 0 or index + 1 == self._length):
            self.average.update()
        return outcome if self._team is None else self._settled(outcome, index, self._team)

    def _settled(self, outcome: Outcome, index: int, team: Team) -> Outcome:
        """The outcome over the shares of all processes."""
        hits = None
        if outcome.output is not None and outcome.target is not None:
            with torch.no_grad():
                hits = self.objective.hits(outcome.output, outcome.target)
        return team.settle(outcome, index, hits)

    def _turns(self, batch: Batch, index: int, step: int) -> Outcome:
        outcome: Outcome | None = None
        turns = self.objective.turns_at(self._move(index, step))
        for turn, mover in self.movers.items():
            if turn not in turns:
                mover.rest(index)
                continue
            with self._only(turn):
                now = self._turn(turn, mover, batch, index)
            outcome = now if outcome is None else outcome._replace(parts={**outcome.parts, **now.parts})
        assert outcome is not None
        return outcome

    def _move(self, index: int, step: int) -> int:
        """How many times batches have been gathered before, so that all of one move are for the same turns."""
        return (step - index) // self._length * -(-self._length // self._gathers) + index // self._gathers

    def epoch_finished(self, watched: float) -> None:
        """``watched``: what a scheduler that waits for a plateau looks at."""
        for mover in self.movers.values():
            mover.schedule.epoch_finished(watched)

    def _turn(self, turn: str, mover: Mover, batch: Batch, index: int) -> Outcome:
        turn = turn or self.objective.turns[0]
        if self._searches:
            return self._search(turn, mover, batch)
        outcome = self._forward(batch, turn)
        mover.learn(outcome.loss if self._team is None else outcome.loss * self._team.weight(index), index)
        return outcome

    def _forward(self, batch: Batch, turn: str) -> Outcome:
        if self._dtype is None:
            return self.objective.loss(self.networks, batch, turn)
        with torch.autocast(self._device_type, self._dtype):
            return self.objective.loss(self.networks, batch, turn)

    def _search(self, turn: str, mover: Mover, batch: Batch) -> Outcome:
        """What was found at the first evaluation counts."""
        found: list[Outcome] = []

        def evaluate() -> Tensor:
            outcome = self._forward(batch, turn)
            if not found:
                kept = outcome.output.detach() if outcome.output is not None else None
                found.append(outcome._replace(loss=outcome.loss.detach(), output=kept))
            return outcome.loss

        mover.search(evaluate)
        return found[0]

    @contextmanager
    def _only(self, turn: str) -> Iterator[None]:
        """The weights of the others neither learn nor gather gradients."""
        others = [p for name, mover in self.movers.items() if name != turn for p in mover.parameters]
        own = {id(p) for p in self.movers[turn].parameters}
        still = [p for p in others if id(p) not in own]
        for parameter in still:
            parameter.requires_grad_(False)
        try:
            yield
        finally:
            for parameter in still:
                parameter.requires_grad_(True)

    def rehearse(self, batch: Batch) -> None:
        """Go forward and backward once, without moving anything but running statistics and random numbers."""
        for turn in self.objective.turns:
            self._forward(batch, turn).loss.backward()  # type: ignore[no-untyped-call]
        for parameter in self.parameters:
            parameter.grad = None

    def set_number(self, name: str, value: float) -> bool:
        """Change the learning rate, gradient clipping or a number of the optimiser; False if there is none such.

        A learning rate is the first network's; those of the others change by the same factor.
        """
        before = self.lr
        if not self._first.set_number(name, value):
            return False
        for mover in self.movers.values():
            if mover is self._first:
                continue
            mover.set_number(name, mover.lr * value / before if name == "lr" and before else value)
        return True

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values: all that decides how the next steps move."""
        others = {turn: mover for turn, mover in self.movers.items() if mover is not self._first}
        return {
            **self._first.state_dict(),
            "others": {turn: mover.state_dict() for turn, mover in others.items()},
            "objective": self.objective.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state_dict`. Raises OptimError if the state is of another optimiser or scheduler."""
        self._first.load_state_dict(state)
        for turn, own in state.get("others", {}).items():
            self.movers[turn].load_state_dict(own)
        self.objective.load_state_dict(state.get("objective", {}))
