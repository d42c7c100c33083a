"""From an exception to one plain sentence and an exit status."""

from __future__ import annotations

DONE = 0
FAILED = 1
"""The project has problems, or the run failed."""
UNUSABLE = 2
"""The arguments or the input cannot be used."""


class CommandError(Exception):
    """A command cannot go on: one plain sentence, and the exit status it leads to."""

    def __init__(self, message: str, status: int = UNUSABLE) -> None:
        super().__init__(message)
        self.status = status


def status_of(error: Exception) -> int:
    """The exit status for an error that ended a command."""
    from deepgui.graph.problems import NetworkError

    if isinstance(error, CommandError):
        return error.status
    if isinstance(error, NetworkError):
        return FAILED
    return UNUSABLE if isinstance(error, (ValueError, OSError, ImportError)) else FAILED


def sentence(error: Exception) -> str:
    """What went wrong, on one line."""
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    else:
        text = str(error) or type(error).__name__
    known = isinstance(error, (CommandError, ValueError, OSError))
    line = " ".join(text.split())
    if not known:
        line = f"{type(error).__name__}: {line} (--debug shows where)"
    return line if line.endswith((".", "?", "!")) else f"{line}."
