"""What can be placed: the layers of the catalogue, the blocks of the project, and those of the library."""

from __future__ import annotations

from collections.abc import Mapping

from deepgui import library
from deepgui.catalog.spec import Registry
from deepgui.graph import blocks
from deepgui.graph.values import Block
from deepgui.project.blocks import bring
from deepgui.project.values import Project
from deepgui.qt.session import Session

_latest: list[tuple[Mapping[str, Block], Mapping[str, Block]]] = []


def catalogue(session: Session) -> Registry:
    """The layers that every project has: no block can be called like one."""
    registry = session.registry
    return registry.base if isinstance(registry, blocks.BlockRegistry) else registry


def offered(session: Session) -> Registry:
    """All that can be placed in the drawing in view. A block of the project hides one of the library's.

    The library is there as soon as PyTorch is: reading its files takes a moment, which the loader has.
    """
    return blocks.with_blocks(catalogue(session), _shelf(session.project.blocks)) if session.ready else session.registry


def _shelf(own: Mapping[str, Block]) -> Mapping[str, Block]:
    """The library with a project's own blocks; the same object for the same blocks, as registries are kept by it."""
    if not _latest or _latest[0][0] is not own:
        _latest[:] = [(own, {**library.blocks(), **own})]
    return _latest[0][1]


def fetched(session: Session, project: Project, kind: str) -> tuple[Project, str]:
    """The project with a block of the library, if ``kind`` is one that it lacks, and the kind to place."""
    if kind in project.blocks or kind in catalogue(session) or kind not in library.blocks():
        return project, kind
    project, names = bring(project, blocks.needed([kind], library.blocks()), catalogue(session))
    return project, names[kind]


def refusal(session: Session, kind: str) -> str:
    """Why a block cannot be placed in the drawing in view, in one sentence; empty if it can."""
    known = session.project.blocks
    for level in session.levels[-1:]:
        if kind == level.block or (kind in known and level.block in blocks.uses(known[kind].network, known)):
            inside = "itself" if kind == level.block else f"{kind}, which contains it"
            return f"{level.block} cannot contain {inside}: it would never end."
    return ""
