"""``torch.export``: a program of ATen operators that runs without the source (``.pt2``)."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.export import Dim, ExportedProgram

from deepgui.catalog.graph_layers import CHOOSING
from deepgui.exporters.exportable import Exportable
from deepgui.exporters.graphs import free_sizes, takes_graphs
from deepgui.exporters.suffixes import suffix_of, with_suffix
from deepgui.exporters.verify import ExportError, Probe, first_line, repeatable

STAGED = "program.pt2"


def places(subject: Exportable, out: Path) -> dict[str, Path]:
    """``out`` itself, with .pt2 added if it has no suffix; a folder gets ``NAME.pt2``."""
    return {STAGED: one_file(subject, out, ".pt2")}


def one_file(subject: Exportable, out: Path, suffix: str) -> Path:
    """The one file that ``out`` means for a format with this suffix. Raises ValueError for another suffix."""
    if out.is_dir():
        return out / f"{subject.name}{suffix}"
    if suffix_of(out) not in ("", suffix):
        raise ValueError(f"{out.name}: this export is written to a {suffix} file.")
    return with_suffix(out, suffix)


def write(subject: Exportable, asked: Probe, folder: Path, places: Mapping[str, Path]) -> tuple[float, str]:
    """Write the program, load it again, compare."""
    path = folder / STAGED
    with quiet():
        torch.export.save(program_of(subject, asked), path)
        module = torch.export.load(path).module()
    return asked.compare(lambda batch: repeatable(module, batch), places[STAGED].name), "torch.export"


def program_of(subject: Exportable, asked: Probe) -> ExportedProgram:
    """The network as a program whose batch dimension is free, or of graphs the numbers of nodes and edges.

    Raises:
        ExportError: if an operation of the network pins the batch size.
    """
    example = asked.batches[0]  # several rows: torch.export takes a size of one for a constant
    graphs = takes_graphs(subject)
    batch = Dim("batch")
    sizes = free_sizes(subject) if graphs else tuple({0: batch} for _ in example)
    try:
        with quiet():  # that as many graphs come out as their numbers say is only understood from bytecode (strict)
            return torch.export.export(subject.on_cpu(), example, dynamic_shapes=sizes, strict=graphs)
    except Exception as error:
        raise ExportError(
            f"torch.export cannot express the network for every batch size: {unsaid(subject, error)}"
        ) from error


def unsaid(subject: Exportable, error: Exception) -> str:
    """What in the network a program of operators cannot say, as far as it is known; else the error's own words."""
    kinds = {type(module).__name__ for module in subject.module.modules()}
    choosing = next((kind for kind in CHOOSING if kind in kinds), "")
    if choosing:
        return f"how many nodes {choosing} keeps is only known when it runs; Python source and weights can."
    return first_line(error)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep torch's own remarks about its exporters off the user's terminal."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
