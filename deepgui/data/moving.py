"""Moving the pixels of images, and the classes and boxes that belong to them: mirrored, shifted, turned and scaled."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from deepgui.data.mask_files import VOID

_LEAST_LEFT = 0.25  # of a box's area; of what is cut off further, one sees too little to tell


@dataclass(frozen=True)
class Moved:
    """Images and what belongs to their pixels, moved alike.

    Attributes:
        images: (N, C, H, W).
        maps: the class of every pixel, (N, H, W) int64; -100 where nothing was before.
        boxes: (N, M, 5) as in :class:`~deepgui.data.fields.Field`; class -1 for those of which too little is left.
    """

    images: Tensor
    maps: Tensor | None = None
    boxes: Tensor | None = None


def flipped(was: Moved, chosen: Tensor) -> Moved:
    """The chosen ones (N,) mirrored, left to right."""
    images = torch.where(chosen[:, None, None, None], was.images.flip(-1), was.images)
    maps, boxes = was.maps, was.boxes
    if maps is not None:
        maps = torch.where(chosen[:, None, None], maps.flip(-1), maps)
    if boxes is not None:
        mirrored = boxes.clone()
        mirrored[..., 1] = torch.where(boxes[..., 0] >= 0, 1 - boxes[..., 1], boxes[..., 1])
        boxes = torch.where(chosen[:, None, None], mirrored, boxes)
    return Moved(images, maps, boxes)


def shifted(was: Moved, down: Tensor, right: Tensor) -> Moved:
    """Moved by whole pixels, (N,) each; black comes in."""
    height, width = was.images.shape[-2:]
    rows, row_there = _came_from(height, down)
    columns, column_there = _came_from(width, right)
    there = row_there[:, :, None] & column_there[:, None, :]
    images = _gathered(was.images, rows, columns).masked_fill(~there[:, None], 0.0)
    maps, boxes = was.maps, was.boxes
    if maps is not None:
        maps = _gathered(maps[:, None], rows, columns)[:, 0].masked_fill(~there, VOID)
    if boxes is not None:
        by = torch.stack([right / width, down / height], dim=1)
        boxes = _settled(boxes, _corners(boxes) + by[:, None, None, :])
    return Moved(images, maps, boxes)


def transformed(was: Moved, matrices: Tensor) -> Moved:
    """Moved by a linear map each; black comes in.

    Args:
        matrices: where a place of the new image comes from in the old one, (N, 2, 3), as ``affine_grid`` takes it.
    """
    grid = F.affine_grid(matrices.to(was.images.dtype), list(was.images.shape), align_corners=False)
    images = F.grid_sample(was.images, grid, align_corners=False)
    maps, boxes = was.maps, was.boxes
    if maps is not None:
        above = (maps[:, None] - VOID).to(grid.dtype)  # so that what comes in, zeros, means no class
        maps = F.grid_sample(above, grid, mode="nearest", align_corners=False)[:, 0].long() + VOID
    if boxes is not None:
        back = torch.linalg.inv(matrices[:, :, :2])
        places = 2 * _corners(boxes) - 1 - matrices[:, None, None, :, 2]
        boxes = _settled(boxes, (torch.einsum("nij,nmkj->nmki", back, places) + 1) / 2)
    return Moved(images, maps, boxes)


def _came_from(size: int, by: Tensor) -> tuple[Tensor, Tensor]:
    """Which old place each new one shows, (N, size), and whether there is one."""
    places = torch.arange(size, device=by.device) - by[:, None]
    return places.clamp(0, size - 1), (places >= 0) & (places < size)


def _gathered(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    images = images.gather(2, rows[:, None, :, None].expand(-1, images.shape[1], -1, images.shape[3]))
    return images.gather(3, columns[:, None, None, :].expand(-1, *images.shape[1:3], -1))


def _corners(boxes: Tensor) -> Tensor:
    """The four corners as shares of the image, (N, M, 4, 2)."""
    x, y, width, height = boxes[..., 1:].unbind(-1)
    signs = ((-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5))
    return torch.stack([torch.stack([x + a * width, y + b * height], dim=-1) for a, b in signs], dim=-2)


def _settled(boxes: Tensor, corners: Tensor) -> Tensor:
    """Upright boxes around corners (N, M, 4, 2), cut at the edges of the image."""
    low, high = corners.amin(-2), corners.amax(-2)
    inner_low, inner_high = low.clamp(0, 1), high.clamp(0, 1)
    area, left = (high - low).prod(-1), (inner_high - inner_low).prod(-1)
    kept = (boxes[..., 0] >= 0) & (left > 0) & (left >= _LEAST_LEFT * area)
    found = torch.cat([boxes[..., :1], (inner_low + inner_high) / 2, inner_high - inner_low], dim=-1)
    nothing = boxes.new_tensor([-1.0, 0.0, 0.0, 0.0, 0.0])
    return torch.where(kept[..., None], found, nothing)
