"""Sources of well-known sets, fetched on demand."""

from __future__ import annotations

from deepgui.data.source_spec import SourceSpec

SOURCES: tuple[SourceSpec, ...] = ()
