"""How images lie in memory while a network trains."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from deepgui.training.devices import is_large_step

_SLOW_PLAIN = (nn.MaxPool2d, nn.AvgPool2d)


def lay_out(module: nn.Module, multiply_adds: int, device: torch.device) -> None:
    """Choose the memory format in which a module's convolutions compute.

    On the CPU, small steps with pooling are faster with the channels last: pooling goes through all channels of a
    place at once (a tenth of the time). Large steps are not. The convolutions hand the format of their weights
    on, so the batches stay as they are. The rule is the same with and without a window, as in ``threads_for``.

    Args:
        multiply_adds: of the forward pass of one step.
    """
    if device.type == "cpu" and not is_large_step(multiply_adds) and _pools(module):
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _pools(module: nn.Module) -> bool:
    return any(isinstance(layer, _SLOW_PLAIN) for layer in module.modules())


def like(values: Tensor, parameter: Tensor) -> Tensor:
    """A copy of what belongs to a parameter's elements (its gradient, a running mean), laid out as it is.

    Fused optimisers go through the memory of all of them side by side.
    """
    return torch.empty_like(parameter, dtype=values.dtype).copy_(values)
