"""How much of torch.nn the catalogue has, computed from torch.nn's public names."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from deepgui.catalog.corrections import LEFT_OUT
from deepgui.catalog.graph_layers import CATEGORY as GRAPH
from deepgui.catalog.spec import LayerSpec

LOSSES = "loss", "adaptive"
"""The modules of torch.nn that hold losses."""


@dataclass(frozen=True)
class Coverage:
    """What there is of torch.nn.

    Attributes:
        torch: the version that was looked at.
        layers, losses: the names that can be placed.
        missing: names that cannot, without a reason. Empty if all is well.
        left_out: names that cannot, each with the reason.
        operations: tensor operations that can be placed.
    """

    torch: str
    layers: tuple[str, ...]
    losses: tuple[str, ...]
    missing: tuple[str, ...]
    left_out: Mapping[str, str]
    operations: tuple[str, ...]

    @property
    def percent(self) -> float:
        """Of the names that are not left out."""
        covered = len(self.layers) + len(self.losses)
        return 100 * covered / (covered + len(self.missing))


def coverage(registry: Mapping[str, LayerSpec]) -> Coverage:
    """Compare a catalogue with every public subclass of Module that torch.nn has."""
    layers: list[str] = []
    losses: list[str] = []
    missing: list[str] = []
    left_out: dict[str, str] = {}
    for name, cls in sorted(_public()):
        reason = _reason(name, cls)
        if name in registry:
            (losses if cls.__module__.rpartition(".")[2] in LOSSES else layers).append(name)
        elif reason:
            left_out[name] = reason
        else:
            missing.append(name)
    operations = tuple(kind for kind, spec in registry.items() if spec.form == "function" and spec.category != GRAPH)
    version = ".".join(torch.__version__.split(".")[:2])
    return Coverage(version, tuple(layers), tuple(losses), tuple(missing), left_out, operations)


def _public() -> list[tuple[str, type[nn.Module]]]:
    found = inspect.getmembers(nn, lambda thing: inspect.isclass(thing) and issubclass(thing, nn.Module))
    return [(name, cls) for name, cls in found if not name.startswith("_")]


def _reason(name: str, cls: type[nn.Module]) -> str:
    if issubclass(cls, nn.modules.lazy.LazyModuleMixin):
        return f"{name.removeprefix('Lazy')} reads its size from the wire already"
    return LEFT_OUT.get(name, "")
