"""What a project says of the training of single layers: finding it by path, and changing it. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from deepgui.project.values import LayerTraining, Project, main_key

PLAIN = LayerTraining()
"""What counts for a layer of which nothing is said."""


def of_network(project: Project, key: str) -> dict[str, LayerTraining]:
    """What the project says of the layers of one of its networks, by their paths in it."""
    said = project.training.layers
    if key == main_key(project):
        return {path: own for path, own in said.items() if "/" not in path}
    return {path.removeprefix(f"{key}/"): own for path, own in said.items() if path.startswith(f"{key}/")}


def in_force(layers: Mapping[str, LayerTraining], path: str) -> LayerTraining:
    """What counts for the layer at a path: what is said of it and of the blocks that it is in.

    The nearest counts, but what is inside a frozen block is frozen. Rows may be named with the place or without.
    """
    frozen, lr, init = False, None, PLAIN
    for way in ways(path):
        if (own := layers.get(way)) is not None:
            frozen = frozen or own.frozen
            lr = own.lr if own.lr is not None else lr
            init = own if own.init else init
    return LayerTraining(frozen, lr, init.init, init.init_options)


def ways(path: str) -> Iterator[str]:
    """The names under which something can be said of a layer, the most general first."""
    parts = path.split(".")
    for end in range(1, len(parts) + 1):
        way = ".".join(parts[:end])
        yield from (way,) if parts[end - 1].isdecimal() else dict.fromkeys((placeless(way), way))


def placeless(path: str) -> str:
    """The path without places in rows: ``stage.conv`` for ``stage.2.conv``."""
    return ".".join(part for part in path.split(".") if not part.isdecimal())


def with_layers(
    project: Project, key: str, paths: Iterable[str], change: Callable[[LayerTraining], LayerTraining]
) -> Project:
    """The project with something else said of layers of one of its networks; what says nothing is left out."""
    prefix = "" if key == main_key(project) else f"{key}/"
    layers = dict(project.training.layers)
    for path in paths:
        own = change(layers.pop(prefix + path, PLAIN))
        if own != PLAIN:
            layers[prefix + path] = own
    if layers == project.training.layers:
        return project
    return replace(project, training=replace(project.training, layers=layers))
