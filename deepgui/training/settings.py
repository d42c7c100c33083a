"""What is wrong with the settings of a training, whatever it trains on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.compiler.report import Report
from deepgui.graph.problems import Problem
from deepgui.graph.values import Network, Node
from deepgui.project.values import TrainingConfig
from deepgui.training import devices, optim
from deepgui.training.objectives import objectives

LARGEST_SEED = 2**63 - 1
"""PyTorch takes somewhat more, but this is what every generator can do."""


def settings_problems(config: TrainingConfig) -> Iterator[Problem]:
    yield from _choice("objective", config.objective, objectives())
    yield from _choice("optimiser", config.optimizer, optim.optimizers())
    if config.scheduler in optim.left_out():
        reason = optim.left_out()[config.scheduler]
        yield Problem("bad-setting", f"{config.scheduler} cannot be used here: {reason}.", received=config.scheduler)
    elif config.scheduler:
        yield from _choice("scheduler", config.scheduler, optim.schedulers())
    for known, name, options in (
        (optim.optimizers(), config.optimizer, config.optimizer_options),
        (optim.schedulers(), config.scheduler, config.scheduler_options),
    ):
        if name in known:
            yield from (Problem("bad-setting", f"{text}.") for text in known[name].check(options))
    if config.objective in objectives():
        yield from _options(config.objective, objectives()[config.objective].settings, config.objective_options)
    yield from _numbers(config)
    try:
        devices.check_precision(devices.resolve(config.device), config.precision)
    except devices.DeviceError as error:
        yield Problem("device", str(error), received=f"{config.device}, {config.precision}")


def optimizer_problems(network: Network, report: Report, config: TrainingConfig) -> Iterator[Problem]:
    """Optimisers that take only some kinds of weights."""
    suits = {"Muon": _has_matrices_only, "SparseAdam": _has_sparse_gradients}.get(config.optimizer)
    if suits is None:
        return
    learning = (network.nodes[id] for id, known in report.nodes.items() if known.parameters)
    unfit = next((node for node in learning if not suits(node)), None)
    if unfit is not None:
        yield Problem(
            "optimizer-does-not-suit",
            f"{config.optimizer} cannot train {unfit.label}. {optim.optimizers()[config.optimizer].note}",
            node=unfit.id,
            reason="Choose Adam or AdamW, which train any layer.",
        )


def _has_matrices_only(node: Node) -> bool:
    return node.kind == "Embedding" or (node.kind == "Linear" and node.params.get("bias") is False)


def _has_sparse_gradients(node: Node) -> bool:
    return node.kind in ("Embedding", "EmbeddingBag") and node.params.get("sparse") is True


def _choice(what: str, name: str, known: Mapping[str, object]) -> Iterator[Problem]:
    if name not in known:
        yield Problem(
            "bad-setting",
            f"There is no {what} {name}: choose one of {', '.join(known)}.",
            expected=", ".join(known),
            received=name,
        )


def _options(owner: str, settings: tuple[ParamSpec, ...], options: Mapping[str, Value]) -> Iterator[Problem]:
    known = {p.name: p for p in settings}
    for name, value in options.items():
        complaint = known[name].check(value) if name in known else f"there is no setting {name}"
        if complaint:
            yield Problem("bad-setting", f"{owner}: {complaint}.", received=str(value))


@dataclass(frozen=True)
class _Bound:
    name: str
    least: float
    unit: str = ""


_BOUNDS = (
    _Bound("epochs", 1),
    _Bound("batch_size", 1),
    _Bound("accumulate", 1),
    _Bound("max_steps", 1),
    _Bound("early_stopping", 1, " epochs"),
    _Bound("warmup_steps", 0),
    _Bound("check_gradients", 0),
)


def _numbers(config: TrainingConfig) -> Iterator[Problem]:
    for bound in _BOUNDS:
        value = getattr(config, bound.name)
        if value is not None and value < bound.least:
            yield Problem(
                "bad-setting",
                f"{bound.name} must be at least {bound.least:g}{bound.unit}, not {value}.",
                expected=f"at least {bound.least:g}",
                received=str(value),
            )
    if not 0 <= config.seed <= LARGEST_SEED:
        yield Problem("bad-setting", f"seed must be from 0 to {LARGEST_SEED:,}, not {config.seed}.")
    if config.clip_grad_norm is not None and config.clip_grad_norm <= 0:
        yield Problem("bad-setting", f"clip_grad_norm must be more than 0, not {config.clip_grad_norm:g}.")
    if config.ema is not None and not 0 <= config.ema < 1:
        yield Problem("bad-setting", f"ema must be at least 0 and less than 1, such as 0.999, not {config.ema:g}.")
    if config.optimizer == "LBFGS" and any(own.lr not in (None, 1) for own in config.layers.values()):
        yield Problem("bad-setting", "LBFGS moves all weights at one rate: take the learning rates of layers away.")
    if config.optimizer == "LBFGS" and (config.accumulate > 1 or config.precision == "fp16"):
        yield Problem("bad-setting", "LBFGS evaluates a batch several times: it takes neither accumulation nor fp16.")
