"""``from_module``: a torch module becomes a drawing that computes the same, with its weights."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from deepgui.catalog.spec import Registry
from deepgui.compiler.report import check
from deepgui.graph.blocks import with_blocks
from deepgui.graph.problems import NetworkError
from deepgui.importers.alignment import align, parting
from deepgui.importers.chosen import Chosen
from deepgui.importers.comparison import compare, other_values
from deepgui.importers.drawing import draw
from deepgui.importers.exported import taken_apart
from deepgui.importers.finish import compiled, finished
from deepgui.importers.hierarchy import Grouped, grouped
from deepgui.importers.layers import Layers
from deepgui.importers.recording import READS_VALUES, Recording, named_inputs, record
from deepgui.importers.report import Imported, ImportFailed, ImportReport, Note
from deepgui.project.values import Project

BATCHES = (2, 3)
"""Batch sizes at which a module is recorded. Not 1, of which broadcasting and ``squeeze`` make something else."""

Examples = Tensor | Sequence[Any] | Mapping[str, Any]
"""What ``forward`` is called with: a tensor, several arguments, or arguments by name."""


def import_module(module: nn.Module, example_inputs: Examples, *, name: str = "") -> Imported:
    """Draw a module.

    Args:
        module: it is run in evaluation mode; it is left as it was.
        example_inputs: what ``forward`` takes; the first dimension of every tensor is the batch.
        name: what the project is called; the module's class by default.

    Returns:
        The project, the state dict of ``deepgui.compile(project)``, and the report, which lists what could not be
        expressed and says by how much the answers differ.

    Raises:
        ImportFailed: the module cannot be run on the examples, or does something else for each batch size.
    """
    if not isinstance(module, nn.Module):
        raise ImportFailed(f"A torch.nn.Module is needed here, not {type(module).__name__}.")
    args, kwargs = _arguments(example_inputs)
    with _evaluating(module) as subject:
        return _drawn(subject, args, kwargs, name or type(module).__name__)


def _drawn(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> Imported:
    """The drawing that says all; where there is none, one in which some layers are Python code."""
    failure: ImportFailed | None = None
    first: Imported | None = None
    try:
        first = draw_module(module, args, kwargs, name)
        if not first.report.errors:
            return _where_values_choose(first, module, args, kwargs, name)
    except ImportFailed as error:
        failure = error
    second = _second_way(module, args, kwargs, name) or with_code(module, args, kwargs, name) or first
    if second is None:
        assert failure is not None
        raise failure
    return second


def with_code(
    module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], name: str, begin: str | None = None
) -> Imported | None:
    """A drawing in which what no drawing can say is a layer in Python: single calls, and modules where it must be.

    A module is chosen where the recording or the drawing fails in it, and the one around it if that does not help.

    Args:
        begin: a module that is to be one from the start.

    Returns:
        None if there is no such drawing that answers as the module does.
    """
    chosen = Chosen(module)
    if begin is not None and not chosen.take(begin, _BY_VALUES):
        return None
    best: Imported | None = None
    while True:
        where: str | None
        try:
            found = draw_module(chosen.module, args, kwargs, name, original=module, chosen=chosen)
        except ImportFailed as error:
            where, why = error.where, str(error).rstrip(".")
        else:
            if not found.report.errors:
                best = chosen.settled(found) if found.report.ok else best
                where, why = _place_of_choice(found, chosen.module, args, kwargs, chosen), _BY_VALUES
            else:
                where, why = found.report.errors[0].where, found.report.errors[0].message
        if where is None or not chosen.take(where, why):
            return best


_BY_VALUES = "its path depends on the values of tensors"


def _where_values_choose(
    first: Imported, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], name: str
) -> Imported:
    """The drawing, or one with code where other values take another path than the examples did."""
    where = _place_of_choice(first, module, args, kwargs)
    return first if where is None else with_code(module, args, kwargs, name, begin=where) or first


def _place_of_choice(
    found: Imported, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], chosen: Chosen | None = None
) -> str | None:
    """The submodule that computes something else for other values, where the code looks at values at all."""
    if not any(n.operation in READS_VALUES for n in found.report.notes):
        return None
    layers = Layers(_catalogue())
    if chosen is not None:
        chosen.tell(layers)
    generator = torch.Generator().manual_seed(0)
    try:
        given = _with_batch((args, kwargs), BATCHES[0])
        one = record(module, given[0], given[1], lambda m: layers(m) is not None)
        for spread in (1.0, -1.0, 0.0, 10.0):
            asked = other_values(given, spread, generator)
            other = record(module, asked[0], asked[1], lambda m: layers(m) is not None)
            if (where := parting(one, other)) is not None:
                return where
    except Exception:  # a module may refuse values by raising
        return None
    return None


def _second_way(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> Imported | None:
    """What ``torch.export`` makes of it, if all of that can be drawn and answers as the original does."""
    given, named = _with_batch((args, kwargs), BATCHES[0])
    basic = taken_apart(module, given, named)
    if basic is None:
        return None
    try:
        found = draw_module(basic, args, kwargs, name, original=module)
    except ImportFailed:
        return None
    return replace(found, report=replace(found.report, way="torch.export")) if found.report.ok else None


def _arguments(examples: Examples) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if isinstance(examples, Tensor):
        return (examples,), {}
    if isinstance(examples, Mapping):
        return (), dict(examples)
    if isinstance(examples, (tuple, list)):
        return tuple(examples), {}
    raise ImportFailed("The example inputs must be a tensor, a tuple of arguments, or a dict of arguments by name.")


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[nn.Module]:
    """The module in evaluation mode, in full precision and on the CPU: a copy if it is not."""
    tensors = [*module.parameters(), *module.buffers()]
    if any(t.device.type != "cpu" or (t.is_floating_point() and t.dtype != torch.float32) for t in tensors):
        module = copy.deepcopy(module).cpu().float()
    modes = {m: m.training for m in module.modules()}
    module.eval()
    try:
        yield module
    finally:
        for m, training in modes.items():
            m.training = training


def _catalogue() -> Registry:
    from deepgui.catalog.builtin import registry

    return registry()


def draw_module(
    module: nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    name: str,
    *,
    original: nn.Module | None = None,
    chosen: Chosen | None = None,
) -> Imported:
    """:func:`import_module` for a module that is in evaluation mode, with arguments as ``forward`` takes them.

    Args:
        original: what the answers are compared with, if not the module itself.
        chosen: given if what has no place in a drawing may be a layer in Python.
    """
    registry = _catalogue()
    layers = Layers(registry)
    if chosen is not None:
        chosen.tell(layers)
    recording = _recorded(module, args, kwargs, layers)
    draft, notes = draw(recording, module, layers, registry, name, chosen.ways if chosen else None)
    notes = [*recording.notes, *notes]
    flat = Grouped(draft.network(), dict(draft.code), draft.weights)
    report = check(flat.network, with_blocks(registry, flat.blocks))
    if not any(n.severity == "error" for n in notes):
        notes += [Note("error", "check", p.node, p.message.rstrip(".")) for p in report.errors]
    said = ImportReport("recorded", len(flat.network.nodes), report.parameters, notes=tuple(notes))
    if said.errors:
        return Imported(finished(flat, name, registry), {}, said)
    project, made, state = _in_blocks(grouped(draft, _classes(module, layers)), flat, name, registry)
    return Imported(project, state, replace(said, **compare(original or module, made, args, kwargs)))


def _classes(module: nn.Module, layers: Layers) -> Callable[[str], str]:
    """The class of the submodule at a path; empty for layers of the catalogue."""
    known = dict(module.named_modules())

    def class_of(path: str) -> str:
        found = known.get(path)
        return "" if found is None or layers(found) is not None else type(found).__name__

    return class_of


def _in_blocks(
    drawn: Grouped, flat: Grouped, name: str, registry: Registry
) -> tuple[Project, nn.Module, dict[str, Tensor]]:
    """The project with its blocks; without, if a block is something that blocks cannot be."""
    project = finished(drawn, name, registry)
    try:
        return project, *compiled(drawn, project, registry)
    except (NetworkError, RuntimeError):
        project = finished(flat, name, registry)
        return project, *compiled(flat, project, registry)


def _recorded(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], layers: Layers) -> Recording:
    """The module's calls, recorded at two batch sizes and laid side by side."""
    if not any(True for _ in named_inputs(module, args, kwargs)):
        raise ImportFailed("The example inputs hold no tensor.")
    found = []
    for size in BATCHES:
        resized, named = _with_batch((args, kwargs), size)
        try:
            found.append(record(module, resized, named, lambda m: layers(m) is not None))
        except ImportFailed:
            raise
        except Exception as error:  # whatever the module raises
            line = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise ImportFailed(
                f"{type(module).__name__} fails on a batch of {size} examples: {line.rstrip('.')}."
            ) from error
    return align(found[0], found[1], BATCHES)


def _with_batch(value: Any, size: int) -> Any:
    """The same arguments with another number of examples: repeated, or fewer of them."""
    if isinstance(value, Tensor):
        if not value.dim() or not len(value):
            return value
        return value.repeat(-(-size // len(value)), *(1,) * (value.dim() - 1))[:size].clone()
    if isinstance(value, dict):
        return {key: _with_batch(item, size) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(_with_batch(item, size) for item in value)
    return value
