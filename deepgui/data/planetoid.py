"""Networks of papers that cite each other (Cora, Citeseer, Pubmed), with the split that results are compared on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from deepgui.catalog.spec import ParamSpec
from deepgui.data.errors import DataError
from deepgui.data.fields import label_field
from deepgui.data.joined import EDGE_FIELD, EDGES, FEATURES, NODE_FIELD, NODES, NodesTable, both_ways, feature_field
from deepgui.data.numpy_arrays import load
from deepgui.data.source_spec import Options

Array = NDArray[Any]

PLANETOID_PARAMS = (
    ParamSpec(
        "path",
        "str",
        required=True,
        doc="A .npz file with x (or x_row, x_col, x_val, x_shape), y, edge_index, train_idx, val_idx and test_idx; "
        "or a .content file with its .cites file beside it.",
    ),
    ParamSpec("row_normalize", "bool", True, doc="Divide the words of each paper by their number, as the papers do."),
)

_SPLITS = {"train": "train_idx", "validation": "val_idx", "test": "test_idx"}
_PER_CLASS, _VALIDATION, _TEST = 20, 500, 1000  # of Yang et al. 2016, for files that bring no split


def planetoid(options: Options) -> NodesTable:
    """Open a citation network with the options of :data:`PLANETOID_PARAMS`. Raises DataError."""
    path = _file(Path(str(options["path"])).expanduser())
    if path.suffix == ".npz":
        arrays = load(path)
        assert isinstance(arrays, dict)
        missing = [name for name in ("y", "edge_index", *_SPLITS.values()) if name not in arrays]
        if missing:
            raise DataError(f"there is no array {missing[0]!r}; there are {', '.join(arrays)}", file=path)
        features, classes = _features(path, arrays), _whole(path, arrays, "y")
        edges = _whole(path, arrays, "edge_index", len(features))
        fixed = {split: _whole(path, arrays, name, len(features)) for split, name in _SPLITS.items()}
        names = tuple(str(i) for i in range(int(classes.max(initial=0)) + 1))
        return _table(path, features, edges, classes, names, fixed, options)
    return _from_text(path, options)


def _file(path: Path) -> Path:
    """The file to read; in a folder the only one there is."""
    if path.is_dir():
        found = sorted([*path.glob("*.npz"), *path.glob("*.content")])
        if len(found) == 1:
            return found[0]
        if found:
            raise DataError(f"name one of {', '.join(p.name for p in found)}", file=path)
        if any(path.glob("ind.*")):
            raise _pickled(path)
        raise DataError("there is no .npz or .content file in it", file=path)
    if path.name.startswith("ind."):
        raise _pickled(path)
    if path.suffix not in (".npz", ".content"):
        raise DataError("a .npz or a .content file is expected here", file=path)
    return path


def _pickled(path: Path) -> DataError:
    text = "files called ind.NAME.x are pickles, which could run code and are never opened: save the arrays as .npz"
    return DataError(text, file=path)


def _whole(path: Path, arrays: Mapping[str, Array], name: str, below: int | None = None) -> NDArray[np.int64]:
    """An array of whole numbers, of nodes if ``below`` says how many there are."""
    values = arrays[name]
    if values.dtype.kind not in "iu":
        raise DataError(f"{name} must hold whole numbers, not {values.dtype}", file=path)
    wanted = 2 if name == "edge_index" else 1
    if values.ndim != wanted or (wanted == 2 and len(values) != 2):
        raise DataError(f"{name} must have the shape {'2×E' if wanted == 2 else 'N'}, not {values.shape}", file=path)
    if below is not None and values.size and not (values.min() >= 0 and values.max() < below):
        bad = values[(values < 0) | (values >= below)].flat[0]
        raise DataError(f"{name} names the node {bad}, but there are {below:,}, counted from 0", file=path)
    return values.astype(np.int64)


def _features(path: Path, arrays: Mapping[str, Array]) -> NDArray[np.float32]:
    sparse = ("x_row", "x_col", "x_val", "x_shape")
    if "x" in arrays:
        features = arrays["x"]
    elif all(name in arrays for name in sparse):
        rows, columns, shape = (_whole(path, arrays, name) for name in ("x_row", "x_col", "x_shape"))
        values = arrays["x_val"]
        if len(shape) != 2 or len({len(rows), len(columns), len(values)}) != 1:
            raise DataError("x_row, x_col and x_val must be of the same length, and x_shape two numbers", file=path)
        features = np.zeros((int(shape[0]), int(shape[1])), np.float32)
        try:
            features[rows, columns] = values
        except IndexError:
            raise DataError(f"x_row or x_col lies outside of x_shape, {shape[0]}×{shape[1]}", file=path) from None
    else:
        raise DataError(f"there is no array 'x' (nor {', '.join(sparse)}); there are {', '.join(arrays)}", file=path)
    if features.ndim != 2 or features.dtype.kind not in "buif" or not np.isfinite(features).all():
        raise DataError("x must be a table of finite numbers, a row for each node", file=path)
    return features.astype(np.float32)


def _from_text(path: Path, options: Options) -> NodesTable:
    """NAME.content (a paper, its words, its class) and NAME.cites (cited paper, citing paper), without a split."""
    papers = _lines(path)
    width = len(papers[0][1])
    for line, cells in papers:
        if len(cells) != width or width < 3:
            text = (
                f"{len(cells)} cells, where a paper has its name, its words and its class, {width} as in the first row"
            )
            raise DataError(text, file=path, row=line)
    numbers = {cells[0]: i for i, (_, cells) in enumerate(papers)}
    try:
        features = np.array([cells[1:-1] for _, cells in papers], dtype=np.float32)
    except ValueError as error:
        raise DataError(f"a word count is no number ({error})", file=path) from None
    names = tuple(sorted({cells[-1] for _, cells in papers}))
    classes = np.array([names.index(cells[-1]) for _, cells in papers])
    pairs = []
    for line, cells in _lines(cites := path.with_suffix(".cites")):
        if len(cells) != 2:
            raise DataError("two papers are expected in every row", file=cites, row=line)
        if all(cell in numbers for cell in cells):  # some cite papers of which nothing else is known
            pairs.append([numbers[cells[1]], numbers[cells[0]]])
    edges = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    train = np.sort(np.concatenate([np.flatnonzero(classes == c)[:_PER_CLASS] for c in range(len(names))]))
    others = np.setdiff1d(np.arange(len(papers)), train)
    validation = others[: min(_VALIDATION, len(others) // 3)]
    fixed = {"train": train, "validation": validation, "test": others[len(validation) :][-_TEST:]}
    return _table(path, features, edges, classes, names, fixed, options)


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """The lines of a file that are not blank, with their numbers, in cells."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise DataError("there is no such file", file=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"the file cannot be read as text ({type(error).__name__})", file=path) from None
    found = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not found:
        raise DataError("the file is empty", file=path)
    return found


