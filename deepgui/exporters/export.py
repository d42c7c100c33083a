"""The one door out: write, load again, compare, and only then put the files where they belong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from deepgui.exporters import onnx_file, program, python_files, weights
from deepgui.exporters.exportable import Exportable
from deepgui.exporters.staging import Staging
from deepgui.exporters.verify import ExportError, Probe, probe

Target = Literal["python", "weights", "onnx", "torch"]
TARGETS: tuple[Target, ...] = get_args(Target)


@dataclass(frozen=True)
class ExportResult:
    """What was written and how it was checked.

    Attributes:
        paths: the files, the most important first.
        max_difference: largest absolute difference between the re-loaded export and the trained network.
        checked_with: what loaded and ran the export, and on what ("onnxruntime, 14 real examples").
        fresh: the weights are newly initialised, not learned.
    """

    paths: tuple[Path, ...]
    max_difference: float
    checked_with: str
    fresh: bool = False


@dataclass(frozen=True)
class _Format:
    """``places`` says which files go where; ``write`` makes them in a folder and returns (difference, checker)."""

    places: Callable[[Exportable, Path], dict[str, Path]]
    write: Callable[[Exportable, Probe, Path, Mapping[str, Path]], tuple[float, str]]


_FORMATS: dict[Target, _Format] = {
    "python": _Format(python_files.places, python_files.write),
    "weights": _Format(weights.places, weights.write),
    "onnx": _Format(onnx_file.places, onnx_file.write),
    "torch": _Format(program.places, program.write),
}


def export(subject: Exportable, to: Target, out: Path | str) -> ExportResult:
    """Export a network; nothing is left behind unless the re-loaded files answer as the network does.

    Args:
        to: ``python`` (``out`` ending in .py: the module alone; else a folder with module, training and
            inference script and weights), ``weights`` (.safetensors, .pt or .pth; without a suffix both),
            ``onnx`` or ``torch`` (a .pt2 program of torch.export).
        out: file or folder; missing parent folders are made.

    Raises:
        ExportError: one sentence: the format cannot express the network, or the comparison failed.
        ValueError: an unknown format, or a suffix that does not belong to it.
        OSError: the place cannot be written.
    """
    if to not in _FORMATS:
        raise ValueError(f"there is no export to {to!r}; choose from {', '.join(TARGETS)}.")
    out = Path(out)
    places = _FORMATS[to].places(subject, out)
    for place in places.values():
        if place.is_dir():
            raise ValueError(f"{place} is a folder; name a file.")
    with Staging(out) as staging:
        asked = probe(subject)
        try:
            difference, checker = _FORMATS[to].write(subject, asked, staging.folder, places)
        except (ExportError, OSError):
            raise
        except Exception as error:
            raise ExportError(f"The network could not be exported to {to}: {_said(error)}") from error
        paths = staging.commit(places)
    count = sum(len(batch[0]) for batch in asked.batches)
    given = f"{count} {'real' if asked.real else 'random'} inputs"
    noise = ", the same noise for both" if asked.draws else ""
    return ExportResult(paths, difference, f"{checker}, {given}{noise}", subject.fresh)


def _said(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
