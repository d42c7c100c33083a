"""Weights: safetensors, and the ``.pt`` state dict that ``torch.load(weights_only=True)`` reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from deepgui.compiler.build import build
from deepgui.exporters.exportable import Exportable
from deepgui.exporters.suffixes import suffix_of, with_suffix
from deepgui.exporters.verify import Probe, repeatable

SUFFIXES = (".safetensors", ".pt", ".pth")


def places(subject: Exportable, out: Path) -> dict[str, Path]:
    """One file by suffix; both kinds for a name without one, or inside a folder."""
    if out.suffix in SUFFIXES and not out.is_dir():
        return {f"weights{out.suffix}": out}
    if suffix_of(out) and not out.is_dir():
        raise ValueError(f"{out.name}: weights are written to .safetensors, .pt or .pth files.")
    stem = out / subject.name if out.is_dir() else out
    return {f"weights{suffix}": with_suffix(stem, suffix) for suffix in SUFFIXES[:2]}


def save(state: Mapping[str, Tensor], path: Path) -> None:
    """Write a state dict in the format that the suffix names."""
    if path.suffix == ".safetensors":
        save_file(dict(state), path, metadata={"format": "pt"})
    else:
        torch.save(dict(state), path)


def read(path: Path) -> dict[str, Tensor]:
    """Read a state dict. Never runs code from the file."""
    if path.suffix == ".safetensors":
        found: dict[str, Tensor] = load_file(path)
    else:
        found = torch.load(path, map_location="cpu", weights_only=True)
    return found


def write(subject: Exportable, asked: Probe, folder: Path, places: Mapping[str, Path]) -> tuple[float, str]:
    """Write the weights, load them into a freshly built network, compare."""
    worst = 0.0
    for name, place in places.items():
        save(subject.state(), folder / name)
        fresh = build(subject.network, subject.registry).eval()
        fresh.load_state_dict(read(folder / name))
        worst = max(worst, asked.compare(lambda batch, module=fresh: repeatable(module, batch), place.name))  # type: ignore[misc]
    return worst, "a freshly built network"