def _table(
    path: Path,
    features: NDArray[np.float32],
    edges: NDArray[np.int64],
    classes: NDArray[np.int64],
    names: tuple[str, ...],
    fixed: Mapping[str, NDArray[np.int64]],
    options: Options,
) -> NodesTable:
    if len(classes) != len(features):
        raise DataError(f"{len(features):,} rows of x but {len(classes):,} of y", file=path)
    labelled = np.flatnonzero(classes >= 0)
    rows = np.full(len(features), -1)
    rows[labelled] = np.arange(len(labelled))
    for split, nodes in fixed.items():
        if not len(nodes):
            raise DataError(f"the {split} split is empty", file=path)
        if (rows[nodes] < 0).any():
            raise DataError(f"node {nodes[rows[nodes] < 0][0]} of the {split} split has no class", file=path)
    twice = np.flatnonzero(np.bincount(np.concatenate([np.unique(nodes) for nodes in fixed.values()])) > 1)
    if len(twice):
        raise DataError(f"node {twice[0]} is in two splits, so what is measured would be known", file=path)
    if options["row_normalize"]:
        features = features / np.maximum(np.abs(features).sum(1, keepdims=True), 1e-12)
    ways = both_ways(edges[:, edges[0] != edges[1]])
    said = f"{len(features):,} nodes, {ways.shape[1] // 2:,} edges"
    if len(labelled) < len(features):
        said += f"; {len(features) - len(labelled)} of them without a class, which pass on what they are told"
    tensors = {
        FEATURES: torch.from_numpy(features.astype(np.float32)),
        EDGES: torch.from_numpy(ways),
        NODES: torch.from_numpy(labelled),
        "label": torch.from_numpy(classes[labelled]),
    }
    fields = (feature_field(features.shape[1], scaled=False), EDGE_FIELD, NODE_FIELD, label_field("label", names))
    splits = {split: torch.from_numpy(rows[np.unique(nodes)]) for split, nodes in fixed.items()}
    return NodesTable(fields, "label", tensors, fixed=splits, notes=(said,))
