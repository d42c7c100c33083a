"""The way of an imported network: drawing, file, load, compile, source; it must answer as the original everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import deepgui
from deepgui.importers.comparison import difference
from deepgui.importers.recording import flat
from deepgui.importers.report import Imported


def answers(module: nn.Module, inputs: tuple[Tensor, ...], names: list[str] | None = None) -> list[Tensor]:
    given = [t.clone() for t in inputs]
    with torch.no_grad():
        result = module(*given) if names is None else module(**dict(zip(names, given, strict=True)))
    return [t for _, t in flat(result)]


def from_source(source: str, network: str) -> nn.Module:
    """An instance of the class in generated source."""
    space: dict[str, Any] = {"__name__": "generated"}
    exec(compile(source, network, "exec"), space)
    found = [
        v for v in space.values() if isinstance(v, type) and issubclass(v, nn.Module) and v.__module__ == "generated"
    ]
    return found[-1]()


def survives(
    original: nn.Module,
    imported: Imported,
    inputs: tuple[Tensor, ...],
    folder: Path,
    names: list[str] | None = None,
) -> float:
    """The largest difference, relative to the largest answer, after the file, and after the source.

    ``names`` are those under which the original takes the inputs, if it takes them by name.
    """
    path = folder / "imported.deepgui"
    deepgui.save(imported.project, path)
    project = deepgui.load(path)
    assert project == imported.project
    original = original.eval()
    expected = answers(original, inputs, names)
    scale = max(1.0, *(float(t.abs().max()) for t in expected))
    worst = 0.0
    source = deepgui.to_python(project)
    assert "deepgui" not in source.replace("DeepGUI", "")
    for module in (deepgui.compile(project), from_source(source, project.name)):
        module.load_state_dict(dict(imported.state_dict))
        worst = max(worst, difference(expected, answers(module.eval(), inputs)))
    return worst / scale
