"""Runs on disk: a folder each, complete at every moment and readable while it is being written."""

from __future__ import annotations

import json
import os
import platform
import re
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from deepgui.paths import user_data
from deepgui.project import atomic
from deepgui.project.file import SUFFIX, meaning_hash, read, write
from deepgui.project.values import Project, main_key
from deepgui.training.events import Event, Failed, Finished, NumberChanged, Scalars, Started
from deepgui.training.feed import Steps, Values

COMMIT_SECONDS = 1.0
_SCHEMA = """
create table if not exists scalars (name text not null, first integer not null, last integer not null,
                                    steps blob not null, vals blob not null);
create index if not exists scalars_by_name on scalars (name, first);
create table if not exists events (step integer not null, seconds real not null, event text not null);
"""


class RunError(ValueError):
    """A run that is not there or cannot be read. One plain sentence."""


@dataclass(frozen=True)
class RunInfo:
    """What a run's folder says about it.

    Attributes:
        status: ``running``, ``completed``, ``stopped``, ``early_stopping``, ``max_steps``, ``failed``,
            or ``interrupted`` if the process that trained is gone.
        meaning: hash of what was trained, the same for projects that train alike.
        started: seconds since 1970; seconds: spent training.
        config: data and training settings, as JSON's types.
    """

    folder: Path
    name: str
    status: str
    meaning: str
    started: float
    seconds: float
    steps: int
    metrics: Mapping[str, float]
    config: Mapping[str, Any]
    message: str = ""
    device: str = ""

    @property
    def best_checkpoint(self) -> Path | None:
        """The weights of the best epoch, if one was saved."""
        path = self.folder / "checkpoints" / "best.pt"
        return path if path.is_file() else None

    @property
    def last_checkpoint(self) -> Path | None:
        """The newest state to resume from, if one was saved."""
        path = self.folder / "checkpoints" / "last.pt"
        return path if path.is_file() else None


def default_root(project_path: Path | None) -> Path:
    """Where runs of a project are kept: ``NAME.runs`` beside its file, else with the user's data."""
    if project_path is None:
        return user_data() / "runs"
    return project_path.with_name(project_path.name.removesuffix(SUFFIX) + ".runs")


class RunStore:
    """All runs of one place. Each is a folder, so copying, zipping and deleting them by hand is fine."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)

    def create(self, project: Project, key: str = "") -> Path:
        """Make the folder of a new run and put the project in it as it is now. Raises OSError."""
        started = time.time()
        stamp = datetime.fromtimestamp(started).strftime("%Y%m%d-%H%M%S")
        word = re.sub(r"[^\w-]+", "_", project.name, flags=re.ASCII).strip("_")[:40] or "run"
        folder = self.root / f"{stamp}-{word}-{secrets.token_hex(2)}"
        (folder / "checkpoints").mkdir(parents=True)
        write(project, folder / f"project{SUFFIX}")
        config = {"data": asdict(project.data), "training": asdict(project.training)}
        info: dict[str, Any] = {
            "name": project.name,
            "network": key or main_key(project),
            "status": "running",
            "meaning": meaning_hash(project),
            "started": started,
            "config": config,
            "versions": _versions(),
        }
        _write_info(folder, {**info, **_mark()})
        return folder

    def list(self) -> list[RunInfo]:
        """All runs that can be read, the newest first."""
        if not self.root.is_dir():
            return []
        runs = []
        for folder in self.root.iterdir():
            try:
                runs.append(read_run(folder))
            except RunError:
                continue
        return sorted(runs, key=lambda run: run.started, reverse=True)

    def open(self, name: str) -> RunInfo:
        """A run by the name of its folder, or the newest one whose name begins or ends so; also by path."""
        direct = Path(name)
        for folder in (self.root / name, direct):
            if (folder / "run.json").is_file():
                return read_run(folder)
        for run in self.list():
            if run.folder.name.startswith(name) or run.folder.name.endswith(name):
                return run
        have = ", ".join(run.folder.name for run in self.list()[:3])
        raise RunError(f"There is no run {name} in {self.root}" + (f" (the newest: {have})." if have else "."))

    def delete(self, name: str) -> None:
        """Remove a run with all its checkpoints. Raises RunError or OSError."""
        shutil.rmtree(self.open(name).folder)

    def size(self, name: str) -> int:
        """Bytes that a run takes on disk."""
        return sum(file.stat().st_size for file in self.open(name).folder.rglob("*") if file.is_file())


def read_run(folder: Path) -> RunInfo:
    """What ``run.json`` says. Raises RunError."""
    try:
        raw = json.loads((folder / "run.json").read_text("utf-8"))
        status = str(raw["status"])
        if status == "running" and not _alive(raw):
            status = "interrupted"
        return RunInfo(
            folder,
            str(raw["name"]),
            status,
            str(raw["meaning"]),
            float(raw["started"]),
            float(raw.get("seconds", 0.0)),
            int(raw.get("steps", 0)),
            dict(raw.get("metrics", {})),
            dict(raw["config"]),
            str(raw.get("message", "")),
            str(raw.get("device", "")),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{folder} is not a run that can be read ({type(error).__name__}).") from error


def run_project(folder: Path) -> Project:
    """The project as it was when the run began. Raises FileError."""
    return read(folder / f"project{SUFFIX}")


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("torch", "numpy", "deepgui"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _mark() -> dict[str, Any]:
    """Who is training: with the time a process began, its number cannot be mistaken for a later one's."""
    return {"pid": os.getpid(), "host": platform.node(), "process_started": psutil.Process().create_time()}


