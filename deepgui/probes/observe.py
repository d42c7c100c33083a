"""Looking at a module from outside: what it computes, without leaving a trace in it or in the random state."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, fx

from deepgui.compiler import interpret
from deepgui.probes.pictures import (
    Boundary,
    Confusion,
    FeatureMaps,
    Histogram,
    Picture,
    Prediction,
    Vector,
    Watch,
    histogram_of,
    picture_of,
)

if TYPE_CHECKING:
    from deepgui.data.dataset import Dataset, Split
    from deepgui.data.fields import Field

HISTOGRAM_EXAMPLES = 32
GRID_SIDES = (24, 32, 48, 64, 80, 112)
GRID_SECONDS = 0.02
MAX_POINTS = 800
MAX_NEURON_MAPS = 64
CONFUSION_EXAMPLES = 2000
CONFUSION_CHUNK = 250

Wire = tuple[str, str]


@contextmanager
def unseen(module: torch.nn.Module) -> Iterator[torch.device]:
    """Evaluate ``module`` without changing its modes, gradients, buffers or any random state.

    Yields the device its parameters are on. Each submodule gets back its own training flag.
    """
    device = next((p.device for p in module.parameters()), torch.device("cpu"))
    flags = [(m, m.training) for m in module.modules()]
    on_gpu = device.type not in ("cpu", "meta")
    kind = {"device_type": device.type} if on_gpu else {}
    index = torch.device(device).index
    with torch.random.fork_rng(devices=[index or 0] if on_gpu else [], **kind), torch.no_grad():
        module.eval()
        try:
            yield device
        finally:
            for part, training in flags:
                part.training = training


def wires_of(module: torch.nn.Module) -> frozenset[Wire]:
    """The (node id, port) pairs that the module's graph computes; empty if it is no fx module."""
    graph = getattr(module, "graph", None)
    if graph is None:
        return frozenset()
    return frozenset((n.meta["node"], n.meta.get("port", "output")) for n in graph.nodes if "node" in n.meta)


def answer_wire(module: torch.nn.Module) -> Wire | None:
    """The wire that the network returns; the first one if it returns several."""
    graph = getattr(module, "graph", None)
    if graph is None:
        return None
    last = next((n for n in graph.nodes if n.op == "output"), None)
    value: Any = last.args[0] if last is not None else None
    while isinstance(value, (tuple, list)) and value:
        value = value[0]
    if isinstance(value, fx.Node) and "node" in value.meta:
        return (value.meta["node"], value.meta.get("port", "output"))
    return None


def field_of(dataset: Dataset, name: str) -> Field:
    """The field of that name. Raises KeyError if there is none."""
    return {f.name: f for f in dataset.fields}[name]


def plane_field(dataset: Dataset) -> str:
    """The input field that is a point in the plane, or an empty string."""
    return next((n for n in dataset.inputs if tuple(field_of(dataset, n).shape) == (2,)), "")


def network_inputs(dataset: Dataset, split: Split, indices: Sequence[int], device: torch.device) -> list[Tensor]:
    """The examples as the network takes them: one tensor an input, normalised, on ``device``."""
    batch = split.get(torch.as_tensor(indices, dtype=torch.long))
    return [batch[name].to(device) for name in dataset.inputs]


def probabilities(answer: Tensor) -> Tensor:
    """Class probabilities N×K from what a classifier returns: logits, probabilities, or one logit for two classes."""
    answer = answer.float().reshape(answer.shape[0], -1)
    if answer.shape[1] == 1:
        positive = answer if bool(((answer >= 0) & (answer <= 1)).all()) else answer.sigmoid()
        return torch.cat([1 - positive, positive], dim=1)
    if bool((answer >= 0).all()) and bool(((answer.sum(dim=1) - 1).abs() < 1e-3).all()):
        return answer
    return answer.softmax(dim=1)


def _first(value: Any) -> Tensor:
    while isinstance(value, (tuple, list)):
        value = value[0]
    if not isinstance(value, Tensor):
        raise TypeError("the network returns no tensor")
    return value


def _array(value: Tensor) -> np.ndarray[Any, np.dtype[Any]]:
    value = value.detach()
    if value.dtype in (torch.bfloat16, torch.float16):
        value = value.float()
    return value.cpu().numpy()


def _one(value: Tensor, batch: int) -> Tensor:
    """The first example of a tensor computed for ``batch`` examples, wherever its batch dimension is."""
    at = next((d for d, size in enumerate(value.shape) if size == batch), None)
    return value if at is None else value.select(at, 0)


