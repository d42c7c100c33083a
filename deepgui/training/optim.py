"""Every optimiser and learning-rate scheduler of PyTorch, found by introspection, with typed settings."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer, lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.project.values import TrainingConfig
from deepgui.training import signatures


class OptimError(ValueError):
    """An optimiser or scheduler that PyTorch refuses to build like this. One plain sentence."""


Cadence = Literal["step", "epoch", "metric"]

_INTERNAL = ("params", "optimizer", "last_epoch", "foreach", "fused", "capturable", "differentiable", "scale_fn")
_HIDDEN = frozenset((*_INTERNAL, "maximize"))
_HIDDEN_IN = {"OneCycleLR": ("epochs", "steps_per_epoch"), "ReduceLROnPlateau": ("mode",)}
_CADENCE: Mapping[str, Cadence] = {"OneCycleLR": "step", "CyclicLR": "step", "ReduceLROnPlateau": "metric"}
_LEFT_OUT = {
    "LambdaLR": "it needs a Python function, which a project file cannot hold",
    "MultiplicativeLR": "it needs a Python function, which a project file cannot hold",
    "SequentialLR": "it joins schedulers that are built first; OneCycleLR brings warm-up and decay in one",
    "ChainedScheduler": "it multiplies schedulers that are built first; choose one scheduler",
}


@dataclass(frozen=True)
class OptionSpec:
    """An optimiser or scheduler that can be chosen.

    Attributes:
        name: PyTorch's name (``AdamW``); target: where it is (``torch.optim.AdamW``).
        params: its settings; one that is nullable and left out is chosen to suit the run.
        doc: help text, one paragraph.
        note: a limit that a person should know, in one sentence; mostly empty.
        cadence: when a scheduler moves: after every ``step``, every ``epoch``, or when a ``metric`` is known.
    """

    name: str
    target: str
    params: tuple[ParamSpec, ...]
    doc: str = ""
    note: str = ""
    cadence: Cadence = "epoch"

    def check(self, options: Mapping[str, Value]) -> Iterator[str]:
        """What is wrong with ``options``, a sentence each."""
        known = {p.name: p for p in self.params}
        for name, value in options.items():
            if name not in known:
                yield f"{self.name} has no setting {name} (it has {', '.join(known) or 'none'})"
            elif complaint := known[name].check(value):
                yield f"{self.name}: {complaint}"


_NOTES = {
    "LBFGS": "Evaluates each batch several times, so it suits large batches and small networks.",
    "SparseAdam": "Takes sparse gradients only: every layer with weights must be an Embedding with sparse=True.",
    "Muon": "Takes two-dimensional weights only: a network with biases, convolutions or normalisation needs another.",
}


@cache
def optimizers() -> Mapping[str, OptionSpec]:
    """Every optimiser of ``torch.optim`` by name."""
    return MappingProxyType({cls.__name__: _option(cls, "torch.optim") for cls in _classes(torch.optim, Optimizer)})


@cache
def schedulers() -> Mapping[str, OptionSpec]:
    """Every scheduler of ``torch.optim.lr_scheduler`` by name, but those in :func:`left_out`."""
    found = [cls for cls in _classes(lr_scheduler, LRScheduler) if cls.__name__ not in _LEFT_OUT]
    return MappingProxyType({cls.__name__: _option(cls, "torch.optim.lr_scheduler") for cls in found})


def left_out() -> Mapping[str, str]:
    """Schedulers that cannot be chosen, each with the reason."""
    return MappingProxyType(_LEFT_OUT)


def _classes(module: Any, base: type) -> list[type]:
    found = {c for c in vars(module).values() if isinstance(c, type) and issubclass(c, base) and c is not base}
    return sorted((c for c in found if not c.__name__.startswith("_")), key=lambda c: c.__name__)


def _option(cls: type, home: str) -> OptionSpec:
    params = []
    for param in signatures.params_of(cls, hidden=_HIDDEN.union(_HIDDEN_IN.get(cls.__name__, ()))):
        fallback = _FALLBACKS.get(cls.__name__, {}).get(param.name)
        if fallback:
            doc = f"{param.doc} Left out: {fallback.words}.".strip()
            param = replace(param, required=False, nullable=True, default=None, torch_default=None, doc=doc)
        params.append(param)
    return OptionSpec(
        cls.__name__,
        f"{home}.{cls.__name__}",
        tuple(params),
        signatures.summary_of(cls),
        _NOTES.get(cls.__name__, ""),
        _CADENCE.get(cls.__name__, "epoch"),
    )


@dataclass(frozen=True)
class Length:
    """How long a run is: what schedulers plan with."""

    steps_per_epoch: int
    epochs: int
    total_steps: int


@dataclass(frozen=True)
class _Fallback:
    words: str
    value: Callable[[Length, float], Value]


_FALLBACKS: Mapping[str, Mapping[str, _Fallback]] = {
    "OneCycleLR": {
        "max_lr": _Fallback("the optimiser's learning rate", lambda run, lr: lr),
        "total_steps": _Fallback("all steps of the run", lambda run, lr: max(1, run.total_steps)),
    },
    "CyclicLR": {
        "base_lr": _Fallback("a tenth of the optimiser's learning rate", lambda run, lr: lr / 10),
        "max_lr": _Fallback("the optimiser's learning rate", lambda run, lr: lr),
        "step_size_up": _Fallback("two epochs", lambda run, lr: max(1, 2 * run.steps_per_epoch)),
    },
    "CosineAnnealingLR": {"T_max": _Fallback("all epochs of the run", lambda run, lr: max(1, run.epochs))},
    "CosineAnnealingWarmRestarts": {
        "T_0": _Fallback("a quarter of the epochs", lambda run, lr: max(1, run.epochs // 4)),
    },
    "StepLR": {"step_size": _Fallback("a third of the epochs", lambda run, lr: max(1, run.epochs // 3))},
    "MultiStepLR": {
        "milestones": _Fallback(
            "half and three quarters of the epochs",
            lambda run, lr: (max(1, run.epochs // 2), max(2, run.epochs * 3 // 4)),
        )
    },
    "ExponentialLR": {
        "gamma": _Fallback("what comes to a hundredth at the end", lambda run, lr: 0.01 ** (1 / max(1, run.epochs)))
    },
}


NO_FACTORS: Mapping[Tensor, float] = MappingProxyType({})


def build_optimizer(
    config: TrainingConfig, module: nn.Module, factors: Mapping[Tensor, float] = NO_FACTORS
) -> Optimizer:
    """The configured optimiser over the module's trainable parameters, in PyTorch's fastest implementation.

    Args:
        factors: of parameters that learn at a multiple of the learning rate. Each has a group, that of the others
            is the first.

    Raises OptimError if PyTorch refuses its settings or the parameters.
    """
    cls = getattr(torch.optim, config.optimizer)
    options = dict(config.optimizer_options)
    if _can_fuse(cls, module):
        options["fused"] = True
    parameters = [p for p in module.parameters() if p.requires_grad]
    built: Optimizer = _built(cls, _grouped(parameters, factors), options)
    for group in built.param_groups:
        group["lr"] = group["lr"] * group.get(FACTOR, 1.0)
    return built


FACTOR = "factor"
"""What a group of an optimiser has its learning rate multiplied by; the first group has none."""


def _grouped(parameters: Sequence[Tensor], factors: Mapping[Tensor, float]) -> Sequence[Tensor] | list[dict[str, Any]]:
    """The parameters, in groups if some of them learn at a rate of their own."""
    found = sorted({factors[p] for p in parameters if p in factors})
    if not found:
        return parameters
    groups: list[dict[str, Any]] = [{"params": [p for p in parameters if p not in factors]}]
    groups += [{"params": [p for p in parameters if factors.get(p) == f], FACTOR: f} for f in found]
    return groups


def _built(cls: type, subject: object, options: Mapping[str, Any]) -> Any:
    try:
        return cls(subject, **options)
    except (ValueError, TypeError, RuntimeError) as error:
        raise OptimError(f"{cls.__name__} cannot be used like this: {error}") from error


def _can_fuse(cls: type, module: nn.Module) -> bool:
    """Fused kernels save a third of a small network's step on the CPU; they take no sparse gradients."""
    if "fused" not in inspect.signature(cls).parameters:
        return False
    able = {"cpu"} if cls is torch.optim.Adagrad else {"cpu", "cuda", "xpu", "mps"}
    dense = not any(getattr(m, "sparse", False) for m in module.modules())
    return dense and {p.device.type for p in module.parameters()} <= able


