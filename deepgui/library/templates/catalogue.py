"""What a template is, and how the modules beside this one offer theirs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec

from deepgui.paths import samples
from deepgui.project.file import SUFFIX
from deepgui.project.values import Project

P = ParamSpec("P")


@dataclass(frozen=True)
class Template:
    """A published architecture that can be drawn.

    Attributes:
        name: as in the paper, such as ``ResNet-50``.
        summary: one sentence with the paper's authors and year.
        parameters: how many the published network has, of all networks of the project together.
        draw: makes the project. Its arguments (image size, classes, depth, ...) have the published values as defaults.
        placed: whether the drawing says itself where its nodes stand.
    """

    name: str
    summary: str
    parameters: int
    draw: Callable[..., Project]
    placed: bool = False

    @property
    def path(self) -> Path:
        """The file that holds it as published."""
        return samples() / "templates" / f"{re.sub('[^a-z0-9]+', '_', self.name.lower())}{SUFFIX}"


TEMPLATES: dict[str, Template] = {}


def published(
    name: str, parameters: int, summary: str, *, placed: bool = False
) -> Callable[[Callable[P, Project]], Callable[P, Project]]:
    """Decorates a function that draws a published architecture, which is offered from then on."""

    def offer(draw: Callable[P, Project]) -> Callable[P, Project]:
        TEMPLATES[name] = Template(name, summary, parameters, draw, placed)
        return draw

    return offer
