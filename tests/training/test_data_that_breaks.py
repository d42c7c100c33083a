"""Data that is damaged or taken away while a training reads it: an event that names the file, and life goes on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from deepgui.data import batches, reading
from deepgui.project.values import DataConfig
from deepgui.training.events import EpochFinished, Failed, Finished
from deepgui.training.run import Run
from deepgui.training.trainer import RunSpec, Trainer


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """A folder of pictures that are read batch by batch, by this process."""
    monkeypatch.setattr(reading, "fits", lambda *_: False)
    monkeypatch.setattr(batches, "_MOST_WORKERS", {True: 0, False: 0})
    random = np.random.default_rng(0)
    for label in range(10):
        (tmp_path / "pictures" / str(label)).mkdir(parents=True)
        for i in range(4):
            pixels = random.integers(0, 255, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / str(label) / f"{i}.png")
    return tmp_path / "pictures"


def table(folder):
    path = folder / "table.csv"
    path.write_text("".join(f"{','.join(str((i * j) % 7) for j in range(13))},{i % 3}\n" for i in range(60)))
    return path, {"path": str(path)}


def arrays(folder):
    path = folder / "arrays.npz"
    np.savez(path, x=np.random.default_rng(0).normal(size=(60, 13)).astype(np.float32), y=np.arange(60) % 3)
    return path, {"path": str(path)}


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[:70])])
def test_a_picture_that_breaks_in_the_middle_of_a_run(digits, pictures, new_run, damage):
    project = replace(digits(epochs=50, batch_size=8), data=DataConfig("image_folder", {"path": str(pictures)}))
    whole, victims = {}, [pictures / str(label) / f"{i}.png" for label in range(10) for i in range(4)]
    seen = []
    for event in Trainer(RunSpec(project, folder=new_run(project))):
        seen.append(event)
        if isinstance(event, EpochFinished) and not whole:
            whole = {path: path.read_bytes() for path in victims}
            for path in victims:
                damage(path)
    assert isinstance(seen[-1], Failed)
    assert (seen[-1].reason, seen[-1].node) == ("data", "")
    assert str(pictures) in seen[-1].message
    assert ".png: " in seen[-1].message
    assert seen[-1].step >= 3
    for path, content in whole.items():
        path.write_bytes(content)
    again = Run(RunSpec(replace(project, training=replace(project.training, epochs=1))))
    again.start()
    assert again.join(60)
    assert again.state == "finished"


@pytest.mark.parametrize(("source", "make"), [("csv", table), ("numpy", arrays)])
def test_a_table_that_was_read_may_go(wine, tmp_path, source, make):
    path, options = make(tmp_path)
    project = replace(wine(epochs=3), data=DataConfig(source, options))
    for event in Trainer(RunSpec(project)):
        if isinstance(event, EpochFinished):
            path.unlink(missing_ok=True)
    assert isinstance(event, Finished)
    *_, last = Trainer(RunSpec(project))
    assert isinstance(last, Failed)
    assert last.reason == "project"
    assert str(path) in last.message


def test_a_damaged_cell_is_named_with_its_row(wine, tmp_path):
    path, options = table(tmp_path)
    lines = path.read_text().splitlines()
    lines[40] = "x" + lines[40][1:]
    path.write_text("\n".join(lines))
    *_, last = Trainer(RunSpec(replace(wine(), data=DataConfig("csv", options))))
    assert isinstance(last, Failed)
    assert f"{path}, row 41: column 'column_1' holds 'x'" in last.message
