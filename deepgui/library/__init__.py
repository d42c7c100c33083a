"""Blocks and templates of published architectures, all of them drawings.

``blocks()`` and ``with_block()`` read the files in ``resources/blocks``, without torch; the modules beside this
one draw these files (``python -m deepgui.library`` writes them), and :mod:`deepgui.library.templates` draws whole
networks with them.
"""

from __future__ import annotations

from deepgui.library.shelf import block, blocks, with_block
from deepgui.library.templates import Template, template, templates

__all__ = ["Template", "block", "blocks", "template", "templates", "with_block"]
