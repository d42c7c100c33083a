"""DeepGUI: draw a neural network, watch it learn, take the PyTorch home.

The public names are imported on first use, so that ``import deepgui`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Block": "deepgui.builder",
    "Network": "deepgui.builder",
    "check": "deepgui.api",
    "compile": "deepgui.api",
    "from_module": "deepgui.api",
    "from_onnx": "deepgui.api",
    "layers": "deepgui.api",
    "load": "deepgui.api",
    "save": "deepgui.api",
    "to_python": "deepgui.api",
    "train": "deepgui.api",
}

__all__ = [
    "Block",
    "Network",
    "__version__",
    "check",
    "compile",
    "from_module",
    "from_onnx",
    "layers",
    "load",
    "save",
    "to_python",
    "train",
]

if TYPE_CHECKING:
    from deepgui.api import check, compile, from_module, from_onnx, layers, load, save, to_python, train
    from deepgui.builder import Block, Network


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'deepgui' has no attribute {name!r}")
    return getattr(importlib.import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
