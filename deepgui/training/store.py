"""Runs on disk: a folder each, complete at every moment and readable while it is being written."""

from __future__ import annotations

import json
import platform
import re
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
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
from deepgui.training import ranking, remarks
from deepgui.training.events import NumberChanged
from deepgui.training.feed import Steps, Values
from deepgui.training.remarks import Remarks

QUIET_SECONDS = 3600.0
"""A run of another machine that has written nothing for so long is taken to be over."""
_LEAVING = ".deleted-"


class RunError(ValueError):
    """A run that is not there or cannot be read. One plain sentence."""


@dataclass(frozen=True)
class RunInfo:
    """What a run's folder says about it.

    Attributes:
        status: ``running``, ``completed``, ``stopped``, ``early_stopping``, ``max_steps``, ``failed``,
            or ``interrupted`` if the process that trained is gone; ``pruned`` if a search cut it short.
        meaning: hash of what was trained, the same for projects that train alike.
        started: seconds since 1970; seconds: spent training.
        config: data and training settings, as JSON's types.
        remarks: title, tags and note that a person gave it.
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
    remarks: Remarks = field(default_factory=Remarks)

    @property
    def label(self) -> str:
        """What to call the run: the title that a person gave it, else its folder's name."""
        return self.remarks.title or self.folder.name

    @property
    def objective(self) -> str:
        """What was minimised."""
        return str(self.config.get("training", {}).get("objective", ""))

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
        self._known: dict[Path, tuple[Stamp, RunInfo]] = {}

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
        _write_info(folder, {**info, **mark()})
        return folder

    def list(self) -> list[RunInfo]:
        """All runs that can be read, the newest first. One that did not end has the steps and metrics recorded so far.

        Files that did not change since the last call are not read again.
        """
        if not self.root.is_dir():
            return []
        found: dict[Path, tuple[Stamp, RunInfo]] = {}
        for folder in self.root.iterdir():
            if folder.name.startswith(_LEAVING):
                continue
            with suppress(RunError):
                stamp = _stamp(folder)
                known = self._known.get(folder)
                fresh = known is not None and known[0] == stamp and known[1].status != "running"
                found[folder] = known if known and fresh else (stamp, so_far(read_run(folder)))
        self._known = found
        return sorted((info for _, info in found.values()), key=lambda run: run.started, reverse=True)

    def open(self, name: str) -> RunInfo:
        """A run by name.

        Args:
            name: of its folder, or how that begins or ends; a path to it; the title that a person gave it; ``last``
                for the newest; ``best`` for the one with the lowest validation loss, ``best:val_accuracy`` for
                another metric, among those with the objective of the newest one that has it.

        Raises:
            RunError: there is none.
        """
        for folder in (self.root / name, Path(name)):
            if name and (folder / "run.json").is_file():
                return read_run(folder)
        runs = self.list()
        if runs and name == "last":
            return runs[0]
        word, _, metric = name.partition(":")
        if runs and word == "best":
            return self._best(runs, metric)
        for run in runs:
            if name and (
                name == run.remarks.title or run.folder.name.startswith(name) or run.folder.name.endswith(name)
            ):
                return run
        have = ", ".join(run.folder.name for run in runs[:3])
        raise RunError(f"There is no run {name} in {self.root}" + (f" (the newest: {have})." if have else "."))

    def _best(self, runs: Sequence[RunInfo], metric: str) -> RunInfo:
        found = ranking.best(runs, metric)
        if found is None:
            raise RunError(f"No run in {self.root} has {metric or 'a loss'} yet, so there is no best one.")
        return found

    def delete(self, name: str) -> None:
        """Remove a run with all its checkpoints. Raises RunError, also if it is under way, or OSError."""
        folder = self.open(name).folder
        if folder.is_symlink():
            raise RunError(f"{folder} is a link to a run elsewhere; delete it there.")
        if busy(folder):
            raise RunError(f"The run {folder.name} is still being trained: stop it before it is deleted.")
        leaving = folder.with_name(_LEAVING + folder.name)
        folder.rename(leaving)  # gone at once: nobody finds a run of which half is left
        shutil.rmtree(leaving)

    def describe(self, name: str, **changes: Any) -> RunInfo:
        """Give a run another ``title``, ``tags`` or ``note``. Raises RunError or OSError."""
        folder = self.open(name).folder
        remarks.write(folder, replace(remarks.read(folder), **changes))
        return so_far(read_run(folder))

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
            remarks.read(folder),
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


