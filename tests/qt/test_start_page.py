"""The first page offers samples and published architectures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton

from deepgui.library.templates import templates
from deepgui.project import file
from deepgui.qt.start_page import StartPage, short_count


@pytest.fixture
def page(qtbot: Any) -> StartPage:
    made = StartPage(dict)
    qtbot.addWidget(made)
    made.resize(1280, 720)
    made.show()
    return made


def test_every_template_is_offered_and_its_file_is_what_is_opened(page: StartPage, qtbot: Any) -> None:
    chosen: list[Path] = []
    page.sample_chosen.connect(chosen.append)
    for template in templates().values():
        card = page.findChild(QAbstractButton, f"template_{template.path.stem}")
        assert card is not None
        assert f"{template.parameters:,} parameters" in card.accessibleName()
        qtbot.mouseClick(card, Qt.MouseButton.LeftButton)
    assert chosen == [template.path for template in templates().values()]
    assert all(file.read(path).main.nodes for path in chosen)


@pytest.mark.parametrize(("number", "text"), [(61_706, "61.7 k"), (11_689_512, "11.7 M"), (138_357_544, "138.4 M")])
def test_numbers_of_parameters_are_short(number: int, text: str) -> None:
    assert short_count(number) == text
