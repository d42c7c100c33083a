"""Trainings in a process of their own, which go on when whoever started them is gone.

What such a run says stands in its record; what it is told is written, a line an order, into a file of its folder.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from deepgui.project.file import SUFFIX, read, write
from deepgui.project.values import Project
from deepgui.training import events, store
from deepgui.training.control import Control
from deepgui.training.store import RunError

ORDERS = "orders.jsonl"
SAID = "said.txt"
"""What the process prints besides: nothing, if all is well."""
POLL_SECONDS = 0.25
_AGAIN = f"again{SUFFIX}"
_started: list[subprocess.Popen[bytes]] = []
_PLAIN = ("pause", "resume", "step", "stop")


def start(folder: Path, devices: int = 1, again: Project | None = None) -> int:
    """Train a run's project in a process of its own; the number of that process.

    Args:
        folder: of the run (``RunStore.create``), whose project is trained as it is there.
        again: go on from the run's last checkpoint, with the project as it is now.

    Raises OSError if no process can be started.
    """
    words = [sys.executable, "-m", "deepgui.training.detached", str(folder), str(devices)]
    if again is not None:
        write(again, folder / _AGAIN)
        words.append(_AGAIN)
    alone: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        alone = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    with (folder / SAID).open("wb") as said:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=said, stderr=said, **alone)
    _started[:] = [earlier for earlier in _started if earlier.poll() is None]  # asked, so that no zombies stay
    _started.append(process)
    if again is None:
        with suppress(psutil.Error):  # it has ended already, and its record says why
            store.update_info(folder, **store.mark(process.pid))
    return process.pid


def order(folder: Path, what: str, name: str = "", value: float = 0.0) -> None:
    """Tell a run that is under way to ``pause``, ``resume``, ``step``, ``stop`` or ``set`` a number.

    Raises RunError if it is not under way on this machine, or OSError.
    """
    if not store.under_way(folder):
        raise RunError(f"The run {folder.name} is not under way on this machine: there is nothing to {what}.")
    with (folder / ORDERS).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"order": what, "name": name, "value": value}) + "\n")


class Listening:
    """While this lasts, orders written into a run's folder reach its :class:`Control`."""

    def __init__(self, folder: Path, control: Control) -> None:
        self._path, self._control = folder / ORDERS, control
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="orders", daemon=True)
        self._read = 0

    def __enter__(self) -> Listening:
        with suppress(OSError):
            self._path.unlink(missing_ok=True)  # what an earlier process was told
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _listen(self) -> None:
        while not self._over.wait(POLL_SECONDS):
            with suppress(OSError, ValueError, KeyError, TypeError):  # a line that is no order is none
                self._look()

    def _look(self) -> None:
        if not self._path.exists() or self._path.stat().st_size <= self._read:
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            lines = file.read().splitlines(keepends=True)
        for line in lines:
            if not line.endswith(b"\n"):
                return  # still being written
            self._read += len(line)
            said = json.loads(line)
            if said["order"] in _PLAIN:
                getattr(self._control, said["order"])()
            elif said["order"] == "set":
                self._control.set(str(said["name"]), float(said["value"]))


def follow(folder: Path, patience: float = 60.0) -> Iterator[events.Event]:
    """What a run has said so far, and goes on saying, until it ends; a run that has ended tells what is recorded.

    Args:
        patience: seconds to wait for a process that has not begun to record.

    Raises RunError if the folder is no run, or there is no record in that time.
    """
    said = 0
    steps: dict[str, int] = {}
    until = time.monotonic() + patience
    while True:
        going = store.under_way(folder)  # before reading: what comes until it ends is not missed
        try:
            told = store.events(folder)
        except RunError:
            if not going or time.monotonic() > until:
                raise
            told = []
        fresh, said = told[said:], max(said, len(told))
        for event in fresh:
            if event["event"] in ("finished", "failed"):
                yield from _curves(folder, steps)
            yield events.from_dict(event)
        if told:
            yield from _curves(folder, steps)
        if not going:
            return
        time.sleep(POLL_SECONDS)


def _curves(folder: Path, done: dict[str, int]) -> Iterator[events.Scalars]:
    """The curves beyond the steps told already, which are noted in ``done``."""
    for name in store.columns(folder):
        steps, values = store.history(folder, name, done.get(name, -1))
        if len(steps):
            done[name] = int(steps[-1])
            yield events.Scalars(tuple(steps.tolist()), {name: tuple(values.tolist())})


def main(words: list[str]) -> None:
    """Train the run in the folder ``words[0]`` on ``words[1]`` devices; go on with the project ``words[2]``."""
    from deepgui.training.trainer import RunSpec, Trainer

    folder, devices = Path(words[0]), int(words[1])
    if len(words) > 2:
        spec = RunSpec(read(folder / words[2]), resume=folder, devices=devices)
    else:
        spec = RunSpec(store.run_project(folder), folder=folder, devices=devices)
    control = Control()
    with Listening(folder, control):
        for _ in Trainer(spec, control):
            pass


if __name__ == "__main__":
    main(sys.argv[1:])
