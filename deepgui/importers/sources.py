"""What ``deepgui import`` takes: an ONNX file, or ``package.module:callable`` that gives a torch module."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn

from deepgui.importers.report import Imported, ImportFailed
from deepgui.paths import user_data
from deepgui.project import atomic, file
from deepgui.project.values import Project

SHOWN = 12
"""So many parts that cannot be drawn are named in one message."""

_CALLABLE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


def import_source(source: str, shapes: Sequence[tuple[tuple[int, ...], str]] = ()) -> Imported:
    """Import what a person named.

    Only ``package.module:callable`` runs code: that module is imported, and the callable called without arguments.

    Args:
        source: path of an ONNX file, or ``package.module:callable``.
        shapes: shape, batch first, and element type of each input; a torch module needs them.

    Raises:
        ImportFailed: in one sentence.
    """
    if Path(source).suffix.lower() == ".onnx" or Path(source).is_file():
        from deepgui.importers.onnx_file import import_onnx

        return import_onnx(Path(source), shapes)
    if not _CALLABLE.fullmatch(source):
        raise ImportFailed(f"{source} is neither an ONNX file nor package.module:callable.")
    if not shapes:
        raise ImportFailed("A torch module is imported with an example: name its shape, --input-shape 1,3,224,224.")
    from deepgui.importers.module import import_module

    return import_module(load_callable(source), tuple(example(*shape) for shape in shapes))


def load_callable(source: str) -> nn.Module:
    """Import ``package.module`` and call what it names. Raises ImportFailed."""
    name, _, path = source.partition(":")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as ``python -m`` does
    try:
        found: Any = importlib.import_module(name)
        for part in path.split("."):
            found = getattr(found, part)
        made = found if isinstance(found, nn.Module) else found()
    except Exception as error:  # whatever the user's code raises
        line = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        raise ImportFailed(f"{source} could not be loaded: {type(error).__name__}: {line.rstrip('.')}.") from error
    if not isinstance(made, nn.Module):
        raise ImportFailed(f"{source} gives a {type(made).__name__}, not a torch.nn.Module.")
    return made


def example(shape: tuple[int, ...], dtype: str) -> Tensor:
    """A tensor to run a module on: random numbers; zeros and ones where they are whole."""
    kind = getattr(torch, dtype)
    if kind.is_floating_point:
        return torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(kind)
    return torch.randint(0, 2, shape, generator=torch.Generator().manual_seed(0)).to(kind)


def accepted(imported: Imported) -> Imported:
    """An import that says what the original says. Raises ImportFailed, naming all that is not so."""
    report = imported.report
    if report.errors:
        shown = " ".join(str(note) for note in report.errors[:SHOWN])
        more = f" {len(report.errors) - SHOWN} more." if len(report.errors) > SHOWN else ""
        raise ImportFailed(f"{len(report.errors)} parts cannot be drawn. {shown}{more}")
    if not report.close:
        raise ImportFailed(f"The drawing answers differently from the original (by {report.largest_difference:.3g}).")
    return imported


def write(imported: Imported, project: Path) -> tuple[Path, ...]:
    """Write the project, and its weights as ``NAME.safetensors`` beside it.

    Raises:
        FileError, OSError: one of them cannot be written.
    """
    weights = project.absolute().parent / f"{project.name.removesuffix(file.SUFFIX)}.safetensors"
    write_weights(imported, weights)
    file.write(replace(imported.project, weights=str(weights)), project)
    return project, weights


def with_weights(imported: Imported, path: Path | str | None) -> Project:
    """The project with its weights in a file: at ``path``, else in the user's folder under their own hash."""
    if path is None:
        data = _as_bytes(imported)
        target = user_data() / "weights" / f"{hashlib.sha256(data).hexdigest()[:16]}.safetensors"
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            atomic.replace(target, data)
    else:
        target = Path(path).absolute()
        write_weights(imported, target)
    return replace(imported.project, weights=str(target))


def _as_bytes(imported: Imported) -> bytes:
    data: bytes = save({name: t.contiguous() for name, t in imported.state_dict.items()}, metadata={"format": "pt"})
    return data


def write_weights(imported: Imported, path: Path) -> None:
    """Write the state dict of the compiled drawing, whole or not at all. Raises OSError."""
    atomic.replace(path, _as_bytes(imported))
