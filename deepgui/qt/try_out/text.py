"""Type a text: see its class, its translation, its filled gaps, or how the network goes on with it."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QPlainTextEdit

from deepgui.qt import icons, style
from deepgui.qt.dashboard.worker import Broken
from deepgui.qt.results.texts import TextsView
from deepgui.qt.theme import GRID
from deepgui.qt.try_out.asker import Question
from deepgui.qt.try_out.page import Examples, Knob, Page, small_button
from deepgui.qt.widgets import column, label, row
from deepgui.training.objectives.previews import Texts
from deepgui.use import asking, inputs, writing
from deepgui.use.trial import Trial

MOST_WRITTEN = 600
AT_ONCE = 4
"""So many tokens are written between two steps of a training."""


def _field(name: str, title: str) -> QPlainTextEdit:
    made = QPlainTextEdit()
    made.setObjectName(name)
    made.setAccessibleName(title)
    made.setProperty("role", "field")
    made.setTabChangesFocus(True)
    made.setFont(style.mono(13))
    return made


def _of_example(trial: Trial, examples: Examples, length: int = 0) -> str:
    """The text of the next real example."""
    from deepgui.data.tokenizers import tokenizer_of

    found = examples.next(trial)
    fed = trial.fed if trial.fed is not None and trial.fed.name in found else trial.answer
    if fed is None or fed.name not in found or fed.text is None:
        return ""
    ids = found[fed.name][0]
    return tokenizer_of(fed).decode(ids[:length] if length else ids)


class TextPage(Page):
    """A text on the left; a class, another text or filled gaps on the right."""

    def __init__(self) -> None:
        super().__init__("text")
        self.examples = Examples()
        self._truth = ""
        self.typed = _field("try_typed", "Text")
        self.typed.textChanged.connect(self._on_typed)
        example = small_button("Example", "try_text_example", "shuffle", "The next real example", self._example)
        self.hint = label("", "caption", wrap=True)
        left = column(self.typed, row(example, self.hint, gap=GRID), gap=GRID)
        left.setStretch(0, 1)
        left.itemAt(1).layout().setStretch(1, 1)
        layout = row(left, self.answer, gap=2 * GRID)
        layout.setStretch(0, 1)
        layout.setStretch(1, 1)
        self.setLayout(layout)

    def prepare(self, trial: Trial) -> None:
        super().prepare(trial)
        self._truth, self.examples.index = "", -1
        gaps = "fill" in trial.ways
        self.hint.setText("Write __ or <mask> where something is missing." if gaps else "")
        self.typed.setPlaceholderText("Type a text with gaps: __" if gaps else "Type a text")
        self.typed.clear()
        self._on_typed()

    def _on_typed(self) -> None:
        self._truth = ""
        if not self.typed.toPlainText():
            self.answer.clear("Type something, or take an example of the data: the answer follows as you type.")
        self.changed.emit()

    def _example(self) -> None:
        if self.trial is None:
            return
        text = _of_example(self.trial, self.examples)
        if "fill" in self.trial.ways and len(text) > 8:
            middle = len(text) // 2
            text = f"{text[:middle]}<mask>{text[middle + 1 :]}"
        self.typed.setPlainText(text)
        self._truth = self.examples.truth(self.trial) if "fill" not in self.trial.ways else ""

    def question(self) -> Question | None:
        text = self.typed.toPlainText()
        if not text or self.trial is None:
            return None
        if "fill" in self.trial.ways:
            return lambda model: _filled(model, text)
        return lambda model: asking.predict(model, inputs.text_batch([text], model))[0]

    def truth(self) -> str:
        return self._truth


def _filled(model: Any, text: str) -> Any:
    with asking.asked(model):
        return writing.fill(model, text)


class WritePage(Page):
    """A prompt, and how the network goes on with it: token after token, as bold as one likes."""

    def __init__(self) -> None:
        super().__init__("write")
        self.examples = Examples()
        self.prompt = _field("try_prompt", "Prompt")
        self.prompt.setPlaceholderText("Type a beginning")
        self.prompt.textChanged.connect(self._on_typed)
        self.go = small_button("Generate", "try_generate", "play", "Go on with the text", self._toggle)
        example = small_button("Example", "try_prompt_example", "shuffle", "A real beginning", self._example)
        self.temperature = Knob("Temperature", "try_temperature", 0.0, 2.0, 0.8)
        self.temperature.setToolTip("0 writes what is most likely, more is bolder")
        self.top_k = Knob("Top k", "try_top_k", 0, 50, 0, "{:.0f}")
        self.top_k.setToolTip("Draw only among so many most likely tokens; 0 for all")
        self.written = TextsView()
        self.written.setObjectName("try_written")
        self.writing = False
        self._ids: Any = None
        self._begun = 0
        left = column(self.prompt, row(self.go, example, gap=GRID), self.temperature, self.top_k, gap=GRID // 2)
        left.setStretch(0, 1)
        layout = row(left, self.written, self.answer, gap=2 * GRID)
        for place, share in enumerate((3, 4, 3)):
            layout.setStretch(place, share)
        self.setLayout(layout)

    def prepare(self, trial: Trial) -> None:
        super().prepare(trial)
        self.examples.index = -1
        self._stop()
        self._ids = None
        self.written.clear()
        self.prompt.clear()
        self.changed.emit()

    def _on_typed(self) -> None:
        self._stop()
        self._ids = None
        self.changed.emit()

    def _example(self) -> None:
        if self.trial is not None:
            self.prompt.setPlainText(_of_example(self.trial, self.examples, 24))

    def _toggle(self) -> None:
        if self.writing:
            self._stop()
            return
        self.writing, self._ids = True, None
        self.go.setText("Stop")
        self.go.setIcon(icons.icon("stop"))
        self.changed.emit()

    def _stop(self) -> None:
        self.writing = False
        self.go.setText("Generate")
        self.go.setIcon(icons.icon("play"))

    def question(self) -> Question | None:
        text = self.prompt.toPlainText()
        if not self.writing:
            return (lambda model: asking.next_tokens(model, [text])[0]) if text else None
        ids, temperature, top_k = self._ids, self.temperature.value, round(self.top_k.value)

        def more(model: Any) -> Any:
            before = writing.prompt(model, text) if ids is None else ids
            with asking.asked(model):
                after = writing.more(model, before, AT_ONCE, temperature=temperature, top_k=top_k)
                likely = asking.following(model, writing.scores_after(model, after))
            begun = before.shape[1] if ids is None else None
            return text, begun, after, writing.read(model, after), likely

        return more

    def show_found(self, found: Any) -> None:
        if isinstance(found, Broken):
            self._stop()
        if not isinstance(found, tuple):
            super().show_found(found)
            return
        text, begun, ids, whole, likely = found
        if not self.writing or text != self.prompt.toPlainText():
            return
        self._begun = begun if begun is not None else self._begun
        self._ids = ids
        self._show(text, whole)
        self.answer.show_answer(likely)
        if ids.shape[1] - self._begun >= MOST_WRITTEN:
            self._stop()
        self.changed.emit()

    def _show(self, text: str, whole: str) -> None:
        rest = whole[len(text) :] if whole.startswith(text) else whole
        self.written.show_texts(Texts(items=((text, rest),)))
        bar = self.written.verticalScrollBar()
        bar.setValue(bar.maximum())
