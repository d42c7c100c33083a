"""Checking drawings for the window, once torch is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepgui.catalog.spec import Registry
from deepgui.graph.blocks import Env, with_blocks
from deepgui.project.values import Project

if TYPE_CHECKING:
    from deepgui.compiler.report import Inside, Report


class Checking:
    """Checks drawings against the catalogue that has been loaded."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def network(self, project: Project, key: str) -> Report:
        from deepgui.compiler.report import check

        return check(project.networks.get(key) or project.main, with_blocks(self._registry, project.blocks))

    def block(self, project: Project, whole: Report | None, name: str, path: str) -> Inside:
        from deepgui.compiler.report import at, check_block

        inside = at(whole, path) if whole is not None and path else None
        if inside is not None:
            return inside
        block, registry = project.blocks[name], with_blocks(self._registry, project.blocks)
        return check_block(block, Env.of(registry[name], {}).values, {}, registry)
