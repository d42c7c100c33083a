"""What the pages of the dock have in common: an input on the left, what the network says on the right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QLabel, QPushButton, QSlider, QWidget

from deepgui.qt.dashboard.worker import Broken
from deepgui.qt.theme import GRID
from deepgui.qt.try_out.answers import AnswerView, plain
from deepgui.qt.try_out.asker import Question
from deepgui.qt.widgets import button, label, row
from deepgui.use.answers import Answer
from deepgui.use.trial import Trial

SIDE = 132


class Page(QWidget):
    """One way of asking.

    ``changed`` fires when there is something else to ask; the dock then takes :meth:`question`, and gives what came
    of it to :meth:`show_found`.

    Attributes:
        lives: whether the question is asked again and again while the network learns.
    """

    changed = Signal()
    lives = True

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(f"try_{name}")
        self.trial: Trial | None = None
        self.answer = AnswerView()

    def prepare(self, trial: Trial) -> None:
        """Begin anew with other data or another kind of network."""
        self.trial = trial

    def question(self) -> Question | None:
        """What to ask now; None if there is nothing to ask yet."""
        raise NotImplementedError

    def show_found(self, found: Any) -> None:
        """What came of the question."""
        if isinstance(found, Broken):
            self.answer.complain(plain(found.error))
        elif isinstance(found, Answer):
            self.answer.show_answer(found, self.truth())

    def truth(self) -> str:
        """What the answer should be, if that is known."""
        return ""

    def redraw(self) -> None:
        """The colours are others now."""
        self.changed.emit()


class Examples:
    """Steps through the real examples of a trial."""

    def __init__(self) -> None:
        self.index = -1

    def next(self, trial: Trial) -> dict[str, Any]:
        """The next example: field name → (1, *shape)."""
        count = min((len(values) for values in trial.examples.values()), default=0)
        if not count:
            return {}
        self.index = (self.index + 1) % count
        return {name: values[self.index : self.index + 1] for name, values in trial.examples.items()}

    def truth(self, trial: Trial) -> str:
        """What is true of the newest."""
        return trial.truths[self.index] if 0 <= self.index < len(trial.truths) else ""


class Drop(QWidget):
    """Takes files that are dropped on it."""

    dropped = Signal(Path)

    def __init__(self) -> None:
        super().__init__()
        self.setAcceptDrops(True)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = next((url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()), "")
        if path:
            event.acceptProposedAction()
            self.dropped.emit(Path(path))


def choose_file(parent: QWidget, kinds: str) -> Path | None:
    """The file that a person chooses."""
    chosen, _ = QFileDialog.getOpenFileName(parent, "Open", "", f"{kinds};;All files (*)")
    return Path(chosen) if chosen else None


def small_button(text: str, name: str, icon: str, tip: str, does: Callable[[], object]) -> QPushButton:
    """A button of the column between input and answer."""
    made = button(text, name, icon=icon, tip=tip)
    made.clicked.connect(lambda: does())
    return made


class Knob(QWidget):
    """A slider with its name and its value; ``moved(value)`` fires while it moves."""

    moved = Signal(float)

    def __init__(self, title: str, name: str, low: float, high: float, value: float, words: str = "{:.2g}") -> None:
        super().__init__()
        self._low, self._high, self._words = low, high, words
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName(name)
        self.slider.setAccessibleName(title)
        self.slider.setRange(0, 1000)
        self.title, self.said = label(title, "muted"), QLabel()
        self.said.setProperty("role", "mono-muted")
        self.said.setMinimumWidth(42)
        self.said.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        line = row(self.title, self.slider, self.said, gap=GRID)
        line.setStretch(1, 1)
        self.setLayout(line)
        self.set_value(value)
        self.slider.valueChanged.connect(self._on_move)

    @property
    def value(self) -> float:
        """Where it stands."""
        return self._low + (self._high - self._low) * self.slider.value() / 1000

    def set_value(self, value: float) -> None:
        """Move it without a word."""
        span = self._high - self._low
        blocked = self.slider.blockSignals(True)
        self.slider.setValue(round((value - self._low) / span * 1000) if span else 0)
        self.slider.blockSignals(blocked)
        self.said.setText(self._words.format(self.value))

    def _on_move(self) -> None:
        self.said.setText(self._words.format(self.value))
        self.moved.emit(self.value)
