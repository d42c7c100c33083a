"""What the network says, shown as what it is: bars, numbers, a picture, a text."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QStackedWidget, QWidget

from deepgui.qt import style
from deepgui.qt.probes import colors
from deepgui.qt.results.images import ImageWall, Wall, wall_of_boxes, wall_of_images
from deepgui.qt.results.texts import TextsView
from deepgui.qt.theme import GRID, theme
from deepgui.qt.try_out.bars import ChanceBars
from deepgui.qt.widgets import Elided, column, label
from deepgui.training.objectives.previews import Boxes, Images
from deepgui.use.answers import Answer, Chances, Following, Found, Numbers, Picture, Regions, Several, Text

MOST_NUMBERS = 12


class AnswerView(QWidget):
    """One answer, with its first words above it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("try_answer")
        self.said = Elided("", "heading")
        self.said.setObjectName("try_said")
        self.beside = label("", "muted")
        self.bars, self.wall, self.text = ChanceBars(), ImageWall(), TextsView()
        self.text.setObjectName("try_text")
        self.numbers = label("", "mono", wrap=True, selectable=True)
        self.numbers.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.pages = QStackedWidget()
        for page in (self.bars, self.wall, self.text, self.numbers):
            self.pages.addWidget(page)
        layout = column(self.said, self.beside, self.pages, gap=GRID // 2)
        layout.setStretch(2, 1)
        self.setLayout(layout)
        self.clear()

    def clear(self, text: str = "") -> None:
        """No answer; ``text`` says why or what to do."""
        self.said.setVisible(False)
        self.beside.setVisible(False)
        self.numbers.setText(text)
        style.set_role(self.numbers, "muted")
        self.pages.setCurrentWidget(self.numbers)

    def complain(self, text: str) -> None:
        """Why there is no answer."""
        self.clear(text)
        style.set_role(self.numbers, "error")

    def show_answer(self, answer: Answer, truth: str = "") -> None:
        """Show it; ``truth``: what it should have been, if that is known."""
        said = ""
        if isinstance(answer, (Chances, Several)):
            ranked = isinstance(answer, Following)
            self.bars.show_chances(answer.names, answer.chances, ranked=ranked)
            page: QWidget = self.bars
            said = "" if ranked else self._headline(answer)
        elif isinstance(answer, (Picture, Regions, Found)):
            self.wall.show_wall(_wall(answer))
            page, said = self.wall, answer.words
        elif isinstance(answer, Text):
            self._show_text(answer.words)
            page = self.text
        else:
            said = self._show_numbers(answer)
            page = self.numbers
        self._words(said, truth)
        self.pages.setCurrentWidget(page)

    def _headline(self, answer: Chances | Several) -> str:
        return answer.names[answer.best] if isinstance(answer, Chances) else answer.words

    def _words(self, said: str, truth: str) -> None:
        self.said.setText(said)
        self.said.setVisible(bool(said))
        self.beside.setText(f"truth: {truth}" if truth else "")
        self.beside.setVisible(bool(truth))
        style.set_role(self.beside, "success" if truth and truth == said else "muted")

    def _show_numbers(self, answer: Answer) -> str:
        style.set_role(self.numbers, "mono")
        if not isinstance(answer, Numbers):
            self.numbers.setText(answer.words)
            return ""
        if len(answer.values) == 1:
            self.numbers.setText(answer.names[0] if answer.names else "")
            return f"{answer.values[0]:.5g}"
        names = answer.names or tuple(str(i + 1) for i in range(len(answer.values)))
        lines = [f"{name}: {value:.5g}" for name, value in zip(names, answer.values, strict=False)]
        more = [f"and {len(lines) - MOST_NUMBERS} more"] if len(lines) > MOST_NUMBERS else []
        self.numbers.setText("\n".join(lines[:MOST_NUMBERS] + more))
        return ""

    def _show_text(self, text: str) -> None:
        self.text.setFont(style.mono(15))
        color = theme().color("text").name()
        self.text.setHtml(f'<p style="white-space:pre-wrap;color:{color}">{escape(text)}</p>')


def _wall(answer: Picture | Regions | Found) -> Wall:
    """An answer that is a picture, or lies over one."""
    if isinstance(answer, Picture):
        return wall_of_images(Images(images=answer.pixels[None]))
    if isinstance(answer, Found):
        nothing = answer.rows[:0]
        boxes = Boxes(images=answer.pixels[None], said=(answer.rows,), true=(nothing,), classes=answer.names)
        return wall_of_boxes(boxes)
    rgb = colors.class_rgb(len(answer.names))[answer.classes] / 255
    return wall_of_images(Images(images=np.moveaxis(rgb, -1, 0)[None].astype(np.float32)))


def plain(error: Any) -> str:
    """An error as one sentence."""
    text = " ".join(str(error).split()) or type(error).__name__
    text = text[0].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."
