"""What a network that tells classes apart gets wrong, shown in the form that the examples have."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from deepgui.data.dataset import Dataset
from deepgui.data.fields import Field, of_one_graph
from deepgui.data.joined import EDGES, NODES
from deepgui.data.tokenizers import tokenizer_of
from deepgui.training.objectives.base import Batch
from deepgui.training.objectives.previews import GraphDrawing, Images, Preview, Scatter, Texts

_LOOKED_AT, _SHOWN = 500, 24
Answer = Callable[[Batch], Tensor]
"""Class probabilities N×K for a batch of examples."""


def mistakes(dataset: Dataset, field: Field, device: torch.device, answer: Answer) -> Preview:
    """The validation examples that are taken for another class, the surest mistakes first.

    Args:
        field: what the network looks at.
    """
    if of_one_graph(dataset.fields):
        return _of_nodes(dataset, device, answer)
    split = dataset.validation if len(dataset.validation) else dataset.train
    places = torch.arange(min(_LOOKED_AT, len(split)))
    batch = {name: values.to(device) for name, values in split.get(places).items()}
    chances, truth = answer(batch).float().cpu(), batch[dataset.target.name].cpu()
    sure, said = chances.max(1)
    wrong = (said != truth).nonzero().flatten()
    note = f"{len(wrong)} of {len(truth)} validation examples are wrong"
    if field.kind not in ("image", "tokens"):
        measured = field.kind != "features"  # those are of nodes, of which a graph has several
        points = _plane(batch[field.name].cpu().float().flatten(1)) if measured else np.zeros((0, 2), np.float32)
        return Scatter(points=points, labels=said.numpy()[: len(points)], classes=dataset.target.classes, note=note)
    order = wrong[sure[wrong].argsort(descending=True)] if len(wrong) else sure.argsort()
    note += ", the surest first" if len(wrong) else "; these are the least sure"
    chosen = order[:_SHOWN]
    names = dataset.target.classes
    words = [f"{names[int(said[i])]} ({sure[i]:.0%}), is {names[int(truth[i])]}" for i in chosen]
    if field.kind == "tokens":
        reading = tokenizer_of(field)
        texts = [reading.decode(ids) for ids in batch[field.name][chosen].cpu()]
        pairs = tuple((text, names[int(said[i])]) for text, i in zip(texts, chosen, strict=True))
        return Texts(items=pairs, truths=tuple(names[int(truth[i])] for i in chosen), note=note)
    pictures = split.raw(chosen)[field.name].numpy().astype(np.float32)
    return Images(images=_visible(pictures), captions=tuple(words), note=note)


def _visible(pictures: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Values of any range in 0..1: a spectrogram has others than a photograph."""
    low, high = float(pictures.min()), float(pictures.max())
    return pictures if low >= 0 and high <= 1 else (pictures - low) / max(high - low, 1e-9)


def _plane(points: Tensor) -> np.ndarray:  # type: ignore[type-arg]
    """The two directions in which points differ most."""
    centred = points - points.mean(0)
    if points.shape[1] <= 2:
        flat = torch.nn.functional.pad(centred, (0, 2 - points.shape[1]))
    else:
        flat = centred @ torch.linalg.svd(centred, full_matrices=False).Vh[:2].T
    return flat.numpy().astype(np.float32)


def _of_nodes(dataset: Dataset, device: torch.device, answer: Answer) -> Preview:
    """The graph in the colours of the answers; every node is asked for, whatever split it is in."""
    import networkx

    table = dataset.train.table
    whole = dataset.train.normalizer.transform(table.get(torch.arange(len(table))))
    batch = {name: values.to(device) for name, values in whole.items()}
    said = answer(batch).argmax(1).cpu()
    truth, edges = batch[dataset.target.name].cpu(), batch[EDGES].cpu().numpy()
    asked = batch[NODES].cpu()
    count = int(max(asked.max(), edges.max())) + 1
    colours, true = torch.full((count,), -1), torch.full((count,), -1)
    colours[asked], true[asked] = said, truth
    drawn = networkx.Graph()
    drawn.add_nodes_from(range(count))
    drawn.add_edges_from(edges.T.tolist())
    places = networkx.spring_layout(drawn, seed=1, iterations=60) if count <= _LOOKED_AT else None
    known = {int(n) for n in dataset.train.get(torch.arange(len(dataset.train)))[NODES]}
    points = np.array([places[n] for n in range(count)]) if places else _plane(batch["features"].cpu().float())
    right = int((said == truth).sum())
    note = f"{right} of {len(truth)} nodes right; {len(known)} of them were known in training"
    forward = edges[:, edges[0] <= edges[1]]
    return GraphDrawing(
        places=points.astype(np.float32),
        edges=forward.astype(np.int64) if count <= _LOOKED_AT else np.zeros((2, 0), np.int64),
        said=colours.numpy(),
        true=true.numpy(),
        classes=dataset.target.classes,
        note=note,
    )
