"""Sources of pictures with more than one class: maps and boxes."""

from __future__ import annotations

from deepgui.data.source_spec import SourceSpec

SOURCES: tuple[SourceSpec, ...] = ()
