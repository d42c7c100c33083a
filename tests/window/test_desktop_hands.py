"""Mouse and keyboard reach a program in a real window, so that other window tests can rely on them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from window.desktop import Desktop

pytestmark = pytest.mark.window


def test_mouse_and_keyboard_reach_the_program(desktop: Desktop, tmp_path: Path) -> None:
    desktop.start(target="small_program:main")
    assert desktop.ask("app.platformName()") == "xcb"
    for _ in range(3):
        desktop.click("button")
    assert desktop.ask("find('button').text()") == "3"
    desktop.click("line")
    desktop.type("lr=0.01, greater")
    desktop.key("ctrl+a", "ctrl+c", "End", "ctrl+v")
    assert desktop.ask("find('line').text()") == "lr=0.01, greater" * 2
    x, y = desktop.rect("pad").center
    desktop.drag("pad", (x + 60, y - 40), holding="ctrl")
    assert desktop.ask("find('pad').text()") == "60 -40 True"
    with Image.open(desktop.screenshot(tmp_path / "screen.png")) as picture:
        assert picture.size == desktop.size
    with pytest.raises(LookupError, match="nobody"):
        desktop.rect("nobody")
    desktop.close()
    assert desktop.wait_for_end() == 0


def test_a_program_that_ends_at_once_is_reported_with_its_words(desktop: Desktop) -> None:
    with pytest.raises(TimeoutError, match="No module named 'nonsense'"):
        desktop.start(target="nonsense:main", timeout=20)
