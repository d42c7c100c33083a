"""Arrays saved by NumPy, named in many ways, and never pickled objects."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from deepgui.data.dataset import prepare
from deepgui.data.errors import DataError
from deepgui.data.sources import open_source
from deepgui.data.table import TensorTable
from deepgui.project.values import DataConfig

RANDOM = np.random.default_rng(0)


def opened(path, objective: str = "", **options) -> TensorTable:
    table = open_source(DataConfig("numpy", {"path": str(path), **options}), objective)
    assert isinstance(table, TensorTable)
    return table


@pytest.mark.parametrize(("x", "y"), [("x", "y"), ("X", "y"), ("data", "target"), ("images", "labels")])
def test_usual_names_in_an_npz_are_found(tmp_path, x, y) -> None:
    values = RANDOM.normal(size=(9, 3))
    np.savez(tmp_path / "a.npz", **{x: values, y: np.arange(9) % 3})
    table = opened(tmp_path / "a.npz")
    assert [(f.kind, f.shape, f.classes) for f in table.fields] == [
        ("vector", (3,), ()),
        ("label", (), ("0", "1", "2")),
    ]
    assert np.allclose(table.tensors["features"].numpy(), values)


def test_a_pair_of_npy_files(tmp_path) -> None:
    np.save(tmp_path / "x.npy", RANDOM.normal(size=(9, 3)))
    np.save(tmp_path / "y.npy", RANDOM.normal(size=9))
    table = opened(tmp_path / "x.npy", labels=str(tmp_path / "y.npy"))
    assert [(f.kind, f.shape) for f in table.fields] == [("vector", (3,)), ("number", (1,))]
    with pytest.raises(DataError, match="under labels"):
        opened(tmp_path / "x.npy")


def test_train_and_test_arrays_become_the_splits(tmp_path) -> None:
    image = RANDOM.integers(0, 256, (30, 4, 4), dtype=np.uint8)
    label = np.arange(30) % 3
    np.savez(tmp_path / "m.npz", x_train=image[:20], y_train=label[:20], x_test=image[20:], y_test=label[20:])
    dataset = prepare(DataConfig("numpy", {"path": str(tmp_path / "m.npz")}))
    assert dataset.fields[0].shape == (1, 4, 4)
    assert dataset.test.rows.tolist() == list(range(20, 30))
    raw = dataset.test.raw(dataset.test.rows[:1] - 20)["image"]
    assert np.allclose(raw[0, 0].numpy() * 255, image[20], atol=1e-4)


@pytest.mark.parametrize(
    ("shape", "dtype", "layout", "kind", "expected"),
    [
        ((6, 8, 8), "u1", "auto", "image", (1, 8, 8)),
        ((6, 8, 8, 3), "u1", "auto", "image", (3, 8, 8)),
        ((6, 3, 8, 8), "f4", "auto", "image", (3, 8, 8)),
        ((6, 8, 8), "f8", "auto", "vector", (8, 8)),
        ((6, 8, 8), "f8", "H W", "image", (1, 8, 8)),
        ((6,), "f4", "auto", "vector", (1,)),
        ((6, 5), "i8", "auto", "vector", (5,)),
    ],
)
def test_layouts(tmp_path, shape, dtype, layout, kind, expected) -> None:
    np.savez(tmp_path / "a.npz", x=RANDOM.uniform(0, 99, shape).astype(dtype), y=np.arange(6) % 2)
    field = opened(tmp_path / "a.npz", layout=layout).fields[0]
    assert (field.kind, field.shape) == (kind, expected)


def test_targets_texts_vectors_and_columns(tmp_path) -> None:
    x = RANDOM.normal(size=(6, 2))
    np.savez(tmp_path / "t.npz", x=x, y=np.array(["no", "yes"] * 3))
    assert opened(tmp_path / "t.npz").fields[1].classes == ("no", "yes")
    np.savez(tmp_path / "v.npz", x=x, y=RANDOM.normal(size=(6, 4)))
    assert opened(tmp_path / "v.npz").fields[1].shape == (4,)
    np.savez(tmp_path / "c.npz", x=x, y=np.arange(6).reshape(6, 1) % 2)
    assert opened(tmp_path / "c.npz").fields[1].kind == "label"
    assert opened(tmp_path / "c.npz", "regression").fields[1].kind == "number"


def test_objects_are_refused_and_never_run(tmp_path) -> None:
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    np.save(tmp_path / "a.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "b.npz", x=np.array([{}], dtype=object), y=np.arange(1))
    (tmp_path / "c.npy").write_bytes(pickle.dumps(Trap()))
    (tmp_path / "sprung").unlink(missing_ok=True)
    for name in ("a.npy", "b.npz", "c.npy"):
        with pytest.raises(DataError):
            opened(tmp_path / name, labels="y.npy")
    with pytest.raises(DataError, match="could run code"):
        opened(tmp_path / "b.npz")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("arrays", "options", "says"),
    [
        ({"a": np.zeros(3), "b": np.zeros(3)}, {}, "there are a, b"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(3)}, {"inputs": "z"}, "no array 'z'"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(4)}, {}, "3 inputs but 4 targets"),
        ({"x": np.array([[1.0], [np.nan]]), "y": np.zeros(2)}, {}, "first in example 1"),
        ({"x": np.array([[1.0], [1e60]]), "y": np.zeros(2)}, {}, "first in example 1"),
        ({"x": np.zeros((3, 2)), "y": np.array([0, np.inf, 1])}, {}, "targets hold NaN"),
        ({"x": np.zeros((0, 2)), "y": np.zeros(0)}, {}, "empty"),
        ({"x": np.zeros((3, 2)), "y": np.array([0.5, 1, 2])}, {"task": "classification"}, "choose regression"),
        ({"x": np.zeros((3, 2)), "y": np.zeros(3)}, {"layout": "C H W"}, "does not suit"),
        ({"x": np.zeros((3, 2)).astype(complex), "y": np.zeros(3)}, {}, "must be numbers"),
    ],
)
def test_unusable_arrays_get_one_sentence(tmp_path, arrays, options, says) -> None:
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=says):
        opened(tmp_path / "a.npz", **options)


@pytest.mark.parametrize("cut", [0, 4, 60, 200])
@pytest.mark.parametrize("name", ["a.npz", "a.npy"])
def test_damaged_files_are_refused(tmp_path, cut, name) -> None:
    path = tmp_path / name
    if name.endswith("z"):
        np.savez(path, x=np.zeros((50, 2)), y=np.zeros(50))
    else:
        np.save(path, np.zeros((50, 2)))
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError, match="not a NumPy file"):
        opened(path)
