"""What a terminal shows while data is read, and Ctrl+C meanwhile."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from deepgui.cli import output
from deepgui.data.progress import Progress, tell


def test_a_bar_counts_on_a_terminal_and_goes_when_interrupted(monkeypatch):
    stream = io.StringIO()
    terminal = Console(file=stream, force_terminal=True, width=100)
    monkeypatch.setattr(output, "console", lambda *, stderr: terminal)

    def read() -> None:
        tell(Progress(1234, 5000, "pictures read"))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), output.waiting("preparing"):
        read()
    assert "1,234 of 5,000 pictures read" in stream.getvalue()
    tell(Progress(1, 2, "pictures read"))
    assert "1 of 2" not in stream.getvalue()


def test_nothing_is_drawn_into_a_log(capsys):
    with output.waiting("preparing"):
        tell(Progress(1, 2, "pictures read"))
    assert capsys.readouterr() == ("", "")
