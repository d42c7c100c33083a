"""Looking at a module from outside: what it computes, without leaving a trace in it or in the random state."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, fx

from deepgui.compiler import interpret
from deepgui.probes.pictures import (
    Boundary,
    Confusion,
    FeatureMaps,
    Picture,
    Prediction,
    Vector,
    Watch,
    histogram_of,
    picture_of,
)

if TYPE_CHECKING:
    from deepgui.data.dataset import Dataset, Split

HISTOGRAM_EXAMPLES = 32
GRID_SIDES = (24, 32, 48, 64, 80, 112)
GRID_SECONDS = 0.02
MAX_POINTS = 800
MAX_NEURON_MAPS = 64
CONFUSION_EXAMPLES = 2000
CONFUSION_CHUNK = 250
PREVIEW_SEED = 0

Wire = tuple[str, str]


@dataclass(frozen=True)
class Subject:
    """What is looked at.

    Attributes:
        module: computes with the weights of optimiser step ``step``.
        inputs: the field for each argument of the module, in order.
        complete: adds the fields to a batch that do not come from the data, but from what the module learns.
        preview: makes one of the pictures that the objective itself shows, by id.
        learner: the objective and all networks that learn together, where they are known.
    """

    module: fx.GraphModule
    dataset: Dataset
    inputs: tuple[str, ...]
    step: int
    complete: Callable[[dict[str, Tensor]], dict[str, Tensor]] = dict
    preview: Callable[[str], object] | None = None
    learner: tuple[Any, Any] | None = None

    @property
    def split(self) -> Split:
        """The validation split; the training split if there is none."""
        return self.dataset.validation if len(self.dataset.validation) else self.dataset.train

    def arguments(self, batch: Mapping[str, Tensor], device: torch.device) -> list[Tensor]:
        """A batch as the module takes it."""
        whole = self.complete({name: values.to(device) for name, values in batch.items()})
        return [whole[name] for name in self.inputs]


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


def preview(objective: Any, networks: Any, what: str) -> object:
    """What an objective shows of its networks; the same random numbers every time."""
    with ExitStack() as stack:
        for module in networks.modules.values():
            stack.enter_context(unseen(module))
        torch.manual_seed(PREVIEW_SEED)
        return objective.preview(what, networks)


def wires_of(module: fx.GraphModule) -> frozenset[Wire]:
    """The (node id, port) pairs that the module computes."""
    return frozenset((n.meta["node"], n.meta.get("port", "")) for n in module.graph.nodes if n.meta.get("node"))


def answer_of(module: fx.GraphModule) -> Wire | None:
    """The wire that the network returns; the first one if it returns several."""
    last = next((n for n in module.graph.nodes if n.op == "output"), None)
    return _source(last.args[0]) if last is not None else None


def _source(value: Any) -> Wire | None:
    while isinstance(value, (tuple, list)) and value:
        value = value[0]
    if isinstance(value, fx.Node) and value.meta.get("node"):
        return (value.meta["node"], value.meta.get("port", ""))
    return None


def assign(module: fx.GraphModule, watches: Collection[Watch]) -> dict[Watch, Wire]:
    """The wire that each watch is about; those that the module does not have are left out."""
    known, answer = wires_of(module), answer_of(module)
    found: dict[Watch, Wire] = {}
    for watch in watches:
        wire = (watch.node, watch.port) if watch.node else answer
        if wire is not None and wire in known:
            found[watch] = wire
    return found


def plane_field(subject: Subject) -> str:
    """The input that is a point in the plane, or an empty string."""
    known = {f.name for f in subject.dataset.fields}
    return next((n for n in subject.inputs if n in known and tuple(subject.dataset.field(n).shape) == (2,)), "")


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


def look(subject: Subject, watches: Collection[Watch], example: int) -> dict[Watch, Picture]:
    """Pictures of wires on one example of the validation split (and of its neighbours for histograms).

    One pass computes all of them. Watches of wires that the module does not have are left out.
    """
    split, total = subject.split, len(subject.split)
    wanted = assign(subject.module, watches)
    if not wanted or not total:
        return {}
    example %= total
    many = HISTOGRAM_EXAMPLES if any(w.view == "histogram" for w in watches) else 1
    indices = [example, *(i for i in range(min(many, total)) if i != example)][:many]
    batch = split.get(torch.tensor(indices))
    with unseen(subject.module) as device:
        found = interpret.capture(subject.module, subject.arguments(batch, device), set(wanted.values()))
    pictures: dict[Watch, Picture] = {}
    for watch, wire in wanted.items():
        if wire not in found:
            continue
        if watch.view == "histogram":
            pictures[watch] = histogram_of(_array(found[wire]), subject.step)
        elif watch.view == "prediction":
            truth = batch[subject.dataset.target.name][0]
            pictures[watch] = _prediction(subject, found[wire], truth, example)
        else:
            pictures[watch] = _activation(subject, watch, _one(found[wire], len(indices)))
    return pictures


def _activation(subject: Subject, watch: Watch, value: Tensor) -> FeatureMaps | Vector:
    if watch.view == "image":
        fields = (f.name for f in subject.dataset.fields if tuple(f.shape) == tuple(value.shape))
        if name := next(fields, ""):
            value = in_data_units(subject.dataset, name, value[None])[0]
    return picture_of(_array(value), subject.step, image=watch.view == "image")


def _prediction(subject: Subject, answer: Tensor, truth: Tensor, index: int) -> Prediction:
    target, total = subject.dataset.target, len(subject.split)
    if target.kind != "label":
        return _estimate(subject, answer, truth, index)
    scores = _array(probabilities(answer)[0])
    best, true = int(scores.argmax()), int(truth)
    count = max(len(scores), true + 1)
    names = tuple(target.classes[i] if i < len(target.classes) else str(i) for i in range(count))
    return Prediction(
        subject.step, index, total, names[true], names[best], float(scores[best]), scores, names, best == true
    )


def _estimate(subject: Subject, answer: Tensor, truth: Tensor, index: int) -> Prediction:
    """A prediction that is a number, in the units of the data."""
    dataset, name = subject.dataset, subject.dataset.target.name
    true, answered = (
        in_data_units(dataset, name, t.float().cpu().reshape(1, *truth.shape)) for t in (truth, answer[:1])
    )
    said = [", ".join(f"{v:.4g}" for v in n.reshape(-1).tolist()[:3]) for n in (true, answered)]
    scores = _array(answered.reshape(-1)).astype(np.float32)
    return Prediction(subject.step, index, len(subject.split), said[0], said[1], None, scores)


def in_data_units(dataset: Dataset, name: str, value: Tensor) -> Tensor:
    """Undo the normalisation of a batch of one field."""
    return dataset.normalizer[name].inverse(value) if name in dataset.normalizer else value


def in_network_units(dataset: Dataset, name: str, value: Tensor) -> Tensor:
    """Normalise a batch of one field that is in the units of the data."""
    return dataset.normalizer[name].transform(value) if name in dataset.normalizer else value


class Plane:
    """A data set whose input is a point in the plane: the grid to evaluate, and the points to draw over it.

    The grid gets finer or coarser so that evaluating it takes about :data:`GRID_SECONDS`.
    Raises ValueError if no input of the data has two numbers.
    """

    def __init__(self, subject: Subject) -> None:
        self.dataset = subject.dataset
        self.field = plane_field(subject)
        if not self.field:
            raise ValueError("A decision boundary needs data with an input of two numbers.")
        parts = [(self.dataset.train, False), (self.dataset.validation, True)]
        xs, ys, held = [], [], []
        for split, held_out in parts:
            stride = max(1, -(-len(split) * len(parts) // MAX_POINTS))
            batch = split.get(torch.arange(0, len(split), stride))
            xs.append(in_data_units(self.dataset, self.field, batch[self.field]).float())
            ys.append(self._labels(batch[self.dataset.target.name]))
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

    def look(self, subject: Subject, watches: Collection[Watch], example: int) -> dict[Watch, Picture]:
        """The regions of every watched node, in one pass over the grid."""
        wanted = assign(subject.module, watches)
        if not wanted:
            return {}
        side, answer = GRID_SIDES[self._level], answer_of(subject.module)
        started = time.perf_counter()
        with unseen(subject.module) as device:
            inputs = subject.arguments(self._batch(subject, side, example), device)
            found = interpret.capture(subject.module, inputs, set(wanted.values()))
        pictures: dict[Watch, Picture] = {
            w: self._boundary(found[wire].float(), wire == answer, side, subject.step)
            for w, wire in wanted.items()
            if wire in found and found[wire].shape[:1] == (side * side,)
        }
        self._adapt(time.perf_counter() - started)
        return pictures

    def _batch(self, subject: Subject, side: int, example: int) -> dict[str, Tensor]:
        """The grid, with the chosen example's values in all other inputs."""
        grid = self.grid(side)
        if len(subject.inputs) == 1:
            return {self.field: grid}
        one = subject.split.get(torch.tensor([example % len(subject.split)]))
        return {n: v.expand(len(grid), *v.shape[1:]) for n, v in one.items()} | {self.field: grid}

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
        names = self.dataset.field(self.field).columns
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


def confusion(subject: Subject) -> Confusion | None:
    """True against predicted classes over the validation split; None if the target is no label."""
    split, target = subject.dataset.validation, subject.dataset.target
    if target.kind != "label" or not len(split):
        return None
    count = min(len(split), CONFUSION_EXAMPLES)
    pairs: list[tuple[Tensor, Tensor]] = []
    with unseen(subject.module) as device:
        for start in range(0, count, CONFUSION_CHUNK):
            batch = split.get(torch.arange(start, min(start + CONFUSION_CHUNK, count)))
            answer = _first(subject.module(*subject.arguments(batch, device)))
            pairs.append((batch[target.name].cpu().reshape(-1), probabilities(answer).argmax(dim=1).cpu()))
    truth, answered = (torch.cat(column).long() for column in zip(*pairs, strict=True))
    size = max(len(target.classes), int(truth.max()) + 1, int(answered.max()) + 1)
    matrix = torch.bincount(truth * size + answered, minlength=size * size).reshape(size, size)
    classes = (*target.classes, *(str(i) for i in range(len(target.classes), size)))
    return Confusion(subject.step, _array(matrix).astype(np.int64), classes, count, len(split))
