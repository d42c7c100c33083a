"""Those who look at a training from inside its thread: observers by themselves, requests when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from deepgui.training import checkpoints
from deepgui.training.events import Warned

if TYPE_CHECKING:
    from deepgui.training.trainer import Trainer

Observer = Callable[["Trainer"], None]

LEAST_SECONDS = 1 / 15
SHARE = 0.1


class Audience:
    """Calls observers between steps: at most fifteen times a second and for at most a tenth of the time.

    Whatever they do, neither the random numbers nor the training mode of the steps that follow change,
    and one that raises is dropped with a warning: a picture must not end a training.
    """

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = list(observers)
        self._next = 0.0

    def due(self, now: float) -> bool:
        """``now`` in seconds of ``perf_counter``."""
        return bool(self._observers) and now >= self._next

    def look(self, trainer: Trainer) -> Iterator[Warned]:
        """Let every observer look once."""
        began = perf_counter()
        for observer in tuple(self._observers):
            if complaint := self.call(observer, trainer):
                self._observers.remove(observer)
                yield Warned(f"A picture could not be made and is left out from now on: {complaint}.")
        now = perf_counter()
        self._next = now + max(LEAST_SECONDS, (now - began) * (1 / SHARE - 1))

    def call(self, observer: Callable[[Trainer], object], trainer: Trainer) -> str:
        """Let one look; what it complained of, or an empty text."""
        try:
            with checkpoints.same_random_numbers(trainer.device):
                observer(trainer)
        except Exception as error:  # anything that a panel's code can raise
            return str(error).strip().rstrip(".") or type(error).__name__
        finally:
            trainer.networks.train()
        return ""
