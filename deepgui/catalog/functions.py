"""The tensor operations: all of PyTorch's functions that are nodes.

Arguments that are neither named there nor tensors without a default are not shown.
"""

from __future__ import annotations

from deepgui.catalog.arrangement import SELECTIONS, SHAPES
from deepgui.catalog.making import ATTENTIONS, CREATIONS, SIGNALS
from deepgui.catalog.mathematics import ARITHMETIC, COMPARISONS, ELEMENTWISE, REDUCTIONS
from deepgui.catalog.operation import Operation

FUNCTIONS: tuple[Operation, ...] = (
    *ARITHMETIC,
    *ELEMENTWISE,
    *REDUCTIONS,
    *SHAPES,
    *SELECTIONS,
    *COMPARISONS,
    *CREATIONS,
    *SIGNALS,
    *ATTENTIONS,
)
"""All operations, in the order of the palette."""
