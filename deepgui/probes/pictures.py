"""What a probe gives: frozen values with numpy arrays, safe to hand from thread to thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
View = Literal["maps", "vector", "boundary", "confusion", "image", "histogram", "prediction", "preview"]


@dataclass(frozen=True)
class Watch:
    """What somebody looks at.

    Attributes:
        node: id of the node; empty means what the whole network returns.
        port: name of the node's output.
        view: how to look. ``maps`` and ``vector`` give whichever of the two suits the tensor's shape;
            ``image`` is the same in the units of the data, for nodes that show an input;
            ``boundary`` evaluates the node on a grid over a two-dimensional input;
            ``confusion`` and ``prediction`` concern the network's answer and take no node.
            ``preview`` is what the objective itself shows; ``node`` is then the id of that preview.
    """

    node: str = ""
    port: str = "output"
    view: View = "maps"


@dataclass(frozen=True, eq=False)
class Picture:
    """``step`` is the optimiser step whose weights it shows; pictures compare by identity."""

    step: int


@dataclass(frozen=True, eq=False)
class Shown(Picture):
    """What an objective shows of what has been learnt: a value of its own kind."""

    preview: object


@dataclass(frozen=True, eq=False)
class FeatureMaps(Picture):
    """One example's activations as images.

    Attributes:
        maps: float32, C×H×W; at most :data:`MAX_MAPS` channels are kept.
        channels: how many channels the tensor has.
        shape: of the tensor without the batch.
        low, high: smallest and largest finite value in ``maps``.
        colors: True if ``maps`` is a picture in itself (1 or 3 channels of an input image).
    """

    maps: Floats
    channels: int
    shape: tuple[int, ...]
    low: float
    high: float
    colors: bool = False


@dataclass(frozen=True, eq=False)
class Vector(Picture):
    """One example's activations as numbers: ``values`` is float32 of length n, at most :data:`MAX_VALUES` kept."""

    values: Floats
    length: int
    shape: tuple[int, ...]
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Histogram(Picture):
    """Counts of the activations of the probe batch: ``counts`` of length n between ``edges`` of length n + 1."""

    counts: Ints
    edges: Floats
    mean: float
    std: float
    zeros: float


@dataclass(frozen=True, eq=False)
class Prediction(Picture):
    """What the network says about the chosen example of the validation split.

    Attributes:
        index, total: which example of how many.
        truth: the label's class name, or the number, as text.
        answer: the predicted class name or number, as text.
        probability: of the answer; None for regression.
        scores: float32, one probability a class, or the predicted numbers.
        classes: names, one a score; empty for regression.
        correct: None for regression.
    """

    index: int
    total: int
    truth: str
    answer: str
    probability: float | None
    scores: Floats
    classes: tuple[str, ...] = ()
    correct: bool | None = None


@dataclass(frozen=True, eq=False)
class Boundary(Picture):
    """A function of two inputs, on a grid.

    Attributes:
        values: float32, K×G×G; row 0 is the smallest y. Class probabilities, predicted numbers, or one
            map a neuron, by ``kind``.
        extent: x low, x high, y low, y high, in the units of the data.
        points: float32, P×2, in the units of the data.
        labels: class indices or target numbers, float32, P.
        held_out: bool, P: the point belongs to the validation split.
        axes: names of the two coordinates.
    """

    values: Floats
    kind: Literal["classes", "number", "neurons"]
    extent: tuple[float, float, float, float]
    points: Floats
    labels: Floats
    held_out: NDArray[np.bool_]
    classes: tuple[str, ...] = ()
    axes: tuple[str, str] = ("x", "y")


@dataclass(frozen=True, eq=False)
class Confusion(Picture):
    """``matrix``: int64, true class × predicted class, over ``examples`` of the ``total`` of the validation split."""

    matrix: Ints
    classes: tuple[str, ...]
    examples: int
    total: int

    @property
    def accuracy(self) -> float:
        """Share of right answers, in [0, 1]; 0 if there are no examples."""
        return float(np.trace(self.matrix)) / max(1, int(self.matrix.sum()))

    @property
    def recall(self) -> NDArray[np.float64]:
        """Share of right answers per true class; NaN for a class without examples."""
        total = self.matrix.sum(axis=1)
        shares: NDArray[np.float64] = np.full(len(total), np.nan)
        np.divide(np.diag(self.matrix), total, out=shares, where=total > 0)
        return shares


MAX_MAPS = 256
MAX_SIDE = 256
MAX_VALUES = 4096


def finite_range(values: NDArray[Any]) -> tuple[float, float]:
    """Smallest and largest finite value; (0, 0) if there is none."""
    if values.size:
        low, high = float(values.min()), float(values.max())
        if np.isfinite(low) and np.isfinite(high):
            return low, high
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def picture_of(values: NDArray[Any], step: int, *, image: bool = False) -> FeatureMaps | Vector:
    """The picture of one example's tensor, by its shape (without the batch).

    C×H×W gives maps; L×D one map; C×D×H×W the middle slice of each channel; anything less a vector.
    Large maps are thinned to :data:`MAX_SIDE` pixels a side.
    """
    shape = tuple(values.shape)
    values = np.asarray(values, np.float32)
    if values.ndim == 4:
        values = values[:, values.shape[1] // 2]
    while values.ndim > 3:
        values = values[0]
    if values.ndim == 2:
        values = values[None]
    if values.ndim < 2 or values.shape[1:] == (1, 1):
        flat = values.reshape(-1)
        kept = np.ascontiguousarray(flat[:MAX_VALUES])
        return Vector(step, kept, flat.size, shape, *finite_range(kept))
    stride = max(1, -(-max(values.shape[1:]) // MAX_SIDE))
    kept = np.ascontiguousarray(values[:MAX_MAPS, ::stride, ::stride])
    colors = image and len(shape) == 3 and shape[0] in (1, 3)
    return FeatureMaps(step, kept, values.shape[0], shape, *finite_range(kept), colors=colors)


def histogram_of(values: NDArray[Any], step: int, bins: int = 60) -> Histogram:
    """Counts of all finite values of a tensor."""
    flat = np.asarray(values, np.float32).reshape(-1)
    flat = flat[np.isfinite(flat)]
    counts, edges = np.histogram(flat, bins=bins)
    if not flat.size:
        return Histogram(step, counts, edges.astype(np.float32), 0.0, 0.0, 0.0)
    zeros = float((flat == 0).mean())
    return Histogram(step, counts, edges.astype(np.float32), float(flat.mean()), float(flat.std()), zeros)
