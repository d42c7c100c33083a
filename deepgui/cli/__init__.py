"""The command line: the jobs of the window, without a window.

Exit status: 0 done; 1 the project has problems, the run failed or was interrupted; 2 unusable arguments
or input. Errors are one plain sentence on stderr; ``--debug`` shows the traceback.
"""

from __future__ import annotations

import importlib
import io
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from deepgui.cli.errors import sentence, status_of
from deepgui.cli.parser import parse

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status. Never raises for what a user can get wrong."""
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    _keep_tracebacks_back(debug=debug)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # an old terminal shows ? for ×, but the command goes on
    try:
        arguments = parse([word for word in words if word != "--debug"])
        if getattr(arguments, "trust", False):
            _trust(arguments.project)
        status = _command(arguments.handler)(arguments)
        sys.stdout.flush()
        return status
    except SystemExit as leaving:  # --help and --version
        return int(leaving.code or 0)
    except BrokenPipeError:
        # The reader (head, less) has seen enough. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("deepgui: interrupted.", file=sys.stderr)
        return 1
    except Exception as error:
        if debug:
            raise
        print(f"deepgui: {sentence(error)}", file=sys.stderr)
        return status_of(error)


_nowhere = logging.NullHandler()


def _keep_tracebacks_back(*, debug: bool) -> None:
    """What a training logs besides its sentence (a traceback) is shown with ``--debug`` only."""
    log = logging.getLogger("deepgui.training")
    if debug:
        log.removeHandler(_nowhere)
    else:
        log.addHandler(_nowhere)  # a second time changes nothing


def _trust(project: Path) -> None:
    from deepgui.project import file, own

    own.trust_all(file.read(project))


def _command(handler: str) -> Callable[[Any], int]:
    """The function behind ``"module:function"``; imported only now, so that --help does not wait for torch."""
    module, _, function = handler.partition(":")
    found: Callable[[Any], int] = getattr(importlib.import_module(f"deepgui.cli.{module}"), function)
    return found