def look(
    module: torch.nn.Module, dataset: Dataset, watches: Collection[Watch], example: int, step: int
) -> dict[Watch, Picture]:
    """Pictures of wires on one example of the validation split (and of its neighbours for histograms).

    One pass computes all of them. Watches of wires that the module does not have are left out.
    """
    total = len(dataset.validation) or len(dataset.train)
    split = dataset.validation if len(dataset.validation) else dataset.train
    known, answer = wires_of(module), answer_wire(module)
    wanted = {w: (w.node, w.port) if w.node else answer for w in watches}
    wires = {wire for wire in wanted.values() if wire in known}
    if not wires or not total:
        return {}
    example %= total
    many = HISTOGRAM_EXAMPLES if any(w.view == "histogram" for w in watches) else 1
    indices = [example, *(i for i in range(min(many, total)) if i != example)][:many]
    with unseen(module) as device:
        found = interpret.capture(module, network_inputs(dataset, split, indices, device), wires)
    pictures: dict[Watch, Picture] = {}
    for watch, wire in wanted.items():
        if wire not in found:
            continue
        if watch.view == "histogram":
            pictures[watch] = histogram_of(_array(found[wire]), step)
        elif watch.view == "prediction":
            truth = split.get(torch.tensor([example]))[dataset.target.name][0]
            pictures[watch] = _prediction(dataset, found[wire], truth, example, total, step)
        else:
            pictures[watch] = _activation(dataset, watch, _one(found[wire], len(indices)), step)
    return pictures


def _activation(dataset: Dataset, watch: Watch, value: Tensor, step: int) -> FeatureMaps | Vector | Histogram:
    is_image = watch.view == "image"
    if is_image:
        name = next((n for n in dataset.inputs if tuple(field_of(dataset, n).shape) == tuple(value.shape)), "")
        if name:
            value = in_data_units(dataset, name, value[None])[0]
    return picture_of(_array(value), step, image=is_image)


def _prediction(dataset: Dataset, answer: Tensor, truth: Tensor, index: int, total: int, step: int) -> Prediction:
    classes = tuple(dataset.target.classes)
    if dataset.target.kind == "label":
        scores = _array(probabilities(answer)[0])
        best = int(scores.argmax())
        name = [classes[i] if i < len(classes) else str(i) for i in range(max(len(scores), int(truth) + 1))]
        return Prediction(
            step,
            index,
            total,
            name[int(truth)],
            name[best],
            float(scores[best]),
            scores,
            tuple(name),
            best == int(truth),
        )
    number = in_data_units(dataset, dataset.target.name, answer[:1].float().reshape(1, *truth.shape).cpu())[0]
    known = in_data_units(dataset, dataset.target.name, truth[None].cpu())[0]
    shown = [", ".join(f"{v:.4g}" for v in t.reshape(-1).tolist()[:3]) for t in (known, number)]
    return Prediction(step, index, total, shown[0], shown[1], None, _array(number.reshape(-1)).astype(np.float32))


def in_data_units(dataset: Dataset, name: str, value: Tensor) -> Tensor:
    """Undo the normalisation of a batch of one field."""
    return dataset.normalizer[name].inverse(value)


def in_network_units(dataset: Dataset, name: str, value: Tensor) -> Tensor:
    """Normalise a batch of one field that is in the units of the data."""
    return dataset.normalizer[name].transform(value)


