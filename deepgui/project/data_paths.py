"""Paths to data and weights in a project's file: relative to the file where the data lies beside it.

So a folder with a project and its data can be moved or handed on. In memory the paths are absolute.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from deepgui.project.values import Project

OPTIONS = ("path", "labels")
"""Options of data sources that name a file or folder."""


def portable(project: Project, folder: Path) -> Project:
    """With paths relative to ``folder`` for data that exists below it."""
    folder = folder.absolute()

    def shorten(text: str) -> str:
        path = Path(text)
        inside = path.is_absolute() and path.is_relative_to(folder) and _exists(path)
        return path.relative_to(folder).as_posix() if inside else text

    return _with_paths(project, shorten)


def located(project: Project, folder: Path) -> Project:
    """With absolute paths for data that is found from ``folder``."""
    folder = folder.absolute()

    def lengthen(text: str) -> str:
        path = folder / text
        return str(path) if text and not Path(text).is_absolute() and _exists(path) else text

    return _with_paths(project, lengthen)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, a NUL: no file is called like that
        return False


def _with_paths(project: Project, change: Callable[[str], str]) -> Project:
    old = project.data.options
    new = {k: change(v) if k in OPTIONS and isinstance(v, str) else v for k, v in old.items()}
    weights = change(project.weights) if project.weights else ""
    if new == dict(old) and weights == project.weights:
        return project
    return replace(project, data=replace(project.data, options=new), weights=weights)
