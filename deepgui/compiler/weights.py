"""The weights that a project starts from: those of an imported model, in a safetensors file beside it."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn


class WeightsError(ValueError):
    """A file of weights that cannot be read; one plain sentence."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """What a safetensors file holds, by name. Raises WeightsError."""
    try:
        found: dict[str, Tensor] = load_file(path)
        return found
    except FileNotFoundError:
        raise WeightsError(
            f"The weights that the project starts from are not there: {path.name}. Put the file beside the project."
        ) from None
    except (OSError, SafetensorError, ValueError) as error:
        raise WeightsError(f"The weights in {path.name} cannot be read: {error}") from error


def start_from(module: nn.Module, path: str) -> nn.Module:
    """Give a module the weights of a file: every one of the same name and shape; the others keep their first values.

    Args:
        path: a safetensors file; empty for none. Nothing in it is run.

    Raises:
        WeightsError: the file is not there or is no safetensors file.
    """
    if not path:
        return module
    found = read_weights(Path(path))
    with torch.no_grad():
        for key, own in module.state_dict(keep_vars=True).items():
            if key in found and found[key].shape == own.shape:
                own.copy_(found[key])
    return module
