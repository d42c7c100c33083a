"""Networks that read or write sequences."""

from __future__ import annotations

from collections.abc import Callable

from deepgui.project.values import Project

SAMPLES: dict[str, Callable[[], Project]] = {}
