"""Batches: every example once, in an order that only the seed decides, wherever the data live."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from deepgui.data import table as table_module
from deepgui.data.batches import Batches
from deepgui.data.dataset import Split, prepare
from deepgui.data.errors import DataError
from deepgui.data.fields import Field, label_field
from deepgui.data.normalize import Normalizer
from deepgui.data.table import TensorTable
from deepgui.project.values import DataConfig


def numbered(count: int, width: int = 3) -> Split:
    """A split whose labels are 0, 1, 2, ..."""
    fields = (Field("x", "vector", (width,)), label_field("n", tuple(map(str, range(count)))))
    numbers = torch.arange(count)
    tensors = {"x": numbers[:, None].float().expand(-1, width).contiguous(), "n": numbers}
    return Split("train", TensorTable(fields, "n", tensors), numbers, Normalizer())


def seen(batches: Batches, epoch: int = 0, start: int = 0) -> list[list[int]]:
    return [batch["n"].tolist() for batch in batches.epoch(epoch, start)]


@given(st.integers(0, 200), st.integers(1, 64), st.booleans(), st.integers(-3, 2**40), st.integers(0, 9), st.booleans())
def test_every_example_once_and_any_start_continues_the_same_epoch(count, size, shuffle, seed, epoch, drop) -> None:
    batches = Batches(numbered(count), size, shuffle=shuffle, seed=seed, drop_last=drop)
    full = seen(batches, epoch)
    assert len(full) == len(batches)
    flat = [n for batch in full for n in batch]
    assert len(set(flat)) == len(flat) == (count // size * size if drop else count)
    assert all(len(batch) == size for batch in full[:-1])
    if not shuffle:
        assert flat == list(range(len(flat)))
    for start in (1, len(full) // 2, len(full)):
        assert seen(batches, epoch, start) == full[start:]


def test_fields_stay_together() -> None:
    for batch in Batches(numbered(1000, 40), 7, shuffle=True).epoch(3):
        assert torch.equal(batch["x"][:, 0].long(), batch["n"])


def test_epochs_and_seeds_differ_and_repeat() -> None:
    split = numbered(100)
    orders = {
        (s, e): tuple(map(tuple, seen(Batches(split, 10, shuffle=True, seed=s), e))) for s in (0, 1) for e in (0, 1)
    }
    assert len(set(orders.values())) == 4
    assert orders[0, 1] == tuple(map(tuple, seen(Batches(split, 10, shuffle=True, seed=0), 1)))


def test_the_order_is_not_touched_by_torchs_own_generator() -> None:
    batches = Batches(numbered(50), 10, shuffle=True)
    torch.manual_seed(1)
    first = seen(batches)
    state = torch.get_rng_state()
    torch.manual_seed(2)
    assert seen(batches) == first
    torch.manual_seed(1)
    assert torch.equal(torch.get_rng_state(), state)


def test_large_batches_cross_no_border() -> None:
    batches = Batches(numbered(300, 2000), 70, shuffle=True)  # one batch is larger than a block
    assert sorted(n for batch in seen(batches) for n in batch) == list(range(300))


def test_a_batch_has_examples() -> None:
    with pytest.raises(DataError, match="at least 1"):
        Batches(numbered(5), 0)


def test_a_table_too_large_to_convert_is_converted_batch_by_batch_in_the_same_order(monkeypatch) -> None:
    split = numbered(90)
    expected = seen(Batches(split, 8, shuffle=True, seed=4), 2, 3)
    monkeypatch.setattr(table_module, "FITS_BYTES", 10)
    assert not split.fits
    assert seen(Batches(split, 8, shuffle=True, seed=4), 2, 3) == expected


@pytest.fixture
def pictures(tmp_path, monkeypatch) -> DataConfig:
    for name in ("ants", "bees"):
        (tmp_path / name).mkdir()
        for i in range(20):
            Image.fromarray(np.full((4, 4, 3), i * 10, dtype=np.uint8)).save(tmp_path / name / f"{i}.png")
    return DataConfig("image_folder", {"path": str(tmp_path)}, validation=0.0, test=0.0)


def test_workers_give_the_same_batches_as_memory(pictures, tmp_path, monkeypatch) -> None:
    expected = list(Batches(prepare(pictures).train, 6, shuffle=True, seed=5).epoch(1))
    monkeypatch.setattr(table_module, "FITS_BYTES", 100)
    (tmp_path / "ants" / "0.png").touch()
    split = prepare(pictures).train
    assert not split.table.in_memory
    batches = Batches(split, 6, shuffle=True, seed=5, workers=1)
    for start in (0, 2):  # the second time with the worker that is already there
        found = list(batches.epoch(1, start))
        assert len(found) == len(expected) - start
        for a, b in zip(found, expected[start:], strict=True):
            assert torch.equal(a["label"], b["label"])
            assert torch.allclose(a["image"], b["image"], atol=1e-5)
    (tmp_path / "bees" / "3.png").write_bytes(b"gone bad")
    with pytest.raises(DataError, match=r"3\.png: this is not an image") as e:
        list(batches.epoch(2))
    assert "\n" not in str(e.value)
    batches.close()


def test_reading_goes_on_when_the_workers_die(pictures, monkeypatch) -> None:
    monkeypatch.setattr(table_module, "FITS_BYTES", 100)
    split = prepare(pictures).train
    batches = Batches(split, 6, shuffle=True, workers=1)
    monkeypatch.setattr("deepgui.data.batches._Examples", _Deadly)
    with pytest.warns(UserWarning, match="reading goes on without them"):
        found = list(batches.epoch(0))
    assert sum(len(b["label"]) for b in found) == 40


class _Deadly(torch.utils.data.Dataset):
    """Ends its worker process, as running out of memory would; sound in the training process."""

    def __init__(self, split: Split) -> None:
        self.split = split

    def __getitem__(self, positions: np.ndarray) -> dict[str, torch.Tensor]:
        if torch.utils.data.get_worker_info() is not None:
            import os

            os._exit(1)
        return self.split.get(torch.from_numpy(positions))
