"""Sources of numbers over time, and sequences with a class."""

from __future__ import annotations

from deepgui.data.source_spec import SourceSpec

SOURCES: tuple[SourceSpec, ...] = ()
