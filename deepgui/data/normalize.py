"""Bringing values to a common scale, with numbers learnt from the training split only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from deepgui.data.errors import DataError
from deepgui.data.fields import Field

METHODS = ("none", "standard", "minmax")
MEASURED = ("image", "vector", "number", "series", "features")
"""Kinds of field that hold measured values; the others hold classes, places and counts, which have no scale."""

_CONSTANT = 1e-7  # spread relative to the value below which float32 holds nothing but rounding


@dataclass(frozen=True)
class Scale:
    """``(x - shift) / scale`` of one field; an image per channel, a vector or series per element of its last dimension.

    Attributes:
        kind: the field's kind; decides along which dimension the numbers lie.
        shift, scale: one number a channel or element. Constant columns have scale 1.
        fill: what replaces a missing value (NaN) before scaling; empty if nothing was missing.
    """

    kind: str
    shift: tuple[float, ...]
    scale: tuple[float, ...]
    fill: tuple[float, ...] = ()
    _tensors: dict[torch.device, tuple[Tensor, Tensor]] = field(default_factory=dict, repr=False, compare=False)

    def transform(self, values: Tensor) -> Tensor:
        """Scaled values of the same shape (with or without a batch dimension)."""
        if self.fill:
            fill = self._spread(self.fill, values.device)
            values = torch.where(values.isnan(), fill, values)
        if self.is_identity:
            return values
        shift, scale = self._on(values.device)
        return (values - shift) / scale

    def inverse(self, values: Tensor) -> Tensor:
        """Back to the units of the data."""
        if self.is_identity:
            return values
        shift, scale = self._on(values.device)
        return values * scale + shift

    @property
    def is_identity(self) -> bool:
        return all(s == 0 for s in self.shift) and all(s == 1 for s in self.scale)

    def _on(self, device: torch.device) -> tuple[Tensor, Tensor]:
        pair = self._tensors.get(device)
        if pair is None:
            pair = self._spread(self.shift, device), self._spread(self.scale, device)
            self._tensors[device] = pair
        return pair

    def _spread(self, numbers: tuple[float, ...], device: torch.device) -> Tensor:
        flat = torch.tensor(numbers, dtype=torch.float32, device=device)
        return flat.reshape(-1, 1, 1) if self.kind == "image" else flat

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_tensors": {}}  # device tensors do not travel to worker processes


class Normalizer(Mapping[str, Scale]):
    """Field name → :class:`Scale`. Labels have none and are never touched.

    The target of a regression has one too: it is trained on in scaled units, and ``inverse`` gives
    predictions and metrics their own units back.
    """

    def __init__(self, scales: Mapping[str, Scale] | None = None, method: str = "none") -> None:
        self._scales = dict(scales or {})
        self.method = method

    def __getitem__(self, name: str) -> Scale:
        return self._scales[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._scales)

    def __len__(self) -> int:
        return len(self._scales)

    def transform(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Every field of a batch scaled; those without a scale as they are."""
        return {n: self._scales[n].transform(v) if n in self._scales else v for n, v in batch.items()}

    def inverse(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Every field of a batch in its own units."""
        return {n: self._scales[n].inverse(v) if n in self._scales else v for n, v in batch.items()}

    def state(self) -> dict[str, Any]:
        """Plain numbers for JSON: ``{"method", "fields": {name: {"kind", "shift", "scale", "fill"}}}``."""
        fields = {
            name: {"kind": s.kind, "shift": list(s.shift), "scale": list(s.scale), "fill": list(s.fill)}
            for name, s in self._scales.items()
        }
        return {"method": self.method, "fields": fields}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Normalizer:
        """What :meth:`state` described. Raises DataError for anything else."""
        try:
            scales = {
                name: Scale(str(s["kind"]), _numbers(s["shift"]), _numbers(s["scale"]), _numbers(s["fill"]))
                for name, s in state["fields"].items()
            }
            return cls(scales, str(state["method"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"this is not the state of a normaliser ({type(error).__name__}: {error})") from None


def _numbers(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(float(v) for v in values)


class Moments:
    """Count, mean, spread and range per column, merged chunk by chunk in double precision. NaN counts as missing.

    Columns are the channels of an image and the elements of a vector's last dimension.
    """

    def __init__(self, field: Field) -> None:
        self.kind = field.kind
        self.scaled = field.scaled
        width = field.shape[0] if field.kind == "image" else (field.shape[-1] if field.shape else 1)
        self.count = torch.zeros(width, dtype=torch.float64)
        self.mean = torch.zeros(width, dtype=torch.float64)
        self.squares = torch.zeros(width, dtype=torch.float64)  # sum of squared deviations from the mean
        self.low = torch.full((width,), math.inf, dtype=torch.float64)
        self.high = torch.full((width,), -math.inf, dtype=torch.float64)
        self.missing = 0

    def add(self, values: Tensor) -> None:
        """Take in more examples, shape (B, *field.shape)."""
        if self.kind == "image":
            columns = values.transpose(0, 1).flatten(
                1
            )  # many bounded values: torch's Welford in float32 is exact enough
        else:
            columns = values.reshape(-1, len(self.mean)).T.double()
        absent = columns.isnan()
        if absent.any():
            self._merge(*_with_holes(columns, absent))
            self.missing += int(absent.sum())
        elif columns.numel():
            squares, mean = torch.var_mean(columns, dim=1, correction=0)
            low, high = torch.aminmax(columns, dim=1)
            count = torch.full_like(self.count, columns.shape[1])
            self._merge(count, mean.double(), squares.double() * count, low.double(), high.double())

    def _merge(self, count: Tensor, mean: Tensor, squares: Tensor, low: Tensor, high: Tensor) -> None:
        total = (self.count + count).clamp(min=1)
        delta = mean - self.mean
        self.squares += squares + delta.square() * self.count * count / total
        self.mean += delta * count / total
        self.count += count
        self.low = torch.minimum(self.low, low)
        self.high = torch.maximum(self.high, high)

    def scale(self, method: str, fill: tuple[float, ...] = ()) -> Scale:
        """The scale that brings these values to a common range; ``fill`` replaces what is missing, else the mean."""
        method = method if self.scaled else "none"
        seen = self.count > 0
        low, high = (torch.where(seen, edge, 0.0) for edge in (self.low, self.high))
        if method == "standard":
            shift, spread = self.mean, (self.squares / self.count.clamp(min=1)).sqrt()
        elif method == "minmax":
            shift, spread = low, high - low
        else:
            shift, spread = torch.zeros_like(self.mean), torch.ones_like(self.mean)
        size = torch.maximum(low.abs(), high.abs())
        spread = torch.where(spread > _CONSTANT * size, spread, 1.0)
        # Any split may have holes where the training split has none, so a vector always knows how to fill them.
        if not fill and self.kind in ("vector", "series"):
            fill = tuple(self.mean.tolist())
        return Scale(self.kind, tuple(shift.tolist()), tuple(spread.tolist()), fill)

    def range(self) -> dict[str, float]:
        """Minimum, maximum and mean over all columns, for people; empty if there are no values."""
        total = float(self.count.sum())
        if not total:
            return {}
        mean = float((self.mean * self.count).sum()) / total
        return {"minimum": float(self.low.min()), "maximum": float(self.high.max()), "mean": mean}


def _with_holes(columns: Tensor, absent: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Count, mean, squared deviations, minimum and maximum of each column's values that are there."""
    columns = columns.double()
    count = (~absent).sum(1).double()
    mean = columns.nansum(1) / count.clamp(min=1)
    squares = (columns - mean[:, None]).square().nansum(1)
    low, high = columns.masked_fill(absent, math.inf).amin(1), columns.masked_fill(absent, -math.inf).amax(1)
    return count, mean, squares, low, high


def measure(fields: Iterable[Field], chunks: Iterable[Mapping[str, Tensor]]) -> dict[str, Moments]:
    """The moments of all fields of :data:`MEASURED` kinds over examples that come in chunks."""
    moments = {f.name: Moments(f) for f in fields if f.kind in MEASURED}
    for chunk in chunks if moments else ():  # nothing to measure: nothing to read
        for name, own in moments.items():
            own.add(chunk[name])
    return moments


def fit(
    moments: Mapping[str, Moments], method: str, fills: Mapping[str, tuple[float, ...]] | None = None
) -> Normalizer:
    """A normaliser from the moments of the training examples.

    Args:
        fills: field → what replaces a missing value in each element, where that is not the mean.

    Raises:
        DataError: an unknown method.
    """
    if method not in METHODS:
        raise DataError(f"normalize must be one of {', '.join(METHODS)}, not {method!r}")
    known = fills or {}
    return Normalizer({name: own.scale(method, known.get(name, ())) for name, own in moments.items()}, method)
