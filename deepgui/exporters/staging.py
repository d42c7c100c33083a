"""Files appear whole or not at all: written beside their place, moved there when they have been checked."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from types import TracebackType


class Staging:
    """A temporary folder on the same disk as ``target``; :meth:`commit` moves files from it to their place.

    Raises:
        OSError: if nothing can be written there.
    """

    def __init__(self, target: Path) -> None:
        near = target.absolute().parent
        while not near.exists():
            near = near.parent
        self._near = near

    def __enter__(self) -> Staging:
        try:
            self.folder = Path(tempfile.mkdtemp(prefix=".deepgui-export-", dir=self._near))
        except OSError as error:
            raise OSError(f"{self._near} cannot be written to ({error.strerror}).") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def commit(self, places: dict[str, Path]) -> tuple[Path, ...]:
        """Move staged files (by name) to their places, making folders that are missing."""
        mask = os.umask(0o022)
        os.umask(mask)
        for name, place in places.items():
            (self.folder / name).chmod(0o666 & ~mask)  # safetensors writes files that only their owner can read
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.suffix == ".py":
                _keep(place, self.folder / name)
            os.replace(self.folder / name, place)
        return tuple(places.values())


def _keep(place: Path, new: Path) -> None:
    """Source that somebody may have written or changed by hand stays beside the new one, as ``NAME.py~``."""
    if place.is_file() and place.read_bytes() != new.read_bytes():
        os.replace(place, place.with_name(place.name + "~"))
