"""Published architectures, drawn when they are asked for."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from deepgui.library.templates import convolutional, generative, transformers  # noqa: F401  they offer theirs
from deepgui.library.templates.catalogue import TEMPLATES, Template
from deepgui.project.values import Project

__all__ = ["Template", "template", "templates"]


def templates() -> Mapping[str, Template]:
    """All templates by name. Nothing is drawn, and torch is not needed."""
    return MappingProxyType(TEMPLATES)


def template(name: str, **sizes: Any) -> Project:
    """Draw a published architecture.

    Args:
        name: such as ``ResNet-50``; case, hyphens and blanks do not matter.
        sizes: other sizes than the published ones, such as ``image=64`` or ``classes=10``.

    Raises:
        KeyError: there is no template of that name; the message suggests one.
        TypeError: the template has no such size.
    """
    from deepgui.library.arrange import arranged  # not above: listing the templates must not import networkx

    known = {_plain(key): found for key, found in TEMPLATES.items()}
    found = known.get(_plain(name))
    if found is None:
        near = difflib.get_close_matches(_plain(name), known, n=1)
        hint = f"did you mean {known[near[0]].name}?" if near else f"there are {', '.join(TEMPLATES)}."
        raise KeyError(f"there is no template {name!r}; {hint}")
    notes = f"{found.summary}\n{found.parameters:,} parameters as published."
    return replace(arranged(found.draw(**sizes), networks=not found.placed), notes=notes)


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())
