"""Running networks through ``torch.compile``, and as they are where that does not work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from deepgui.training.failures import is_memory
from deepgui.training.objectives.base import Networks

BACKEND = "inductor"
_LONGEST = 160


class Compiled:
    """A network's ``forward``, compiled the first time it runs; from the first failure on it is run as it is.

    Attributes:
        complaint: why it is run as it is; empty while all is well.
    """

    def __init__(self, forward: Callable[..., Any]) -> None:
        self.complaint = ""
        self._plain = forward
        self._fast: Callable[..., Any] = torch.compile(forward, backend=BACKEND)

    def __call__(self, *inputs: Any) -> Any:
        if self.complaint:
            return self._plain(*inputs)
        try:
            return self._fast(*inputs)
        except Exception as error:  # the compiler, the C++ compiler below it, or the layer: then it is raised again
            if is_memory(error):
                raise
            self.give_up(error)
            return self._plain(*inputs)

    def give_up(self, error: Exception) -> None:
        """Run it as it is from now on."""
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = (lines or [type(error).__name__])[0].rstrip(".")[:_LONGEST]
        self.complaint = f"torch.compile does not work here, so the network is run as it is: {reason}."


class Compilation:
    """All networks of a training, compiled."""

    def __init__(self, networks: Networks) -> None:
        self.runners = {role: Compiled(module.forward) for role, module in networks.modules.items()}
        self.networks = networks.run_by(self.runners)

    @property
    def complaint(self) -> str:
        """The first network's that has one; empty while all is well."""
        return next((runner.complaint for runner in self.runners.values() if runner.complaint), "")

    def give_up(self, error: Exception) -> None:
        """Run all of them as they are from now on."""
        for runner in self.runners.values():
            runner.give_up(error)
