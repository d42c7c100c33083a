"""What training minimises. Each objective is one class, registered here once."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from deepgui.training.objectives.adversarial import Adversarial
from deepgui.training.objectives.base import Objective, ObjectiveError, Outlook, Score
from deepgui.training.objectives.classification import Classification
from deepgui.training.objectives.contrastive import Contrastive
from deepgui.training.objectives.detection import Detection
from deepgui.training.objectives.diffusion import Diffusion
from deepgui.training.objectives.distillation import Distillation
from deepgui.training.objectives.masked_token import MaskedToken
from deepgui.training.objectives.next_token import NextToken
from deepgui.training.objectives.reconstruction import Reconstruction
from deepgui.training.objectives.regression import Regression
from deepgui.training.objectives.segmentation import Segmentation
from deepgui.training.objectives.sequence_to_sequence import SequenceToSequence
from deepgui.training.objectives.variational import Variational

_KNOWN: tuple[type[Objective], ...] = (
    Classification,
    Regression,
    Reconstruction,
    Variational,
    Adversarial,
    Diffusion,
    NextToken,
    MaskedToken,
    SequenceToSequence,
    Segmentation,
    Detection,
    Contrastive,
    Distillation,
)


def objectives() -> Mapping[str, type[Objective]]:
    """All objectives by id."""
    return MappingProxyType({kind.id: kind for kind in _KNOWN})


__all__ = ["Objective", "ObjectiveError", "Outlook", "Score", "objectives"]