class Schedule:
    """A scheduler at its own pace: tell it of every step and every epoch, it moves when it is its turn.

    It drives the optimiser's learning rate itself; with a warm-up, or groups with rates of their own, it drives
    a plan, from which the rates of all groups follow.

    Attributes:
        renewed: whether what was loaded had been laid out over another length and now follows this one.
    """

    def __init__(self, config: TrainingConfig, optimizer: Optimizer, length: Length) -> None:
        self.optimizer = optimizer
        self.cadence: Cadence | None = None
        self.inner: LRScheduler | None = None
        self.renewed = False
        self._config, self._length = config, length
        self._warm_up, self._moves = config.warmup_steps, 0
        self._plan_apart = self._warm_up > 0 or len(optimizer.param_groups) > 1
        self._planned = _still(optimizer) if self._plan_apart else optimizer
        if config.scheduler:
            self.cadence = schedulers()[config.scheduler].cadence
            self.inner = _build_scheduler(config, self._planned, length)
        self.each_step = self._move if self.cadence == "step" or self._warm_up else None
        self._follow()

    def _move(self) -> None:
        """One step on; a plan that is shorter than the run stays at its end."""
        self._moves += 1
        if self.cadence == "step":
            assert self.inner is not None
            if self.inner.last_epoch < getattr(self.inner, "total_steps", math.inf) - 1:
                self.inner.step()
        self._follow()

    def _follow(self) -> None:
        """Give the optimiser's groups what the plan says now."""
        if not self._plan_apart:
            return
        plan = self._planned.param_groups[0]
        for group in self.optimizer.param_groups:
            group.update({name: plan[name] for name in ("momentum", "betas") if name in plan})
            group["lr"] = plan["lr"] * self._ramp() * group.get(FACTOR, 1.0)

    def _ramp(self) -> float:
        """How much of the planned rate is in force: all of it once warmed up."""
        return min(1.0, (self._moves + 1) / self._warm_up) if self._warm_up else 1.0

    def epoch_finished(self, loss: float) -> None:
        """``loss``: what a scheduler that waits for a plateau looks at."""
        if self.inner is None:
            return
        if self.cadence == "metric":
            self.inner.step(loss)  # type: ignore[arg-type]
        elif self.cadence == "epoch":
            self.inner.step()
        self._follow()

    def set_lr(self, lr: float) -> None:
        """Change the learning rate now; what the schedule still plans is scaled by the same factor."""
        lr = lr / self._ramp()
        now = self._planned.param_groups[0]["lr"]
        factor = lr / now if now else 1.0

        def scaled(value: float) -> float:
            return value * factor if value or now else lr  # a plan that was all zero has no shape to keep

        for group in self._planned.param_groups:
            for key in ("initial_lr", "max_lr"):
                if key in group:
                    group[key] = scaled(group[key])
            if "min_lr" in group:
                group["min_lr"] *= factor
            group["lr"] = lr
        for name in ("base_lrs", "max_lrs"):
            planned = getattr(self.inner, name, None)
            if planned:
                setattr(self.inner, name, [scaled(value) for value in planned])
        self._follow()

    def state_dict(self) -> dict[str, Any]:
        state = self.inner.state_dict() if self.inner is not None else {}
        if not self._plan_apart:
            return state
        return {"inner": state, "plan": _numbers(self._planned.param_groups[0]), "moves": self._moves}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from :meth:`state_dict`, after the optimiser's own state was loaded.

        A plan that was laid out over a run of another length is laid out anew: the learning rate is then what a
        run of this length has at this place.
        """
        state = self._load_plan(state)
        if self.inner is not None and state:
            planned = _plan(self._config, self.inner)
            self.inner.load_state_dict(state)
            if _plan(self._config, self.inner) != planned:
                self._lay_out_anew()
                self.renewed = True
        self._follow()

    def _load_plan(self, state: dict[str, Any]) -> dict[str, Any]:
        """Take what a plan was at, also if there was none then or is none now; returns the scheduler's own state."""
        own, apart = self._planned.param_groups[0], "plan" in state
        if apart:
            own.update(state["plan"])
            self._moves = state["moves"]
        elif self._plan_apart:
            own.update(_numbers(self.optimizer.param_groups[0]))
            self._moves = self._warm_up
        inner: dict[str, Any] = state["inner"] if apart else state
        return inner

    def _lay_out_anew(self) -> None:
        """Changes that were made by hand stay: they scaled the old plan, and scale the new one likewise."""
        assert self.inner is not None
        group, still = self._planned.param_groups[0], _still(self.optimizer)
        fresh = Schedule(replace(self._config, warmup_steps=0), still, self._length)
        fresh._advance(self.inner.last_epoch)
        new = still.param_groups[0]
        if new["initial_lr"]:
            fresh.set_lr(new["lr"] * group["initial_lr"] / new["initial_lr"])
        self.inner.load_state_dict(fresh.state_dict())
        moved = ("lr", "initial_lr", "max_lr", "min_lr", *(("momentum", "betas") if "max_momentum" in new else ()))
        group.update({name: new[name] for name in moved if name in new})

    def _advance(self, moves: int) -> None:
        """To where the plan is after so many moves."""
        assert self.inner is not None
        if self.cadence == "step" and moves:  # each rate follows from the number of the step alone
            self.inner.last_epoch = int(min(moves, getattr(self.inner, "total_steps", math.inf) - 1)) - 1
            moves = 1
        for _ in range(moves):
            if self.cadence == "step":
                self._move()
            else:
                self.inner.step()


