"""A real screen of its own (Xvfb with a window manager) and the hands of a user on it (xdotool)."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

TOOLS = ("Xvfb", "openbox", "xdotool")
SPY = Path(__file__).with_name("spy.py")


class Rect(NamedTuple):
    """A rectangle on the screen, in pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def center(self) -> tuple[int, int]:
        return self.x + self.width // 2, self.y + self.height // 2


Spot = str | Sequence[float]
"""Where to point: a place on the screen, or the object name of a widget, meaning its middle."""


class Desktop:
    """A screen with one program on it.

    What a test does, it does with :meth:`click`, :meth:`drag`, :meth:`type` and the like; :meth:`ask` only
    looks. Everything that waits raises TimeoutError with the program's last words.
    """

    def __init__(self, folder: Path, size: tuple[int, int] = (1600, 1000)) -> None:
        self.folder = folder
        self.size = size
        self.program: subprocess.Popen[bytes] | None = None
        self._log = folder / "program.log"
        self._children: list[subprocess.Popen[bytes]] = []
        self._environment: dict[str, str] = {}
        try:
            self._open_screen()
        except BaseException:
            self.shut_down()
            raise

    def _open_screen(self) -> None:
        reading, writing = os.pipe()
        screen = f"{self.size[0]}x{self.size[1]}x24"
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", screen, "-nolisten", "tcp", "-noreset"]
        self._spawn(command, os.environ, pass_fds=(writing,))
        os.close(writing)
        with open(reading, encoding="ascii") as number:
            display = number.readline().strip()
        if not display:
            raise RuntimeError("Xvfb did not start")
        dropped = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "WAYLAND_DISPLAY", "XAUTHORITY")
        self._environment = {k: v for k, v in os.environ.items() if k not in dropped}
        self._environment |= {"DISPLAY": f":{display}", "QT_QPA_PLATFORM": "xcb", "XDG_RUNTIME_DIR": str(self.folder)}
        for name in ("DEEPGUI_HOME", "XDG_CONFIG_HOME"):  # no window remembers what another test did
            self._environment[name] = str(self.folder / name.lower())
        self._spawn(["openbox", "--sm-disable"], self._environment)
        self.wait(self._is_managed, "the window manager")
        # At the first key of all the keyboard is announced anew, and the window manager takes its keys again:
        # one that it acts on, such as Alt+F4, falls between and is lost one time in four.
        self._xdotool("key", "Shift_L")
        time.sleep(0.1)

    def _is_managed(self) -> bool:
        """Whether the window manager has taken over; windows that came before would be lost at the top left."""
        desktops, focus = (self._xdotool(ask, check=False) for ask in ("get_num_desktops", "getwindowfocus"))
        return desktops not in ("", "0") and focus != ""

    def _spawn(self, command: list[str], environment: Any, **options: Any) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            child = subprocess.Popen(command, env=environment, stdout=log, stderr=log, **options)
        self._children.append(child)
        return child

    def _xdotool(self, *arguments: object, check: bool = True) -> str:
        done = subprocess.run(
            ["xdotool", *map(str, arguments)],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if check and done.returncode:
            raise RuntimeError(f"xdotool {' '.join(map(str, arguments))}: {done.stderr.strip()}")
        return done.stdout.strip()

    # The program

    def start(self, *arguments: str, target: str = "deepgui.cli:main", timeout: float = 60.0) -> None:
        """Start ``deepgui ARGUMENTS`` (or another ``module:function``) and wait for its window."""
        self._socket = self.folder / f"spy-{len(self._children)}"
        command = [sys.executable, str(SPY), str(self._socket), target, *arguments]
        self.program = self._spawn(command, self._environment)
        self.wait(lambda: bool(self._windows()), "a window", timeout)
        self.wait(lambda: self.ask("app is not None and app.activeWindow() is not None"), "an active window", timeout)

    def _windows(self) -> list[str]:
        assert self.program is not None
        return self._xdotool("search", "--onlyvisible", "--pid", self.program.pid, "--name", ".", check=False).split()

    def running(self) -> bool:
        return self.program is not None and self.program.poll() is None

    def log(self) -> str:
        """What the program wrote to its standard streams."""
        return self._log.read_text(errors="replace")

    def ask(self, expression: str) -> Any:
        """The value of an expression over ``app``, ``find(name)`` and ``rect(widget)`` in the program.

        Raises LookupError with the program's own complaint if it has no value.
        """
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(60)
            connection.connect(str(self._socket))
            with connection.makefile("rw", encoding="utf-8") as line:
                line.write(expression.replace("\n", " ") + "\n")
                line.flush()
                answer = json.loads(line.readline())
        if "error" in answer:
            raise LookupError(f"{expression}: {answer['error']}")
        return answer["value"]

    def wait(self, condition: Callable[[], Any] | str, what: str = "", timeout: float = 30.0) -> Any:
        """Wait until a function, or an expression for :meth:`ask`, is true; returns its value."""
        test = (lambda: self.ask(condition)) if isinstance(condition, str) else condition
        give_up = time.monotonic() + timeout
        while True:
            with contextlib.suppress(LookupError, OSError):
                if value := test():
                    return value
            if self.program is not None and self.program.poll() is not None:
                raise TimeoutError(f"the program ended with {self.program.returncode}:\n{self.log()[-4000:]}")
            if time.monotonic() > give_up:
                raise TimeoutError(f"waited {timeout:g} s in vain for {what or condition}:\n{self.log()[-4000:]}")
            time.sleep(0.05)

    def rect(self, name: str | None = None) -> Rect:
        """Where a widget is on the screen; without a name, the active window."""
        return Rect(*self.ask("rect(app.activeWindow())" if name is None else f"rect(find({name!r}))"))

    def close(self) -> None:
        """Close the active window as its cross would, and nothing more."""
        self.key("alt+F4")

    def wait_for_end(self, timeout: float = 30.0) -> int:
        """Wait until the program has ended; returns its exit status."""
        assert self.program is not None
        return self.program.wait(timeout)

    # Mouse and keyboard

    def place(self, spot: Spot) -> tuple[int, int]:
        """A spot as a place on the screen."""
        if isinstance(spot, str):
            self.wait(f"find({spot!r}).isVisible()", f"the widget {spot}")
            return self.rect(spot).center
        return round(spot[0]), round(spot[1])

    def move(self, spot: Spot) -> None:
        """Put the pointer on a spot."""
        self._xdotool("mousemove", *self.place(spot))

    def click(self, spot: Spot, button: int = 1, times: int = 1, holding: str = "") -> None:
        """Click; ``times=2`` is a double click; ``holding="ctrl"`` keeps a key down meanwhile."""
        self.move(spot)
        with self._held(holding):
            self._xdotool("click", "--repeat", times, "--delay", 60, button)
        self._settle()

    def drag(self, start: Spot, end: Spot, button: int = 1, steps: int = 12, holding: str = "") -> None:
        """Press at one spot, move to another in steps, and let go there."""
        (x0, y0), (x1, y1) = self.place(start), self.place(end)
        self.move((x0, y0))
        with self._held(holding):
            self._xdotool("mousedown", button)
            for step in range(1, steps + 1):
                part = step / steps
                self._xdotool("mousemove", round(x0 + (x1 - x0) * part), round(y0 + (y1 - y0) * part), "sleep", 0.015)
            self._settle()
            self._xdotool("mouseup", button)
        self._settle()

    def scroll(self, spot: Spot, notches: int, holding: str = "") -> None:
        """Turn the wheel: positive is up, away from the user."""
        self.move(spot)
        with self._held(holding):
            self._xdotool("click", "--repeat", abs(notches), "--delay", 20, 4 if notches > 0 else 5)
        self._settle()

    def type(self, text: str) -> None:
        """Type a text where the keyboard's focus is."""
        self._xdotool("type", "--delay", 20, "--", text)
        self._settle()

    def key(self, *names: str) -> None:
        """Press keys one after another, by X's names: ``Tab``, ``ctrl+z``, ``Return``, ``Escape``."""
        self._xdotool("key", "--delay", 30, *names)
        self._settle()

    @contextlib.contextmanager
    def _held(self, key: str) -> Iterator[None]:
        if key:
            self._xdotool("keydown", key)
        try:
            yield
        finally:
            if key:
                self._xdotool("keyup", key)

    def _settle(self) -> None:
        """Wait until the program has taken in what was done: its answer comes after the events before it."""
        time.sleep(0.03)
        if self.running():
            with contextlib.suppress(OSError, ValueError):  # it may just have closed
                self.ask("None")

    def screenshot(self, path: Path) -> Path:
        """A picture of the whole screen as PNG."""
        from PIL import ImageGrab

        path.parent.mkdir(parents=True, exist_ok=True)
        ImageGrab.grab(xdisplay=self._environment["DISPLAY"]).save(path)
        return path

    def pixels(self, rect: Rect) -> bytes:
        """What the screen shows in a rectangle."""
        from PIL import ImageGrab

        box = (rect.x, rect.y, rect.x + rect.width, rect.y + rect.height)
        return ImageGrab.grab(box, xdisplay=self._environment["DISPLAY"]).tobytes()

    def shut_down(self) -> None:
        """End the program and the screen, the last started first."""
        for child in reversed(self._children):
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def missing_tools() -> list[str]:
    return [tool for tool in TOOLS if shutil.which(tool) is None]
