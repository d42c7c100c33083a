"""What can be seen on a wire: pictures of a network's tensors, computed only while somebody looks."""

from deepgui.probes.board import Board
from deepgui.probes.pictures import (
    Boundary,
    Confusion,
    FeatureMaps,
    Histogram,
    Picture,
    Prediction,
    Vector,
    Watch,
)

__all__ = [
    "Board",
    "Boundary",
    "Confusion",
    "FeatureMaps",
    "Histogram",
    "Picture",
    "Prediction",
    "Vector",
    "Watch",
]
