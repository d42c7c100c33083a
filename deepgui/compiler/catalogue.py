"""The catalogue as one project sees it: all layers, and its own blocks."""

from __future__ import annotations

from collections.abc import Mapping

from deepgui.catalog.builtin import registry
from deepgui.catalog.spec import Registry
from deepgui.graph.blocks import with_blocks
from deepgui.graph.values import Block


def catalogue(blocks: Mapping[str, Block]) -> Registry:
    """All layer kinds, with the blocks of a project (``project.blocks``)."""
    return with_blocks(registry(), blocks)
