"""Writes the sample projects: python samples/make_samples.py [NAME ...]. Drawn in ``drawn``, explained in ``notes``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from drawn import basics, generative, graphs, pictures, sequences, sound

import deepgui
from deepgui.project.values import Project

HERE = Path(__file__).resolve().parent
SAMPLES: dict[str, Callable[[], Project]] = {
    name: make
    for room in (basics, pictures, generative, sequences, graphs, sound)
    for name, make in room.SAMPLES.items()
}


def sample(name: str) -> Project:
    """A sample with what it tells people to look at. Raises KeyError for an unknown one."""
    return replace(SAMPLES[name](), notes=(HERE / "notes" / f"{name}.txt").read_text("utf-8").strip())


def main(names: list[str]) -> None:
    """Write the projects, and the pictures that the start page shows."""
    import draw_pictures  # the module beside this one

    for name in names or SAMPLES:
        project = sample(name)
        deepgui.save(project, HERE / f"{name}.deepgui")
        draw_pictures.draw(project, HERE / "pictures" / f"{name}.png")


if __name__ == "__main__":
    main(sys.argv[1:])
