"""What a network writes."""

from __future__ import annotations

from html import escape

from PySide6.QtWidgets import QTextBrowser, QWidget

from deepgui.qt import style
from deepgui.qt.theme import theme
from deepgui.training.objectives.previews import Texts


class TextsView(QTextBrowser):
    """A prompt in the quiet colour and what came of it; wrong answers beside the true ones."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("result_texts")
        self.setOpenLinks(False)
        self.setFrameShape(QTextBrowser.Shape.NoFrame)

    def show_texts(self, shown: Texts) -> None:
        """Show them and stay where the reader is."""
        self.setFont(style.mono())
        muted, good, bad = (theme().color(c).name() for c in ("muted", "success", "error"))
        parts = []
        for index, (prompt, text) in enumerate(shown.items):
            truth = shown.truths[index] if index < len(shown.truths) else None
            color = theme().color("text").name() if truth is None else good if truth == text else bad
            after = f'<span style="color:{muted}">  ({escape(truth)})</span>' if truth not in (None, text) else ""
            arrow = f'<span style="color:{muted}"> → </span>' if truth is not None else ""
            said = f'<span style="color:{color}">{escape(text)}</span>'
            asked = f'<span style="color:{muted}">{escape(prompt)}</span>'
            parts.append(f'<p style="white-space:pre-wrap">{asked}{arrow}{said}{after}</p>')
        bar = self.verticalScrollBar()
        at = bar.value()
        self.setHtml("".join(parts))
        bar.setValue(at)
