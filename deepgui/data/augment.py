"""Changing examples at random while training, so that a network learns what does not matter.

Whole batches on any device; each example has its own chances, drawn from one generator, so that a training that is
resumed goes on with the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Generator, Tensor

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.errors import DataError
from deepgui.data.moving import Moved, flipped, shifted, transformed
from deepgui.data.normalize import Scale

SETTINGS = (
    ParamSpec("flip", "float", 0.0, minimum=0.0, doc="Share of the images that are mirrored, left to right."),
    ParamSpec("crop", "int", 0, minimum=0, doc="Images are moved by up to so many pixels each way; black comes in."),
    ParamSpec("rotation", "float", 0.0, minimum=0.0, doc="Images are turned by up to so many degrees each way."),
    ParamSpec("zoom", "float", 0.0, minimum=0.0, doc="Images grow or shrink by up to this share: 0.1 is 90 to 110 %."),
    ParamSpec("shift", "float", 0.0, minimum=0.0, doc="Images are moved by up to this share of their size each way."),
    ParamSpec("brightness", "float", 0.0, minimum=0.0, doc="Images get up to this share brighter or darker."),
    ParamSpec("contrast", "float", 0.0, minimum=0.0, doc="The contrast gets up to this share stronger or weaker."),
    ParamSpec("saturation", "float", 0.0, minimum=0.0, doc="Colours get up to this share stronger or paler."),
    ParamSpec("noise", "float", 0.0, minimum=0.0, doc="Largest deviation of noise on every value; images are 0 to 1."),
    ParamSpec("erase", "float", 0.0, minimum=0.0, doc="Largest side of a black square, as a share of the image."),
    ParamSpec("time_mask", "float", 0.0, minimum=0.0, doc="Largest share of a recording that is blotted out."),
    ParamSpec("frequency_mask", "float", 0.0, minimum=0.0, doc="Largest share of the frequencies blotted out."),
)
"""Each is off at 0. The masks are those of SpecAugment (Park et al. 2019), the square is cutout (DeVries 2017)."""

SHARES = ("flip", "zoom", "shift", "brightness", "contrast", "saturation", "erase", "time_mask", "frequency_mask")
"""The settings that are shares: at most 1."""

_GREY = (0.299, 0.587, 0.114)  # how bright red, green and blue look (ITU-R BT.601)


class Augmentation:
    """Random changes of images (N, C, H, W) and of series (N, T, C).

    Args:
        settings: of :data:`SETTINGS`; what is left out is off.
        scale: what the values have been normalised with; changes are made in the units of the data, where black is 0
            and white is 1. Without it the values are taken to be in these units.

    Raises:
        DataError: a setting that does not exist or is out of range.
    """

    def __init__(self, settings: Mapping[str, Value], scale: Scale | None = None) -> None:
        known = {p.name: p for p in SETTINGS}
        self._strength = dict.fromkeys(known, 0.0)
        for name, value in settings.items():
            if name not in known:
                raise DataError(f"there is no augmentation {name!r}; there are {', '.join(known)}")
            complaint = known[name].check(value)
            if complaint is None and name in SHARES and float(str(value)) > 1:
                complaint = f"{name} must be at most 1, not {value}"
            if complaint:
                raise DataError(complaint)
            self._strength[name] = float(str(value))
        self._scale = None if scale is None or scale.is_identity else scale

    @property
    def is_identity(self) -> bool:
        """Whether nothing is switched on."""
        return not any(self._strength.values())

    def __call__(self, images: Tensor, generator: Generator) -> Tensor:
        """The examples changed; same shape, type and device. Images (N, C, H, W) or series (N, T, C)."""
        if images.dim() == 3:
            return self._series(images, _Chances(images, generator))
        return self.apply(images, generator).images

    def apply(
        self, images: Tensor, generator: Generator, maps: Tensor | None = None, boxes: Tensor | None = None
    ) -> Moved:
        """Images changed, with maps and boxes moved along. None of the arguments is written to."""
        if self.is_identity or not len(images):
            return Moved(images, maps, boxes)
        draw = _Chances(images, generator)
        if self._scale is not None:
            images = self._scale.inverse(images)
        moved = self._moved(Moved(images, maps, boxes), draw)
        images = self._blotted(self._colored(moved.images, draw), draw)
        if self._scale is not None:
            images = self._scale.transform(images)
        return Moved(images, moved.maps, moved.boxes)

    def _moved(self, was: Moved, draw: _Chances) -> Moved:
        on = self._strength
        if on["flip"]:
            was = flipped(was, draw.uniform() < on["flip"])
        if on["crop"]:
            was = shifted(was, draw.integers(int(on["crop"])), draw.integers(int(on["crop"])))
        if on["rotation"] or on["zoom"] or on["shift"]:
            was = transformed(was, self._matrices(was.images, draw))
        return was

    def _matrices(self, images: Tensor, draw: _Chances) -> Tensor:
        """Where a place of the new image comes from in the old one, (N, 2, 3), both from -1 to 1."""
        on = self._strength
        height, width = images.shape[-2:]
        angle = draw.around(math.radians(on["rotation"]))
        zoom = 1 / (1 + draw.around(on["zoom"])).clamp(min=0.05)
        x, y = draw.around(2 * on["shift"]), draw.around(2 * on["shift"])
        sine, cosine = angle.sin() * zoom, angle.cos() * zoom
        rows = (cosine, sine * height / width, x, -sine * width / height, cosine, y)
        return torch.stack(rows, dim=1).reshape(-1, 2, 3)

    def _colored(self, images: Tensor, draw: _Chances) -> Tensor:
        on, before = self._strength, images
        if on["brightness"]:
            images = images * (1 + draw.around(on["brightness"]))[:, None, None, None]
        if on["contrast"]:
            images = _apart(images, _grey(images).mean((1, 2, 3), keepdim=True), draw.around(on["contrast"]))
        if on["saturation"] and images.shape[1] == 3:
            images = _apart(images, _grey(images), draw.around(on["saturation"]))
        if on["noise"]:
            images = images + draw.normal(images.shape) * (draw.uniform() * on["noise"])[:, None, None, None]
        return images if images is before else images.clamp(0, 1)

    def _blotted(self, images: Tensor, draw: _Chances) -> Tensor:
        on = self._strength
        if on["erase"]:
            side = draw.uniform() * on["erase"]
            rows, columns = (draw.span(size, side) for size in images.shape[-2:])
            images = images.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], 0.0)
        mean = images.mean((1, 2, 3), keepdim=True) if on["frequency_mask"] or on["time_mask"] else None
        if mean is not None and on["frequency_mask"]:
            bands = draw.span(images.shape[-2], draw.uniform() * on["frequency_mask"])
            images = torch.where(bands[:, None, :, None], mean, images)
        if mean is not None and on["time_mask"]:
            times = draw.span(images.shape[-1], draw.uniform() * on["time_mask"])
            images = torch.where(times[:, None, None, :], mean, images)
        return images

    def _series(self, values: Tensor, draw: _Chances) -> Tensor:
        """Noise, another loudness (contrast), and a stretch of time that holds the mean."""
        on, mean = self._strength, values.mean(1, keepdim=True)
        if on["contrast"]:
            values = _apart(values, mean, draw.around(on["contrast"]))
        if on["noise"]:
            values = values + draw.normal(values.shape) * (draw.uniform() * on["noise"])[:, None, None]
        if on["time_mask"]:
            times = draw.span(values.shape[1], draw.uniform() * on["time_mask"])
            values = torch.where(times[:, :, None], mean, values)
        return values


class _Chances:
    """Random numbers for each example of a batch, on its device."""

    def __init__(self, like: Tensor, generator: Generator) -> None:
        self._count, self._device, self._generator = len(like), like.device, generator

    def uniform(self) -> Tensor:
        """From 0 to 1, (N,)."""
        made = torch.rand(self._count, generator=self._generator, device=self._generator.device)
        return made.to(self._device)

    def around(self, most: float) -> Tensor:
        """From ``-most`` to ``most``, (N,)."""
        return (2 * self.uniform() - 1) * most

    def integers(self, most: int) -> Tensor:
        """Whole numbers from ``-most`` to ``most``, (N,)."""
        return (self.uniform() * (2 * most + 1)).long().clamp(max=2 * most) - most

    def normal(self, shape: torch.Size) -> Tensor:
        """Normally distributed, of this shape."""
        return torch.randn(shape, generator=self._generator, device=self._generator.device).to(self._device)

    def span(self, size: int, share: Tensor) -> Tensor:
        """A stretch of ``share`` (N,) of so many places in a row, somewhere; (N, size) bool."""
        length = (share * size).round()
        first = (self.uniform() * (size - length + 1)).floor()
        places = torch.arange(size, device=self._device)
        return (places >= first[:, None]) & (places < (first + length)[:, None])


def _apart(values: Tensor, middle: Tensor, change: Tensor) -> Tensor:
    """Differences from ``middle`` made larger or smaller by a share, one for each example."""
    return middle + (values - middle) * (1 + change).reshape(-1, *[1] * (values.dim() - 1))


def _grey(images: Tensor) -> Tensor:
    """One channel of how bright the colours look."""
    if images.shape[1] != 3:
        return images.mean(1, keepdim=True)
    return (images * images.new_tensor(_GREY).reshape(3, 1, 1)).sum(1, keepdim=True)
