"""Data that comes with scikit-learn or is generated: always there, no download."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.errors import DataError
from deepgui.data.fields import Field, label_field, number_field
from deepgui.data.table import TensorTable

N = ParamSpec("n", "int", 1000, minimum=10, doc="Number of points.")
NOISE = ParamSpec("noise", "float", 0.2, minimum=0.0, doc="Standard deviation of the noise added to every point.")
SEED = ParamSpec("seed", "int", 0, minimum=0, doc="Of the random numbers; the same seed gives the same points.")
CLASSES = ParamSpec("classes", "int", 3, minimum=2, doc="Number of classes.")

DIGITS_PARAMS = (
    ParamSpec("flat", "bool", False, doc="Give 64 numbers in a row instead of a 1×8×8 image."),
    ParamSpec("only", "str", "", doc="Only these digits, such as 01234; empty for all."),
)
MOONS_PARAMS = (N, NOISE, SEED)
CIRCLES_PARAMS = (
    N,
    ParamSpec("noise", "float", 0.1, minimum=0.0, doc=NOISE.doc),
    ParamSpec("factor", "float", 0.5, minimum=0.0, doc="Radius of the inner circle; the outer one has 1."),
    SEED,
)
BLOBS_PARAMS = (N, CLASSES, ParamSpec("noise", "float", 1.0, minimum=0.0, doc="Deviation of each blob."), SEED)
SPIRALS_PARAMS = (
    N,
    ParamSpec("classes", "int", 2, minimum=2, doc="Number of arms, one a class."),
    ParamSpec("noise", "float", 0.02, minimum=0.0, doc=NOISE.doc),
    ParamSpec("turns", "float", 1.5, minimum=0.1, doc="How often an arm winds around the centre."),
    SEED,
)


def digits(options: Mapping[str, Value]) -> TensorTable:
    """1,797 handwritten digits of 8×8 pixels, values 0..1."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = torch.from_numpy((bunch.images / 16).astype(np.float32)).unsqueeze(1)
    target = torch.from_numpy(bunch.target.astype(np.int64))
    names = tuple(str(c) for c in bunch.target_names)
    if only := sorted(set(str(options["only"]))):
        images, target, names = _of_classes(images, target, names, only)
    if options["flat"]:
        values, field = images.flatten(1), Field("pixels", "vector", (64,), columns=tuple(bunch.feature_names))
    else:
        values, field = images, Field("image", "image", (1, 8, 8))
    label = label_field("label", names)
    return TensorTable((field, label), "label", {field.name: values, "label": target})


def _of_classes(
    values: Tensor, target: Tensor, names: tuple[str, ...], only: list[str]
) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    """The examples of some classes, counted anew. Raises DataError for a class that is not there."""
    strange = [name for name in only if name not in names]
    if strange or len(only) < 2:
        raise DataError(f"only must name two or more digits, such as 01234, not {''.join(only)}")
    wanted = torch.tensor([names.index(name) for name in only])
    kept = torch.isin(target, wanted)
    return values[kept], torch.searchsorted(wanted, target[kept]), tuple(only)


def iris(options: Mapping[str, Value]) -> TensorTable:
    """150 irises of three species, four measures in centimetres."""
    from sklearn.datasets import load_iris

    return _classes(load_iris(), "species")


def wine(options: Mapping[str, Value]) -> TensorTable:
    """178 wines of three cultivars, 13 chemical measures."""
    from sklearn.datasets import load_wine

    return _classes(load_wine(), "cultivar")


def breast_cancer(options: Mapping[str, Value]) -> TensorTable:
    """569 biopsies, malignant or benign, 30 measures of cell nuclei."""
    from sklearn.datasets import load_breast_cancer

    return _classes(load_breast_cancer(), "diagnosis")


def diabetes(options: Mapping[str, Value]) -> TensorTable:
    """442 patients, 10 measures (scaled by the source), progression after one year."""
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes()
    fields = (_features(bunch), number_field("progression"))
    target = torch.from_numpy(bunch.target.astype(np.float32)).unsqueeze(1)
    return TensorTable(fields, "progression", {"features": _float(bunch.data), "progression": target})


def moons(options: Mapping[str, Value]) -> TensorTable:
    """Two half circles that interlock."""
    from sklearn.datasets import make_moons

    return _points(*make_moons(options["n"], noise=options["noise"], random_state=_seed(options)))


def circles(options: Mapping[str, Value]) -> TensorTable:
    """A circle within a circle."""
    from sklearn.datasets import make_circles

    factor = float(options["factor"])  # type: ignore[arg-type]
    if factor >= 1:
        raise DataError(f"factor must be less than 1, not {factor:g}")
    return _points(*make_circles(options["n"], noise=options["noise"], factor=factor, random_state=_seed(options)))


def blobs(options: Mapping[str, Value]) -> TensorTable:
    """Round clouds of points."""
    from sklearn.datasets import make_blobs

    made = make_blobs(
        options["n"], centers=options["classes"], cluster_std=options["noise"], random_state=_seed(options)
    )
    return _points(made[0], made[1])


def spirals(options: Mapping[str, Value]) -> TensorTable:
    """Arms that wind around each other from the centre outwards, within the unit circle."""
    n, arms = int(options["n"]), int(options["classes"])  # type: ignore[arg-type]
    random = np.random.default_rng(int(options["seed"]))  # type: ignore[arg-type]
    arm = np.arange(n) % arms
    radius = np.sqrt(random.uniform(0.01, 1, n))  # even density along the arm
    angle = 2 * np.pi * (float(options["turns"]) * radius + arm / arms)  # type: ignore[arg-type]
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points += random.normal(0, float(options["noise"]), points.shape)  # type: ignore[arg-type]
    return _points(points, arm)


def _seed(options: Mapping[str, Value]) -> int:
    """A seed that scikit-learn takes. Raises DataError."""
    seed = int(options["seed"])  # type: ignore[arg-type]
    if seed >= 2**32:
        raise DataError(f"seed must be less than {2**32:,}, not {seed}")
    return seed


def _features(bunch: Any) -> Field:
    names = tuple(str(name) for name in bunch.feature_names)
    return Field("features", "vector", (len(names),), columns=names)


def _classes(bunch: Any, target: str) -> TensorTable:
    fields = (_features(bunch), label_field(target, tuple(str(name) for name in bunch.target_names)))
    tensors = {"features": _float(bunch.data), target: torch.from_numpy(bunch.target.astype(np.int64))}
    return TensorTable(fields, target, tensors)


def _points(points: NDArray[np.float64], labels: NDArray[np.int64]) -> TensorTable:
    classes = tuple(str(c) for c in range(int(labels.max()) + 1))
    fields = (Field("point", "vector", (2,), columns=("x", "y")), label_field("label", classes))
    tensors = {"point": _float(points), "label": torch.from_numpy(labels.astype(np.int64))}
    return TensorTable(fields, "label", tensors)


def _float(values: NDArray[np.float64]) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32))
