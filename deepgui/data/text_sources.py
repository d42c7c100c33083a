"""Sources of text and what stands in it."""

from __future__ import annotations

from deepgui.data import text_windows
from deepgui.data.source_spec import SourceSpec

_LANGUAGE = ("next_token", "masked_token")

SOURCES: tuple[SourceSpec, ...] = (
    SourceSpec(
        "python_text",
        "Python's help",
        "The help on the Python language that comes with Python, half a million characters, for language models.",
        text_windows.PYTHON_PARAMS,
        text_windows.python_text,
        _LANGUAGE,
        again=text_windows.python_text,
    ),
    SourceSpec(
        "text",
        "Text",
        "A text file or a folder of them, as windows of tokens for language models.",
        text_windows.TEXT_PARAMS,
        text_windows.read_text_source,
        _LANGUAGE,
        again=text_windows.read_text_source,
    ),
)
