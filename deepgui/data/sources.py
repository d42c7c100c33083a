"""The sources that examples can come from, and opening the one a project names."""

from __future__ import annotations

import difflib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from deepgui.catalog.spec import Value
from deepgui.data import (
    csv_table,
    embedded,
    graph_sources,
    idx,
    image_folder,
    known_sources,
    numpy_arrays,
    picture_sources,
    sequence_sources,
    sound_sources,
    text_sources,
)
from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.data.progress import GivenUp, Progress, listening, tell
from deepgui.data.source_spec import Options, SourceSpec
from deepgui.data.table import Table
from deepgui.project.values import DataConfig

T = TypeVar("T")

_POLL_SECONDS = 0.1
CLASSIFICATION, REGRESSION = "classification", "regression"


_BOTH = (CLASSIFICATION, REGRESSION)
_ONE = (CLASSIFICATION,)

_SOURCES = (
    SourceSpec(
        "digits", "Digits", "1,797 handwritten digits, 8×8 grey.", embedded.DIGITS_PARAMS, embedded.digits, _ONE
    ),
    SourceSpec("iris", "Iris", "150 irises of three species, four measures.", (), embedded.iris, _ONE),
    SourceSpec("wine", "Wine", "178 wines of three cultivars, 13 measures.", (), embedded.wine, _ONE),
    SourceSpec(
        "breast_cancer", "Breast cancer", "569 biopsies, two diagnoses, 30 measures.", (), embedded.breast_cancer, _ONE
    ),
    SourceSpec(
        "diabetes",
        "Diabetes",
        "442 patients, 10 measures, progression to predict.",
        (),
        embedded.diabetes,
        (REGRESSION,),
    ),
    SourceSpec("moons", "Two moons", "Two half circles that interlock.", embedded.MOONS_PARAMS, embedded.moons, _ONE),
    SourceSpec(
        "spirals", "Spirals", "Arms that wind around each other.", embedded.SPIRALS_PARAMS, embedded.spirals, _ONE
    ),
    SourceSpec("circles", "Circles", "A circle within a circle.", embedded.CIRCLES_PARAMS, embedded.circles, _ONE),
    SourceSpec("blobs", "Blobs", "Round clouds of points.", embedded.BLOBS_PARAMS, embedded.blobs, _ONE),
    SourceSpec(
        "csv", "CSV file", "A table of text: features and a target.", csv_table.PARAMS, csv_table.read_csv, _BOTH
    ),
    SourceSpec(
        "image_folder",
        "Image folder",
        "Pictures, one folder a class.",
        image_folder.PARAMS,
        image_folder.read_image_folder,
        _ONE,
        image_folder.image_folder_fields,
    ),
    SourceSpec(
        "idx", "IDX files", "MNIST and its relatives, .gz too.", idx.PARAMS, idx.read_idx_folder, _ONE, idx.idx_fields
    ),
    SourceSpec(
        "numpy", "NumPy arrays", "A .npz file, or two .npy files.", numpy_arrays.PARAMS, numpy_arrays.read_numpy, _BOTH
    ),
    *text_sources.SOURCES,
    *sequence_sources.SOURCES,
    *picture_sources.SOURCES,
    *sound_sources.SOURCES,
    *graph_sources.SOURCES,
    *known_sources.SOURCES,
)

_BY_ID = MappingProxyType({spec.id: spec for spec in _SOURCES})


def sources() -> Mapping[str, SourceSpec]:
    """All sources by id, in the order they are offered."""
    return _BY_ID


def source(config: DataConfig) -> SourceSpec:
    """The source a project names. Raises DataError if it names none, or an unknown one."""
    if not config.source:
        raise DataError("no data is chosen yet: choose a source, for instance digits")
    if config.source not in _BY_ID:
        near = difflib.get_close_matches(config.source, _BY_ID, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_BY_ID)}"
        raise DataError(f"there is no data source {config.source!r}; {hint}")
    return _BY_ID[config.source]


