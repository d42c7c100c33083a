"""What a network says about an example, in people's terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LISTED = 10
"""So many tokens are told of those that may come next."""


@dataclass(frozen=True)
class Answer:
    """One answer; :meth:`state` is what ``--json`` prints of it, :attr:`words` what people read."""

    def state(self) -> dict[str, Any]:
        """Plain values for JSON."""
        raise NotImplementedError

    @property
    def words(self) -> str:
        """In a line."""
        raise NotImplementedError


@dataclass(frozen=True)
class Chances(Answer):
    """How likely each of several classes is; they add up to 1."""

    names: tuple[str, ...]
    chances: tuple[float, ...]

    @property
    def best(self) -> int:
        """Number of the most likely class."""
        return max(range(len(self.chances)), key=self.chances.__getitem__)

    def state(self) -> dict[str, Any]:
        named = dict(zip(self.names, self.chances, strict=True))
        return {"class": self.names[self.best], "probability": self.chances[self.best], "probabilities": named}

    @property
    def words(self) -> str:
        return f"{self.names[self.best]} ({self.chances[self.best]:.1%})"


@dataclass(frozen=True)
class Following(Chances):
    """The tokens that most likely come next, the best first; the rest is left out."""

    def state(self) -> dict[str, Any]:
        named = dict(zip(self.names, self.chances, strict=True))
        return {"next": self.names[0], "probability": self.chances[0], "probabilities": named}

    @property
    def words(self) -> str:
        return ", ".join(f"{name!r} ({p:.1%})" for name, p in zip(self.names[:5], self.chances, strict=False))


@dataclass(frozen=True)
class Several(Answer):
    """How likely each class is where an example may have several."""

    names: tuple[str, ...]
    chances: tuple[float, ...]

    @property
    def chosen(self) -> tuple[str, ...]:
        """Those that are more likely than not."""
        return tuple(name for name, p in zip(self.names, self.chances, strict=True) if p > 0.5)

    def state(self) -> dict[str, Any]:
        return {"classes": list(self.chosen), "probabilities": dict(zip(self.names, self.chances, strict=True))}

    @property
    def words(self) -> str:
        return ", ".join(self.chosen) or "none of the classes"


@dataclass(frozen=True)
class Numbers(Answer):
    """Values in the units of the data; ``names`` where they have any."""

    values: tuple[float, ...]
    names: tuple[str, ...] = ()

    def state(self) -> dict[str, Any]:
        return {"value": list(self.values)}

    @property
    def words(self) -> str:
        return ", ".join(f"{value:.6g}" for value in self.values)


@dataclass(frozen=True)
class Text(Answer):
    """What was written, and what it goes on from."""

    text: str
    prompt: str = ""

    def state(self) -> dict[str, Any]:
        return {"prompt": self.prompt, "text": self.text} if self.prompt else {"text": self.text}

    @property
    def words(self) -> str:
        return self.prompt + self.text


@dataclass(frozen=True, eq=False)
class Picture(Answer):
    """An example that was given back, (C, H, W) in 0..1, and how far it is from the one that was given."""

    pixels: NDArray[np.float32]
    error: float

    def state(self) -> dict[str, Any]:
        return {"mse": self.error, "value": self.pixels.ravel().tolist()}

    @property
    def words(self) -> str:
        return f"mean squared error {self.error:.4g}"


@dataclass(frozen=True, eq=False)
class Regions(Answer):
    """The class of every pixel, (H, W)."""

    names: tuple[str, ...]
    classes: NDArray[np.int64]

    @property
    def shares(self) -> dict[str, float]:
        """How much of the picture each class takes."""
        counts = np.bincount(self.classes.ravel(), minlength=len(self.names))
        return {name: float(n / self.classes.size) for name, n in zip(self.names, counts, strict=False)}

    def state(self) -> dict[str, Any]:
        return {"shares": self.shares, "classmap": self.classes.tolist()}

    @property
    def words(self) -> str:
        found = sorted(self.shares.items(), key=lambda pair: -pair[1])
        return ", ".join(f"{name} {share:.1%}" for name, share in found if share > 0)


@dataclass(frozen=True, eq=False)
class Found(Answer):
    """Things in a picture (C, H, W).

    Attributes:
        rows: of each its class, centre x and y, width and height as shares of the picture, and how sure it is.
    """

    names: tuple[str, ...]
    pixels: NDArray[np.float32]
    rows: NDArray[np.float32]

    def _named(self) -> list[tuple[str, float, list[float]]]:
        rows = sorted(self.rows.tolist(), key=lambda row: -row[5])
        return [(self.names[int(row[0])], row[5], row[1:5]) for row in rows]

    def state(self) -> dict[str, Any]:
        return {"boxes": [{"class": n, "probability": p, "box": box} for n, p, box in self._named()]}

    @property
    def words(self) -> str:
        return ", ".join(f"{name} ({sure:.0%})" for name, sure, _ in self._named()) or "nothing found"
