"""One editor per type of parameter. An editor shows a value, reads what is typed, and says what is wrong.

Editors know neither nodes nor projects: the same ones serve layers, data sources and optimisers.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QValidator, QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QFileDialog, QHBoxLayout, QLineEdit, QWidget

from deepgui.catalog.spec import ParamSpec, Value
from deepgui.qt import style
from deepgui.qt.inspector.text import Judge, Unreadable, read, read_expression, write
from deepgui.qt.widgets import Switch, tool_button


class Field(QWidget):
    """The editor of one parameter.

    Signals:
        edited(value): a valid value was typed or chosen.
        rejected(sentence): what was typed is no value; an empty sentence means it is well again.
    """

    edited = Signal(object)
    rejected = Signal(str)

    def __init__(self, spec: ParamSpec) -> None:
        super().__init__()
        self.spec = spec
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(4)

    def show_value(self, value: Value, *, hint: str = "", inferred: bool = False) -> None:
        """Show a value. ``hint`` stands in an empty field; ``inferred`` says that the wire gave the value."""
        raise NotImplementedError

    def name_editor(self, name: str, accessible: str) -> None:
        """Give the widget that a person acts on its object name and accessible name."""
        editor = self.focusProxy() or self
        editor.setObjectName(name)
        editor.setAccessibleName(accessible)

    def _adopt(self, editor: QWidget) -> None:
        self._line.addWidget(editor, 1)
        self.setFocusProxy(editor)


class TextField(Field):
    """Anything that is typed: numbers, tuples, text. What is typed stays, even if it is wrong.

    Attributes:
        judge: says what is wrong with an expression; None where only values can be.
    """

    def __init__(self, spec: ParamSpec) -> None:
        super().__init__(spec)
        self.judge: Judge | None = None
        self.line, editor = self._make()
        self._adopt(editor)
        self._editor = editor
        self._shown: Value = None
        self._bad = False
        self.line.textEdited.connect(self._typed)

    def _make(self) -> tuple[QLineEdit, QWidget]:
        line = QLineEdit()
        return line, line

    def text(self) -> str:
        return self.line.text()

    def show_value(self, value: Value, *, hint: str = "", inferred: bool = False) -> None:
        same = self._shown == value and type(self._shown) is type(value)
        if self._bad and same:
            return  # what was typed wrongly is still the person's to mend
        self._shown = value
        self._set_bad("")
        self.line.setPlaceholderText(hint)
        style.set_flag(self._editor, "inferred", inferred)
        if self.line.hasFocus() and self._means(value):
            return  # do not rewrite "1e-3" to "0.001" under the cursor
        text = write(value, self.spec)
        if self.line.text() != text:
            self.line.setText(text)

    def _means(self, value: Value) -> bool:
        try:
            return self._read(self.line.text()) == value
        except Unreadable:
            return False

    def _typed(self, text: str) -> None:
        try:
            value = self._read(text)
        except Unreadable as wrong:
            self._set_bad(str(wrong))
            return
        self._set_bad("")
        self._shown = value
        self.edited.emit(value)

    def _read(self, text: str) -> Value:
        expr = read_expression(text, self.judge) if self.judge is not None else None
        return read(text, self.spec) if expr is None else expr

    def _set_bad(self, sentence: str) -> None:
        if sentence or self._bad:
            self._bad = bool(sentence)
            style.set_flag(self._editor, "invalid", self._bad)
            self.rejected.emit(sentence)

    def type(self, text: str) -> None:
        """As if a person typed ``text`` in place of what stands there."""
        self.line.setText(text)
        self._typed(text)


class _Spin(QAbstractSpinBox):
    """A spin box that accepts any text while typing, and steps with arrows, wheel and buttons."""

    stepped = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCorrectionMode(QAbstractSpinBox.CorrectionMode.CorrectToPreviousValue)

    def validate(self, text: str, position: int) -> object:
        return QValidator.State.Acceptable, text, position

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        return QAbstractSpinBox.StepEnabledFlag.StepUpEnabled | QAbstractSpinBox.StepEnabledFlag.StepDownEnabled

    def stepBy(self, steps: int) -> None:
        self.stepped.emit(steps)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()  # the page scrolls; the number under the pointer stays


class NumberField(TextField):
    """A number; the arrows step whole numbers by one and others by a tenth of their size."""

    def __init__(self, spec: ParamSpec) -> None:
        super().__init__(spec)
        self._hinted: float | None = None

    def _make(self) -> tuple[QLineEdit, QWidget]:
        spin = _Spin()
        spin.stepped.connect(self._step)
        spin.lineEdit().setTextMargins(7, 0, 0, 0)
        return spin.lineEdit(), spin

    def show_value(self, value: Value, *, hint: str = "", inferred: bool = False) -> None:
        first = hint.split(" ")[0] if hint else ""
        self._hinted = float(first) if first.replace(".", "", 1).replace("-", "", 1).isdigit() else None
        super().show_value(value, hint=hint, inferred=inferred)

    def _step(self, steps: int) -> None:
        if self.judge is not None and self.text().startswith("="):
            return  # an expression has no next one
        try:
            value = read(self.text(), self.spec)
        except Unreadable:
            value = None
        start = value if isinstance(value, (int, float)) else self._hinted
        moved = next_number(start if start is not None else 0, steps, whole=self.spec.type == "int")
        if self.spec.minimum is not None and moved < self.spec.minimum:
            moved = int(self.spec.minimum) if self.spec.type == "int" else float(self.spec.minimum)
        self.type(write(moved, self.spec))
        self.line.selectAll()


def next_number(value: float, steps: int, *, whole: bool) -> int | float:
    """The number ``steps`` clicks away: ones for whole numbers, tenths of the leading digit's size for others."""
    if whole:
        return int(value) + steps
    size = 10.0 ** (math.floor(math.log10(abs(value))) - (1 if steps < 0 and _is_power(value) else 0)) if value else 0.1
    size = size if abs(value) < 1 else max(0.1, size / 10)
    return float(f"{value + steps * size:.10g}")


