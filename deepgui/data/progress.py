"""How far something slow is, and giving it up, without every reader knowing who waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


class GivenUp(Exception):
    """No error, but what a person asked for: raised by a listener that no longer wants what is being made."""


@dataclass(frozen=True)
class Progress:
    """``1,234 of 5,000 pictures read``."""

    done: int
    total: int
    what: str

    def __str__(self) -> str:
        return f"{self.done:,} of {self.total:,} {self.what}"


Listener = Callable[[Progress], object]
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Have ``listener`` told of all progress made in this thread meanwhile, before whoever listens already.

    It may raise :class:`GivenUp`, which ends what is being made.
    """
    outer = _listener.get()

    def both(progress: Progress) -> None:
        listener(progress)
        if outer is not None:
            outer(progress)

    token = _listener.set(both)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(progress: Progress) -> None:
    """Say how far it is. Called often enough that nobody waits long for the end after giving up."""
    if (heard := _listener.get()) is not None:
        heard(progress)
