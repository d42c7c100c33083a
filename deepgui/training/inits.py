"""Every initialisation of ``torch.nn.init``, found by introspection, and using one on a layer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import init

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.training import signatures

_HIDDEN = frozenset(("tensor", "generator"))
_MOST_DIMENSIONS = 5


@dataclass(frozen=True)
class InitSpec:
    """A way to begin. ``name`` is PyTorch's (``xavier_uniform_``); ``params`` are its settings."""

    name: str
    params: tuple[ParamSpec, ...]
    doc: str = ""

    def check(self, options: Mapping[str, Value]) -> Iterator[str]:
        """What is wrong with ``options``, a sentence each."""
        known = {p.name: p for p in self.params}
        for name, value in options.items():
            if name not in known:
                yield f"{self.name} has no setting {name} (it has {', '.join(known) or 'none'})"
            elif complaint := known[name].check(value):
                yield f"{self.name}: {complaint}"
        for param in self.params:
            if param.required and param.name not in options:
                yield f"{self.name} needs a value for {param.name}"

    def able(self, dims: int, options: Mapping[str, Value]) -> bool:
        """Whether it can fill a weight with so many dimensions."""
        with torch.random.fork_rng(devices=[]):
            try:
                _fill(torch.empty((2,) * dims), self.name, options)
            except Exception:  # each function has its own way to refuse: ValueError, RuntimeError, IndexError
                return False
        return True


@cache
def inits() -> Mapping[str, InitSpec]:
    """Every function of ``torch.nn.init`` by name."""
    found = {name: f for name, f in vars(init).items() if name.endswith("_") and not name.startswith("_")}
    return MappingProxyType(
        {
            name: InitSpec(name, signatures.params_of(function, _HIDDEN), signatures.summary_of(function))
            for name, function in sorted(found.items())
        }
    )


def initialise(
    weights: Iterable[tuple[str, Tensor]], name: str, options: Mapping[str, Value], *, matrices: bool = False
) -> list[str]:
    """Begin anew with these weights (by name), in order: biases become 0, the others are filled.

    Args:
        matrices: leave alone what has one dimension only (the scales of normalisations inside a block).

    Returns:
        The names of what was changed.
    """
    changed = []
    spec = inits()[name]
    for own, weight in weights:
        if "bias" in own.rpartition(".")[2]:
            init.zeros_(weight)
        elif (matrices and weight.dim() < 2) or not spec.able(weight.dim(), options):
            continue
        else:
            _fill(weight, name, options)
        changed.append(own)
    return changed


def _fill(weight: Tensor, name: str, options: Mapping[str, Value]) -> None:
    getattr(init, name)(weight, **options)


def dimensions(name: str, options: Mapping[str, Value]) -> tuple[int, ...]:
    """The numbers of dimensions that a weight may have."""
    return tuple(n for n in range(1, _MOST_DIMENSIONS + 1) if inits()[name].able(n, options))