def mark(pid: int | None = None) -> dict[str, Any]:
    """Who is training: with the time a process (this one, if not another) began, its number cannot be mistaken for a
    later one's. Raises psutil.Error for a process that has ended."""
    process = psutil.Process(pid)
    return {"pid": process.pid, "host": platform.node(), "process_started": process.create_time()}


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


def busy(folder: Path) -> bool:
    """Whether a run may be under way, here or on another machine that has written to it lately. Raises RunError."""
    if read_run(folder).status != "running":
        return False
    written = max((file.stat().st_mtime for file in folder.rglob("*") if file.is_file()), default=0.0)
    return under_way(folder) or time.time() - written < QUIET_SECONDS


Stamp = tuple[int, int]


def _stamp(folder: Path) -> Stamp:
    """Changes whenever what is said of a run does. Raises RunError if the folder holds none."""
    try:
        said = (folder / remarks.FILE).stat().st_mtime_ns if (folder / remarks.FILE).exists() else 0
        return (folder / "run.json").stat().st_mtime_ns, said
    except OSError as error:
        raise RunError(f"{folder} is not a run that can be read ({type(error).__name__}).") from error


def _write_info(folder: Path, info: Mapping[str, Any]) -> None:
    atomic.replace(folder / "run.json", json.dumps(info, indent=1).encode())


def update_info(folder: Path, **changes: Any) -> None:
    """Write these entries of ``run.json`` anew. Raises RunError or OSError."""
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
    try:
        with closing(sqlite3.connect(path)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise RunError(f"The metrics of {folder} cannot be read ({error}).") from error


def so_far(info: RunInfo) -> RunInfo:
    """A run that has not ended, or was cut off, with the steps and metrics that its record holds."""
    if info.status not in ("running", "interrupted", "failed"):
        return info
    try:
        with _reading(info.folder) as connection:
            steps, seconds = connection.execute(
                "select (select max(last) from scalars), (select max(seconds) from events)"
            ).fetchone()
            told = connection.execute(
                'select event from events where event like \'{"event": "epoch_finished"%\' order by rowid'
            ).fetchall()
    except RunError:
        return info
    epochs = [json.loads(text) for (text,) in told]
    kept = next((e for e in reversed(epochs) if e["best"]), epochs[-1] if epochs else {"metrics": {}})
    metrics = {name: value for name, value in kept["metrics"].items() if value is not None}
    return replace(
        info, steps=steps or info.steps, seconds=max(info.seconds, seconds or 0.0), metrics=metrics or info.metrics
    )


def columns(folder: Path) -> tuple[str, ...]:
    """Names of the curves of a run. Raises RunError."""
    with _reading(folder) as connection:
        rows = connection.execute("select name from scalars group by name order by min(rowid)")
        return tuple(name for (name,) in rows)


def history(folder: Path, column: str, after: int = -1) -> tuple[Steps, Values]:
    """A curve as ``(steps, values)``, or its end beyond a step; empty if there is none. Raises RunError."""
    with _reading(folder) as connection:
        rows = connection.execute(
            "select steps, vals from scalars where name = ? and last > ? order by rowid", (column, after)
        ).fetchall()
    steps = np.frombuffer(b"".join(row[0] for row in rows), "<i8").astype(np.int64)
    values = np.frombuffer(b"".join(row[1] for row in rows), "<f8").astype(np.float64)
    wanted = steps > after
    return (steps, values) if wanted.all() else (steps[wanted], values[wanted])


def events(folder: Path) -> list[dict[str, Any]]:
    """All events but the curves, in order, as JSON's types. Raises RunError."""
    with _reading(folder) as connection:
        return [json.loads(text) for (text,) in connection.execute("select event from events order by rowid")]


def changes(folder: Path) -> tuple[NumberChanged, ...]:
    """What was changed by hand while the run trained, in order. Raises RunError."""
    told = [event for event in events(folder) if event["event"] == "number_changed"]
    return tuple(NumberChanged(event["step"], event["name"], event["value"]) for event in told)
