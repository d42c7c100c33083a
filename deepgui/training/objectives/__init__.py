"""What training minimises. Each objective is one class, registered here once."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from deepgui.training.objectives.base import Objective, ObjectiveError, Outlook, Score
from deepgui.training.objectives.classification import Classification
from deepgui.training.objectives.regression import Regression

_KNOWN: tuple[type[Objective], ...] = (Classification, Regression)


def objectives() -> Mapping[str, type[Objective]]:
    """All objectives by id."""
    return MappingProxyType({kind.id: kind for kind in _KNOWN})


__all__ = ["Objective", "ObjectiveError", "Outlook", "Score", "objectives"]
