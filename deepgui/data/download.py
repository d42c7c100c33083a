"""Files from the network: resumed where they were left, checked, and only then given their name."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from deepgui.data.errors import DataError
from deepgui.data.progress import Progress, tell

TIMEOUT = 20.0  # seconds without a byte
ATTEMPTS = 4  # at a connection that breaks
PAUSE = 1.0  # seconds before the next attempt
_CHUNK = 1 << 16
_UNIT = 1000  # bytes of the kB that progress counts


@dataclass(frozen=True)
class Remote:
    """A file at a public address.

    Attributes:
        urls: the address, and others that have the same file.
        name: what it is called here.
        digest: ``md5:...`` or ``sha256:...`` as published; empty if what it holds is checked instead.
        size: in bytes; 0 if nobody says.
    """

    urls: tuple[str, ...]
    name: str
    digest: str = ""
    size: int = 0


class _Broken(Exception):
    """The connection ended too soon; what came is kept."""


def fetch(remote: Remote, folder: Path, what: str = "") -> Path:
    """The file in ``folder``, downloaded if it is not there. What an earlier attempt left is gone on with.

    Says how far it is (:mod:`deepgui.data.progress`); giving up keeps what came for the next time.

    Args:
        what: what progress and messages call it; else its name.

    Raises:
        DataError: no network, no such file there, no room here, or it is not the file that was published.
    """
    path, part = folder / remote.name, folder / f"{remote.name}.part"
    what = what or remote.name
    if path.is_file():
        return path
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _from_any(remote, part, what)
        found = digest_of(part, remote.digest)
        if found != remote.digest:
            part.unlink()
            text = f"{what} arrived damaged (its checksum is not the published one) and was thrown away: try again"
            raise DataError(text, file=remote.name)
        os.replace(part, path)
    except OSError as error:
        raise DataError(f"{what} cannot be kept here ({error.strerror or error})", file=folder) from None
    return path


def _from_any(remote: Remote, part: Path, what: str) -> None:
    """The bytes, from the first address that gives them. Raises DataError if none does, OSError for no room."""
    errors: list[DataError] = []
    for url in remote.urls:
        try:
            return _download(url, part, remote, what)
        except DataError as error:
            errors.append(error)
    raise errors[0]


def _download(url: str, part: Path, remote: Remote, what: str) -> None:
    host = urllib.parse.urlsplit(url).netloc
    for attempt in range(ATTEMPTS):
        before = _size(part)
        try:
            return _receive(url, part, remote, what)
        except urllib.error.HTTPError as error:
            with contextlib.closing(error):
                raise DataError(f"{what} cannot be downloaded: {host} answers {error.code} {error.reason}") from None
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, _Broken) as error:
            reason = getattr(error, "reason", None) or error
            if before == 0 and _size(part) == 0 and isinstance(error, urllib.error.URLError):
                raise DataError(f"{what} cannot be downloaded: no connection to {host} ({_words(reason)})") from None
            if attempt == ATTEMPTS - 1:
                text = f"the connection to {host} keeps breaking ({_words(reason)}); what came is kept"
                raise DataError(f"{what} is not complete: {text}, so try again later") from None
        _wait(what)


def _receive(url: str, part: Path, remote: Remote, what: str) -> None:
    """Append what is missing. Raises _Broken if the other end stops too soon."""
    have = _size(part)
    headers = {"User-Agent": "deepgui", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
            raise
        error.close()
        if have == remote.size:
            return  # all of it came the last time
        part.unlink()
        raise _Broken("it begins anew") from None
    with answer:
        resumed = answer.status == http.HTTPStatus.PARTIAL_CONTENT and _starts_at(answer, have)
        if have and not resumed and answer.status == http.HTTPStatus.PARTIAL_CONTENT:
            raise _Broken("another part than the one asked for came")
        done = have if resumed else 0
        length = answer.headers.get("Content-Length", "")
        total = done + int(length) if length.isdigit() else remote.size
        with part.open("ab" if resumed else "wb") as file:
            _copy(answer, file, done, total, what)


def _starts_at(answer: Any, have: int) -> bool:
    return str(answer.headers.get("Content-Range", "")).startswith(f"bytes {have}-")


def _copy(answer: IO[bytes], file: IO[bytes], done: int, total: int, what: str) -> None:
    while True:
        tell(Progress(done // _UNIT, max(total, done) // _UNIT, f"kB of {what} downloaded"))
        block = answer.read(_CHUNK)
        if not block:
            break
        file.write(block)
        done += len(block)
    if done < total:
        raise _Broken(f"{done:,} of {total:,} bytes")


def digest_of(path: Path, like: str) -> str:
    """The digest of a file, of the same sort as ``like`` (``md5:...``); empty if that is. Raises OSError."""
    sort, _, _ = like.partition(":")
    if not sort:
        return ""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.new(sort, usedforsecurity=False))
    return f"{sort}:{digest.hexdigest()}"


def tree_digest(folder: Path, pattern: str) -> str:
    """One SHA-256 for the names and contents of all files below a folder that match. Raises OSError."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob(pattern), key=lambda p: p.relative_to(folder).as_posix()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"sha256:{digest.hexdigest()}"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _wait(what: str) -> None:
    """A pause that can be given up."""
    for _ in _ticks(PAUSE):
        tell(Progress(0, 0, f"kB of {what}: the connection broke, trying again"))


def _ticks(seconds: float) -> Iterator[None]:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        yield
        time.sleep(min(0.1, left))


def _words(reason: object) -> str:
    text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return str(text).rstrip(".").lower()