def _numbers(group: Mapping[str, Any]) -> dict[str, Any]:
    """What a schedule reads and writes of a group."""
    return {name: value for name, value in group.items() if name not in ("params", FACTOR)}


def _still(optimizer: Optimizer) -> Optimizer:
    """Something with the settings of an optimiser for a scheduler to move."""
    still = _Still([torch.zeros(1)], dict(optimizer.defaults))
    still._opt_called = True  # type: ignore[attr-defined]
    return still


class _Still(Optimizer):
    """Moves nothing: what a schedule is tried on."""

    def step(self, closure: object = None) -> None:  # type: ignore[override]
        return


def _plan(config: TrainingConfig, scheduler: LRScheduler) -> dict[str, object]:
    """Those settings of a scheduler that were chosen to suit the length of the run."""
    chosen = [name for name in _FALLBACKS.get(config.scheduler, {}) if config.scheduler_options.get(name) is None]
    return {name: getattr(scheduler, name, None) for name in chosen}


def _build_scheduler(config: TrainingConfig, optimizer: Optimizer, length: Length) -> LRScheduler:
    cls = getattr(lr_scheduler, config.scheduler)
    options: dict[str, Any] = dict(config.scheduler_options)
    lr = float(optimizer.param_groups[0]["lr"])
    for name, fallback in _FALLBACKS.get(config.scheduler, {}).items():
        if options.get(name) is None:
            options[name] = fallback.value(length, lr)
    if "cycle_momentum" in inspect.signature(cls).parameters:
        has_momentum = {"momentum", "betas"} & optimizer.defaults.keys()
        options.setdefault("cycle_momentum", bool(has_momentum))
    built: LRScheduler = _built(cls, optimizer, options)
    return built


def preview_schedule(config: TrainingConfig, steps: int, steps_per_epoch: int = 1) -> list[float]:
    """The learning rate of each of the first ``steps`` steps; a plateau is taken never to come.

    Raises OptimError if PyTorch refuses the settings.
    """
    module = nn.ParameterList([torch.zeros(1, 1)])  # a layer would draw random numbers, perhaps beside a training
    optimizer = build_optimizer(config, module)
    epochs = -(-steps // max(1, steps_per_epoch))
    schedule = Schedule(config, optimizer, Length(steps_per_epoch, epochs, steps))
    optimizer.step()
    rates: list[float] = []
    for step in range(1, steps + 1):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        if schedule.each_step and step < steps:
            schedule.each_step()
        if step % steps_per_epoch == 0:
            schedule.epoch_finished(1.0 / step)
    return rates
