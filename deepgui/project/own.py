"""Layers of one's own in a project: those kept in it, and those of a Python file beside it. Runs none of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from deepgui.catalog.own.declared import LARGEST, OwnError, layer_names
from deepgui.graph.blocks import uses
from deepgui.graph.values import Block, Code, Network
from deepgui.project import trust
from deepgui.project.atomic import reason
from deepgui.project.values import Project, with_block

_log = logging.getLogger(__name__)


def layers(project: Project) -> Mapping[str, Code]:
    """The layers written in Python, by kind."""
    return {name: block.code for name, block in project.blocks.items() if block.code is not None}


def untrusted(project: Project) -> tuple[str, ...]:
    """The kinds that are in use and whose code may not run yet."""
    used = _used(project.networks.values(), project.blocks)
    return tuple(name for name, code in layers(project).items() if name in used and not trust.trusted(code.source))


def trust_all(project: Project) -> None:
    """Let all layers of a project run, now and later. Raises OSError if that cannot be remembered."""
    for source in dict.fromkeys(code.source for code in layers(project).values()):
        trust.trust(source)


def with_layer(project: Project, kind: str, source: str, layer: str = "") -> Project:
    """The project with a layer written in Python, in it, new or in place of the one of that kind."""
    return with_block(project, kind, Block(Network(kind), code=Code(source, layer or kind)))


def renamed(project: Project, old: str, new: str) -> Project:
    """The project with the nodes of one kind made nodes of another, and the old kind gone."""
    from deepgui.project.blocks import with_kinds

    networks = {key: with_kinds(network, {old: new}) for key, network in project.networks.items()}
    blocks = {
        name: replace(block, network=with_kinds(block.network, {old: new}))
        for name, block in project.blocks.items()
        if name != old
    }
    return replace(project, networks=networks, blocks=blocks)


# --- the file beside the project -------------------------------------------------------------------------


def file_beside(project: Path) -> Path:
    """Where layers for a project can be written in a file: ``digits_layers.py`` beside ``digits.deepgui``."""
    return project.with_name(f"{project.stem}_layers.py")


def read_beside(project: Path) -> tuple[str | None, str]:
    """The source of the file beside a project (None without one), or what is wrong with it in one sentence."""
    path = file_beside(project)
    try:
        if not path.is_file():
            return None, ""
        if path.stat().st_size > 4 * LARGEST:
            return None, f"{path.name} is too large for a file of layers."
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n"), ""
    except UnicodeDecodeError:
        return None, f"{path.name} is not text in UTF-8, so its layers were not read."
    except (OSError, ValueError) as error:
        return None, f"{path.name} cannot be read: {reason(error)}."


def refreshed(project: Project, path: Path) -> tuple[Project, str]:
    """The project with the layers of the file beside it as they are now, and what is wrong with that file.

    A project keeps a copy of these layers, so that it works where the file is missing or broken, and so that a run
    has them as they were. A layer that is gone from the file stays as long as it is used.
    """
    source, complaint = read_beside(path)
    if source is None:
        return project, complaint
    name = file_beside(path).name
    try:
        found = layer_names(source)
    except OwnError as error:
        return project, f"{name}: {error}."
    foreign = [kind for kind in found if kind in project.blocks and not _is_of(project.blocks[kind], name)]
    if foreign:
        complaint = f"{name}: the project already has a block called {foreign[0]}; call the class otherwise."
    wanted = {kind: Code(source, kind, name) for kind in found if kind not in foreign}
    return _with(project, wanted, name), complaint


def _is_of(block: Block, file: str) -> bool:
    return block.code is not None and block.code.file == file


def _with(project: Project, wanted: Mapping[str, Code], file: str) -> Project:
    used = _used(project.networks.values(), project.blocks)
    kept = {
        kind: block
        for kind, block in project.blocks.items()
        if not _is_of(block, file) or kind in wanted or kind in used
    }
    fresh = {kind: Block(Network(kind), code=code) for kind, code in wanted.items()}
    changed = {kind: kept[kind] if kept.get(kind) == block else block for kind, block in fresh.items()}
    blocks = {**kept, **changed}
    same = blocks.keys() == project.blocks.keys() and all(blocks[k] is project.blocks[k] for k in blocks)
    return project if same else replace(project, blocks=blocks)


def _used(networks: Iterable[Network], blocks: Mapping[str, Block]) -> frozenset[str]:
    return frozenset().union(*(uses(network, blocks) for network in networks))


def opened(project: Project, path: Path) -> Project:
    """:func:`refreshed` for a project that is being opened; what is wrong with the file is logged."""
    project, complaint = refreshed(project, path)
    if complaint:
        _log.warning("%s", complaint)
    return project
