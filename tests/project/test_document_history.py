"""Merging, labels and what counts as unsaved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deepgui.project import document as module
from deepgui.project.document import Document
from deepgui.project.values import Project, empty_project


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def note(document: Document, text: str, merge: object = None) -> Project:
    document.apply(replace(document.project, notes=text), f"Write {text}", merge)
    return document.project


def test_a_drag_is_one_step(clock: Clock) -> None:
    document = Document(empty_project())
    first = document.project
    for text in "abc":
        note(document, text, merge="drag")
        clock.now += 0.5
    assert document.undo_label == "Write a"
    assert document.undo()
    assert document.project is first


@pytest.mark.parametrize(("pause", "key"), [(2.0, "drag"), (0.1, "other"), (0.1, None)])
def test_a_pause_or_another_gesture_is_another_step(clock: Clock, pause: float, key: str | None) -> None:
    document = Document(empty_project())
    between = note(document, "a", merge="drag")
    clock.now += pause
    note(document, "b", merge=key)
    assert document.undo()
    assert document.project is between


def test_undo_and_saving_end_a_merge(clock: Clock) -> None:
    document = Document(empty_project())
    saved = note(document, "a", merge="drag")
    document.mark_saved(Path("x"))
    note(document, "b", merge="drag")
    assert document.dirty
    document.undo()
    assert document.project is saved
    assert not document.dirty
    note(document, "c", merge="drag")
    document.undo()
    assert document.project is saved


def test_labels_say_what_would_be_taken_back() -> None:
    document = Document(empty_project())
    assert (document.undo_label, document.redo_label) == ("", "")
    note(document, "a")
    note(document, "b")
    document.undo()
    assert (document.undo_label, document.redo_label) == ("Write a", "Write b")
    note(document, "c")
    assert document.redo_label == ""


def test_listeners_hear_real_changes_only_and_can_stop() -> None:
    document = Document(empty_project())
    heard: list[str] = []
    stop = document.changed.connect(lambda before, after: heard.append(f"{before.notes}>{after.notes}"))
    document.apply(document.project, "Nothing")
    note(document, "a")
    document.undo()
    stop()
    stop()
    note(document, "b")
    assert heard == [">a", "a>"]
