"""The files in which the citation networks were published, ``ind.cora.x`` and its companions, made into a plain one.

They are pickles of Python 2. Here nothing in them can be called: every name in a pickle becomes an empty class that
keeps what it was given, and arrays are made from the bytes that were kept. So reading them runs no code of theirs.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepgui.data.errors import DataError

PARTS = ("x", "tx", "allx", "y", "ty", "ally", "graph")
_VALIDATION = 500

Array = NDArray[Any]


class Inert(dict[Any, Any]):
    """Stands for an object of any class in a pickle: its arguments, its state, its items.

    Attributes:
        called: the name of the class or function.
    """

    called = ""
    args: tuple[Any, ...]
    state: Any

    def __new__(cls, *args: Any) -> Inert:
        made = super().__new__(cls)
        made.args, made.state = args, None
        return made

    def __init__(self, *args: Any) -> None:
        super().__init__()

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Reader(pickle.Unpickler):
    """An unpickler that knows no names."""

    def find_class(self, module: str, name: str) -> Any:
        return type(name, (Inert,), {"called": f"{module}.{name}"})


def inert(data: bytes) -> Any:
    """What a pickle holds, with :class:`Inert` for every object. Raises ValueError if it is none."""
    try:
        return _Reader(io.BytesIO(data), encoding="bytes").load()
    except (pickle.UnpicklingError, EOFError, AttributeError, TypeError, IndexError, KeyError) as error:
        raise ValueError(f"this is no pickle of arrays ({error})") from None


def array(found: Any) -> Array:
    """A numpy array from what :func:`inert` gives. Raises ValueError for anything else, and for arrays of objects."""
    if not isinstance(found, Inert) or not isinstance(found.state, tuple) or len(found.state) != 5:
        raise ValueError("an array is expected")
    _, shape, kind, by_columns, data = found.state
    name = kind.args[0].decode() if isinstance(kind, Inert) and kind.args else ""
    order = kind.state[1].decode() if name and isinstance(kind.state, tuple) else "<"
    dtype = np.dtype(order.replace("|", "<") + name)
    if dtype.hasobject or not isinstance(data, bytes):
        raise ValueError("an array of numbers is expected")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if by_columns else "C")


def sparse(found: Any) -> tuple[Array, Array, Array, tuple[int, int]]:
    """Rows, columns, values and shape of a ``csr_matrix``. Raises ValueError for anything else."""
    state = found.state if isinstance(found, Inert) else None
    if not isinstance(state, dict) or b"indptr" not in state:
        raise ValueError("a sparse matrix is expected")
    starts, columns, values = (array(state[name]) for name in (b"indptr", b"indices", b"data"))
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    shape = state.get(b"_shape", state.get(b"shape"))
    if not isinstance(shape, tuple) or len(shape) != 2:
        raise ValueError("a sparse matrix is expected")
    return rows, columns.astype(np.int64), values, (int(shape[0]), int(shape[1]))


def to_npz(folder: Path, made: Path, name: str = "cora") -> None:
    """Write ``NAME.npz`` in ``made`` from ``ind.NAME.*`` in ``folder``, with the split that results are compared on.

    Raises:
        DataError: the files are not such as were published.
        OSError: they cannot be read or written.
    """
    try:
        parts = {part: inert((folder / f"ind.{name}.{part}").read_bytes()) for part in PARTS}
        place = np.array([int(line) for line in (folder / f"ind.{name}.test.index").read_text("ascii").split()])
        arrays = _arrays(parts, place)
    except (ValueError, IndexError, KeyError) as error:
        raise DataError(f"the files of {name} cannot be read ({error})", file=folder) from None
    np.savez_compressed(made / f"{name}.npz", allow_pickle=False, **arrays)


def _arrays(parts: dict[str, Any], place: NDArray[np.int64]) -> dict[str, Array]:
    """``place``: the nodes that the rows of ``tx`` and ``ty`` are; they stand in any order."""
    rows, columns, values, (known, width) = sparse(parts["allx"])
    test_rows, test_columns, test_values, (others, _) = sparse(parts["tx"])
    count = max(known + others, int(place.max()) + 1)
    labels = np.full(count, -1, dtype=np.int64)
    labels[:known] = array(parts["ally"]).argmax(axis=1)
    labels[place] = array(parts["ty"]).argmax(axis=1)
    pairs = np.array([(a, b) for a, near in parts["graph"].items() for b in near], dtype=np.int64)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    both = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    train = len(array(parts["y"]))
    return {
        "x_row": np.concatenate([rows, place[test_rows]]),
        "x_col": np.concatenate([columns, test_columns]),
        "x_val": np.concatenate([values, test_values]).astype(np.float32),
        "x_shape": np.array([count, width]),
        "y": labels,
        "edge_index": both.T,
        "train_idx": np.arange(train),
        "val_idx": np.arange(train, train + _VALIDATION),
        "test_idx": np.sort(place),
    }
