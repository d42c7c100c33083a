"""What an objective shows of what has been learnt: frozen values with numpy arrays, made between two steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Preview:
    """``note``: one sentence on what is seen, for people."""

    note: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class Images(Preview):
    """A grid of pictures.

    Attributes:
        images: N×C×H×W in 0..1, row by row.
        columns: pictures in a row.
        rows: titles of the rows (``input``, ``reconstruction``); empty if they have none.
        captions: one for each picture, or none.
    """

    images: Floats
    columns: int = 8
    rows: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Texts(Preview):
    """Pairs of what was given (a prompt, a source sentence) and what came of it; ``truths`` where there are any."""

    items: tuple[tuple[str, str], ...] = ()
    truths: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Scatter(Preview):
    """Points N×2 with a class each (-1 for none)."""

    points: Floats
    labels: Ints
    classes: tuple[str, ...] = ()
    axes: tuple[str, str] = ("", "")


@dataclass(frozen=True, eq=False, kw_only=True)
class Matrix(Preview):
    """Values R×C with the names of rows and columns (attention of one text to another)."""

    values: Floats
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    axes: tuple[str, str] = ("", "")


@dataclass(frozen=True, eq=False, kw_only=True)
class Lines(Preview):
    """Curves over a common axis: name → (x, y)."""

    lines: Mapping[str, tuple[Floats, Floats]]
    axes: tuple[str, str] = ("", "")


@dataclass(frozen=True, eq=False, kw_only=True)
class Masks(Preview):
    """Pictures N×C×H×W in 0..1, and the class of each pixel as said and as true, N×H×W."""

    images: Floats
    said: Ints
    true: Ints
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Boxes(Preview):
    """Pictures N×C×H×W in 0..1, and for each its boxes as said and as true.

    A row is class, centre x, centre y, width, height as shares of the picture, and how sure it is.
    """

    images: Floats
    said: tuple[Floats, ...] = ()
    true: tuple[Floats, ...] = ()
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class GraphDrawing(Preview):
    """A graph: places of nodes n×2, edges 2×E, and the class of every node as said and as true (-1 if unknown)."""

    places: Floats
    edges: Ints
    said: Ints
    true: Ints
    classes: tuple[str, ...] = ()
