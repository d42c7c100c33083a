"""Tied weights: layers of different kinds that have parameters in common (an output layer and an embedding)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import torch
from torch import nn

from deepgui.catalog.spec import LayerSpec, Value
from deepgui.compiler.call import init_settings
from deepgui.compiler.lower import Lowered, resolve

if TYPE_CHECKING:
    from deepgui.compiler.report import Report


def tied(
    spec: LayerSpec, params: Mapping[str, Value], master: LayerSpec, master_params: Mapping[str, Value]
) -> dict[str, int]:
    """The parameters that two layers can have in common, of the same name and shape, with their sizes.

    Args:
        params, master_params: all parameters in force, inferred ones included.
    """
    mine, theirs = _shapes(spec, params), _shapes(master, master_params)
    return {name: shape.numel() for name, shape in mine.items() if theirs.get(name) == shape}


def ties(lowered: Lowered, report: Report) -> dict[str, tuple[str, ...]]:
    """The names of tied parameters by node, for the nodes of a network that share those of another kind."""
    found: dict[str, tuple[str, ...]] = {}
    for node in lowered.network.nodes.values():
        if node.shares in lowered.calls and node.id in lowered.calls:
            spec, master = (lowered.calls[id].meta["spec"] for id in (node.id, node.shares))
            if spec.kind != master.kind:
                found[node.id] = tuple(
                    tied(spec, report.nodes[node.id].params, master, report.nodes[node.shares].params)
                )
    return found


def _shapes(spec: LayerSpec, params: Mapping[str, Value]) -> Mapping[str, torch.Size]:
    if spec.form != "module":
        return {}
    settings = init_settings(spec, params, params)
    try:
        return _shapes_of(spec.target, tuple(sorted(settings.items())))
    except Exception:  # settings that the layer refuses are reported elsewhere
        return {}


@cache
def _shapes_of(target: str, settings: tuple[tuple[str, Value], ...]) -> Mapping[str, torch.Size]:
    with torch.device("meta"):
        layer = resolve(target)(**dict(settings))
    assert isinstance(layer, nn.Module)
    return {name: parameter.shape for name, parameter in layer.named_parameters(recurse=False)}