def _is_power(value: float) -> bool:
    return math.isclose(math.log10(abs(value)) % 1.0, 0.0, abs_tol=1e-9)


class SwitchField(Field):
    """True or false."""

    def __init__(self, spec: ParamSpec) -> None:
        super().__init__(spec)
        self.switch = Switch()
        self._line.addWidget(self.switch)
        self._line.addStretch()
        self.setFocusProxy(self.switch)
        self.switch.clicked.connect(lambda on: self.edited.emit(bool(on)))

    def show_value(self, value: Value, *, hint: str = "", inferred: bool = False) -> None:
        with QSignalBlocker(self.switch):
            self.switch.setChecked(value is True)
        self.switch.setToolTip(hint)


class ChoiceField(Field):
    """One of several words; also true, false or None where a switch cannot say None."""

    def __init__(self, spec: ParamSpec) -> None:
        super().__init__(spec)
        self.combo = QComboBox()
        self.combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.combo.setMinimumWidth(80)
        self.combo.installEventFilter(self)
        options: list[Value] = [True, False] if spec.type == "bool" else list(spec.choices)
        if spec.nullable:
            options.insert(0, None)
        for option in options:
            self.combo.addItem(option if isinstance(option, str) else str(option), option)
        self._adopt(self.combo)
        self.combo.activated.connect(lambda index: self.edited.emit(self.combo.itemData(index)))

    def show_value(self, value: Value, *, hint: str = "", inferred: bool = False) -> None:
        at = next((i for i in range(self.combo.count()) if self.combo.itemData(i) == value), -1)
        self.combo.setPlaceholderText(str(value) if value is not None else hint)
        style.set_flag(self.combo, "inferred", inferred)
        self.combo.setCurrentIndex(at)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.combo and event.type() == QEvent.Type.Wheel and not self.combo.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


class PathField(TextField):
    """A path, typed or chosen in a dialog."""

    def __init__(self, spec: ParamSpec) -> None:
        super().__init__(spec)
        self.browse = tool_button("folder-open", f"browse_{spec.name}", "Choose a file")
        self._menu_folder = tool_button("folder", f"browse_folder_{spec.name}", "Choose a folder")
        self._line.addWidget(self.browse)
        self._line.addWidget(self._menu_folder)
        self.browse.clicked.connect(lambda: self._chosen(QFileDialog.getOpenFileName(self, "Choose a file")[0]))
        self._menu_folder.clicked.connect(
            lambda: self._chosen(QFileDialog.getExistingDirectory(self, "Choose a folder"))
        )

    def _chosen(self, path: str) -> None:
        if path:
            self.type(path)


def is_path(spec: ParamSpec) -> bool:
    """Whether a text parameter names a file or folder; by its name, since declarations have no such type."""
    words = spec.name.split("_")
    return spec.type == "str" and bool({"path", "file", "folder", "images", "labels", "from"} & set(words))


def field_for(spec: ParamSpec) -> Field:
    """The editor for a parameter."""
    if spec.type == "bool":
        return ChoiceField(spec) if spec.nullable else SwitchField(spec)
    if spec.type == "choice":
        return ChoiceField(spec)
    if spec.type in ("int", "float"):
        return NumberField(spec)
    return PathField(spec) if is_path(spec) else TextField(spec)