def _alive(raw: Mapping[str, Any]) -> bool:
    if raw.get("host") != platform.node():
        return True  # another machine's process cannot be asked
    try:
        process = psutil.Process(int(raw["pid"]))
        same = abs(process.create_time() - float(raw["process_started"])) < 1
        return bool(same and process.status() != psutil.STATUS_ZOMBIE)
    except (psutil.Error, KeyError, TypeError, ValueError):
        return False


def under_way(folder: Path) -> bool:
    """Whether a process of this machine is training this run now. Raises RunError.

    Another machine's cannot be asked: a run may go on elsewhere after its machine is gone.
    """
    if read_run(folder).status != "running":
        return False
    host = json.loads((folder / "run.json").read_text("utf-8")).get("host")
    return bool(host == platform.node())


def _write_info(folder: Path, info: Mapping[str, Any]) -> None:
    atomic.replace(folder / "run.json", json.dumps(info, indent=1).encode())


def _update_info(folder: Path, **changes: Any) -> None:
    try:
        info = json.loads((folder / "run.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{folder} is not a run that can be read ({type(error).__name__}).") from error
    _write_info(folder, {**info, **changes})


@contextmanager
def _reading(folder: Path) -> Iterator[sqlite3.Connection]:
    path = folder / "metrics.sqlite"
    if not path.is_file():
        raise RunError(f"{folder} has no metrics.")
    with closing(sqlite3.connect(path)) as connection:
        yield connection


def columns(folder: Path) -> tuple[str, ...]:
    """Names of the curves of a run. Raises RunError."""
    with _reading(folder) as connection:
        rows = connection.execute("select name from scalars group by name order by min(rowid)")
        return tuple(name for (name,) in rows)


def history(folder: Path, column: str) -> tuple[Steps, Values]:
    """A curve as ``(steps, values)``; empty if there is none of that name. Raises RunError."""
    with _reading(folder) as connection:
        rows = connection.execute("select steps, vals from scalars where name = ? order by rowid", (column,)).fetchall()
    steps = np.frombuffer(b"".join(row[0] for row in rows), "<i8")
    values = np.frombuffer(b"".join(row[1] for row in rows), "<f8")
    return steps.astype(np.int64), values.astype(np.float64)


def events(folder: Path) -> list[dict[str, Any]]:
    """All events but the curves, in order, as JSON's types. Raises RunError."""
    with _reading(folder) as connection:
        return [json.loads(text) for (text,) in connection.execute("select event from events order by rowid")]


def changes(folder: Path) -> tuple[NumberChanged, ...]:
    """What was changed by hand while the run trained, in order. Raises RunError."""
    told = [event for event in events(folder) if event["event"] == "number_changed"]
    return tuple(NumberChanged(event["step"], event["name"], event["value"]) for event in told)


class Recorder:
    """Writes a run's events as they come. Committed at least once a second: a crash loses no more.

    Curves are kept as one row a column and commit (little-endian int64 steps, float64 values): a row a
    step would take a noticeable part of a small network's step.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._db = sqlite3.connect(folder / "metrics.sqlite", check_same_thread=False)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=normal")
        self._db.executescript(_SCHEMA)
        self._waiting: dict[str, tuple[list[int], list[float]]] = {}
        self._events: list[tuple[int, float, Event]] = []
        self._committed = time.monotonic()
        self._began = time.monotonic()
        self._step = 0
        self._ended = False

    def rewind(self, step: int) -> None:
        """Forget what was recorded after ``step``: a resumed run will live through it again."""
        for name in columns(self.folder):
            steps, values = history(self.folder, name)
            kept = steps <= step
            if not kept.all():
                self._db.execute("delete from scalars where name = ?", (name,))
                self._waiting[name] = (steps[kept].tolist(), values[kept].tolist())
        self._db.execute("delete from events where step > ?", (step,))
        self._commit()

    def record(self, event: Event) -> None:
        """Take an event. Raises sqlite3.Error or OSError if the disk refuses."""
        if isinstance(event, Scalars):
            self._take(event)
        else:
            self._step = getattr(event, "step", self._step)
            self._events.append((self._step, time.monotonic() - self._began, event))
            self._note(event)
        if time.monotonic() - self._committed >= COMMIT_SECONDS or isinstance(event, (Failed, Finished)):
            self._commit()

    def _take(self, event: Scalars) -> None:
        for name, values in event.columns.items():
            steps_kept, values_kept = self._waiting.setdefault(name, ([], []))
            steps_kept.extend(event.steps)
            values_kept.extend(values)
        if event.steps:
            self._step = event.steps[-1]

    def _note(self, event: Event) -> None:
        self._ended = isinstance(event, (Failed, Finished))
        if isinstance(event, Started):
            _update_info(self.folder, status="running", device=event.device, message="", **_mark())
        elif isinstance(event, Finished):
            numbers = {"steps": event.steps, "seconds": event.seconds, "metrics": event.as_dict()["metrics"]}
            _update_info(self.folder, status=event.reason, finished=time.time(), **numbers)
        elif isinstance(event, Failed):
            _update_info(self.folder, status="failed", finished=time.time(), message=event.message, steps=event.step)

    def _commit(self) -> None:
        rows = [
            (name, steps[0], steps[-1], np.asarray(steps, "<i8").tobytes(), np.asarray(values, "<f8").tobytes())
            for name, (steps, values) in self._waiting.items()
            if steps
        ]
        told = [(step, seconds, json.dumps(event.as_dict())) for step, seconds, event in self._events]
        self._db.executemany("insert into scalars values (?, ?, ?, ?, ?)", rows)
        self._db.executemany("insert into events values (?, ?, ?)", told)
        self._db.commit()
        self._waiting.clear()
        self._events.clear()
        self._committed = time.monotonic()

    def flush(self) -> None:
        """Make everything taken so far last."""
        self._commit()

    def close(self) -> None:
        """Commit and let go of the files. A run that neither finished nor failed by now was interrupted."""
        self._commit()
        self._db.close()
        if not self._ended:
            _update_info(self.folder, status="interrupted", finished=time.time(), steps=self._step)


def export_tensorboard(folder: Path, target: Path) -> int:
    """Write a run's curves as TensorBoard event files into ``target``; returns how many points.

    Raises RunError if TensorBoard is not installed or the run has no metrics.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise RunError("TensorBoard is not installed: pip install deepgui[tensorboard].") from None
    count = 0
    with SummaryWriter(str(target)) as writer:  # type: ignore[no-untyped-call]
        for name in columns(folder):
            for step, value in zip(*(part.tolist() for part in history(folder, name)), strict=True):
                writer.add_scalar(name, value, step)  # type: ignore[no-untyped-call]
                count += 1
    return count
