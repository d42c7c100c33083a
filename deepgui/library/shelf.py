"""The blocks of the library as they lie in ``resources/blocks``: one project file each, which shows it in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from deepgui.graph.blocks import needed
from deepgui.graph.values import Block
from deepgui.paths import resources
from deepgui.project import file
from deepgui.project.values import Project


@cache
def blocks() -> Mapping[str, Block]:
    """All blocks of the library by name, ordered by name. Reads files only: torch is not needed."""
    found: dict[str, Block] = {}
    for path in sorted((resources() / "blocks").glob(f"*{file.SUFFIX}")):
        found[path.stem] = file.read(path).blocks[path.stem]
    return MappingProxyType(found)


def block(name: str) -> Block:
    """A block of the library. Raises KeyError if there is none of that name."""
    return blocks()[name]


def with_block(project: Project, name: str) -> Project:
    """The project with a block of the library and those inside it; blocks that it has already stay as they are.

    Raises:
        KeyError: the library has no such block.
        ValueError: the project has another block of the same name, in one plain sentence.
    """
    if name not in blocks():
        raise KeyError(name)
    wanted = needed([name], blocks())
    for key, value in wanted.items():
        if project.blocks.get(key, value) != value:
            raise ValueError(f"The project has another block called {key}: rename it first.")
    added = {key: value for key, value in wanted.items() if key not in project.blocks}
    return replace(project, blocks={**project.blocks, **added}) if added else project
