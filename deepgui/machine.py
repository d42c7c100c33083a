"""The memory of this machine, in bytes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import psutil

_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@cache
def memory() -> int:
    """What there is in all: of the machine, or of the container that this process runs in."""
    total: int = psutil.virtual_memory().total
    for path in _LIMITS:
        try:
            total = min(total, int(Path(path).read_text()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return total


def size(count: float) -> str:
    """Bytes for people: ``241.0 KB``."""
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if count < 1000 or unit == "TB":
            return f"{count:.0f} B" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000
    raise AssertionError
