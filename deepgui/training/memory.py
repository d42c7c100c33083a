"""Whether a training fits into the memory of its device, and which batch would."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import torch

from deepgui.catalog.spec import Registry
from deepgui.compiler.cost import Cost, cost, optimizer_states
from deepgui.compiler.report import Report
from deepgui.graph.problems import Fix, Problem
from deepgui.graph.values import Network
from deepgui.machine import size
from deepgui.project.values import TrainingConfig
from deepgui.training import devices


def needed(found: Cost, config: TrainingConfig) -> int:
    """Bytes that training takes with these settings: a forecast."""
    return found.training(config.batch_size, optimizer_states(config.optimizer, config.optimizer_options))


def fitting_batch(found: Cost, config: TrainingConfig, memory: float) -> int:
    """The most examples a batch that are forecast to fit in so many bytes; 0 if not even one."""
    return found.largest_batch(memory, optimizer_states(config.optimizer, config.optimizer_options))


def free(device: str) -> int:
    """Bytes of a device's memory that nobody uses now."""
    kind = device.partition(":")[0]
    if kind == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    available: int = psutil.virtual_memory().available
    return available


def problems(network: Network, registry: Registry, report: Report, config: TrainingConfig) -> Iterator[Problem]:
    """An error if the device cannot hold this training, a warning if it cannot hold it now."""
    try:
        device = devices.resolve(config.device)
    except devices.DeviceError:
        return  # said elsewhere
    found = cost(network, registry, report)
    need, room = needed(found, config), device.memory
    vacant = room if need > room else min(room, free(device.id))
    if need <= vacant:
        return
    fitting = fitting_batch(found, config, vacant)
    smaller = _rounded(fitting) if 0 < fitting < config.batch_size else 0
    who = "this machine" if device.id == "cpu" else device.title
    has = f"has {size(room)}" if need > room else f"has {size(vacant)} of {size(room)} free now"
    yield Problem(
        "too-much-memory",
        f"Training takes about {size(need)} at batch size {config.batch_size}, but {who} {has}:"
        + (f" a batch size of {smaller} fits." if smaller else " use smaller layers."),
        node=_heaviest(found, report, config),
        expected=f"at most {size(vacant)}",
        received=f"about {size(need)}",
        reason=f"Weights, their gradients and the state of {config.optimizer} take"
        f" {size(need - found.training(config.batch_size, 0) + 2 * found.weights)},"
        f" what a batch leaves behind {size(found.activations(config.batch_size))}.",
        severity="error" if need > room else "warning",
        fix=Fix(f"Set the batch size to {smaller}", training=(("batch_size", smaller),)) if smaller else None,
    )


def _rounded(count: int) -> int:
    """The next lower power of two: forecasts are not exact, and people think in these."""
    return 1 << (count.bit_length() - 1)


def _heaviest(found: Cost, report: Report, config: TrainingConfig) -> str:
    """The layer that takes the most, be it for weights or for results."""
    if found.activations(config.batch_size) > found.weights:
        return found.largest_node
    return max(report.nodes.values(), key=lambda node: node.parameters).id if report.nodes else ""


def way_out(found: Cost, config: TrainingConfig, device: str) -> str:
    """What to do after a device has run out of memory. Free what the failed step held before asking."""
    if config.batch_size == 1:
        return "use smaller layers"
    states = optimizer_states(config.optimizer, config.optimizer_options)
    room = free(device) + found.weights * (1 + states)  # these stay
    fitting = _rounded(max(1, found.largest_batch(room, states)))
    return f"try a batch size of {min(fitting, config.batch_size // 2)}"  # the forecast was too low once
