"""A look at the data: what is being read is counted, and what nobody wants is read no further."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from deepgui.catalog.builtin import registry
from deepgui.data import image_folder, reading
from deepgui.graph.values import Network
from deepgui.project.document import Document
from deepgui.project.values import DataConfig, Project
from deepgui.qt.checking import Checking
from deepgui.qt.inspector.data_section import DataSection
from deepgui.qt.session import Session


def pictures(root: Path, each: int) -> DataConfig:
    for name in ("ants", "bees"):
        (root / name).mkdir(parents=True)
        for i in range(each):
            Image.fromarray(np.full((4, 4), i, np.uint8)).save(root / name / f"{i}.png")
    return DataConfig("image_folder", {"path": str(root)})


def test_pictures_are_counted_and_another_folder_does_not_wait_for_the_first(qtbot, tmp_path, monkeypatch):
    first, second = pictures(tmp_path / "first", 10), pictures(tmp_path / "second", 3)
    allowed, read, real = threading.Semaphore(7), list[Path](), image_folder.read_image

    def slow(path, form):
        assert allowed.acquire(timeout=60)
        read.append(path)
        return real(path, form)

    monkeypatch.setattr(image_folder, "read_image", slow)
    monkeypatch.setattr(reading, "threads", lambda: 1)
    session = Session(Document(Project("pictures", {"network": Network("net")}, first)))
    session.use_catalogue(registry(), Checking(registry()))
    section = DataSection(session)
    qtbot.addWidget(section)
    section.refresh()
    qtbot.waitUntil(lambda: section.preview.text() == "Reading: 7 of 20 pictures read …", timeout=30_000)
    session.edit_project("Data", lambda project: replace(project, data=second))
    section.refresh()
    qtbot.waitUntil(lambda: not section._timer.isActive(), timeout=30_000)
    allowed.release(100)
    qtbot.waitUntil(lambda: section.preview.text().startswith("6 examples"), timeout=30_000)
    assert len(read) == 7 + 1 + 6
    section.close_worker()
