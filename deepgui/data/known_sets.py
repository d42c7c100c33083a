"""Well-known data sets that are fetched when somebody asks for them: what they are, where they lie, who reads them."""

from __future__ import annotations

import os
import shutil
import tarfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.data.download import Remote, fetch, tree_digest
from deepgui.data.errors import DataError
from deepgui.data.fields import Field
from deepgui.data.progress import Progress, tell
from deepgui.data.source_spec import Options, SourceSpec
from deepgui.data.table import Table
from deepgui.paths import user_data

Read = Callable[[Options], Table]
Prepare = Callable[[Path, Path], None]
_lock = threading.RLock()


class NotHere(DataError):
    """A known set that has not been downloaded.

    Attributes:
        id: the set.
    """

    def __init__(self, known: KnownSet) -> None:
        text = f"{known.title} is not on this machine yet: download it ({known.size_text}) in the data section or with"
        super().__init__(f"{text} deepgui data fetch {known.id}, or set path to a folder that has it")
        self.id = known.id


@dataclass(frozen=True)
class KnownSet:
    """A data set with a name that people know.

    Attributes:
        id: the source's id; also the folder's name in the cache.
        files: what is downloaded; archives (``.tar.gz``) are unpacked.
        licence, homepage: for people, before they download.
        read, params: the reader that opens the folder, and its options besides ``path``.
        options: options that the reader gets and nobody is asked for.
        members: the files of an archive that are kept, as patterns; their folders are left out.
        check: (pattern, digest) of what an archive holds, where the archive itself has no published checksum.
        prepare: makes what the reader opens, from the folder of what was downloaded in the empty folder that is kept.
        content: what in the folder ``path`` names for the reader; the folder itself if empty.
        again, fields: as in :class:`SourceSpec`.
        about: bytes to download, where the files do not say.
    """

    id: str
    title: str
    summary: str
    files: tuple[Remote, ...]
    licence: str
    homepage: str
    suits: tuple[str, ...]
    read: Read
    params: tuple[ParamSpec, ...] = ()
    options: Mapping[str, Value] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    check: tuple[str, str] = ("", "")
    prepare: Prepare | None = None
    content: str = ""
    again: Callable[[Options, tuple[Field, ...]], Table] | None = None
    fields: Callable[[Options], tuple[Field, ...]] | None = None
    about: int = 0

    @property
    def size_text(self) -> str:
        """``12 MB``."""
        size = sum(remote.size for remote in self.files) or self.about
        return f"{size / 1e6:.0f} MB" if size > 950_000 else f"{size / 1e3:.0f} kB"

    @property
    def folder(self) -> Path:
        """Where it is kept once it is complete."""
        return cache() / self.id

    @property
    def here(self) -> bool:
        """Whether it is on this machine, complete."""
        return self.folder.is_dir()

    def spec(self) -> SourceSpec:
        """The source that opens it."""
        doc = f"A folder that has {self.title} already. Empty: what was downloaded."
        params = (
            ParamSpec("path", "str", "", doc=doc),
            *(p for p in self.params if p.name not in ("path", *self.options)),
        )
        again, fields = self.again, self.fields
        return SourceSpec(
            self.id,
            self.title,
            self.summary,
            params,
            lambda options: self.read(self.located(options)),
            self.suits,
            None if fields is None else lambda options: fields(self.located(options)),
            None if again is None else lambda options, known: again(self.located(options), known),
        )

    def located(self, options: Options) -> Options:
        """The reader's options from the source's, with the place of the data. Raises NotHere."""
        given = str(options["path"])
        folder = Path(given).expanduser() if given else self.folder
        if not given and not self.here:
            raise NotHere(self)
        inside = folder / self.content if self.content and folder.is_dir() else folder
        return {**options, **self.options, "path": str(inside if inside.exists() else folder)}


def cache() -> Path:
    """The folder of everything that was downloaded."""
    return user_data() / "data"


def download(known: KnownSet) -> Path:
    """Get a set, unless it is here; what was left of an earlier attempt is gone on with. Returns its folder.

    Says how far it is; giving up (:class:`~deepgui.data.progress.GivenUp`) keeps what came.

    Raises:
        DataError: no network, no room, or something else than what was published.
    """
    with _lock:  # two windows' worth of threads must not write the same file
        if known.here:
            return known.folder
        coming, made = cache() / f".{known.id}.coming", cache() / f".{known.id}.made"
        try:
            paths = [fetch(remote, coming, _what(known, remote)) for remote in known.files]
        except DataError as error:
            way_out = f"connect to the network, or set path to a folder that has {known.title}"
            raise DataError(f"{error}; {way_out}") from None
        try:
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir(parents=True)
            _make(known, paths, coming, made)
            os.replace(made, known.folder)
            shutil.rmtree(coming, ignore_errors=True)
        except (OSError, tarfile.TarError, EOFError) as error:
            shutil.rmtree(made, ignore_errors=True)
            reason = getattr(error, "strerror", None) or error
            raise DataError(f"{known.title} cannot be unpacked ({reason})", file=cache()) from None
        return known.folder


def _what(known: KnownSet, remote: Remote) -> str:
    return known.title if len(known.files) == 1 else f"{known.title} ({remote.name})"


def _make(known: KnownSet, paths: list[Path], coming: Path, made: Path) -> None:
    """What the reader opens, in the folder ``made``. Raises OSError, TarError, DataError."""
    if known.prepare is not None:
        known.prepare(coming, made)
        return
    for path in paths:
        if path.name.endswith(".tar.gz"):
            _unpack(path, made, known)
        else:
            shutil.copyfile(path, made / path.name)
    pattern, digest = known.check
    if digest and tree_digest(made, pattern) != digest:
        shutil.rmtree(coming, ignore_errors=True)
        text = "what arrived is not what was published, so it was thrown away: try again"
        raise DataError(f"{known.title}: {text}")


def _unpack(archive: Path, made: Path, known: KnownSet) -> None:
    """The wanted files of an archive, without its own folder; no member can leave ``made``."""
    with tarfile.open(archive) as tar:
        members = [m for m in tar if m.isfile() and (name := _inner(m.name)) and _wanted(name, known.members)]
        for done, member in enumerate(members):
            member.name = _inner(member.name)
            tar.extract(member, made, filter="data")
            tell(Progress(done + 1, len(members), f"files of {known.title} unpacked"))


def _inner(name: str) -> str:
    """A member's path without the folder that holds everything."""
    return "/".join(PurePosixPath(name).parts[1:])


def _wanted(name: str, patterns: tuple[str, ...]) -> bool:
    return not patterns or any(fnmatch(name, pattern) for pattern in patterns)
