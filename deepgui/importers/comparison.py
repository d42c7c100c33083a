"""Does the drawing answer as the original does? Both are asked the same random questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from deepgui.importers.recording import flat, named_inputs

BATCHES = (2, 3)


def compare(original: nn.Module, made: nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the report that says how the answers differ over batches of several sizes.

    The difference is infinite if their answers have other shapes.
    """
    worst = largest = 0.0
    for size in BATCHES:
        generator = torch.Generator().manual_seed(size)
        given, named = _random((args, kwargs), size, generator)
        tensors = [t.clone() for _, t in named_inputs(original, given, named)]
        expected, got = _asked(original, given, named), _asked(made, tensors, {})
        worst = max(worst, difference(expected, got))
        largest = max([largest, *(float(t.double().nan_to_num(0, 0, 0).abs().max()) for t in expected if t.numel())])
    said = f"{len(BATCHES)} batches of random numbers"
    return {"largest_difference": worst, "largest_answer": largest, "compared_with": said}


def _asked(module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Tensor]:
    """What is answered, without gradients. What is drawn at random on the way is the same each time."""
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return [t for _, t in flat(module(*args, **kwargs))]


def difference(expected: list[Tensor], got: list[Tensor]) -> float:
    """The largest absolute difference; infinity where shapes differ."""
    if [t.shape for t in expected] != [t.shape for t in got]:
        return float("inf")
    worst = 0.0
    for a, b in zip(expected, got, strict=True):
        a, b = a.double(), b.double()
        gap = torch.where((a == b) | (a.isnan() & b.isnan()), torch.zeros_like(a), (a - b).abs())
        largest = float(gap.max()) if gap.numel() else 0.0
        worst = max(worst, largest if largest == largest else float("inf"))
    return worst


def _random(value: Any, size: int, generator: torch.Generator) -> Any:
    """Arguments like the examples, with other numbers: whole numbers are drawn from those that the examples have."""
    if isinstance(value, Tensor):
        return _random_tensor(value, size, generator) if value.dim() else value
    if isinstance(value, dict):
        return {key: _random(item, size, generator) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(_random(item, size, generator) for item in value)
    return value


def other_values(value: Any, spread: float, generator: torch.Generator) -> Any:
    """The same arguments with random fractions of another size; whole numbers are drawn from those that there are."""
    if isinstance(value, Tensor):
        if value.is_floating_point():
            return torch.randn(value.shape, generator=generator, dtype=value.dtype).abs() * spread
        return _random(value, len(value), generator) if value.dim() else value
    if isinstance(value, dict):
        return {key: other_values(item, spread, generator) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(other_values(item, spread, generator) for item in value)
    return value


def random_batch(example: Tensor, size: int) -> Tensor:
    """A batch like an example, of other numbers, the same each time."""
    return _random_tensor(example, size, torch.Generator().manual_seed(size))


def _random_tensor(example: Tensor, size: int, generator: torch.Generator) -> Tensor:
    shape = (size, *example.shape[1:])
    if example.is_floating_point():
        spread = float(example.std()) if example.numel() > 1 else 1.0
        return torch.randn(shape, generator=generator, dtype=example.dtype) * (spread or 1.0) + example.mean()
    known = torch.tensor(sorted(set(example.flatten().tolist())), dtype=example.dtype)
    return known[torch.randint(0, len(known), shape, generator=generator)]
