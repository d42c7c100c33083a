"""Writes the files of the library: ``python -m deepgui.library``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepgui.builder import Network
from deepgui.library import attention, convolution, diffusion, generative, positions, recurrent, unet
from deepgui.library.arrange import arranged
from deepgui.library.drawing import LIBRARY
from deepgui.library.templates import template, templates
from deepgui.paths import resources
from deepgui.project import file
from deepgui.project.values import Project

SCRIPTS = (convolution, unet, attention, positions, recurrent, generative, diffusion)
"""What draws the blocks: importing a module fills :data:`~deepgui.library.drawing.LIBRARY`."""


def shown(name: str) -> Project:
    """A project that shows a block in use: its inputs, the block, its outputs."""
    block = LIBRARY[name]()
    net = Network("example")
    inputs = []
    for node in block.network().of_kind("Input"):
        shape: dict[str, Any] = dict(node.params)
        inputs.append(net.add("Input", name=node.name or "x", **shape))
    used = net.add(block, *inputs, name="block")
    for port in net.outputs_of(used.node):
        net.add("Output", used[port], name="result")
    return arranged(net.project(name, notes=block.summary))


def files() -> dict[Path, Project]:
    """What is written, by place."""
    blocks = {resources() / "blocks" / f"{name}{file.SUFFIX}": shown(name) for name in LIBRARY}
    return blocks | {found.path: template(name) for name, found in templates().items()}


def write(projects: Mapping[Path, Project]) -> None:
    """Write the files, and remove others of the kind from their folders."""
    for folder in {path.parent for path in projects}:
        folder.mkdir(parents=True, exist_ok=True)
        for path in set(folder.glob(f"*{file.SUFFIX}")) - projects.keys():
            path.unlink()
    for path, project in projects.items():
        path.write_text(file.to_text(project), encoding="utf-8")


if __name__ == "__main__":
    write(files())
