"""Undo and redo travel among the very values that were current."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from networks import Edit, edit, edit_lists

from deepgui.project.document import Document
from deepgui.project.values import Project, edit_network, empty_project


def _apply(document: Document, change: Edit) -> None:
    document.apply(edit_network(document.project, "network", change), "Edit")


@given(edit_lists)
def test_undo_to_the_start_gives_the_first_value_back_and_redo_the_last(changes: list[Edit]) -> None:
    document = Document(empty_project())
    values = [document.project]
    for change in changes:
        _apply(document, change)
        if document.project is not values[-1]:
            values.append(document.project)
    last = document.project
    for value in reversed(values[:-1]):
        assert document.undo()
        assert document.project is value
    assert not document.undo()
    assert not document.dirty
    for value in values[1:]:
        assert document.redo()
        assert document.project is value
    assert not document.redo()
    assert document.project is last


@given(st.lists(st.one_of(edit(), st.sampled_from(["undo", "redo"])), max_size=30))
def test_any_mixture_of_edits_undo_and_redo_agrees_with_a_list_of_values(actions: list[Edit | str]) -> None:
    document = Document(empty_project())
    heard: list[tuple[Project, Project]] = []
    document.changed.connect(lambda before, after: heard.append((before, after)))
    values, now = [document.project], 0
    for action in actions:
        if action == "undo":
            assert document.undo() == (now > 0)
            now = max(now - 1, 0)
        elif action == "redo":
            assert document.redo() == (now < len(values) - 1)
            now = min(now + 1, len(values) - 1)
        elif not isinstance(action, str):
            _apply(document, action)
            if document.project is not values[now]:
                values = [*values[: now + 1], document.project]
                now += 1
        assert document.project is values[now]
        assert document.dirty == (now > 0)
    assert all(before is not after for before, after in heard)
    assert all(heard[i][1] is heard[i + 1][0] for i in range(len(heard) - 1))
