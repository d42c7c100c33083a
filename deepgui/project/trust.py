"""Which layers written in Python may run: those whose very source the user has agreed to, on this machine.

Trust is given to the SHA-256 of a source and kept in the user's folder, a file for each, with the source in it so
that one can read later what was agreed to. A project can neither bring nor claim it, and a changed source asks again.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from deepgui import paths
from deepgui.catalog.own.declared import fingerprint
from deepgui.graph import blocks
from deepgui.project import atomic

_until_the_end: set[str] = set()


def trusted(source: str) -> bool:
    """Whether this source may run."""
    mark = fingerprint(source)
    return mark in _until_the_end or _file(mark).is_file()


def trust(source: str) -> None:
    """Let this source run, now and later.

    Raises:
        OSError: it cannot be remembered; it is then trusted until the process ends.
    """
    mark = fingerprint(source)
    trust_for_now(source)
    _file(mark).parent.mkdir(parents=True, exist_ok=True)
    atomic.replace(_file(mark), source.encode("utf-8", "surrogatepass"))


def trust_for_now(source: str) -> None:
    """Let this source run until the process ends: it is the code of something that is running here already."""
    _until_the_end.add(fingerprint(source))
    blocks.forget()


def forget(source: str) -> None:
    """Take trust back. What has already run in this process is not undone."""
    mark = fingerprint(source)
    _until_the_end.discard(mark)
    blocks.forget()
    with suppress(FileNotFoundError):
        _file(mark).unlink()


def _file(mark: str) -> Path:
    return paths.user_data() / "trusted" / f"{mark}.py"
