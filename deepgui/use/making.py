"""New examples out of networks that learnt to make them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.training.objectives import ObjectiveError
from deepgui.training.objectives.adversarial import Adversarial
from deepgui.training.objectives.variational import Variational
from deepgui.use.asking import asked
from deepgui.use.model import Model


def samples(model: Model, count: int, seed: int = 0) -> Tensor:
    """New examples in the units of the data, (count, *shape). Raises ObjectiveError if the network makes none."""
    with asked(model):
        model.objective.to(model.device)
        return model.objective.generate(model.networks, count, seed).float().cpu()


class Code(NamedTuple):
    """What an example is made of: numbers from a normal distribution, of this shape."""

    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many numbers."""
        return int(np.prod(self.shape))


def code_of(model: Model) -> Code | None:
    """The code that a network makes examples of in one pass; None if it makes them otherwise, or none."""
    objective = model.objective
    if isinstance(objective, Adversarial):
        return Code(objective.fields[objective.inputs[0]].shape)
    if isinstance(objective, Variational):
        with asked(model):
            found = objective.narrow(model.networks, objective.some(2))
        return Code(found.shape) if found is not None else None
    return None


def from_code(model: Model, codes: Tensor) -> Tensor:
    """What becomes of codes (N, size), in the units of the data. Raises ObjectiveError."""
    objective, code = model.objective, code_of(model)
    if code is None:
        raise ObjectiveError("This network does not make examples of a code.")
    with asked(model) as device:
        values = codes.reshape(-1, *code.shape).to(device)
        if isinstance(objective, Variational):
            return objective.in_units(objective.decoded(model.networks, values)).float().cpu()
        assert isinstance(objective, Adversarial)
        return objective.in_units(model.networks.main(values)).float().cpu()


def write(made: Tensor, field: Field, folder: Path) -> list[Path]:
    """Keep new examples: a PNG file for each picture, else one table or array of all. Raises DataError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if field.kind == "image" and field.shape[0] in (1, 3):
            return [_picture(row, folder / f"{number:04d}.png") for number, row in enumerate(made, 1)]
        if made.dim() == 2:
            path, names = folder / "examples.csv", field.columns or tuple(f"{i + 1}" for i in range(made.shape[1]))
            np.savetxt(path, made.numpy(), "%.7g", ",", header=",".join(names), comments="", encoding="utf-8")
            return [path]
        path = folder / "examples.npy"
        np.save(path, made.numpy())
        return [path]
    except OSError as error:
        raise DataError(f"what was made cannot be written there ({error.strerror})", file=folder) from None


def _picture(row: Tensor, path: Path) -> Path:
    pixels = (row.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    Image.fromarray(pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, -1)).save(path)
    return path
