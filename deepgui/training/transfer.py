"""Beginning with the weights of an earlier run, as far as the networks are the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from deepgui.compiler.weights import WeightsError, read_weights
from deepgui.training import checkpoints

_SHOWN = 4


@dataclass(frozen=True)
class Transferred:
    """What became of a network's weights and buffers.

    Attributes:
        loaded: names of those that were taken over.
        fresh: name of each of the others → why, in a few words.
    """

    source: str
    loaded: tuple[str, ...]
    fresh: Mapping[str, str]

    def __str__(self) -> str:
        count = len(self.loaded) + len(self.fresh)
        text = f"Started from {self.source}: {len(self.loaded)} of {count} tensors taken over"
        if not self.fresh:
            return f"{text}."
        shown = [f"{name} ({why})" for name, why in list(self.fresh.items())[:_SHOWN]]
        more = len(self.fresh) - len(shown)
        return f"{text}; fresh are {', '.join(shown)}{f' and {more} more' if more else ''}."


def weights_at(path: Path) -> dict[str, Tensor]:
    """The weights that a run kept (of its best epoch if it has one), or those of a file. Runs nothing in it.

    Args:
        path: a run's folder, a safetensors file, a checkpoint, or a state dict saved with ``torch.save``.

    Raises:
        WeightsError: they are not there or cannot be read; one plain sentence.
    """
    if path.is_dir():
        kept = [path / "checkpoints" / name for name in ("best.pt", "last.pt")]
        found = next((file for file in kept if file.is_file()), None)
        if found is None:
            raise WeightsError(f"The run {path.name} has no checkpoint to start from: choose another run.")
        path = found
    if path.suffix == ".safetensors":
        return read_weights(path)
    try:
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise WeightsError(f"The weights to start from are not there: {path.name}. Choose another run.") from None
    except Exception as error:  # torch.load has no error of its own
        raise WeightsError(f"The weights in {path.name} cannot be read ({type(error).__name__}).") from error
    if isinstance(state, dict) and state.get("format") == checkpoints.FORMAT:
        state = state.get("average") or state["module"]
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{path.name} holds no weights by name: choose a run, or a safetensors file.")
    return dict(state)


def transfer(module: nn.Module, path: str) -> Transferred:
    """Give a module every weight and buffer that the source has under the same name and with the same shape.

    Raises:
        WeightsError: the source cannot be read, or nothing in it fits.
    """
    source = Path(path).expanduser()
    found, loaded, fresh = weights_at(source), [], {}
    several = isinstance(module, nn.ModuleDict)
    with torch.no_grad():
        for name, own in module.state_dict(keep_vars=True).items():
            other = next((found[key] for key in _names(name, found, several) if key in found), None)
            if other is None:
                fresh[name] = "not there"
            elif other.shape != own.shape:
                fresh[name] = f"{_size(own)} here, {_size(other)} there"
            else:
                own.copy_(other)
                loaded.append(name)
    if not loaded:
        raise WeightsError(f"Nothing in {source.name} fits this network: no weight has the same name and shape.")
    return Transferred(source.name, tuple(loaded), fresh)


def _names(name: str, found: Mapping[str, Tensor], several: bool) -> Iterator[str]:
    """What a weight may be called there: where several networks learn together, their roles stand in front."""
    yield name
    if several:
        yield name.partition(".")[2]
    yield from (f"{role}.{name}" for role in dict.fromkeys(key.partition(".")[0] for key in found))


def _size(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "a number"