def open_source(config: DataConfig, objective: str = "") -> Table:
    """All examples that a project learns from, before splitting. Opened once while the files do not change.

    Args:
        objective: decides whether a target that could be both is read as a class or a number.

    Raises:
        DataError: nothing chosen, wrong options, or unusable files.
    """
    spec = source(config)
    options = resolved_options(config, objective)
    return _tables.get((spec.id, *sorted(options.items()), fingerprint(options)), lambda: spec.open(options))


def source_fields(config: DataConfig, objective: str = "") -> tuple[Field, ...]:
    """What an example consists of, without decoding images. Raises DataError as :func:`open_source` does."""
    spec = source(config)
    if spec.fields is None:
        return open_source(config, objective).fields
    options = resolved_options(config, objective)
    read = spec.fields
    return _fields.get((spec.id, *sorted(options.items()), fingerprint(options)), lambda: read(options))


def resolved_options(config: DataConfig, objective: str = "") -> dict[str, Value]:
    """Every option of the source with the value in force; target and task follow the project where left open."""
    spec = source(config)
    options = spec.options(config.options)
    if spec.id == "csv" and config.target:
        if options["target"] not in ("", config.target):
            text = f"the project is to learn {config.target!r}, but the option target names {options['target']!r}"
            raise DataError(f"{text}: keep one of them")
        options["target"] = config.target
    if options.get("task") == "auto" and objective in _BOTH:
        options["task"] = objective
    for share in ("validation", "test"):  # of sources that cut them off the end themselves
        if share in options and options[share] is None:
            options[share] = getattr(config, share)
    return options


def fingerprint(options: Options) -> int:
    """A number that changes when the files named by ``path`` and ``labels`` do."""
    seen: list[tuple[str, int, int]] = []
    for name in ("path", "labels"):
        if options.get(name):
            seen += _stats(Path(str(options[name])).expanduser())
    return hash(tuple(seen))


def _stats(path: Path) -> list[tuple[str, int, int]]:
    try:
        if not path.is_dir():
            stat = path.stat()
            return [(os.fspath(path), stat.st_size, stat.st_mtime_ns)]
        found = []
        for place, _, names in os.walk(path):
            with os.scandir(place) as entries:
                found += [(e.path, e.stat().st_size, e.stat().st_mtime_ns) for e in entries if e.name in set(names)]
        return sorted(found)
    except OSError:
        return []  # the reader says what is wrong


@dataclass(eq=False)
class _Item:
    """A result that is there or being made; ``progress``: how far its maker is."""

    future: Future[Any] = field(default_factory=Future)
    progress: Progress | None = None


class Recent:
    """Keeps the last few results of something slow; safe to use from several threads."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: OrderedDict[tuple[object, ...], _Item] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...], make: Callable[[], T]) -> T:
        """The result kept under ``key``, else a new one. Two threads never make the same one twice.

        Whoever waits for another thread is told of its progress, and makes it if that one gives up.
        """
        while True:
            with self._lock:
                known = self._items.get(key)
                item = self._items[key] = known or _Item()
                self._items.move_to_end(key)
                while len(self._items) > self._size:
                    self._items.popitem(last=False)
            if known is None:
                self._fill(key, item, make)
            elif isinstance(self._outcome(item), GivenUp):
                continue
            result: T = item.future.result()
            return result

    def peek(self, key: tuple[object, ...]) -> Any:
        """The result kept under ``key`` if it is there already, else None; nobody waits."""
        with self._lock:
            item = self._items.get(key)
        ready = item is not None and item.future.done() and item.future.exception() is None
        return item.future.result() if ready and item is not None else None

    def _fill(self, key: tuple[object, ...], item: _Item, make: Callable[[], T]) -> None:
        def heed(progress: Progress) -> None:
            item.progress = progress

        try:
            with listening(heed):
                result = make()
        except BaseException as error:
            with self._lock:
                if self._items.get(key) is item:
                    del self._items[key]  # the file may be mended by the next time
            item.future.set_exception(error)
        else:
            item.future.set_result(result)

    @staticmethod
    def _outcome(item: _Item) -> BaseException | None:
        """Wait for another thread's result: the error it ended with, or None."""
        while not wait([item.future], _POLL_SECONDS).done:
            if item.progress is not None:
                tell(item.progress)
        return item.future.exception()


_tables = Recent(2)
_fields = Recent(8)
