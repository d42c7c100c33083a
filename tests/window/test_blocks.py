"""Blocks by mouse and keyboard alone: two layers become one, are looked into, changed, left and taken apart again."""

from __future__ import annotations

import pytest
from window.desktop import Desktop
from window.test_main_path import NETWORK, Student

pytestmark = [pytest.mark.window, pytest.mark.timeout(300)]

SESSION = "find('canvas').session"


@pytest.fixture
def student(desktop: Desktop) -> Student:
    desktop.start()
    desktop.click("new_button")
    desktop.wait("len(find('canvas').session.registry) > 100", "the catalogue")
    desktop.wait(f"{SESSION}.ready", "PyTorch")
    return Student(desktop)


def test_a_block_is_made_entered_changed_left_and_taken_apart(student: Student) -> None:
    desktop = student.desktop
    for words, across in (("input", 0.15), ("linear", 0.38), ("relu", 0.61), ("output", 0.84)):
        student.add_by_search(words, across, 0.4)
    for source, target in (("input", "linear"), ("linear", "relu"), ("relu", "output")):
        student.wire(source, target)
    x, y = student.port("linear", "in", "input")
    desktop.click((x + 30, y))
    x, y = student.port("relu", "in", "input")
    desktop.click((x + 30, y), holding="shift")
    desktop.wait(f"{SESSION}.selection == {{'linear', 'relu'}}", "both")
    desktop.key("ctrl+g")
    desktop.wait("find('rename_edit').isVisible()", "the name of the block to be typed")
    desktop.type("Tower")
    desktop.key("Return")
    desktop.wait(f"list({SESSION}.project.blocks) == ['Tower']", "the block under its name")
    use = desktop.ask(f"next(n.id for n in {NETWORK}.nodes.values() if n.kind == 'Tower')")

    x, y = student.port(use, "in", "input")
    desktop.click((x + 60, y), times=2)
    desktop.wait("find('breadcrumb').isVisible()", "the way above the canvas")
    desktop.wait(f"'linear' in {NETWORK}.nodes", "the drawing of the block")
    student.set_param("linear", "out_features", "23")
    desktop.wait(f"{NETWORK}.nodes['linear'].params.get('out_features') == 23", "the change inside")
    desktop.click(student.canvas_spot(0.5, 0.9))
    desktop.key("Escape")
    desktop.wait(f"{SESSION}.levels == ()", "the network again")
    assert desktop.ask(f"list({SESSION}.selection)") == [use]

    desktop.key("ctrl+shift+g")
    desktop.wait(f"'linear' in {NETWORK}.nodes and len({NETWORK}.nodes) == 4", "the layers again")
    assert desktop.ask(f"{NETWORK}.nodes['linear'].params['out_features']") == 23
    assert desktop.ask(f"len({NETWORK}.wires)") == 3
