"""Where a network can be trained: the devices PyTorch finds here, and what each of them can do."""

from __future__ import annotations

import os
import platform
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module

import torch

from deepgui import machine

_LARGE_STEP = 100_000_000
_COURTESY = 10
"""Niceness of large steps beside a screen; the figures are in docs/performance.md."""

_WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"
"""What cuBLAS must be told to give the same numbers every time."""

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class DeviceError(ValueError):
    """The device or precision asked for is not there. One plain sentence."""


@dataclass(frozen=True)
class Device:
    """Attributes: id (``cuda:0``), title (``NVIDIA H200``), memory in bytes, precisions that work on it."""

    id: str
    title: str
    memory: int
    precisions: tuple[str, ...]


@cache
def devices() -> tuple[Device, ...]:
    """All devices found, the best first; the CPU is always there, last."""
    return (*_cuda(), *_xpu(), *_mps(), _cpu())


def _cuda() -> Iterator[Device]:
    if not torch.cuda.is_available():
        return
    for index in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(index)
        half = ("bf16", "fp16") if torch.cuda.is_bf16_supported(including_emulation=False) else ("fp16",)
        yield Device(f"cuda:{index}", about.name, about.total_memory, ("fp32", *half))


def _xpu() -> Iterator[Device]:
    if not torch.xpu.is_available():
        return
    for index in range(torch.xpu.device_count()):
        about = torch.xpu.get_device_properties(index)
        yield Device(f"xpu:{index}", about.name, about.total_memory, ("fp32", "bf16", "fp16"))


def _mps() -> Iterator[Device]:
    if torch.backends.mps.is_available():
        yield Device("mps", "Apple GPU", torch.mps.recommended_max_memory(), ("fp32", "fp16"))


def _cpu() -> Device:
    title = platform.processor() or platform.machine() or "CPU"
    return Device("cpu", f"{title}, {os.cpu_count()} cores", machine.memory(), ("fp32", "bf16", "fp16"))


def resolve(name: str = "auto") -> Device:
    """The device meant by ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps`` or ``xpu``.

    Raises:
        DeviceError: there is no such device here.
    """
    found = devices()
    if name in ("", "auto"):
        return found[0]
    for device in found:
        if name in (device.id, device.id.partition(":")[0]):
            return device
    have = ", ".join(device.id for device in found)
    raise DeviceError(f"There is no device {name} on this machine (found: {have}): choose auto or one of these.")


def check_precision(device: Device, precision: str) -> None:
    """Raises DeviceError if ``precision`` is unknown or not supported by the device."""
    if precision not in PRECISIONS:
        raise DeviceError(f"There is no precision {precision}: choose one of {', '.join(PRECISIONS)}.")
    if precision not in device.precisions:
        able = ", ".join(device.precisions)
        raise DeviceError(f"{device.title} cannot compute in {precision}: choose one of {able}.")


def threads_for(multiply_adds: int) -> int:
    """How many threads PyTorch should compute with on the CPU, by the multiply-adds of one step's forward pass.

    Small steps leave a core for the screen: their operators are too short to share, and waiting for a second
    thread that the screen has just pushed aside costs more than it brings. Large steps take all cores. The rule
    knows nothing of the moment, so that the same training gives the same numbers with and without a window.
    """
    cores = os.cpu_count() or 2
    return cores if is_large_step(multiply_adds) else max(1, cores - 1)


def is_large_step(multiply_adds: int) -> bool:
    """Whether a step is bound by its arithmetic, by the multiply-adds of its forward pass."""
    return multiply_adds >= _LARGE_STEP


@contextmanager
def computing(multiply_adds: int, *, give_way: bool) -> Iterator[None]:
    """The threads that a training may use while it lasts.

    Args:
        multiply_adds: of the forward pass of one step.
        give_way: a screen lives beside this training. If it takes all cores, this thread, and those that
            PyTorch starts from it, come second (on Linux; elsewhere threads have no priority of their own).
            Only for a thread that ends with the training: what has given way cannot take it back.
    """
    before = torch.get_num_threads()
    threads = min(before, threads_for(multiply_adds))
    if give_way and threads == os.cpu_count() and sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _COURTESY)
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def deterministic(on: bool) -> Iterator[None]:
    """Only algorithms that give the same numbers every time, while this lasts; what was in force comes back."""
    if not on:
        yield
        return
    enabled, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    workspace = os.environ.get(_WORKSPACE)
    os.environ.setdefault(_WORKSPACE, ":4096:8")
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(enabled, warn_only=warns)
        if workspace is None:
            os.environ.pop(_WORKSPACE, None)


def preload() -> None:
    """Import what PyTorch itself imports late (about two seconds), so that the first training starts at once."""
    for name in ("torch._dynamo", "torchmetrics.functional"):
        import_module(name)
