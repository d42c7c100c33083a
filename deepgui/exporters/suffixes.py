"""What the name of an export means: its suffix chooses among formats, and one that has none gets it."""

from __future__ import annotations

import mimetypes
from pathlib import Path

OURS = (".py", ".safetensors", ".pt", ".pth", ".onnx", ".pt2")


def suffix_of(out: Path) -> str:
    """The suffix of a file's name; empty where the last dot is part of the name, as in ``net.v2``."""
    known = out.suffix in OURS or mimetypes.guess_type(out.name)[0] is not None
    return out.suffix if known else ""


def with_suffix(out: Path, suffix: str) -> Path:
    """``out`` with this suffix after it, if it has none."""
    return out if suffix_of(out) == suffix else out.with_name(out.name + suffix)
