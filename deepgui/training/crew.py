"""The processes that train beside this one: started, watched and ended."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import connection, parent_process
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from deepgui.training.team import Place, Team, TeamError

if TYPE_CHECKING:
    from deepgui.training.trainer import RunSpec

_GRACE_SECONDS = 3.0


class Crew:
    """The others of a team on this machine."""

    def __init__(self, spec: RunSpec) -> None:
        """Start ``spec.devices - 1`` processes that train the same."""
        self._folder = tempfile.mkdtemp(prefix="deepgui-meeting-")
        meeting = (Path(self._folder) / "store").as_uri()
        size = spec.devices
        places = [Place(rank, size, rank, size, meeting) for rank in range(size)]
        self.first = places[0]
        context = torch.multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
        self._processes = [
            context.Process(target=_serve, args=(replace(spec, folder=None, place=place),)) for place in places[1:]
        ]
        for process in self._processes:
            process.start()

    def ended(self) -> str:
        """How one of them has ended too early; empty while all work."""
        for rank, process in enumerate(self._processes, 1):
            if process.exitcode:
                how = f"was ended by signal {-process.exitcode}" if process.exitcode < 0 else "ended unexpectedly"
                return f"Process {rank} of those that train together {how}: go on from the last checkpoint."
        return ""

    def close(self) -> None:
        """Let them end, or end them."""
        connection.wait([p.sentinel for p in self._processes], timeout=0.2)
        for process in self._processes:
            process.join(0.2)
            if process.is_alive():
                process.terminate()
        for process in self._processes:
            process.join(_GRACE_SECONDS)
            if process.is_alive():
                process.kill()
                process.join()
        shutil.rmtree(self._folder, ignore_errors=True)


def assemble(spec: RunSpec, waiting: Callable[[], None]) -> tuple[Team | None, Callable[[], None]]:
    """The team that trains a run, and how to part from it; no team if this process trains alone.

    Args:
        waiting: called now and then until all are there; may raise.

    Raises:
        TeamError or DeviceError: it cannot be.
    """
    device, optimizer = spec.project.training.device, spec.project.training.optimizer
    if optimizer == "LBFGS" and (spec.devices > 1 or spec.place is not None):
        raise TeamError("LBFGS searches on one device: choose another optimiser to train on several.")
    if spec.place is not None:
        team = Team(spec.place, device, waiting, lambda: "")
        return team, team.close
    if spec.devices == 1:
        return None, _nothing
    crew = Crew(spec)

    def watching() -> None:
        waiting()
        if crew.ended():
            raise TeamError(crew.ended())

    try:
        led = Team(crew.first, device, watching, crew.ended)
    except BaseException:
        crew.close()
        raise

    def part() -> None:
        led.close()
        crew.close()

    return led, part


def _nothing() -> None:
    """Alone there is nobody to part from."""


def _serve(spec: RunSpec) -> None:
    """What another process of a team does: train, silently, and end with the first one."""
    from deepgui.training.events import Failed
    from deepgui.training.trainer import Trainer

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process is asked to stop, and tells
    threading.Thread(target=_follow, name="follow", daemon=True).start()
    last = None
    for event in Trainer(spec):
        last = event
    sys.exit(isinstance(last, Failed))


def _follow() -> None:
    """End when the process that started this one is gone."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
