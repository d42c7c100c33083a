"""Unsaved work outlives the process, and is gone when it is not needed any more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deepgui.project import atomic, file
from deepgui.project.autosave import Autosave, recoverable, recovery_folder
from deepgui.project.document import Document
from deepgui.project.values import empty_project

CRASHER = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from deepgui.project import file
from deepgui.project.autosave import Autosave
from deepgui.project.document import Document
from deepgui.project.values import empty_project

folder, origin = Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None
document = Document(file.read(origin) if origin else empty_project(), origin)
autosave = Autosave(document, folder)
document.apply(replace(document.project, notes="two hours of work"), "Note")
assert autosave.tick() == ""
os.kill(os.getpid(), signal.SIGKILL)
"""


def crash(folder: Path, origin: Path | None = None) -> None:
    """A process that draws, is kept aside, and is killed."""
    arguments = [str(folder), *([str(origin)] if origin else [])]
    done = subprocess.run([sys.executable, "-c", CRASHER, *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def edited(name: str = "untitled") -> Document:
    document = Document(empty_project(name))
    document.apply(replace(document.project, notes="changed"), "Note")
    return document


def test_work_of_a_killed_process_comes_back(tmp_path: Path) -> None:
    crash(tmp_path)
    (found,) = recoverable(tmp_path)
    assert found.path is None
    assert found.name == "untitled"
    assert found.project().notes == "two hours of work"
    found.discard()
    assert recoverable(tmp_path) == []


def test_work_on_a_file_comes_back_and_the_file_is_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "mine.deepgui"
    file.write(empty_project("mine"), path)
    crash(tmp_path / "recovery", path)
    (found,) = recoverable(tmp_path / "recovery")
    assert (found.path, found.name) == (path, "mine.deepgui")
    assert file.read(path).notes == ""
    assert found.project() == replace(empty_project("mine"), notes="two hours of work")


def test_work_that_has_been_saved_since_is_not_offered(tmp_path: Path) -> None:
    path = tmp_path / "mine.deepgui"
    file.write(empty_project("mine"), path)
    crash(tmp_path / "recovery", path)
    file.write(recoverable(tmp_path / "recovery")[0].project(), path)
    assert recoverable(tmp_path / "recovery") == []
    assert list((tmp_path / "recovery").iterdir()) == []


def test_a_living_process_keeps_its_work_to_itself(tmp_path: Path) -> None:
    autosave = Autosave(edited(), tmp_path)
    autosave.flush()
    assert len(list(tmp_path.iterdir())) == 1
    assert recoverable(tmp_path) == []


@pytest.mark.parametrize("field", ["pid", "started"])
def test_another_process_with_the_same_number_is_another(tmp_path: Path, field: str) -> None:
    autosave = Autosave(edited(), tmp_path)
    autosave.flush()
    (path,) = tmp_path.iterdir()
    entry = json.loads(path.read_text())
    entry[field] = 2**22 + 5 if field == "pid" else entry["started"] - 1000
    path.write_text(json.dumps(entry))
    assert len(recoverable(tmp_path)) == 1


def test_nothing_is_written_while_nothing_is_unsaved(tmp_path: Path) -> None:
    document = Document(empty_project())
    autosave = Autosave(document, tmp_path)
    autosave.tick()
    assert list(tmp_path.iterdir()) == []
    document.apply(replace(document.project, notes="changed"), "Note")
    autosave.tick()
    assert len(list(tmp_path.iterdir())) == 1
    document.undo()
    autosave.tick()
    assert list(tmp_path.iterdir()) == []


def test_saving_and_closing_tidy_up(tmp_path: Path) -> None:
    document = edited()
    autosave = Autosave(document, tmp_path)
    autosave.tick()
    document.mark_saved(tmp_path / "x.deepgui")
    autosave.tick()
    assert list(tmp_path.iterdir()) == []
    document.apply(replace(document.project, notes="more"), "Note")
    autosave.tick()
    autosave.close()
    assert list(tmp_path.iterdir()) == []


def test_an_unchanged_value_is_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Path] = []
    real = atomic.replace

    def counting(path: Path, data: bytes, **kwargs: Any) -> None:
        written.append(path)
        real(path, data, **kwargs)

    monkeypatch.setattr(atomic, "replace", counting)
    autosave = Autosave(edited(), tmp_path)
    for _ in range(3):
        autosave.tick()
    assert len(written) == 1


def test_a_full_disk_is_said_and_the_earlier_copy_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = edited()
    autosave = Autosave(document, tmp_path)
    autosave.tick()
    (path,) = tmp_path.iterdir()
    before = path.read_bytes()
    document.apply(replace(document.project, notes="more"), "Note")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        message = autosave.tick()
    assert message == f"Unsaved work cannot be kept in {tmp_path}: no space left on device."
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    assert autosave.tick() == ""
    assert path.read_bytes() != before


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    message = Autosave(edited(), tmp_path / "file" / "recovery").tick()
    assert message.startswith("Unsaved work cannot be kept in")
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"5", b"\xff", b'{"pid": "x"}', b"[" * 100_000])
def test_a_damaged_leftover_is_passed_over(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.json").write_bytes(content)
    crash(tmp_path)
    assert len(recoverable(tmp_path)) == 1


def test_the_latest_comes_first(tmp_path: Path) -> None:
    crash(tmp_path)
    crash(tmp_path)
    times = [found.time for found in recoverable(tmp_path)]
    assert times == sorted(times, reverse=True)
    assert len(times) == 2


def test_the_usual_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DEEPGUI_HOME", str(tmp_path / "home"))
    assert recoverable() == []
    autosave = Autosave(edited())
    autosave.flush()
    assert len(list(recovery_folder().iterdir())) == 1
    autosave.close()
