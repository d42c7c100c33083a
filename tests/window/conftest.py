"""A real screen for window tests. Where there is no Xvfb they are skipped, except in CI, where they fail."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from window.desktop import Desktop, missing_tools


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Leave a picture of the screen where a window test failed, named in its report."""
    report = yield
    desktop = getattr(item, "funcargs", {}).get("desktop")
    if report.when == "call" and report.failed and isinstance(desktop, Desktop):
        picture = desktop.folder / "failure.png"
        with contextlib.suppress(OSError):  # the screen itself may be what failed
            desktop.screenshot(picture)
        report.sections.append(("screen", f"{picture}\n{desktop.log()[-4000:]}"))
    return report


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Desktop]:
    """An empty screen of 1600 by 1000 pixels; ``desktop.start()`` opens DeepGUI on it."""
    if tools := missing_tools():
        message = f"a real window needs {', '.join(tools)}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    desktop = Desktop(tmp_path)
    try:
        yield desktop
    finally:
        desktop.shut_down()
