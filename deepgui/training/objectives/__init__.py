"""What training minimises. Each objective is one class, registered here once."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from deepgui.training.objectives.base import Objective, ObjectiveError, Outlook, Score
from deepgui.training.objectives.classification import Classification
from deepgui.training.objectives.masked_token import MaskedToken
from deepgui.training.objectives.next_token import NextToken
from deepgui.training.objectives.regression import Regression
from deepgui.training.objectives.sequence_to_sequence import SequenceToSequence

_KNOWN: tuple[type[Objective], ...] = (Classification, Regression, NextToken, MaskedToken, SequenceToSequence)


def objectives() -> Mapping[str, type[Objective]]:
    """All objectives by id."""
    return MappingProxyType({kind.id: kind for kind in _KNOWN})


__all__ = ["Objective", "ObjectiveError", "Outlook", "Score", "objectives"]
