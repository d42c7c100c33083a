"""Generated pictures of circles, squares and triangles, with the class of every pixel and boxes around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.data.progress import Progress, tell
from deepgui.data.table import TensorTable

SHAPES = ("circle", "square", "triangle")
PARAMS = (
    ParamSpec("n", "int", 600, minimum=10, doc="Number of pictures."),
    ParamSpec("size", "int", 32, minimum=16, doc="Height and width in pixels."),
    ParamSpec("objects", "int", 3, minimum=1, doc="Most shapes in a picture; each has at least one."),
    ParamSpec("noise", "float", 0.05, minimum=0.0, doc="Deviation of the noise on every pixel; colours are 0 to 1."),
    ParamSpec(
        "task",
        "choice",
        "segmentation",
        choices=("segmentation", "detection", "both"),
        doc="What there is to learn: the class of every pixel, a box around every shape, or both.",
    ),
    ParamSpec("seed", "int", 0, minimum=0, doc="Of the random numbers; the same seed gives the same pictures."),
)
_TRIES = 30
_LARGEST_SIZE = 512

Mask = NDArray[np.bool_]


class _Object(NamedTuple):
    """A shape at (x, y) within a circle of this radius, in pixels, turned by an angle."""

    kind: int
    x: float
    y: float
    radius: float
    angle: float


def shapes(options: Mapping[str, Value]) -> TensorTable:
    """Pictures with ``image`` (3, H, W), and ``classmap`` (H, W) or ``boxes`` (objects, 5) or both by the task."""
    n, size, most = (int(str(options[name])) for name in ("n", "size", "objects"))
    if size > _LARGEST_SIZE:
        raise DataError(f"size must be at most {_LARGEST_SIZE}, not {size}")
    random = np.random.default_rng(int(str(options["seed"])))
    images = np.empty((n, 3, size, size), dtype=np.uint8)
    maps = np.zeros((n, size, size), dtype=np.int64)
    boxes = np.zeros((n, most, 5), dtype=np.float32)
    boxes[:, :, 0] = -1
    for row in range(n):
        _draw(images[row], maps[row], boxes[row], random, float(str(options["noise"])))
        if row % 100 == 0:
            tell(Progress(row, n, "pictures drawn"))
    fields = {
        "image": Field("image", "image", (3, size, size)),
        "classmap": Field("classmap", "classmap", (size, size), "int64", ("background", *SHAPES)),
        "boxes": Field("boxes", "boxes", (most, 5), classes=SHAPES),
    }
    tensors = {"image": images, "classmap": maps, "boxes": boxes}
    wanted = {"segmentation": ("classmap",), "detection": ("boxes",), "both": ("classmap", "boxes")}
    names = ("image", *wanted[str(options["task"])])
    held = {name: torch.from_numpy(tensors[name]) for name in names}
    return TensorTable(tuple(fields[name] for name in names), names[1], held)


def _draw(
    image: NDArray[np.uint8],
    classmap: NDArray[np.int64],
    boxes: NDArray[np.float32],
    random: np.random.Generator,
    noise: float,
) -> None:
    """Fill in one picture."""
    size = len(classmap)
    ground = random.uniform(0, 1, 3)
    picture = np.broadcast_to(ground[:, None, None], image.shape).copy()
    for place, item in enumerate(_placed(size, int(random.integers(1, len(boxes) + 1)), random)):
        mask = _mask(item, size)
        color = random.uniform(0, 1, 3)
        while np.abs(color - ground).max() < 0.4:  # what cannot be seen cannot be learnt
            color = random.uniform(0, 1, 3)
        picture[:, mask] = color[:, None]
        classmap[mask] = item.kind + 1
        boxes[place] = (item.kind, *_box(mask))
    picture += random.normal(0, noise, picture.shape)
    image[:] = (picture.clip(0, 1) * 255).round()


def _placed(size: int, count: int, random: np.random.Generator) -> list[_Object]:
    """Up to ``count`` shapes that do not touch each other."""
    found: list[_Object] = []
    for _ in range(_TRIES):
        radius = random.uniform(0.15, 0.3) * size
        x, y = random.uniform(radius, size - radius, 2)
        item = _Object(int(random.integers(len(SHAPES))), x, y, radius, random.uniform(0, 2 * np.pi))
        if all(np.hypot(x - o.x, y - o.y) > radius + o.radius + 1 for o in found):
            found.append(item)
        if len(found) == count:
            break
    return found


def _mask(item: _Object, size: int) -> Mask:
    """The pixels whose middle lies in the shape."""
    y, x = np.mgrid[:size, :size] + 0.5
    x, y = x - item.x, y - item.y
    if SHAPES[item.kind] == "circle":
        inside: Mask = np.hypot(x, y) <= item.radius
        return inside
    sides = 4 if SHAPES[item.kind] == "square" else 3
    angles = item.angle + 2 * np.pi * np.arange(sides) / sides
    depth = item.radius * np.cos(np.pi / sides)  # from the middle to a side
    inside = np.all([x * np.cos(a) + y * np.sin(a) <= depth for a in angles], axis=0)
    return inside


def _box(mask: Mask) -> tuple[float, float, float, float]:
    """Centre x, centre y, width and height of the pixels, as shares of the picture."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    size = len(mask)
    return (left + right) / 2 / size, (top + bottom) / 2 / size, (right - left) / size, (bottom - top) / size
