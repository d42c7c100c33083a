"""The editor of a layer of one's own: its source, what it declares, and what is wrong with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QDialog, QSplitter, QWidget

from deepgui.catalog.own.declared import OwnError, declare
from deepgui.catalog.spec import LayerSpec
from deepgui.project import own, trust
from deepgui.project.atomic import reason
from deepgui.project.values import Project
from deepgui.qt import style
from deepgui.qt.own.preview import described
from deepgui.qt.own.text import PythonEdit
from deepgui.qt.session import Session
from deepgui.qt.shelf import catalogue
from deepgui.qt.widgets import button, column, label, row

TEMPLATE = '''\
import torch
from torch import nn


class MyLayer(nn.Module):
    """What this layer does, in one sentence.

    Args:
        in_features: size of each example; read from the wire.
        hidden: size in between.
    """

    def __init__(self, in_features: int, hidden: int = 32, bias: bool = True) -> None:
        super().__init__()
        self.widen = nn.Linear(in_features, hidden, bias=bias)
        self.narrow = nn.Linear(hidden, in_features, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.narrow(torch.relu(self.widen(x)))
'''
DELAY_MS = 150


class Editor(QDialog):
    """Edits one layer; an empty ``kind`` makes a new one.

    Nothing runs while one types: what is shown comes from the text. Saving trusts the source and runs it once.

    Signals:
        saved(kind, new): the layer is in the project.
    """

    saved = Signal(str, bool)

    def __init__(self, session: Session, kind: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("own_editor")
        self._session = session
        self._kind = kind
        code = own.layers(session.project).get(kind)
        self._file = code.file if code else ""
        self._spec: LayerSpec | None = None
        self.setWindowTitle(f"{kind} – layer of your own" if kind else "New layer of your own")
        self.source = PythonEdit()
        self.source.setPlainText(code.source if code else TEMPLATE)
        self.source.setReadOnly(bool(self._file))
        self.about = label("", wrap=True)
        self.about.setObjectName("own_preview")
        self.about.setTextFormat(Qt.TextFormat.RichText)
        self.about.setContentsMargins(12, 4, 12, 4)
        self.status = label("", "muted", wrap=True)
        self.status.setObjectName("own_status")
        word = "Trust" if self._file else "Save and trust"
        self.save_button = button(word, "own_save", role="primary", tip="Let this code run on this machine")
        self.save_button.clicked.connect(self.save)
        close = button("Close", "own_close", role="quiet")
        close.clicked.connect(self.reject)
        self._lay_out(close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self.check)
        self.source.textChanged.connect(self._timer.start)
        self.check()

    def _lay_out(self, close: QWidget) -> None:
        side = QWidget()
        side.setLayout(column(self.about))
        side.layout().addStretch(1)
        split = QSplitter()
        split.addWidget(self.source)
        split.addWidget(side)
        split.setSizes([640, 260])
        foot = row(self.status, close, self.save_button)
        foot.setStretch(0, 1)
        self.setLayout(column(split, foot, margin=12))
        self.layout().setStretch(0, 1)
        self.resize(940, 620)

    def check(self) -> bool:
        """Say what the text declares, or what is wrong with it; True if it is a layer."""
        self._timer.stop()
        text, meant = self.source.toPlainText(), self._layer()
        try:
            self._spec = declare(text, meant if self._file else "", catalogue(self._session))
        except OwnError as error:
            self._spec = None
            return self._say(f"{str(error)[0].upper()}{str(error)[1:]}.", error.line)
        if self._file:
            self._say(f"This layer is in {self._file}, beside the project; edit it there.")
        elif complaint := self._taken(self._spec.kind):
            return self._say(complaint, 1)
        else:
            self._say("")
        self.about.setText(described(self._spec))
        return True

    def _layer(self) -> str:
        """The class that the layer is, as the project has it."""
        code = own.layers(self._session.project).get(self._kind)
        return code.layer if code else ""

    def _taken(self, name: str) -> str:
        """Why a class cannot be called so; empty if it can."""
        if name == self._layer():
            return ""
        if name in catalogue(self._session):
            return f"There is already a layer {name}: call the class otherwise."
        if name in self._session.project.blocks:
            return f"The project already has a block {name}: call the class otherwise."
        return ""

    def _say(self, sentence: str, line: int | None = None) -> bool:
        wrong = line is not None
        self.status.setText(sentence)
        style.set_role(self.status, "error" if wrong else "muted")
        self.source.mark(line or 0)
        self.save_button.setEnabled(not wrong)
        return not wrong

    def save(self) -> None:
        """Trust the source, run it once, and put it into the project."""
        if not self.check() or self._spec is None:
            return
        source, layer = self.source.toPlainText(), self._layer() if self._file else self._spec.kind
        try:
            trust.trust(source)
        except OSError as error:
            self._say(f"Trusted until DeepGUI is closed; it could not be remembered: {reason(error)}.")
        if self._session.ready:
            from deepgui.catalog.own.loading import try_out

            if complaint := try_out(source, layer):
                self._say(f"{layer} {complaint}.", 0)
                self.save_button.setEnabled(True)
                return
        new, kind = not self._kind, self._put(source, layer)
        self._session.recheck()
        self.saved.emit(kind, new)
        self.accept()

    def _put(self, source: str, layer: str) -> str:
        """Write the source into the project; returns the kind, which follows the class's name."""
        if self._file:
            return self._kind
        old = self._kind
        kind = old if old and layer == self._layer() else layer

        def change(project: Project) -> Project:
            project = own.renamed(project, old, kind) if old and old != kind else project
            return own.with_layer(project, kind, source, layer)

        self._session.edit_project(f"Write layer {kind}", change)
        return kind

    def hideEvent(self, event: object) -> None:
        super().hideEvent(event)
        self._timer.stop()
