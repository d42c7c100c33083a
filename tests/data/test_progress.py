"""Reading that takes long says how far it is, and ends when nobody wants it any more."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from deepgui.data import csv_text, image_folder, reading
from deepgui.data import table as table_module
from deepgui.data.dataset import prepare
from deepgui.data.progress import GivenUp, Progress, listening, tell
from deepgui.data.sources import Recent
from deepgui.project.values import DataConfig


def pictures(root: Path, each: int = 20) -> DataConfig:
    for name in ("ants", "bees"):
        (root / name).mkdir(parents=True)
        for i in range(each):
            Image.fromarray(np.full((4, 4), i, np.uint8)).save(root / name / f"{i}.png")
    return DataConfig("image_folder", {"path": str(root)})


@pytest.mark.parametrize("threads", [1, 3])
def test_pictures_are_counted_and_can_be_given_up(tmp_path, monkeypatch, threads):
    monkeypatch.setattr(reading, "threads", lambda: threads)
    config, told, read = pictures(tmp_path), list[Progress](), list[Path]()
    real = image_folder.read_image

    def counted(path, form):
        read.append(path)
        return real(path, form)

    def until_ten(progress: Progress) -> None:
        told.append(progress)
        if str(progress) == "10 of 40 pictures read":
            raise GivenUp

    monkeypatch.setattr(image_folder, "read_image", counted)
    if threads == 1:
        with pytest.raises(GivenUp), listening(until_ten):
            prepare(config)
        assert [p.done for p in told if p.what == "pictures looked at"] == list(range(1, 41))
        assert len(read) == 10, "nothing is read for nobody"
    with listening(told.append):
        assert len(prepare(config).train.table) == 40
    assert str(told[-2]) == "40 of 40 pictures read"


def test_pictures_that_are_left_in_their_files_are_counted_while_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(table_module, "FITS_BYTES", 100)
    told: list[str] = []
    with listening(lambda progress: told.append(str(progress))):
        prepare(pictures(tmp_path))
    assert "16 of 28 examples measured" in told


def test_long_tables_say_how_far_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_text, "_TOLD_ROWS", 100)
    path = tmp_path / "long.csv"
    path.write_text("a,b\n" + "".join(f"{i},{i % 2}\n" for i in range(250)))
    told: list[str] = []
    with listening(lambda progress: told.append(str(progress))):
        prepare(DataConfig("csv", {"path": str(path)}))
    assert "200 of 252 lines read" in told


def test_who_waits_for_another_thread_hears_of_its_progress_and_takes_over_when_it_gives_up():
    recent, told, begun, heard = Recent(2), list[str](), threading.Event(), threading.Event()

    def slow() -> int:
        tell(Progress(3, 7, "things"))
        begun.set()
        assert heard.wait(30)
        raise GivenUp

    def first() -> None:
        with pytest.raises(GivenUp):
            recent.get(("k",), slow)

    def note(progress: Progress) -> None:
        told.append(str(progress))
        heard.set()

    thread = threading.Thread(target=first)
    thread.start()
    assert begun.wait(30)
    with listening(note):
        assert recent.get(("k",), lambda: 5) == 5
    thread.join(30)
    assert told[0] == "3 of 7 things"
