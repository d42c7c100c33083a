"""Sources of text and what stands in it."""

from __future__ import annotations

from deepgui.data.source_spec import SourceSpec

SOURCES: tuple[SourceSpec, ...] = ()
