"""Runs a program with a window as its user would, and answers questions about what is on the screen.

``python spy.py SOCKET MODULE:FUNCTION [ARGUMENT...]``. A question is one line with a Python expression over
``app`` (the QApplication), ``find(name)`` (the visible widget with that object name) and ``rect(widget)``;
it is evaluated in the thread of the window between two of its events, and the answer is one line of JSON.
Tests only look through it: what they do, they do with mouse and keyboard.
"""

from __future__ import annotations

import importlib
import json
import queue
import socket
import sys
import threading
from typing import Any

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QApplication, QWidget


def find(name: str) -> QWidget:
    """The visible widget with an object name; one in the active window first. Raises LookupError."""
    found = [w for w in QApplication.allWidgets() if w.objectName() == name and w.isVisible()]
    if not found:
        raise LookupError(f"no visible widget is called {name!r}")
    return max(found, key=lambda widget: widget.isActiveWindow())


def rect(widget: QWidget) -> list[int]:
    """Left, top, width and height on the screen, in pixels."""
    corner = widget.mapToGlobal(QPoint(0, 0))
    return [corner.x(), corner.y(), widget.width(), widget.height()]


class Spy(QObject):
    """Takes questions in a thread of its own and evaluates them in the window's."""

    asked = Signal(str)

    def __init__(self, path: str) -> None:
        super().__init__()
        self._answers: queue.Queue[str] = queue.Queue()
        self._names: dict[str, Any] = {"find": find, "rect": rect}
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(path)
        self._server.listen()
        self.asked.connect(self._answer)
        threading.Thread(target=self._listen, name="spy", daemon=True).start()

    def _listen(self) -> None:
        while True:
            connection, _ = self._server.accept()
            with connection, connection.makefile("rw", encoding="utf-8") as line:
                self.asked.emit(line.readline())
                line.write(self._answers.get() + "\n")
                line.flush()

    def _answer(self, question: str) -> None:
        self._names["app"] = QApplication.instance()
        try:
            answer = {"value": eval(question, self._names)}
            text = json.dumps(answer)
        except Exception as error:
            text = json.dumps({"error": f"{type(error).__name__}: {error}"})
        self._answers.put(text)


if __name__ == "__main__":
    _, address, target, *arguments = sys.argv
    spy = Spy(address)
    module, _, function = target.partition(":")
    sys.argv = [module, *arguments]
    sys.exit(getattr(importlib.import_module(module), function)())
