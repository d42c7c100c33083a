"""Writing a file so that at every moment, even when the power goes, either the old or the new one is there."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path

BACKUP_MARK = "~"


def replace(path: Path, data: bytes, *, backup: bool = False) -> None:
    """Put ``data`` in the place of a file. Raises OSError; the file is then what it was before.

    With ``backup`` the earlier file stays as ``NAME~``. A link is followed, and permissions stay.
    """
    path = path.resolve()
    fresh = _beside(path)
    try:
        _write_through(fresh, data)
        if path.exists():
            shutil.copymode(path, fresh)
            if backup:
                _keep(path)
        os.replace(fresh, path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
    _sync_folder(path.parent)


def backup_of(path: Path) -> Path:
    """Where :func:`replace` keeps the earlier version."""
    return path.with_name(path.name + BACKUP_MARK)


def reason(error: BaseException) -> str:
    """Why an operation on files failed, as the end of a sentence."""
    text = (getattr(error, "strerror", None) or str(error)).rstrip(".")
    return text[:1].lower() + text[1:] or type(error).__name__


def _beside(path: Path) -> Path:
    return path.with_name(f".deepgui-{secrets.token_hex(8)}.tmp")


def _write_through(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    with open(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _keep(path: Path) -> None:
    """A second name for the present file, made so that the backup is never half there either."""
    second = _beside(path)
    try:
        try:
            os.link(path, second)
        except OSError:  # file systems without links
            shutil.copy2(path, second)
        os.replace(second, backup_of(path))
    except BaseException:
        with contextlib.suppress(OSError):
            second.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """Make the renaming itself last. Where folders cannot be synced the file is in place all the same."""
    if os.name != "posix":
        return
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
