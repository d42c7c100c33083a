"""Pictures of examples with heat over them, as PNG files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from deepgui.after.subject import AfterError

_LEAST = 224  # pixels along the longer side; smaller pictures are enlarged
_FOR = np.array([230, 40, 40], np.float32)
_AGAINST = np.array([40, 90, 230], np.float32)
_FAINT = 0.6  # how bright the picture under the heat is


def heat_map(picture: Tensor, heat: Tensor) -> Image.Image:
    """A picture in grey with what speaks for the answer in red and what speaks against it in blue.

    Args:
        picture: (C, H, W), 0 to 1. heat: (C, H, W), summed over the channels, or (H, W); the strongest is opaque.
    """
    grey = picture.clamp(0, 1).mean(0).numpy()[..., None] * 255 * _FAINT
    flat = (heat.sum(0) if heat.dim() == 3 else heat).nan_to_num().numpy()
    strength = np.abs(flat) / max(float(np.abs(flat).max()), 1e-12)
    colour = np.where(flat[..., None] >= 0, _FOR, _AGAINST)
    return _enlarged(grey * (1 - strength[..., None]) + colour * strength[..., None])


def side_by_side(*pictures: Tensor) -> Image.Image:
    """Pictures (C, H, W), 0 to 1, of one size in a row, with a gap."""
    height, width = pictures[0].shape[1:]
    gap = np.full((height, max(1, width // 16), 3), 255, np.float32)
    parts: list[NDArray[Any]] = []
    for picture in pictures:
        shown = picture if len(picture) == 3 else picture.mean(0, keepdim=True).expand(3, -1, -1)
        parts += [gap, np.moveaxis(shown.clamp(0, 1).numpy() * 255, 0, -1)]
    return _enlarged(np.concatenate(parts[1:], 1))


def write(image: Image.Image, path: Path) -> Path:
    """Write a PNG file. Raises AfterError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
    except OSError as error:
        raise AfterError(f"{path}: the picture cannot be written ({error.strerror or error}).") from None
    return path


def _enlarged(pixels: NDArray[Any]) -> Image.Image:
    image = Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8))
    times = max(1, -(-_LEAST // image.height))
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
