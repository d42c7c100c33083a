"""Resumable states: written whole or not at all, and read without running anything from the file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from deepgui.training.position import Position

FORMAT = 1
State = dict[str, Any]


class CheckpointError(ValueError):
    """A checkpoint that cannot be used. One plain sentence naming the file."""


def save(state: State, path: Path) -> None:
    """Write a state so that ``path`` always holds a whole one, whatever happens meanwhile.

    Raises OSError if the disk refuses.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save({"format": FORMAT, **state}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load(path: Path, *, mapped: bool = False) -> State:
    """Read a state onto the CPU; ``mapped``: tensors stay on the disk until they are looked at.

    Raises CheckpointError if there is none or it is not one of ours.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: there is no checkpoint here, so there is nothing to go on from.") from None
    except Exception as error:  # torch.load has no error of its own: zip, pickle and OS errors all come through
        raise CheckpointError(f"{path}: this checkpoint cannot be read ({type(error).__name__}).") from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise CheckpointError(f"{path}: this is not a checkpoint that this version of DeepGUI can read.")
    return state


def position(path: Path) -> Position:
    """Where a checkpoint stands, without reading its weights. Raises CheckpointError."""
    state = load(path, mapped=True)
    try:
        return Position.from_state(state["position"])
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: this checkpoint does not say where it was taken.") from error


def cloned(value: Any) -> Any:
    """A deep copy of a state: tensors are cloned on their device, containers rebuilt."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if isinstance(value, dict):
        return type(value)((key, cloned(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return type(value)(cloned(item) for item in value)
    return value


def random_state(device: torch.device) -> State:
    """Where the random numbers stand, on the CPU and on the device."""
    state: State = {"cpu": torch.get_rng_state()}
    if device.type != "cpu":
        state[device.type] = getattr(torch, device.type).get_rng_state(*_place(device))
    return state


def set_random_state(state: State, device: torch.device) -> None:
    """Back to where :func:`random_state` was taken; a device that was not there then is left alone."""
    torch.set_rng_state(state["cpu"])
    if device.type != "cpu" and device.type in state:
        getattr(torch, device.type).set_rng_state(state[device.type], *_place(device))


def _place(device: torch.device) -> tuple[torch.device, ...]:
    return () if device.type == "mps" else (device,)


@contextmanager
def same_random_numbers(device: torch.device) -> Iterator[None]:
    """What happens inside does not change the random numbers that come after it."""
    state = random_state(device)
    try:
        yield
    finally:
        set_random_state(state, device)


def load_weights(module: torch.nn.Module, weights: State, path: Path) -> None:
    """Give a module its weights. Raises CheckpointError if they are another network's."""
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise CheckpointError(
            f"{path}: the weights are those of another network; the drawing was changed after they were saved."
        ) from error
