"""What a step does in PyTorch, without the bookkeeping around it: the backward pass, Adam and AdamW.

``loss.backward()`` spends some 20 µs before and after the engine runs. What is called here is the same engine.

``torch.optim.Adam(fused=True)`` takes some 80 µs a step on the CPU, of which the kernel is 20; on a small
network that is an eighth of the whole step. What is called here is the same kernel on the same state, so
the numbers are the same to the last bit, and ``state_dict`` is the optimiser's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam, AdamW, Optimizer


class Backward:
    """``loss.backward()`` for a scalar loss: with a gradient of one that is made once."""

    def __init__(self) -> None:
        self._one = torch.ones(())

    def __call__(self, loss: Tensor) -> None:
        one = self._one
        if one.dtype is not loss.dtype or one.device != loss.device:
            one = self._one = torch.ones((), dtype=loss.dtype, device=loss.device)
        # As torch.autograd.backward calls it: neither keep the graph nor make one, into all leaves.
        _engine.run_backward((loss,), (one,), False, False, (), allow_unreachable=True, accumulate_grad=True)


_engine: Any = torch.autograd.Variable._execution_engine


def quick_step(optimizer: Optimizer) -> Callable[[], Any]:
    """A function that does what ``optimizer.step()`` does: the short way where there is one."""
    if type(optimizer) in (Adam, AdamW) and len(optimizer.param_groups) == 1:
        group = optimizer.param_groups[0]
        plain = not any(group[name] for name in ("amsgrad", "maximize", "capturable", "differentiable"))
        if group["fused"] and plain and all(p.device.type == "cpu" for p in group["params"]):
            return _Short(optimizer)
    return optimizer.step


class _Short:
    """Calls the kernel with lists made once; goes the long way whenever they could be out of date."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        self._state: Any = None
        decoupled = optimizer.param_groups[0].get("decoupled_weight_decay", type(optimizer) is AdamW)
        self._kernel = torch._fused_adamw_ if decoupled else torch._fused_adam_

    def __call__(self) -> None:
        optimizer = self._optimizer
        group = optimizer.param_groups[0]
        gradients = [p.grad for p in group["params"]]
        if self._state is not optimizer.state or any(g is None for g in gradients) or isinstance(group["lr"], Tensor):
            optimizer.step()
            self._bind()
            return
        self._count.add_(1)
        with torch.no_grad():
            self._kernel(
                group["params"],
                gradients,
                self._averages,
                self._squares,
                [],
                self._steps,
                lr=group["lr"],
                beta1=group["betas"][0],
                beta2=group["betas"][1],
                weight_decay=group["weight_decay"],
                eps=group["eps"],
                amsgrad=False,
                maximize=False,
            )

    def _bind(self) -> None:
        """Take hold of the optimiser's state, which is another object after ``load_state_dict``."""
        state = self._optimizer.state
        found = [state.get(p) for p in self._optimizer.param_groups[0]["params"]]
        if all(found):
            self._averages: list[Tensor] = [s["exp_avg"] for s in found if s]
            self._squares: list[Tensor] = [s["exp_avg_sq"] for s in found if s]
            self._count = torch.stack([s["step"] for s in found if s])
            self._steps = list(self._count.unbind())  # views: all are counted up in one go
            for own, step in zip(found, self._steps, strict=True):
                own["step"] = step  # type: ignore[index]
            self._state = state
