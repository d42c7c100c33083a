"""One optimiser with all that decides how it moves its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from deepgui.project.values import TrainingConfig
from deepgui.training.fused import Backward, quick_step
from deepgui.training.layout import like
from deepgui.training.optim import FACTOR, NO_FACTORS, Length, OptimError, Schedule, build_optimizer


class NotFiniteGradientError(ArithmeticError):
    """``weights`` are those whose gradients have NaN or infinity."""

    def __init__(self, weights: list[Tensor]) -> None:
        super().__init__("a gradient is not finite")
        self.weights = weights


class Mover:
    """Optimiser, schedule, gradient scaler, clipping and summed gradients of some weights.

    Attributes:
        length: of the run, counted in batches.
        average: makes the gradients those of all processes that train together; None where there is one.
    """

    def __init__(
        self,
        modules: Sequence[nn.Module],
        config: TrainingConfig,
        device: torch.device,
        length: Length,
        factors: Mapping[Tensor, float] = NO_FACTORS,
    ) -> None:
        """``factors``: of weights with a learning rate of their own. Raises OptimError for settings that PyTorch
        refuses."""
        self.config = config
        self.clip = config.clip_grad_norm
        self.accumulate = config.accumulate
        self.length = length
        together = modules[0] if len(modules) == 1 else nn.ModuleList(modules)
        self.parameters = [p for p in together.parameters() if p.requires_grad]
        self.optimizer = build_optimizer(config, together, factors)
        self.schedule = Schedule(config, self.optimizer, self._moves())
        self.scaler = torch.amp.GradScaler(device.type) if config.precision == "fp16" else None
        self._group = self.optimizer.param_groups[0]
        self._move = quick_step(self.optimizer)
        self._backward = Backward()
        self._check = config.check_gradients if self.scaler is None else 0  # a scaler looks for infinities itself
        self._unchecked = 0
        self.average: Callable[[Sequence[Tensor]], None] | None = None

    def _moves(self) -> Length:
        """The same run counted in moves of the optimiser."""
        length = self.length
        per_epoch = -(-length.steps_per_epoch // self.accumulate)
        whole, rest = divmod(length.total_steps, length.steps_per_epoch)
        return Length(per_epoch, length.epochs, whole * per_epoch + -(-rest // self.accumulate))

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return float(self._group["lr"])

    def learn(self, loss: Tensor, index: int) -> None:
        """Go backward from the loss of the ``index``-th batch of an epoch, and move if it is time to."""
        if self.accumulate > 1 or self.scaler is not None or self.clip is not None or self._check:
            if not self._gather(loss, index):
                return
        else:
            self._backward(loss)
            if self.average is not None:
                self.average(self.parameters)
            self._move()
        self.moved()

    def moved(self) -> None:
        """After a move: the gradients are used up, and the schedule goes on."""
        for parameter in self.parameters:
            parameter.grad = None
        if self.schedule.each_step is not None:
            self.schedule.each_step()

    def rest(self, index: int) -> None:
        """A batch that others learn from: the schedule goes on as if it had been this one's turn."""
        whole = (index + 1) % self.accumulate == 0 or index + 1 == self.length.steps_per_epoch
        if whole and self.schedule.each_step is not None:
            self.schedule.each_step()

    def _gather(self, loss: Tensor, index: int) -> bool:
        """Backward with all that is optional; True if the optimiser moved.

        The gradient is the mean over the batches gathered, the last ones of an epoch included.
        """
        start = index - index % self.accumulate
        size = min(self.accumulate, self.length.steps_per_epoch - start)
        share = loss / size if size > 1 else loss
        if self.scaler is None:
            share.backward()  # type: ignore[no-untyped-call]
        else:
            self.scaler.scale(share).backward()  # type: ignore[no-untyped-call]
        if index - start + 1 < size:
            return False
        if self.average is not None:
            self.average(self.parameters)
        if self._check:
            self._look()
        if self.clip is not None:
            if self.scaler is not None:
                self.scaler.unscale_(self.optimizer)
            clip_grad_norm_(self.parameters, self.clip)
        if self.scaler is None:
            self.optimizer.step()
        else:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        return True

    def _look(self) -> None:
        """Raise NotFiniteGradientError if it is time to look and a gradient has NaN or infinity."""
        self._unchecked += 1
        if self._unchecked < self._check:
            return
        self._unchecked = 0
        moved = [p for p in self.parameters if p.grad is not None]
        sizes = torch.stack(torch._foreach_norm([p.grad for p in moved if p.grad is not None]))
        if not torch.isfinite(sizes).all():
            raise NotFiniteGradientError([p for p in moved if not torch.isfinite(p.grad).all()])  # type: ignore[arg-type]

    def search(self, evaluate: Callable[[], Tensor]) -> None:
        """A step of an optimiser that evaluates the batch as often as it likes (LBFGS)."""

        def closure() -> Tensor:
            for parameter in self.parameters:
                parameter.grad = None
            loss = evaluate()
            loss.backward()  # type: ignore[no-untyped-call]
            if self.clip is not None:
                clip_grad_norm_(self.parameters, self.clip)
            return loss

        self.optimizer.step(closure)  # type: ignore[arg-type]
        self.moved()

    def set_number(self, name: str, value: float) -> bool:
        """Change the learning rate, gradient clipping or a number of the optimiser; False if there is none such."""
        if name == "lr":
            self.schedule.set_lr(value)
        elif name == "clip_grad_norm":
            self.clip = value if value > 0 else None
        elif isinstance(self._group.get(name), (int, float)) and not isinstance(self._group[name], bool):
            for group in self.optimizer.param_groups:
                group[name] = type(group[name])(value) if isinstance(group[name], float) else value
        else:
            return False
        return True

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values: all that decides how the next steps move."""
        return {
            "names": self._names(),
            "planned_lr": self._planned_lr(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "scaler": self.scaler.state_dict() if self.scaler is not None else {},
            "clip": self.clip,
            "gradients": [p.grad for p in self.parameters],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state_dict`. A learning rate that the project has changed since scales the one in force.

        Raises OptimError if the state is of another optimiser or scheduler.
        """
        for what, then, now in zip(("optimiser", "scheduler"), state["names"], self._names(), strict=True):
            if then != now:
                raise OptimError(
                    f"The run was trained with the {what} {then or 'none'} and the project now says {now or 'none'}:"
                    f" choose {then or 'none'} again to go on, or start a new run."
                )
        fused = self._group.get("fused")
        if _layout(self.optimizer.state_dict()) != _layout(state["optimizer"]):
            raise OptimError(
                "Other layers are frozen, or learn at rates of their own, than when the run was trained:"
                " start a new run from its weights."
            )
        self.optimizer.load_state_dict(state["optimizer"])
        self._group = self.optimizer.param_groups[0]
        if "fused" in self._group:
            for group in self.optimizer.param_groups:
                group["fused"] = fused  # as suits this device, not the one that saved
        self.schedule.load_state_dict(state["schedule"])
        if self.scaler is not None and state["scaler"]:
            self.scaler.load_state_dict(state["scaler"])
        self.clip = state["clip"]
        for parameter, gradient in zip(self.parameters, state["gradients"], strict=True):
            parameter.grad = None if gradient is None else like(gradient, parameter)
        self._lay_out()
        if self._planned_lr() != state["planned_lr"]:
            before = state["planned_lr"]
            self.schedule.set_lr(self.lr * self._planned_lr() / before if before else self._planned_lr())

    def _lay_out(self) -> None:
        """The state of an optimiser as its parameters lie in memory, which may differ from where it was saved."""
        for parameter, state in self.optimizer.state.items():
            for name, value in state.items():
                if isinstance(value, Tensor) and value.shape == parameter.shape:
                    state[name] = like(value, parameter)

    def _planned_lr(self) -> float:
        lr = self.config.optimizer_options.get("lr")
        return float(self.optimizer.defaults["lr"] if lr is None else lr)  # type: ignore[arg-type]

    def _names(self) -> tuple[str, str]:
        return self.config.optimizer, self.config.scheduler


def _layout(optimizer: Mapping[str, Any]) -> list[tuple[int, float]]:
    """How many weights are in each group, and what their learning rate is multiplied by."""
    return [(len(group["params"]), group.get(FACTOR, 1.0)) for group in optimizer["param_groups"]]
