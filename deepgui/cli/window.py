"""The commands that need Qt: open the application, the demo, and a drawing of the network."""

from __future__ import annotations

import importlib
import os
import sys
from argparse import Namespace
from typing import Any

from deepgui import api
from deepgui.cli.errors import DONE, CommandError


def open_window(arguments: Namespace) -> int:
    """Open the application, on a project if one is named."""
    if arguments.project is not None:
        api.load(arguments.project)  # refused here rather than in a window that opens on nothing
    if not has_display():
        raise CommandError("there is no display to open a window on; see deepgui --help for what works without one.")
    status: int = _qt("app").run(arguments.project)
    return status


def demo(arguments: Namespace) -> int:
    """Train the digits sample before the eyes; without a display, offscreen."""
    offscreen = arguments.offscreen or not has_display()
    status: int = _qt("demo").run(arguments.out, offscreen=offscreen)
    return status


def render(arguments: Namespace) -> int:
    """Draw the network into a file."""
    from deepgui.cli import output  # here: opening the window must not wait for the terminal's library

    project = api.load(arguments.project)
    with output.waiting("drawing"):
        path = _qt("render").render(project, arguments.out, theme_name=arguments.theme)
    output.console().print(f"drew {path}")
    return DONE


def has_display() -> bool:
    """Whether a window can be shown. Only X11 and Wayland can be missing."""
    if os.environ.get("QT_QPA_PLATFORM"):
        return True  # whoever sets it knows
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _qt(module: str) -> Any:
    """A module of ``qt/``, by name: the floor above, which this one must not import."""
    try:
        return importlib.import_module(f"deepgui.qt.{module}")
    except ImportError as error:
        if (error.name or "").partition(".")[0] in ("PySide6", "shiboken6") or "lib" in str(error):
            raise CommandError(f"Qt cannot be loaded ({error}); pip install PySide6-Essentials.") from error
        raise