class Plane:
    """A data set whose input is a point in the plane: the grid to evaluate, and the points to draw over it.

    The grid gets finer or coarser so that evaluating it takes about :data:`GRID_SECONDS`.
    Raises ValueError if no input of the data has two numbers.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.field = plane_field(dataset)
        if not self.field:
            raise ValueError("A decision boundary needs data with an input of two numbers.")
        parts = [(dataset.train, False), (dataset.validation, True)]
        xs, ys, held = [], [], []
        for split, held_out in parts:
            stride = max(1, -(-len(split) * len(parts) // MAX_POINTS))
            batch = split.get(torch.arange(0, len(split), stride))
            xs.append(in_data_units(dataset, self.field, batch[self.field].cpu()).float())
            ys.append(self._labels(batch[dataset.target.name].cpu()))
            held.append(np.full(len(xs[-1]), held_out))
        self.points = _array(torch.cat(xs))
        self.labels = _array(torch.cat(ys))
        self.held_out = np.concatenate(held)
        self.extent = _extent(self.points)
        self._level = GRID_SIDES.index(64)
        self._grids: dict[int, Tensor] = {}

    def _labels(self, target: Tensor) -> Tensor:
        if self.dataset.target.kind != "label":
            target = in_data_units(self.dataset, self.dataset.target.name, target)
        return target.float().reshape(len(target), -1)[:, 0]

    def grid(self, side: int) -> Tensor:
        """side²×2 points in the network's units, y outermost."""
        if side not in self._grids:
            x0, x1, y0, y1 = self.extent
            ys, xs = torch.meshgrid(torch.linspace(y0, y1, side), torch.linspace(x0, x1, side), indexing="ij")
            points = torch.stack([xs.reshape(-1), ys.reshape(-1)], dim=1)
            self._grids[side] = in_network_units(self.dataset, self.field, points)
        return self._grids[side]

    def look(
        self, module: torch.nn.Module, watches: Collection[Watch], example: int, step: int
    ) -> dict[Watch, Picture]:
        """The regions of every watched node, in one pass over the grid."""
        known, answer = wires_of(module), answer_wire(module)
        wanted = {w: (w.node, w.port) if w.node else answer for w in watches}
        wires = {wire for wire in wanted.values() if wire in known}
        if not wires:
            return {}
        side = GRID_SIDES[self._level]
        started = time.perf_counter()
        with unseen(module) as device:
            found = interpret.capture(module, self._inputs(side, example, device), wires)
            found = {wire: value.float() for wire, value in found.items()}
        pictures: dict[Watch, Picture] = {
            w: self._boundary(found[wire], wire == answer, side, step)
            for w, wire in wanted.items()
            if wire in found and found[wire].shape[:1] == (side * side,)
        }
        self._adapt(time.perf_counter() - started)
        return pictures

    def _inputs(self, side: int, example: int, device: torch.device) -> list[Tensor]:
        grid = self.grid(side)
        if len(self.dataset.inputs) == 1:
            return [grid.to(device)]
        split = self.dataset.validation if len(self.dataset.validation) else self.dataset.train
        batch = split.get(torch.tensor([example % len(split)]))
        rest = {n: batch[n].expand(len(grid), *batch[n].shape[1:]) for n in self.dataset.inputs}
        return [(grid if n == self.field else rest[n]).to(device) for n in self.dataset.inputs]

    def _boundary(self, value: Tensor, is_answer: bool, side: int, step: int) -> Boundary:
        target = self.dataset.target
        kind: Any = "neurons"
        if is_answer and target.kind == "label":
            kind, value = "classes", probabilities(value)
        elif is_answer:
            shape = tuple(target.shape)
            kind, value = "number", in_data_units(self.dataset, target.name, value.reshape(-1, *shape).cpu())
        maps = _array(value.reshape(side * side, -1)[:, :MAX_NEURON_MAPS].T.reshape(-1, side, side))
        values = np.ascontiguousarray(maps, np.float32)
        classes = tuple(target.classes)
        return Boundary(step, values, kind, self.extent, self.points, self.labels, self.held_out, classes, self.axes)

    @property
    def axes(self) -> tuple[str, str]:
        """Names of the two coordinates."""
        names = tuple(field_of(self.dataset, self.field).classes)
        return (names[0], names[1]) if len(names) == 2 else (f"{self.field}[0]", f"{self.field}[1]")

    def _adapt(self, seconds: float) -> None:
        if seconds > GRID_SECONDS and self._level > 0:
            self._level -= 1
        elif seconds < GRID_SECONDS / 5 and self._level < len(GRID_SIDES) - 1:
            self._level += 1


def _extent(points: np.ndarray[Any, np.dtype[Any]], margin: float = 0.12) -> tuple[float, float, float, float]:
    low, high = points.min(axis=0), points.max(axis=0)
    pad = np.maximum((high - low) * margin, 1e-6)
    return float(low[0] - pad[0]), float(high[0] + pad[0]), float(low[1] - pad[1]), float(high[1] + pad[1])


def confusion(module: torch.nn.Module, dataset: Dataset, step: int) -> Confusion | None:
    """True against predicted classes over the validation split; None if the target is no label."""
    split, target = dataset.validation, dataset.target
    if target.kind != "label" or not len(split):
        return None
    count = min(len(split), CONFUSION_EXAMPLES)
    size = len(target.classes)
    pairs: list[tuple[Tensor, Tensor]] = []
    with unseen(module) as device:
        for start in range(0, count, CONFUSION_CHUNK):
            batch = split.get(torch.arange(start, min(start + CONFUSION_CHUNK, count)))
            answer = _first(module(*(batch[n].to(device) for n in dataset.inputs)))
            pairs.append((batch[target.name].cpu().reshape(-1), probabilities(answer).argmax(dim=1).cpu()))
    truth, answered = (torch.cat(column).long() for column in zip(*pairs, strict=True))
    size = max(size, int(truth.max()) + 1, int(answered.max()) + 1)
    matrix = torch.bincount(truth * size + answered, minlength=size * size).reshape(size, size)
    classes = (*target.classes, *(str(i) for i in range(len(target.classes), size)))
    return Confusion(step, _array(matrix).astype(np.int64), tuple(classes), count, len(split))
